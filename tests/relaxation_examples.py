"""Chains of affine nodes and ReLUs, bounded by intervals, and their relaxations."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from certificate_examples import Network, ball, weights
from onnx import helper
from onnx_models import model

from pytest_torchlean.bounds.splitting import Tree
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.forms import Forms, margin_forms
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.model import Emission
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.relaxation import relax
from pytest_torchlean.certificate.rows import Box, PassedNode, Slopes
from pytest_torchlean.certificate.statement import AffineData, ReluData, Semantics
from pytest_torchlean.certificate.substitution import RelaxationData
from pytest_torchlean.certificate.terms import number, term
from pytest_torchlean.certificate.words import pack_digits
from pytest_torchlean.checker import BuiltLibrary, LeanInstall
from pytest_torchlean.checker.lean_process import End, run_lean
from pytest_torchlean.checker.library import OPTIONS

BITS = 8


def chain(seed: int, *widths: int) -> Network:
    """Gemm and ReLU in turn, Gemm last."""
    rng = np.random.default_rng(seed)
    nodes, values, here = [], {}, "x"
    for index, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        last = index == len(widths) - 2
        values[f"w{index}"] = weights(rng, outputs, inputs) * np.float32(1.5)
        values[f"b{index}"] = weights(rng, outputs)
        made = "z" if last else f"h{index}"
        nodes.append(helper.make_node("Gemm", [here, f"w{index}", f"b{index}"], [made], transB=1))
        if not last:
            nodes.append(helper.make_node("Relu", [made], [f"r{index}"]))
            here = f"r{index}"
    return Network(model(nodes, {"x": [1, widths[0]]}, ["z"], values), widths[0], widths[-1])


@dataclass(frozen=True, eq=False)
class Stage:
    """What is known after some nodes: the passed ones in their order, and the bounds of all slots."""

    passed: tuple[PassedNode, ...]
    box: Box

    def relaxed(self, slopes: dict[int, Slopes] | None = None) -> RelaxationData:
        """Both bounds of all results of the last node."""
        node = self.passed[-1].node
        assert isinstance(node, AffineData)
        return relax(self.box, self.passed, slopes or self.slopes(), np.arange(2 * node.rows)).data

    def slopes(self, seed: int = 0) -> dict[int, Slopes]:
        """Some slopes for every ReLU."""
        rng = np.random.default_rng(seed)
        found = {}
        for passed in self.passed:
            if isinstance(passed.node, ReluData):
                down, up = self.box.reaches(slice(passed.node.first, passed.node.first + passed.node.count))
                chord = [
                    0 if not u else 256 if not d else -(-u * 256 // (u + d))
                    for d, u in zip(down, up, strict=True)
                ]
                lower = np.where(up > down, 256, 0) if seed == 0 else rng.integers(0, 257, len(chord))
                upper = np.array(chord) if seed == 0 else rng.integers(0, 257, len(chord))
                found[passed.start] = Slopes(BITS, lower.astype(np.int64), upper.astype(np.int64))
        return found


def stages(emission: Emission) -> Iterator[Stage]:
    """Interval bounds after every affine node."""
    account, boxes = Account(emission), emission.claims[0].boxes
    state = account.start(boxes)
    for node, step in zip(emission.graph.nodes, account.steps(boxes), strict=True):
        state = account.node(step, state)
        assert state.bounded.all()
        if isinstance(node, AffineData):
            box = Box(emission.certificate.scale, state.lower[:, 0].copy(), state.upper[:, 0].copy())
            yield Stage(state.history_of(0), box)


def emission_of(
    network: Network,
    forms: Forms | None = None,
    radius: Fraction = Fraction(1, 2),
    semantics: Semantics = Semantics.REAL,
) -> Emission:
    """A claim about one ball; without forms, that the first output is the largest."""
    middle = [Fraction(index % 3, 4) for index in range(network.inputs)]
    goal = Goal(forms or margin_forms(0, network.outputs), (ball(middle, radius),))
    return build_emission(network.program, [goal], semantics)


def with_rows(emission: Emission, cases: Tree | None = None) -> tuple[Emission, Fraction, bool]:
    """The emission with a script of backward rows, the least surplus of a row, and what the forecast says."""
    claim = emission.claims[0]
    account = Account(emission)
    script, _, _ = relaxed_script(account, claim, claim.boxes[0], cases)
    forecast = account.forecast(claim, script)
    certificate = replace(emission.certificate, scripts=((script,),))
    return replace(emission, certificate=certificate), forecast.least[0], bool(forecast.accepted[0])


# --- Lean -------------------------------------------------------------------------------------------

SMOOTH_HEADER = """prelude
import PytestTorchLean
import PytestTorchLean.Smooth
set_option maxRecDepth 1000000
set_option maxHeartbeats 0
namespace PytestTorchLean
attribute [local instance] Rules.smooth
"""
HEADER = """prelude
import PytestTorchLean
set_option maxRecDepth 1000000
set_option maxHeartbeats 0
namespace PytestTorchLean
attribute [local instance] Rules.plain
"""


def memory(box: Box) -> tuple[int, int]:
    """The direct and the mirrored words."""
    known, stride = box.scale, 2 * box.scale.half
    pairs = [(int(low), int(high)) for low, high in zip(box.lower, box.upper, strict=True)]
    direct = pack_digits([low + (high << known.half) for low, high in pairs], stride)
    top = known.top
    return direct, pack_digits([top - high + (top - low << known.half) for low, high in pairs], stride)


def passed_term(passed: PassedNode) -> str:
    node, error = passed.node, 0
    data = f"Node.affine {term(node)}" if isinstance(node, AffineData) else term(node)
    if passed.error is not None:
        assert isinstance(node, AffineData)
        error = pack_digits([int(radius) for radius in passed.error], 32 * node.lanes)
    return f"⟨{data}, {number(passed.start)}, {term(passed.decoding)}, {number(error)}⟩"


def applied(stage: Stage, rows: RelaxationData, test: str) -> str:
    """The Lean term of `Relaxation.tighten`, `test` applied to what it finds."""
    direct, mirrored = memory(stage.box)
    nodes = ", ".join(passed_term(passed) for passed in reversed(stage.passed))
    return (
        f"Relaxation.tighten {term(stage.box.scale)} {term(rows)} [{nodes}] [] ({number(direct)}) "
        f"({number(mirrored)}) ({number(len(stage.box.lower))}) (fun d m => {test})"
    )


def agrees(box: Box) -> str:
    direct, mirrored = memory(box)
    return f"both (Nat.beq d ({number(direct)})) (Nat.beq m ({number(mirrored)}))"


def accepted(
    lines: list[str], lean: LeanInstall, library: BuiltLibrary, folder: Path, header: str = HEADER
) -> bool:
    text = folder / "Example.lean"
    text.write_text(header + "\n".join(lines), encoding="utf-8")
    result = run_lean(
        lean,
        ["--json", *OPTIONS, str(text)],
        directory=folder,
        lean_path=[library.olean_directory],
        wall_seconds=240,
        memory_mb=2048,
    )
    assert result.end is End.EXITED
    return result.code == 0
