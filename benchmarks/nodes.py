"""ONNX's own node tests: how many are evaluated, refused by name, or wrong, by operator.

    python benchmarks/nodes.py --output benchmarks/NODES.md

The cases come from the installed `onnx` package (`onnx.backend.test`), built in memory. A case counts as
evaluated where every output agrees with the expected one: equal, or within twice the derived bound of all
executions of the graph. Where there is no such bound, because a choice depends on rounding, the case's own
tolerance decides for a graph of several nodes. Inputs become constants where lowering asks for their
values, because shapes depend on them.
"""

from __future__ import annotations

import argparse
import functools
import re
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from pytest_torchlean.binary32.arithmetic import Enclosed
from pytest_torchlean.errors import TorchleanError, UnsupportedError
from pytest_torchlean.evaluator import evaluate
from pytest_torchlean.evaluator.enclosing import Undecided, enclose
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.ir.wellformed import DTYPES
from pytest_torchlean.onnx_import import LoadedModel, lower
from pytest_torchlean.onnx_import.tensors import dtype_name

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Judgement:
    """One case: `status` is "bound", "tolerance", "documented", "refused" or "wrong"."""

    name: str
    op: str
    status: str
    reason: str = ""

    @property
    def evaluated(self) -> bool:
        """Whether the case was computed and agrees, or differs as documented."""
        return self.status in ("bound", "tolerance", "documented")


DOCUMENTED: Mapping[str, str] = {
    "test_averagepool_2d_ceil_last_window_starts_on_pad": "expected values are given to four decimals",
    "test_resize_downsample_scales_cubic_align_corners": "expected with a length that is no integer",
    "test_resize_downsample_scales_linear_align_corners": "expected with a length that is no integer",
}
"""Cases whose expected values differ from ours, and why; DIVERGENCES.md lists them."""


@functools.cache
def all_cases() -> tuple[Any, ...]:
    """Every node case of the installed onnx, in its order."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return tuple(collect_testcases(None))


def element_types(case: Any) -> set[str]:
    """dtype names of the model's inputs and outputs; "other" for what is not a tensor."""
    values = (*case.model.graph.input, *case.model.graph.output)
    return {
        dtype_name(value.type.tensor_type.elem_type) if value.type.HasField("tensor_type") else "other"
        for value in values
    }


def float_cases() -> list[Any]:
    """The cases whose inputs and outputs are all float32."""
    return [case for case in all_cases() if element_types(case) <= {"float32"}]


def known_cases() -> list[Any]:
    """The cases whose inputs and outputs are all float32, integers or bool."""
    return [case for case in all_cases() if element_types(case) <= set(DTYPES)]


def operator_of(case: Any) -> str:
    """The operator a case is about."""
    nodes = case.model.graph.node
    if len(nodes) == 1:
        return str(nodes[0].op_type)
    return "expanded definitions" if "expanded" in case.name else str(nodes[-1].op_type)


def judge(case: Any) -> Judgement:
    """Lower, evaluate and compare one case with every one of its data sets."""
    op = operator_of(case)
    if case.name in DOCUMENTED:
        return Judgement(case.name, op, "documented", DOCUMENTED[case.name])
    status, reason = "bound", ""
    for inputs, outputs in case.data_sets:
        names = [value.name for value in case.model.graph.input]
        given = dict(zip(names, inputs, strict=False))
        try:
            graph, values = evaluated(case.model, given)
        except UnsupportedError as refusal:
            return Judgement(case.name, op, "refused", str(refusal).splitlines()[1].strip())
        except TorchleanError as refusal:
            return Judgement(case.name, op, "refused", str(refusal).splitlines()[0])
        for name, expected in zip(graph.outputs, outputs, strict=False):
            how, why = compared(graph, values, name, as_array(expected), case)
            if how == "wrong":
                return Judgement(case.name, op, "wrong", why)
            if how == "tolerance":
                status, reason = how, why
    return Judgement(case.name, op, status, reason)


def evaluated(proto: onnx.ModelProto, given: Mapping[str, Any]) -> tuple[Graph, Arrays]:
    """The graph and all its values. Inputs that lowering asks for become constants."""
    model = LoadedModel(Path("case.onnx"), proto.SerializeToString(), "")
    arrays = {name: as_array(value) for name, value in given.items() if value is not None}
    shapes = {name: value.shape for name, value in arrays.items()}
    fixed: dict[str, np.ndarray] = {}
    while True:
        try:
            graph = lower(model, shapes=shapes, values=fixed)
            break
        except UnsupportedError as refusal:
            asked = set(re.findall(r"'([^']*)' is computed at run time; it must be", str(refusal)))
            new = {name: arrays[name] for name in asked & (arrays.keys() - fixed.keys())}
            if not new:
                new = {
                    name: value
                    for name, value in arrays.items()
                    if value.dtype != np.float32 and name not in fixed
                }
            if not new or "it must be" not in str(refusal):
                raise
            fixed.update(new)
    return graph, evaluate(graph, {name: arrays[name] for name in graph.inputs})


