"""Small random programs of every kind of node, and bounds of their forms by dense matrices over all slots."""

from __future__ import annotations

import numpy as np

from pytest_torchlean.bounds.program import (
    FIRST_INPUT,
    ONE_SLOT,
    ZERO_SLOT,
    AffineNode,
    ExtremumNode,
    Program,
    ProgramNode,
    ReluNode,
)
from pytest_torchlean.bounds.sweeps import Lines


def random_program(seed: int, *, depth: int = 3, extrema: bool = True) -> Program:
    """Dense, shared, residual and split nodes, ReLUs over runs, and maxima or minima."""
    rng = np.random.default_rng(seed)
    inputs = int(rng.integers(2, 5))
    nodes: list[ProgramNode] = []
    first, start = FIRST_INPUT, FIRST_INPUT + inputs

    def put(node: ProgramNode) -> None:
        nonlocal first, start
        nodes.append(node)
        first, start = start, start + node.size

    kinds = ["dense", "wide", "shared", "residual", "elsewhere"] + (["extremum"] if extrema else [])
    for _ in range(depth):
        read = np.arange(first, start)
        kind = str(rng.choice(kinds))
        if kind in ("dense", "wide"):
            rows = int(rng.integers(2, 6)) if kind == "dense" else 60
            sources = np.append(read, ONE_SLOT)[None]
            bias = -1.5 if kind == "wide" else 0.0
            weights = rng.normal(size=(rows, read.size + 1)) / np.sqrt(read.size)
            weights[:, -1] += bias
            put(AffineNode(start, weights.astype(np.float32), sources, int(rng.choice([1, 3]))))
        elif kind == "shared":
            padded = np.concatenate([[ZERO_SLOT], read, [ZERO_SLOT]])
            gather = np.stack([np.append(padded[i : i + 3], ONE_SLOT) for i in range(read.size)])
            put(AffineNode(start, rng.normal(size=(2, 4)).astype(np.float32), gather, 1))
        elif kind == "residual":
            before = rng.integers(FIRST_INPUT, start, size=read.size)
            pairs = np.stack([read, before], axis=1)
            put(AffineNode(start, rng.normal(size=(1, 2)).astype(np.float32), pairs, 1))
        elif kind == "elsewhere":
            sources = rng.integers(0, start, size=(1, 6))
            put(AffineNode(start, rng.normal(size=(4, 6)).astype(np.float32), sources, 1))
        else:
            left, right = rng.integers(FIRST_INPUT, start, size=(2, 4))
            put(ExtremumNode(start, bool(rng.integers(2)), left, right))
        size = start - first
        lead = int(rng.integers(0, size)) if rng.integers(4) == 0 else 0
        put(ReluNode(start, first + lead, size - lead))
    read = np.arange(first, start)
    weights = rng.normal(size=(3, read.size)) / np.sqrt(read.size)
    put(AffineNode(start, weights.astype(np.float32), read[None], 1))
    return Program(inputs, tuple(nodes), np.arange(first, start), start)


def random_box(program: Program, seed: int, boxes: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of several sizes round random centres, (boxes, inputs)."""
    rng = np.random.default_rng(seed + 1000)
    centre = rng.normal(size=(boxes, program.inputs))
    radius = rng.choice([0.0, 0.05, 0.5, 2.0], size=(boxes, 1)) * rng.uniform(0.1, 1, size=centre.shape)
    return centre - radius, centre + radius


def matrix(program: Program, node: AffineNode) -> np.ndarray:
    """An affine node as a matrix over all slots."""
    found = np.zeros((node.size, program.size))
    for position, sources in enumerate(node.sources):
        for row, weights in enumerate(node.weights):
            exact = weights.astype(np.float64) / node.divisor
            np.add.at(found[position * len(node.weights) + row], sources, exact)
    found[:, ZERO_SLOT] = 0.0
    return found


def least_of_form(
    program: Program, form: np.ndarray, low: np.ndarray, high: np.ndarray, lines: dict[int, Lines]
) -> float:
    """One form's lower bound on one box, coefficient by coefficient. low, high, form: (slots,)."""
    form, total = form.astype(np.float64), 0.0
    for number in range(len(program.nodes) - 1, -1, -1):
        node = program.nodes[number]
        own = form[node.start : node.start + node.size].copy()
        form[node.start : node.start + node.size] = 0.0
        if isinstance(node, AffineNode):
            form += own @ matrix(program, node)
            continue
        for place, coefficient in enumerate(own):
            slot = node.start + place
            if number not in lines:
                total += coefficient * (low[slot] if coefficient > 0 else high[slot])
                continue
            line = lines[number]
            lower, upper, rest = (
                float(side[place, 0, 0]) for side in (line.lower, line.upper, line.intercept)
            )
            sign = 1.0 if not isinstance(node, ExtremumNode) or node.maximum else -1.0
            slope = lower if sign * coefficient > 0 else upper
            total += 0.0 if sign * coefficient > 0 else sign * coefficient * rest
            if isinstance(node, ExtremumNode):
                form[node.left[place]] += coefficient * slope
                form[node.right[place]] += coefficient * (1 - slope)
            else:
                form[node.first + place] += coefficient * slope
    inputs = slice(FIRST_INPUT, FIRST_INPUT + program.inputs)
    left = form[inputs]
    total += float(np.maximum(left, 0) @ low[inputs] + np.minimum(left, 0) @ high[inputs])
    return total + float(form[ONE_SLOT])
