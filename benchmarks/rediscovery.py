"""A generic search for differences: onnxruntime and onnx.reference against the evaluator.

    python benchmarks/rediscovery.py --output benchmarks/REDISCOVERY.md

Seeds are ONNX's own node tests of one node with a float32 input. Each is varied without knowledge of any
operator: the opset to every version of the operator, one attribute at a time (flags turned, numbers scaled
or shifted, texts replaced by others that the node tests use for it), and the values of the float32 inputs
by families that are the same for all: normal numbers, numbers of very different sizes, one large number
among ones, special values at random, one special value everywhere, and a rising sequence. A result differs
where it is outside the enclosure of every binary32 execution; where it is of another kind (finite,
infinite, NaN) for inputs that are not finite; where integers, shapes or types differ. Functions of one
element are also tried on a fine rising sequence: a result beyond the value at which ours stays constant, or
falling where ours only rise, is a class of its own, whatever the error budget grants. Differences are
collected in classes: party, operator, kind.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import multiprocessing
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.reference
from onnx import AttributeProto

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.errors import TorchleanError, UnsupportedError
from pytest_torchlean.evaluator import evaluate
from pytest_torchlean.evaluator.enclosing import Undecided, enclose
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.onnx_import import LoadedModel, lower
from pytest_torchlean.onnx_import.table import TABLE
from pytest_torchlean.runtime import RuntimeSession, runtime_version

sys.path.insert(0, str(Path(__file__).resolve().parent))
import nodes

Array = np.ndarray
MOST_VARIANTS = 8
"""Attribute variants of one seed."""
MOST_ELEMENTS = 2048
"""Elements of one input of a seed; onnx.reference is slow, so it gets a quarter of that."""
SPECIAL = np.float32([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-45, -1e-40, 3.4028235e38, 1.0, -1.0])


@dataclass
class Class:
    """Differences of one kind: how often, at which opsets, and the first example."""

    count: int = 0
    opsets: set[int] = field(default_factory=set)
    worst: float = 0.0
    example: str = ""


Found = dict[tuple[str, str, str], Class]
"""Party, operator and kind to the class."""


# --- variants -----------------------------------------------------------------------------------------


def seeds(ops: Sequence[str] = ()) -> Iterator[Any]:
    """Node tests of one node that read float32."""
    for case in nodes.known_cases():
        graph = case.model.graph
        if len(graph.node) != 1 or graph.node[0].domain or ("", graph.node[0].op_type) not in TABLE:
            continue
        if ops and graph.node[0].op_type not in ops:
            continue
        arrays = [nodes.as_array(value) for value in case.data_sets[0][0] if value is not None]
        small = all(array.size <= MOST_ELEMENTS for array in arrays)
        if small and any(array.dtype == np.float32 for array in arrays):
            yield case


def texts(cases: Sequence[Any]) -> Mapping[tuple[str, str], list[bytes]]:
    """(operator, attribute) to the texts that the node tests use."""
    found: dict[tuple[str, str], set[bytes]] = defaultdict(set)
    for case in cases:
        node = case.model.graph.node[0]
        for attribute in node.attribute:
            if attribute.type == AttributeProto.STRING:
                found[node.op_type, attribute.name].add(attribute.s)
    return {key: sorted(values) for key, values in found.items()}


def changed_attributes(
    node: onnx.NodeProto, known: Mapping[tuple[str, str], list[bytes]]
) -> Iterator[onnx.NodeProto]:
    """The node itself, then with one attribute changed or left out."""
    yield node
    for place, attribute in enumerate(node.attribute):
        values: list[Any] = []
        if attribute.type == AttributeProto.INT:
            values = [v for v in (0, 1, attribute.i + 1, attribute.i - 1) if v != attribute.i]
        elif attribute.type == AttributeProto.FLOAT:
            values = [attribute.f * scale for scale in (0.5, 2.0, 1e-3, 1e3)]
        elif attribute.type == AttributeProto.INTS and len(attribute.ints) <= 8:
            ints = list(attribute.ints)
            values = [[v + 1 for v in ints], [max(v - 1, 0) for v in ints], ints[::-1]]
        elif attribute.type == AttributeProto.STRING:
            values = [text for text in known.get((node.op_type, attribute.name), []) if text != attribute.s]
        for value in values:
            other = onnx.NodeProto()
            other.CopyFrom(node)
            other.attribute[place].CopyFrom(onnx.helper.make_attribute(attribute.name, value))
            yield other
        other = onnx.NodeProto()
        other.CopyFrom(node)
        del other.attribute[place]
        yield other


@dataclass(frozen=True, eq=False)
class Subject:
    """One node at one opset, its float32 inputs free and everything else constant."""

    op: str
    opset: int
    proto: onnx.ModelProto
    graph: Graph
    inputs: Mapping[str, Array]


def subjects(case: Any, known: Mapping[tuple[str, str], list[bytes]]) -> Iterator[Subject]:
    """Every variant of a seed that we give a meaning to."""
    node = case.model.graph.node[0]
    own = next(entry.version for entry in case.model.opset_import if not entry.domain)
    versions = sorted(
        {max(version, 7) for version in TABLE["", node.op_type].since if version <= own} | {own}
    )
    given = {
        value.name: nodes.as_array(array)
        for value, array in zip(case.model.graph.input, case.data_sets[0][0], strict=False)
        if array is not None
    }
    variants = itertools.islice(changed_attributes(node, known), MOST_VARIANTS)
    for (number, variant), opset in itertools.product(enumerate(variants), versions):
        if number and opset != own:
            continue
        subject = _subject(case.model, variant, opset, given)
        if subject is not None:
            yield subject


def _subject(
    model: onnx.ModelProto, node: onnx.NodeProto, opset: int, given: Mapping[str, Array]
) -> Subject | None:
    fixed = {name: value for name, value in given.items() if value.dtype != np.float32}
    for _ in range(3):
        proto = onnx.ModelProto()
        proto.CopyFrom(model)
        proto.ir_version = min(model.ir_version, 10)
        del proto.graph.node[:]
        proto.graph.node.append(node)
        for entry in proto.opset_import:
            entry.version = opset
        free = [value for value in model.graph.input if value.name in given and value.name not in fixed]
        del proto.graph.input[:]
        proto.graph.input.extend(free)
        for value in proto.graph.input:
            del value.type.tensor_type.shape.dim[:]
            for extent in given[value.name].shape:
                value.type.tensor_type.shape.dim.add(dim_value=extent)
        for value in proto.graph.output:
            value.type.tensor_type.ClearField("shape")
        for name, array in fixed.items():
            proto.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
        shapes = {name: value.shape for name, value in given.items() if name not in fixed}
        try:
            graph = lower(LoadedModel(Path("case.onnx"), proto.SerializeToString(), ""), shapes=shapes)
        except UnsupportedError as refusal:
            asked = [
                name
                for name in given
                if name not in fixed and f"'{name}' is computed at run time" in str(refusal)
            ]
            if not asked:
                return None
            fixed.update({name: given[name] for name in asked})
            continue
        except TorchleanError:
            return None
        inputs = {name: given[name] for name in graph.inputs}
        return Subject(node.op_type, opset, proto, graph, inputs) if inputs else None
    return None


def values(subject: Subject, rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Array]]]:
    """Families of values, the same for every operator; the seed's own values first."""
    yield "the seed's", dict(subject.inputs)
    families = {
        "normal": lambda shape: rng.standard_normal(shape),
        "many sizes": lambda shape: rng.standard_normal(shape) * np.exp2(rng.integers(-30, 30, shape)),
        "one large": lambda shape: _one_large(shape, rng),
        "special": lambda shape: rng.choice(SPECIAL, shape),
        "rising": lambda shape: np.linspace(-20, 20, int(np.prod(shape))).reshape(shape),
    }
    for name, family in families.items():
        yield name, {key: family(x.shape).astype(np.float32) for key, x in subject.inputs.items()}
    for special in SPECIAL:
        for key in subject.inputs:
            only = {k: x if k != key else np.full_like(x, special) for k, x in subject.inputs.items()}
            yield f"{special} everywhere", only


