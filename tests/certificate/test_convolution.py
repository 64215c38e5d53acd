"""Rows back through convolutions: the bounds hold, Lean computes the same ones and refuses wrong layouts."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from certificate_examples import Network, points_of, slots_of, weights
from onnx import helper
from onnx_models import model
from relaxation_examples import Stage, emission_of, stages, with_rows
from test_relaxation import accepted, agrees, applied, found, with_link

from pytest_torchlean.certificate.layouts import STEADY, arrangement_of, layout_of
from pytest_torchlean.certificate.relaxation import relax
from pytest_torchlean.certificate.statement import AffineData, Semantics
from pytest_torchlean.certificate.substitution import BendData, ConvolveData, RelaxationData, SettleData
from pytest_torchlean.certificate.words import sources_of, unpack_words
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall

SHAPES = ((5, (2, 3, 4), 2), (4, (1, 2, 2), 1), (4, (1, 2, 4), 1), (6, (1, 4, 2), 2))
"""Side of the image, channels, stride: shifts that fit the channels, and some that do not."""


def network(seed: int, side: int, channels: tuple[int, ...], stride: int) -> Network:
    """Conv with padding and ReLU in turn, then Gemm."""
    rng = np.random.default_rng(seed)
    nodes, values, here, size = [], {}, "x", side
    for index, (inputs, outputs) in enumerate(itertools.pairwise(channels)):
        values[f"w{index}"] = weights(rng, outputs, inputs, 3, 3)
        values[f"b{index}"] = weights(rng, outputs)
        names = [here, f"w{index}", f"b{index}"]
        nodes.append(helper.make_node("Conv", names, [f"h{index}"], strides=[stride] * 2, pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"h{index}"], [f"r{index}"]))
        here, size = f"r{index}", (size - 1) // stride + 1
    nodes.append(helper.make_node("Flatten", [here], ["f"]))
    values["w"], values["b"] = weights(rng, 2, channels[-1] * size * size), weights(rng, 2)
    nodes.append(helper.make_node("Gemm", ["f", "w", "b"], ["z"], transB=1))
    inputs = channels[0] * side * side
    return Network(model(nodes, {"x": [1, channels[0], side, side]}, ["z"], values), inputs, 2)


def turned(tokens: int = 5, channels: int = 24, width: int = 12) -> Network:
    """Channels by tokens, turned so that every token is multiplied by the same matrices, as in attention."""
    rng = np.random.default_rng(7)
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0]),
        helper.make_node("MatMul", ["t", "u"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "v"], ["z"]),
    ]
    values = {"u": weights(rng, channels, width), "v": weights(rng, width, 2)}
    return Network(model(nodes, {"x": [channels, tokens]}, ["z"], values), channels * tokens, 2 * tokens)


def wide(height: int = 4, width: int = 10) -> Network:
    """Conv to 4 channels, ReLU, Conv to 2 over a low, wide image: its lines are long, its positions few."""
    rng = np.random.default_rng(11)
    nodes = [
        helper.make_node("Conv", ["x", "u", "a"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Conv", ["r", "v", "b"], ["z"]),
    ]
    values = {"u": weights(rng, 4, 1, 1, 2), "a": weights(rng, 4), "v": weights(rng, 2, 4, 3, 1)}
    values["b"] = weights(rng, 2)
    proto = model(nodes, {"x": [1, 1, height, width]}, ["z"], values)
    return Network(proto, height * width, 2 * (height - 2) * (width - 1))


def relaxed(stage: Stage) -> RelaxationData:
    """Both bounds of a few results of the last node."""
    node = stage.passed[-1].node
    assert isinstance(node, AffineData)
    most = node.rows * node.positions
    goals = np.unique(np.linspace(0, 2 * most - 1, 8).astype(np.int64))
    return relax(stage.box, stage.passed, stage.slopes(), goals).data


@pytest.mark.parametrize("shape", SHAPES)
def test_every_slot_that_a_column_reads_is_in_its_place(shape: tuple[int, tuple[int, ...], int]) -> None:
    for node in emission_of(network(0, *shape)).graph.nodes:
        if not isinstance(node, AffineData) or node.positions == 1:
            continue
        layout, sources = layout_of(node), sources_of(node)
        assert layout is not None
        for column, shift in enumerate(layout.shifts.tolist()):
            if shift == STEADY:
                assert (sources[:, column] == 1).all()
                continue
            for position in np.flatnonzero(sources[:, column]):
                assert layout.places[node.rows * position + shift] == sources[position, column]


@pytest.mark.parametrize("shape", SHAPES)
def test_rows_go_back_to_the_inputs_and_bounds_hold(shape: tuple[int, tuple[int, ...], int]) -> None:
    emission = emission_of(network(1, *shape))
    *_, stage = stages(emission)
    rows = relaxed(stage)
    assert [type(link) for link in rows.links[2::2]] == [ConvolveData, SettleData]
    after = found(stage, rows)
    assert (after.upper - after.lower).sum() < (stage.box.upper - stage.box.lower).sum()
    for point in points_of(emission.claims[0].boxes[0], emission.graph.inputs):
        values = slots_of(emission.graph, point)
        images = [after.scale.unit * value + after.scale.center for value in values]
        for low, image, high in zip(after.lower, images, after.upper, strict=True):
            assert low <= image <= high


def test_rows_pass_a_convolution_over_a_wide_image() -> None:
    """On to the inputs, and not only to the bounds of what the last node reads."""
    *_, stage = stages(emission_of(wide()))
    assert [type(link) for link in relaxed(stage).links] == [ConvolveData, BendData, SettleData]
    node = stage.passed[-1].node
    assert isinstance(node, AffineData)
    layout = layout_of(node)
    assert layout is not None
    assert layout.unique
    assert len(set(layout.places[layout.places > 0].tolist())) == np.count_nonzero(layout.places)


def test_rows_pass_a_matrix_that_is_applied_to_turned_tokens() -> None:
    """To the inputs: every column has a place for each of its results, also behind the last slot."""
    *_, stage = stages(emission_of(turned()))
    layouts = [link.layout for link in relaxed(stage).links if isinstance(link, ConvolveData | SettleData)]
    assert len(layouts) == 2
    for one, node in zip(layouts, stage.passed[::-2], strict=True):
        assert isinstance(node.node, AffineData)
        shifts = unpack_words(one.shifts, node.node.columns).astype(np.int64)
        assert (shifts[shifts != STEADY] + node.node.rows * node.node.positions <= one.count).all()


def test_a_slot_with_two_places_has_no_arrangement() -> None:
    nodes = emission_of(network(0, *SHAPES[0])).graph.nodes
    layout = layout_of(next(node for node in nodes if isinstance(node, AffineData)))
    assert layout is not None
    assert arrangement_of(layout, 2, 50) is not None
    assert arrangement_of(layout, 3, 50) is None
    assert arrangement_of(replace(layout, unique=False), 2, 50) is None


# --- Lean -------------------------------------------------------------------------------------------

Change = Callable[[RelaxationData], RelaxationData]


def in_layout(index: int, change: Callable[[Any], dict[str, int]]) -> Change:
    return with_link(index, lambda link: replace(link, layout=replace(link.layout, **change(link.layout))))


def in_blocks(change: Callable[[Any], dict[str, int]]) -> Change:
    def changed(link: Any) -> Any:
        return replace(link, arrangement=replace(link.arrangement, **change(link.arrangement)))

    return with_link(2, changed)


def another_slot(own: Any) -> dict[str, int]:
    place = next(index for index in range(own.count // 2, own.count) if own.places >> 32 * index & STEADY)
    return {"places": own.places ^ 1 << 32 * place}


def again(own: Any) -> dict[str, int]:
    return {"count": own.count + 1, "blocks": own.blocks << 96 | own.blocks % (1 << 96)}


REFUSED: dict[str, Change] = {
    "another slot in a place": in_layout(2, lambda own: {"places": own.places ^ 1 << 32 * (own.count // 2)}),
    "another slot in a place of an input": in_layout(
        4, lambda own: {"places": own.places ^ 1 << 32 * (own.count // 2)}
    ),
    "no places": in_layout(2, lambda own: {"places": 0}),
    "fewer places": in_layout(2, lambda own: {"count": own.count - 1}),
    "another shift": in_layout(2, lambda own: {"shifts": own.shifts ^ 1}),
    "a moving column that is said to be steady": in_layout(2, lambda own: {"shifts": own.shifts | STEADY}),
    "a smaller error radius": in_layout(2, lambda own: {"radius": own.radius - 1}),
    "an earlier first slot": in_blocks(lambda own: {"first": own.first - 1}),
    "a block less": in_blocks(lambda own: {"count": own.count - 1}),
    "a block twice": in_blocks(again),
    "a longer block": in_blocks(lambda own: {"blocks": own.blocks + (1 << 64)}),
    "a gap": in_blocks(lambda own: {"blocks": own.blocks + 1}),
    "a smaller shift of the coefficients": with_link(2, lambda link: replace(link, shift=link.shift - 1)),
    "coefficients longer than said": with_link(4, lambda link: replace(link, size=link.size - 1)),
    "settled although more links follow": with_link(
        2, lambda link: SettleData(link.layout, link.shift, link.size)
    ),
    "a convolution where there is a ReLU": lambda rows: replace(rows, links=rows.links[:1] + rows.links[2:]),
    "rows too narrow": lambda rows: replace(rows, width=16),
    "shorter digits": lambda rows: replace(rows, digit=rows.digit - 8),
}
STILL_FINE = ("settled although more links follow",)
"""Lean does not look at links behind the last one; the bounds are wider."""


def test_lean_computes_the_same_bounds(lean: LeanInstall, library: BuiltLibrary, tmp_path: Path) -> None:
    lines = []
    for seed, shape in enumerate(SHAPES):
        for semantics in Semantics:
            for number, stage in enumerate(stages(emission_of(network(seed, *shape), semantics=semantics))):
                rows = relaxed(stage)
                same = applied(stage, rows, agrees(found(stage, rows)))
                name = f"{seed}_{number}_{semantics.name.lower()}"
                lines.append(f"theorem same{name} : ({same}) = true := by decide +kernel")
    for name, other in (("turned", turned()), ("wide", wide())):
        *_, stage = stages(emission_of(other, semantics=Semantics.BINARY32))
        rows = relaxed(stage)
        same = applied(stage, rows, agrees(found(stage, rows)))
        lines.append(f"theorem same_{name} : ({same}) = true := by decide +kernel")
    assert accepted(lines, lean, library, tmp_path)


def test_lean_refuses_layouts_that_do_not_fit(
    lean: LeanInstall, library: BuiltLibrary, tmp_path: Path
) -> None:
    *_, stage = stages(emission_of(network(2, *SHAPES[0]), semantics=Semantics.BINARY32))
    rows = relaxed(stage)
    lines = [f"theorem accepted : ({applied(stage, rows, 'true')}) = true := by decide +kernel"]
    for index, (name, change) in enumerate(REFUSED.items()):
        answer = "true" if name in STILL_FINE else "false"
        changed = applied(stage, change(rows), "true")
        lines.append(f"theorem refused{index} : ({changed}) = {answer} := by decide +kernel")
    assert accepted(lines, lean, library, tmp_path)


@pytest.mark.parametrize("semantics", Semantics)
def test_the_forecast_is_leans_answer(semantics: Semantics, ask: Callable[..., CheckResult]) -> None:
    emission, least, forecast = with_rows(emission_of(network(3, *SHAPES[0]), semantics=semantics))
    assert ask(emission).accepted is forecast is (least > 0)