def as_array(value: Any) -> np.ndarray:
    """A test's value, which may be a tensor of the file format."""
    if isinstance(value, onnx.TensorProto):
        return np.asarray(onnx.numpy_helper.to_array(value))
    return np.asarray(value)


def compared(graph: Graph, values: Arrays, name: str, expected: np.ndarray, case: Any) -> tuple[str, str]:
    """How one output agrees, or "wrong" and what differs."""
    own = values[name]
    if own.dtype != expected.dtype or own.shape != expected.shape:
        return "wrong", f"{own.dtype}{own.shape} instead of {expected.dtype}{expected.shape}"
    if own.dtype != np.float32:
        return ("bound", "") if (own == expected).all() else ("wrong", "other integers")
    same = (own == expected) | (np.isnan(own) & np.isnan(expected))
    if same.all():
        return "bound", ""
    with np.errstate(all="ignore"):
        error = np.where(same, 0.0, np.abs(own.astype(np.float64) - expected.astype(np.float64)))
    inputs = {name: values[name] for name in graph.inputs}
    try:
        found = enclose(graph, inputs)[name]
        assert isinstance(found, Enclosed)
        with np.errstate(all="ignore"):
            inside = (error <= 2.0 * found.radius) & (np.abs(own - found.center) <= found.radius)
        if (same | (inside & np.isfinite(found.radius))).all():
            return "bound", ""
        why = "outside its bound" if not inside.all() else "no finite bound"
    except Undecided as problem:
        why = f"no bound: {problem}"
    allowed = case.atol + case.rtol * np.abs(expected.astype(np.float64))
    if len(graph.nodes) > 1 and (error <= allowed).all():
        return "tolerance", why
    return "wrong", f"off by {np.nanmax(error):.3g}"


def table(judged: Sequence[Judgement]) -> str:
    """One row per operator with the number of cases of every status."""
    rows: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for case in judged:
        rows[case.op][case.status] += 1
    columns = ("bound", "tolerance", "documented", "refused", "wrong")
    lines = ["| operator | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for op in sorted(rows):
        lines.append(f"| {op} | " + " | ".join(str(rows[op][column] or "") for column in columns) + " |")
    return "\n".join(lines)


def summary(title: str, judged: Sequence[Judgement]) -> str:
    """The counts of one set of cases in a line."""
    count = {status: sum(case.status == status for case in judged) for status in
             ("bound", "tolerance", "documented", "refused", "wrong")}  # fmt: skip
    done = sum(case.evaluated for case in judged)
    return (
        f"{title}: {len(judged)} cases, {done} evaluated ({count['bound']} within the derived bound, "
        f"{count['tolerance']} within the case's tolerance, {count['documented']} documented), "
        f"{count['refused']} refused by name, {count['wrong']} wrong."
    )


def report(judged: Sequence[Judgement], floats: Sequence[Judgement]) -> str:
    """The whole document."""
    refused = sorted({(case.op, case.reason) for case in floats if case.status == "refused"})
    parts = [
        f"# ONNX node tests (onnx {onnx.__version__})\n",
        "Written by `python benchmarks/nodes.py --output benchmarks/NODES.md`.\n",
        __doc__.split("\n\n", 2)[2].strip() + "\n",
        summary("float32 inputs and outputs only", floats) + "\n",
        summary("float32, integers and bool", judged) + "\n",
        "## By operator, float32 only\n\n" + table(floats) + "\n",
        "## By operator, float32, integers and bool\n\n" + table(judged) + "\n",
        "## Refused, float32 only\n\n" + "\n".join(f"- {op}: {why}" for op, why in refused) + "\n",
    ]
    return "\n".join(parts)


def main() -> None:
    """Judge every case and write the document; the exit code is 1 where a case is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--list", default="", help="also print the cases of this status")
    options = parser.parse_args()
    floats = {case.name for case in float_cases()}
    judged = [judge(case) for case in known_cases()]
    text = report(judged, [case for case in judged if case.name in floats])
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    print("\n".join(line for line in text.splitlines() if "cases," in line))
    for case in judged:
        if options.list and case.status == options.list:
            print(f"{'F' if case.name in floats else ' '} {case.name}: {case.reason}"[:260])
    raise SystemExit(any(case.status == "wrong" for case in judged))


if __name__ == "__main__":
    main()