def _one_large(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    found = np.ones(shape)
    if found.size:
        found.reshape(-1)[rng.integers(found.size)] = np.exp2(rng.integers(8, 40))
    return found


# --- comparing ----------------------------------------------------------------------------------------


def kinds(own: Array, bound: Enclosed | Array | None, theirs: Array, finite_inputs: bool) -> dict[str, float]:
    """The kinds of difference of one output, with how many times the radius the worst is off."""
    if theirs.dtype != own.dtype or theirs.shape != own.shape:
        return {"another shape or type": 0.0}
    if own.dtype != np.float32:
        return {} if (own == theirs).all() else {"other integers": 0.0}
    found: dict[str, float] = {}
    with np.errstate(all="ignore"):
        if isinstance(bound, Enclosed):
            off = np.abs(theirs.astype(np.float64) - bound.center)
            claimed = np.isfinite(bound.radius) & np.isfinite(bound.center)
            beyond = claimed & ~(off <= bound.radius)
            if beyond.any():
                ratio = np.where(beyond & (bound.radius > 0), off / bound.radius, 0.0)
                found["beyond the bound"] = float(np.nanmax(np.where(np.isfinite(ratio), ratio, 0.0)))
        if not finite_inputs:
            for name, (mine, other) in _CATEGORIES.items():
                if (mine(own) & other(theirs)).any():
                    found[name] = 0.0
        zero = (own == 0) & (theirs == 0) & (np.signbit(own) != np.signbit(theirs))
        if zero.any():
            found["the sign of a zero"] = 0.0
    return found


def _category(name: str) -> Any:
    return {
        "NaN": np.isnan,
        "infinite": np.isinf,
        "finite": np.isfinite,
    }[name]


_CATEGORIES = {
    f"{mine} here, {other} there": (_category(mine), _category(other))
    for mine, other in itertools.permutations(("NaN", "infinite", "finite"), 2)
}


def examine(subject: Subject, rng: np.random.Generator, found: Found) -> int:
    """All families on one subject; how many comparisons were made."""
    parties = _parties(subject.proto)
    if sum(x.size for x in subject.inputs.values()) > MOST_ELEMENTS // 4:
        parties.pop("onnx.reference", None)
    done = 0
    for family, given in values(subject, rng):
        try:
            own = evaluate(subject.graph, given)
        except TorchleanError:
            continue
        try:
            bounds: Mapping[str, Any] = enclose(subject.graph, given)
        except Undecided:
            bounds = {}
        finite = all(np.isfinite(x).all() for x in given.values())
        for party, run in parties.items():
            answers = _answers(run, given)
            if answers is None:
                continue
            done += 1
            for name, theirs in zip(subject.graph.outputs, answers, strict=False):
                differences = kinds(own[name], bounds.get(name), np.asarray(theirs), finite)
                for kind, ratio in differences.items():
                    _note(found, (party, subject.op, kind), subject, family, ratio)
    return done


def _parties(proto: onnx.ModelProto) -> dict[str, Any]:
    parties: dict[str, Any] = {}
    with contextlib.suppress(TorchleanError):
        parties["onnxruntime"] = RuntimeSession(proto.SerializeToString(), False).run
    with contextlib.suppress(Exception):
        reference = onnx.reference.ReferenceEvaluator(proto)
        parties["onnx.reference"] = lambda given: reference.run(None, given)
    return parties


def _answers(run: Any, given: Mapping[str, Array]) -> Sequence[Any] | None:
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return list(run(given))
    except Exception:
        return None


def _note(found: Found, key: tuple[str, str, str], subject: Subject, family: str, ratio: float) -> None:
    entry = found.setdefault(key, Class())
    entry.count += 1
    entry.opsets.add(subject.opset)
    if not entry.example or ratio > entry.worst:
        node = subject.proto.graph.node[0]
        attributes = ", ".join(
            f"{a.name}={_shown(onnx.helper.get_attribute_value(a))}" for a in node.attribute
        )
        entry.example = f"{family} values" + (f"; {attributes}" if attributes else "")
        entry.worst = ratio


def _shown(value: Any) -> str:
    text = value.decode() if isinstance(value, bytes) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def examine_rising(subject: Subject, found: Found) -> int:
    """A function of one element on a fine rising sequence: saturation and monotony."""
    if len(subject.inputs) != 1 or len(subject.graph.nodes) != 1:
        return 0
    (name,) = subject.inputs
    x = np.linspace(-20, 20, 2**14, dtype=np.float32)
    wide = _subject(subject.proto, subject.proto.graph.node[0], subject.opset, {name: x.reshape(2**6, 2**8)})
    if wide is None or wide.graph.types[wide.graph.outputs[0]].shape != (2**6, 2**8):
        return 0
    if wide.graph.types[wide.graph.outputs[0]].dtype != "float32" or not _elementwise(wide, name, x):
        return 0
    (output,) = wide.graph.outputs[:1]
    own = evaluate(wide.graph, {name: x.reshape(2**6, 2**8)})[output].reshape(-1)
    for party, run in _parties(wide.proto).items():
        answers = _answers(run, {name: x.reshape(2**6, 2**8)})
        if answers is None:
            continue
        theirs = np.asarray(answers[0]).reshape(-1)
        for limit, beyond in ((own.max(), theirs > own.max()), (own.min(), theirs < own.min())):
            if np.isfinite(limit) and (own == limit).sum() >= 64 and beyond.any():
                _note(found, (party, subject.op, f"beyond {limit:g}, where ours stays constant"), wide,
                      f"{float(x[beyond.argmax()])!r} among rising", 0.0)  # fmt: skip
        if (np.diff(own) >= 0).all() and (np.diff(theirs) < 0).any():
            _note(found, (party, subject.op, "falls where ours only rises"), wide, "rising", 0.0)
    return 1


def _elementwise(subject: Subject, name: str, x: Array) -> bool:
    """Whether turning the input around turns the output around."""
    try:
        (forward,) = (evaluate(subject.graph, {name: x.reshape(2**6, 2**8)})[subject.graph.outputs[0]],)
        turned = evaluate(subject.graph, {name: x[::-1].reshape(2**6, 2**8)})[subject.graph.outputs[0]]
    except TorchleanError:
        return False
    return bool(np.array_equal(forward.reshape(-1)[::-1], turned.reshape(-1), equal_nan=True))


def search(ops: Sequence[str] = (), seed: int = 0, part: int = 0, parts: int = 1) -> tuple[Found, int, int]:
    """Classes of difference of every `parts`-th seed, and how many variants and comparisons there were."""
    found: Found = {}
    every = list(seeds(ops))
    known = texts(every)
    cases = every[part::parts]
    subject_count = comparisons = 0
    seen: set[bytes] = set()
    for number, case in enumerate(cases):
        if number % 25 == 0:
            print(f"{number} of {len(cases)}: {case.name}, {len(found)} classes", file=sys.stderr, flush=True)
        rising: set[int] = set()
        for subject in subjects(case, known):
            text = subject.proto.graph.node[0].SerializeToString() + bytes([subject.opset])
            text += repr(sorted(x.shape for x in subject.inputs.values())).encode()
            if text in seen:
                continue
            seen.add(text)
            subject_count += 1
            rng = np.random.Generator(np.random.PCG64([seed, part, subject_count]))
            comparisons += examine(subject, rng, found)
            if subject.opset not in rising:
                rising.add(subject.opset)
                comparisons += examine_rising(subject, found)
    return found, subject_count, comparisons


def search_in_processes(ops: Sequence[str], seed: int, jobs: int) -> tuple[Found, int, int]:
    """The same search, its seeds dealt to processes."""
    found: Found = {}
    variants = comparisons = 0
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for own, count, compared in pool.starmap(search, [(ops, seed, part, jobs) for part in range(jobs)]):
            variants, comparisons = variants + count, comparisons + compared
            for key, entry in own.items():
                found[key] = _merged(found[key], entry) if key in found else entry
    return found, variants, comparisons


def _merged(left: Class, right: Class) -> Class:
    best = right if right.worst > left.worst else left
    return Class(left.count + right.count, left.opsets | right.opsets, best.worst, best.example)


# --- the document -------------------------------------------------------------------------------------

KNOWN = (
    (
        "BatchNormalization of onnx.reference below opset 14",
        "onnx.reference",
        "BatchNormalization",
        "beyond the bound",
    ),
    ("MaxUnpool with an output_shape", "onnxruntime", "MaxUnpool", "beyond the bound"),
    ("the running window of LRN", "onnxruntime", "LRN", "beyond the bound"),
    ("Tanh above 1", "onnxruntime", "Tanh", "beyond 1, where ours stays constant"),
    ("MaxPool of minus infinity", "onnxruntime", "MaxPool", "infinite here, finite there"),
)
"""Defects that were known before, and the class that each belongs to; the search does not read this."""


def document(found: Found, subjects: int, comparisons: int, seconds: float) -> str:
    """The whole text."""
    lines = [
        "# Unaided rediscovery",
        "",
        f"Written by `python benchmarks/rediscovery.py --output benchmarks/REDISCOVERY.md` with onnxruntime "
        f"{runtime_version()} and onnx {onnx.__version__}: {subjects} variants, {comparisons} comparisons, "
        f"{len(found)} classes in {seconds:.0f} s.",
        "",
        __doc__.split("\n\n", 2)[2].strip(),
        "",
        "## Defects known before",
        "",
        "| defect | class | found | opsets |",
        "|---|---|---|---|",
    ]
    for text, *key in KNOWN:
        entry = found.get(tuple(key))  # type: ignore[arg-type]
        shown = f"{entry.count} times" if entry else "no"
        lines.append(f"| {text} | {': '.join(key)} | {shown} | {_versions(entry)} |")
    for party in ("onnxruntime", "onnx.reference"):
        lines += ["", f"## {party}", "", "| operator | kind | times | opsets | times the radius | example |",
                  "|---|---|---|---|---|---|"]  # fmt: skip
        for (who, op, kind), entry in sorted(found.items()):
            if who == party:
                worst = f"{entry.worst:.3g}" if entry.worst else ""
                lines.append(
                    f"| {op} | {kind} | {entry.count} | {_versions(entry)} | {worst} | {entry.example} |"
                )
    return "\n".join(lines) + "\n"


def _versions(entry: Class | None) -> str:
    return ", ".join(map(str, sorted(entry.opsets))) if entry else ""


def main() -> None:
    """Search and write the document; the exit code is 1 where a known defect was not found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--ops", nargs="*", default=[], help="only these operators")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    start = time.monotonic()
    found, subject_count, comparisons = search_in_processes(options.ops, options.seed, options.jobs)
    text = document(found, subject_count, comparisons, time.monotonic() - start)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text)
    missing = [text for text, *key in KNOWN if tuple(key) not in found]
    print("not found:", ", ".join(missing) or "none of the known defects")
    raise SystemExit(bool(missing))


if __name__ == "__main__":
    main()
