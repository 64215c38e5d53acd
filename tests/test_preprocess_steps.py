"""Random preprocessing against an independent numpy reading of the same steps, bit for bit."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx_models import lowered, model

from pytest_torchlean.evaluator import run
from pytest_torchlean.onnx_import import LoadedModel
from pytest_torchlean.preprocessing import compose, open_session
from pytest_torchlean.runtime import RuntimeSession
from pytest_torchlean.spec.preprocess_fields import plain_steps, read_steps

NUMBERS = st.fractions(min_value=-9, max_value=9, max_denominator=97)
DIVISORS = NUMBERS.filter(lambda number: abs(number) > Fraction(1, 50))


def text(number: Fraction) -> str:
    return str(number)


@st.composite
def written(draw: Any) -> tuple[list[dict[str, Any]], tuple[int, ...]]:
    """Steps in the form of a spec, and the shape of the model's input."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)))
    current, steps = list(shape), []
    for _ in range(draw(st.integers(1, 5))):
        # built from the model back to the raw input, so `current` is the shape behind the step
        kind = draw(st.sampled_from(("arithmetic", "normalize", "clip", "transpose", "reshape", "resize")))
        axis = draw(st.integers(0, len(current) - 1))
        many = st.lists(DIVISORS.map(text), min_size=current[axis], max_size=current[axis])
        values = draw(st.one_of(DIVISORS.map(text), many))
        if kind == "arithmetic":
            name = draw(st.sampled_from(("add", "subtract", "multiply", "divide")))
            steps.insert(0, {name: {"value": values, "axis": axis}})
        elif kind == "normalize":
            steps.insert(0, {"normalize": {"mean": draw(NUMBERS.map(text)), "std": values, "axis": axis}})
        elif kind == "clip":
            low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
            steps.insert(0, {"clip": {"lower": text(low), "upper": text(high)}})
        elif kind == "transpose":
            axes = draw(st.permutations(range(len(current))))
            steps.insert(0, {"transpose": list(axes)})
            before = [0] * len(current)
            for extent, at in zip(current, axes, strict=True):
                before[at] = extent
            current = before
        elif kind == "reshape":
            before = [int(np.prod(current)), 1]
            steps.insert(0, {"reshape": {"from": before}})
            current = before
        else:
            extent = draw(st.integers(1, 6))
            steps.insert(0, {"resize": {"from": [extent], "axes": [axis]}})
            current = [*current[:axis], extent, *current[axis + 1 :]]
    if draw(st.booleans()):
        steps.insert(0, {"cast": "uint8"})
    return steps, shape


def float32(value: Any) -> np.ndarray:
    numbers = [Fraction(item) for item in value] if isinstance(value, list) else Fraction(value)
    return np.asarray(numbers, dtype=np.float64).astype(np.float32)


def along(value: Any, axis: int, rank: int) -> np.ndarray:
    array = float32(value)
    return array.reshape(-1, *(1,) * (rank - axis - 1)) if array.ndim else array


def reference(steps: list[dict[str, Any]], x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """What the steps say, in numpy; shapes in front of a reshape follow from those behind it."""
    behind = [shape]
    for step in reversed(steps):
        ((kind, value),) = step.items()
        after = behind[0]
        if kind == "transpose":
            after = tuple(after[value.index(axis)] for axis in range(len(after)))
        elif kind == "reshape":
            after = tuple(value["from"])
        elif kind == "resize":
            at = value["axes"][0]
            after = (*after[:at], value["from"][0], *after[at + 1 :])
        behind.insert(0, after)
    for step, after in zip(steps, behind[1:], strict=True):
        ((kind, value),) = step.items()
        if kind in ("add", "subtract", "multiply", "divide"):
            operation = getattr(np, kind)
            x = operation(x, along(value["value"], value["axis"], x.ndim))
        elif kind == "normalize":
            x = (x - float32(value["mean"])) / along(value["std"], value["axis"], x.ndim)
        elif kind == "clip":
            x = np.minimum(np.maximum(x, float32(value["lower"])), float32(value["upper"]))
        elif kind == "transpose":
            x = x.transpose(value)
        elif kind == "reshape":
            x = x.reshape(after)
        elif kind == "resize":
            (at,), (extent,) = value["axes"], value["from"]
            x = x.take([place * extent // after[at] for place in range(after[at])], axis=at)
        assert x.dtype == np.float32
    return x


@given(written(), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_steps_are_what_numpy_makes_of_them(case: tuple[list[dict[str, Any]], Any], seed: int) -> None:
    listed, shape = case
    steps = read_steps(listed, "steps")
    assert read_steps(plain_steps(steps), "steps") == steps
    proto = model([helper.make_node("Neg", ["x"], ["y"])], {"x": shape}, {"y": shape})
    loaded = LoadedModel(Path("m.onnx"), proto.SerializeToString(), "label")
    front = compose(loaded, lowered(proto), steps)
    assert front.system.sha256 == "label"
    (name,) = front.graph.inputs
    generator = np.random.default_rng(seed)
    raw = generator.normal(size=front.graph.types[name].shape).astype(np.float32) * np.float32(40)
    if front.integers is not None:
        raw = front.integers.nearest(raw)
    wanted = reference(listed, raw, shape)
    (given_to_model,) = run(front.alone_graph, {name: raw})
    # numpy keeps -0 where a bound of 0 meets it, IEEE-754's maximum may give either zero
    assert (given_to_model + np.float32(0)).tobytes() == (wanted + np.float32(0)).tobytes()
    (together,) = run(front.graph, {name: raw})
    assert together.tobytes() == (-given_to_model).tobytes()
    session = open_session(loaded, front, optimise=True)
    (sequence,) = session.run({session.inputs[0]: raw})
    (whole,) = RuntimeSession(front.system.data, optimise=False).run({name: raw})
    for answer in (sequence, whole):
        assert (answer + np.float32(0)).tobytes() == (together + np.float32(0)).tobytes()
