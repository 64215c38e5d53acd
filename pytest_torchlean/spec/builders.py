"""The decorator API: the keys of torchlean.yaml as keyword arguments, decoded by the same code.

```python
@pytest.mark.certify("models/digits.onnx", robustness(epsilon="8/255", domain=(0, 1), data="data/digits.npz"))
def test_digits_are_robust(verdict): ...
```

Numbers may be text (`"8/255"`, `"1e-3"`, `"0x1.8p-3"`), `int`, `Fraction`, or `float`. A float means
exactly what it holds: `0.1` is 3602879701896397/36028797018963968, not one tenth; `"0.1"` is one tenth.
Paths are relative to pytest's root directory. Wrong arguments raise SpecError at once.
"""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from pytest_torchlean.errors import SpecError
from pytest_torchlean.spec import kinds
from pytest_torchlean.spec.blocks import decode_block
from pytest_torchlean.spec.context import Context, Invalid
from pytest_torchlean.spec.decode import build
from pytest_torchlean.spec.fields import FilePath
from pytest_torchlean.spec.kinds import Kind
from pytest_torchlean.spec.model import (
    Assurance,
    Element,
    EquivalentProperty,
    GradientProperty,
    InvariantProperty,
    LipschitzProperty,
    LyapunovProperty,
    MonotoneProperty,
    OnUnknown,
    PropertySpec,
    RadiusProperty,
    RangeProperty,
    ResidualProperty,
    RobustnessProperty,
    RuntimeProperty,
    Semantics,
    VnnlibProperty,
)
from pytest_torchlean.spec.tree import Mapping, Scalar, Tree, from_python

Number = str | int | float | Fraction
Share = str | int | Fraction
Side = Number | Sequence[Number]
Pair = tuple[Side, Side] | AbstractMapping[str, Side]
OpenPair = tuple[Side | None, Side | None] | AbstractMapping[str, Side]

_Built = TypeVar("_Built", bound=PropertySpec)
_FILLED_BY_BIND = ("name", "model", "check")


def runtime_agreement(
    *,
    samples: int | None = None,
    seed: int | None = None,
    data: str | PathLike[str] | None = None,
    input: Pair | None = None,
    sampling: Sequence[str] | None = None,
    sessions: AbstractMapping[str, Sequence[str | int]] | None = None,
    timeout: str | None = None,
    on_unknown: OnUnknown | None = None,
    memory: str | None = None,
) -> RuntimeProperty:
    """onnxruntime agrees with the exact evaluator on `samples` inputs. Raises SpecError.

    `sampling` lists kinds of samples, e.g. `["data", "uniform", "ties"]`. `sessions` combines lists, e.g.
    `{"optimisation": ["none", "all"], "threads": [1, 2]}`.
    """
    return _make(
        "runtime_agreement",
        RuntimeProperty,
        kinds.RUNTIME,
        samples=samples,
        seed=seed,
        data=data,
        input=_box(input),
        sampling=sampling,
        sessions=sessions,
        timeout=timeout,
        on_unknown=on_unknown,
        memory=memory,
    )


