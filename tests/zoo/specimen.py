"""What a specimen is, how the gate is run on it, and the table of all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pytest_torchlean.gate import run_spec
from pytest_torchlean.spec import load_spec

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Specimen:
    """One model, the check a user writes, and what the gate says.

    check: the keys of the property after `model:`. inputs: rows of the data file, outputs: what the framework
    that trained the model gives for them. verdict and says: what the gate finds, `says` a part of its text.
    """

    family: str
    name: str
    wrong: str
    model: Callable[[], onnx.ModelProto]
    verdict: str
    says: str
    check: str = "check: runtime, samples: 8"
    inputs: Array | None = None
    outputs: Array | None = None
    blind: str = ""
    """Why this check cannot see it, where it cannot."""
    fact: Callable[[], bool] | None = None
    """Whether onnxruntime, or another party, still does what `wrong` says."""
    before: str = ""
    """Python that the process ran before the gate."""

    def judged(self, folder: Path) -> tuple[str, str]:
        """The gate's verdict and text on a repository in this folder."""
        self.write(folder)
        if not self.before:
            return judge(folder)
        code = f"{self.before}\nfrom zoo.specimen import judge\nfrom pathlib import Path\n"
        code += f"print(*judge(Path({str(folder)!r})), sep='\\n')"
        tests = Path(__file__).resolve().parent.parent
        paths = os.pathsep.join([str(tests.parent), str(tests)])
        environment = {**os.environ, "PYTHONPATH": paths}
        answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        verdict, _, text = answer.stdout.partition("\n")
        return verdict, text + answer.stderr

    def write(self, folder: Path) -> None:
        """Model, data and spec."""
        (folder / "model.onnx").write_bytes(self.model().SerializeToString())
        keys = self.check
        if self.inputs is not None:
            arrays = {"inputs": self.inputs} | ({} if self.outputs is None else {"outputs": self.outputs})
            np.savez(folder / "data.npz", **arrays)
            keys += ", data: data.npz"
        (folder / "torchlean.yaml").write_text(
            "version: 1\nmodels: {specimen: {path: model.onnx}}\n"
            f"properties:\n  - {{name: zoo, model: specimen, {keys}}}\n"
        )


def judge(folder: Path) -> tuple[str, str]:
    """The verdict and the text of the only property."""
    (result,) = run_spec(load_spec(folder / "torchlean.yaml", folder), root=folder)
    evidence = result.evidence
    return evidence.verdict.name, "\n".join((evidence.found, *evidence.details))


def built(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str]],
    weights: Mapping[str, Any] | None = None,
    opset: int = 17,
    shape: Sequence[int | str] | None = None,
) -> onnx.ModelProto:
    """A model of float32 inputs and one float32 output `y`."""
    graph = helper.make_graph(
        list(nodes),
        "specimen",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, extents) for name, extents in inputs.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (weights or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def random(seed: int, *shape: int) -> Array:
    """Normal numbers in binary32."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


_INTRODUCTION = (
    "Minimal models, each with what is wrong about it or what onnxruntime 1.31.1 does, the check a user "
    "writes, and what the gate says. Written by `python -m zoo` in `tests`; a test runs every row through "
    "the gate and compares this file."
)
_RECORDED = (
    "A runtime check compares onnxruntime with the file, so it cannot see a file that says the wrong thing. "
    "For that the data file may hold `outputs` as the training framework computed them: each must lie where "
    "some binary32 execution of the stored graph may. What this cannot tell is a change that is smaller than "
    "those rounding bounds on every recorded input."
)


def table(specimens: Sequence[Specimen]) -> str:
    """All specimens as one document."""
    lines = [
        "# A zoo of bugs",
        "",
        _INTRODUCTION,
        "",
        _RECORDED,
    ]
    for family in dict.fromkeys(specimen.family for specimen in specimens):
        lines += [
            "",
            f"## {family}",
            "",
            "| specimen | what is wrong | check | verdict | says |",
            "|---|---|---|---|---|",
        ]
        for one in specimens:
            if one.family != family:
                continue
            data = " with data" if one.inputs is not None else ""
            data += " and recorded outputs" if one.outputs is not None else ""
            says = one.says + (f" (not seen: {one.blind})" if one.blind else "")
            cells = (one.name, one.wrong, f"`{one.check}`{data}", one.verdict, says)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