def robustness(
    *,
    epsilon: Number,
    data: str | PathLike[str],
    domain: Pair | None = None,
    norm: str | None = None,
    at_least: Share | None = None,
    min_accuracy: Share | None = None,
    indices: Sequence[int] | None = None,
    limit: int | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> RobustnessProperty:
    """No listed input changes class within `epsilon` inside `domain`. Raises SpecError.

    `at_least` and `min_accuracy` are shares of all listed inputs: `"90%"`, `"0.9"`, `Fraction(9, 10)`.
    Floats are refused there: `0.9` holds slightly more than nine tenths, so 90 of 100 would miss it.
    """
    _refuse_float_shares("robustness", at_least=at_least, min_accuracy=min_accuracy)
    return _make(
        "robustness",
        RobustnessProperty,
        kinds.ROBUSTNESS,
        epsilon=epsilon,
        data=data,
        domain=_box(domain),
        norm=norm,
        at_least=at_least,
        min_accuracy=min_accuracy,
        indices=indices,
        limit=limit,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def certified_radius(
    *,
    epsilon: Number,
    data: str | PathLike[str],
    up_to: Number,
    steps: int | None = None,
    domain: Pair | None = None,
    norm: str | None = None,
    at_least: Share | None = None,
    min_accuracy: Share | None = None,
    indices: Sequence[int] | None = None,
    limit: int | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> RadiusProperty:
    """As `robustness`, and `verdict.radii` holds each input's largest certified radius up to `up_to`.

    Radii are multiples of up_to / 2^steps. Raises SpecError.
    """
    _refuse_float_shares("certified_radius", at_least=at_least, min_accuracy=min_accuracy)
    return _make(
        "certified_radius",
        RadiusProperty,
        kinds.RADIUS,
        epsilon=epsilon,
        data=data,
        up_to=up_to,
        steps=steps,
        domain=_box(domain),
        norm=norm,
        at_least=at_least,
        min_accuracy=min_accuracy,
        indices=indices,
        limit=limit,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def output_range(
    *,
    input: Pair,
    output: OpenPair,
    strict: bool | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> RangeProperty:
    """Every output lies within `output` for every input of the box `input`. Raises SpecError.

    One side of `output` may be None: `output=(None, 40)`.
    """
    return _make(
        "output_range",
        RangeProperty,
        kinds.RANGE,
        input=_box(input),
        output=_box(output),
        strict=strict,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def vnnlib(
    *,
    file: str | PathLike[str],
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> VnnlibProperty:
    """No input leads to outputs that the VNN-LIB file `file` calls unsafe. Raises SpecError."""
    return _make(
        "vnnlib",
        VnnlibProperty,
        kinds.VNNLIB,
        file=file,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def equivalent(
    *,
    to: str | PathLike[str],
    input: Pair,
    tolerance: Side | None = None,
    same: str | None = None,
    margin: Number | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> EquivalentProperty:
    """The model and the one in the file `to` give nearly the same outputs for every input of the box.

    Give `tolerance`, the largest difference of each output, or `same="class"`. Raises SpecError.
    """
    return _make(
        "equivalent",
        EquivalentProperty,
        kinds.EQUIVALENT,
        files=("to",),
        to=to,
        input=_box(input),
        tolerance=tolerance,
        same=same,
        margin=margin,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def monotone(
    *,
    along: Sequence[Element],
    by: Side,
    input: Pair,
    outputs: Sequence[int] | None = None,
    direction: str | None = None,
    slack: Number | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> MonotoneProperty:
    """Raising the inputs `along` by up to `by` lowers no output by more than `slack`. Raises SpecError.

    `direction="nonincreasing"` claims that it raises none.
    """
    return _make(
        "monotone",
        MonotoneProperty,
        kinds.MONOTONE,
        along=along,
        by=by,
        input=_box(input),
        outputs=outputs,
        direction=direction,
        slack=slack,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def lipschitz(
    *,
    constant: Number,
    apart: Side,
    input: Pair,
    along: Sequence[Element] | None = None,
    outputs: Sequence[int] | None = None,
    slack: Number | None = None,
    norm: str | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> LipschitzProperty:
    """Outputs of two inputs of the box, `apart` at most, differ by at most constant * distance + slack.

    The distance is the largest difference of an element, or that of `norm`: "l2" or "l1"; they differ in the
    inputs `along`. Raises SpecError.
    """
    return _make(
        "lipschitz",
        LipschitzProperty,
        kinds.LIPSCHITZ,
        constant=constant,
        apart=apart,
        along=along,
        input=_box(input),
        outputs=outputs,
        slack=slack,
        norm=norm,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def invariant(
    *,
    dynamics: AbstractMapping[str, str] | str | PathLike[str],
    region: Pair,
    state: Sequence[str] | None = None,
    control: Sequence[str] | None = None,
    constraints: Sequence[str] | None = None,
    disturbance: Side | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> InvariantProperty:
    """No step of the closed loop leads out of `region`, cut by the inequalities `constraints`.

    `dynamics` gives each element of the model's input a name and its next value as an expression, e.g.
    `{"x": "x + v/10", "v": "v + u/10"}`; or it is the path of a model that takes the state and then the
    control, and `state` names the state's elements. Raises SpecError.
    """
    return _make(
        "invariant",
        InvariantProperty,
        kinds.INVARIANT,
        files=() if isinstance(dynamics, AbstractMapping) else ("dynamics",),
        dynamics=dynamics,
        state=state,
        region=_box(region),
        control=control,
        constraints=constraints,
        disturbance=disturbance,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def lyapunov(
    *,
    dynamics: AbstractMapping[str, str] | str | PathLike[str],
    function: str,
    region: Pair,
    ball: Side,
    state: Sequence[str] | None = None,
    control: Sequence[str] | None = None,
    decrease: Number | None = None,
    level: Number | None = None,
    time: str | None = None,
    disturbance: Side | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> LyapunovProperty:
    """In `region`, outside the box of `ball` around 0, `function` is positive and every step lowers it.

    With `level` no step leaves the states of the region where it is at most that. With `time="continuous"`
    `dynamics` gives derivatives by time. It may be the path of a model, as for `invariant`. Raises SpecError.
    """
    return _make(
        "lyapunov",
        LyapunovProperty,
        kinds.LYAPUNOV,
        files=() if isinstance(dynamics, AbstractMapping) else ("dynamics",),
        dynamics=dynamics,
        state=state,
        function=function,
        region=_box(region),
        ball=ball,
        control=control,
        decrease=decrease,
        level=level,
        time=time,
        disturbance=disturbance,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def gradient(
    *,
    input: Pair,
    bounds: OpenPair,
    output: int | None = None,
    along: Sequence[Element] | None = None,
    timeout: str | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> GradientProperty:
    """The derivatives of output number `output` along the inputs `along` lie within `bounds`.

    Raises SpecError.
    """
    return _make(
        "gradient",
        GradientProperty,
        kinds.GRADIENT,
        input=_box(input),
        bounds=_box(bounds),
        output=output,
        along=along,
        timeout=timeout,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def residual(
    *,
    input: Pair,
    inputs: Sequence[str],
    residual: str,
    within: Number,
    outputs: Sequence[str] | None = None,
    timeout: str | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> ResidualProperty:
    """The expression `residual`, where `u_x` and `u_xx` are derivatives, is at most `within` in size.

    Raises SpecError.
    """
    return _make(
        "residual",
        ResidualProperty,
        kinds.RESIDUAL,
        input=_box(input),
        inputs=inputs,
        outputs=outputs,
        residual=residual,
        within=within,
        timeout=timeout,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def _refuse_float_shares(function: str, **shares: object) -> None:
    for key, share in shares.items():
        if isinstance(share, float):
            raise SpecError(
                "TL0307",
                f"{function}(): `{key}` must not be a float: {share!r} is not the exact share it shows",
                fix=f'write it as text: `{key}="90%"` or `{key}="{share!r}"`',
            )


def _box(box: object) -> object:
    """A pair as the block with `lower` and `upper` that the decoder reads; anything else unchanged."""
    if isinstance(box, tuple) and len(box) == 2:
        return {key: side for key, side in zip(("lower", "upper"), box, strict=True) if side is not None}
    return box


def _make(
    called: str, result: type[_Built], kind: Kind, /, *, files: Sequence[str] = (), **arguments: Any
) -> _Built:
    """Decode arguments by the table of `kind`; None means that the argument was not given.

    files: arguments that are paths here and names in torchlean.yaml.
    """
    built = read_arguments(called, kind, arguments, Context(), files)
    assert isinstance(built, result)
    return built


def read_arguments(
    function: str,
    kind: Kind,
    arguments: AbstractMapping[str, Any],
    context: Context,
    files: Sequence[str] = (),
) -> PropertySpec:
    """The property that keyword arguments describe; those that are None were not given. Raises SpecError."""
    entries = []
    for key, value in arguments.items():
        if value is None:
            continue
        try:
            entries.append((Scalar(key), from_python(value)))
        except TypeError as error:
            raise SpecError("TL0307", f"{function}(): `{key}`: {error}", fix=_SIGNATURE_FIX) from None
    fields = [
        replace(entry, type=_PathText()) if entry.key in files else entry
        for entry in kinds.fields_of(kind)
        if entry.key not in _FILLED_BY_BIND
    ]
    tree = Mapping(tuple(entries))
    values = decode_block(tree, fields, f"{function}()", context)
    built = values if isinstance(values, Invalid) else build(kind, values, tree, context)
    if isinstance(built, Invalid):
        first = context.problems[0].error
        others = [f"; {problem.error.message}" for problem in context.problems[1:]]
        raise SpecError(first.code, f"{function}(): {first.message}{''.join(others)}", fix=first.fix)
    return built


@dataclass(frozen=True)
class _PathText(FilePath):
    """A path as text with forward slashes."""

    def decode(self, tree: Tree, label: str, context: Context) -> Any:
        found = super().decode(tree, label, context)
        return found.as_posix() if isinstance(found, Path) else found


_SIGNATURE_FIX = "give text, numbers, or pairs (lower, upper) of them"
