"""Find the Lyapunov function of torchlean.yaml by a linear program; needs scipy.

    python training/lyapunov.py

A polynomial of degree 6 that is above 1 on the sides of [-1, 1]^2, falls along solutions from everywhere in
the true region, and is at most 1 in as much of it as can be. The sizes of the coefficients of its derivative
count a little too: bounds on a cell grow with them, so they decide how many cells there are.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, identity, vstack
from scipy.sparse import hstack as beside

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from picture import HERE, Float, system, true_region

from pytest_torchlean.spec import LyapunovProperty, load_spec

DEGREE, GRID, FALL, SMALL, EDGE = 6, 51, 0.1, 3e-5, 1.01
BALL = 1 / 8
MONOMIALS = [(degree - j, j) for degree in range(2, DEGREE + 1, 2) for j in range(degree + 1)]


def values(states: Float) -> Float:
    """The monomials at states (states, 2)."""
    x, y = states.T
    return np.stack([x**i * y**j for i, j in MONOMIALS], axis=1)


def rates(states: Float, speeds: Float) -> Float:
    """Their derivatives along the system."""
    x, y = states.T
    columns = []
    for i, j in MONOMIALS:
        along_x = i * x ** max(i - 1, 0) * y**j
        along_y = j * x**i * y ** max(j - 1, 0)
        columns.append(along_x * speeds[:, 0] + along_y * speeds[:, 1])
    return np.stack(columns, axis=1)


def multiplied_out() -> tuple[csr_matrix, Float]:
    """From the coefficients to those of the derivative's monomials in x, y and u, and what each counts."""
    numbers: dict[tuple[int, int, int], int] = {}
    entries: list[tuple[int, int, float]] = []
    for column, (i, j) in enumerate(MONOMIALS):
        terms = [((i - 1, j + 1, 0), i)] if i else []
        if j:
            terms += [((i, j, 0), j), ((i + 2, j, 0), -j), ((i + 1, j - 1, 0), -j), ((i, j - 1, 1), j)]
        for monomial, factor in terms:
            entries.append((numbers.setdefault(monomial, len(numbers)), column, factor))
    rows, columns, factors = zip(*entries, strict=True)
    counts = np.array([2.0**k * (i + j + 2 * k) / (i + j + 1) for i, j, k in numbers])
    return csr_matrix((factors, (rows, columns)), shape=(len(numbers), len(MONOMIALS))), counts


def main() -> None:
    """Print the function."""
    (prop,) = (
        one
        for one in load_spec(HERE / "torchlean.yaml", HERE).properties
        if isinstance(one, LyapunovProperty)
    )
    speed, side = system(prop), np.linspace(-1, 1, GRID)
    states = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    inner = np.abs(states).max(axis=1) > BALL / 2
    states = states[true_region(speed, states, BALL) & inner]
    line = np.linspace(-1, 1, 61)
    edges = [
        np.stack(pair, axis=1) for end in (line * 0 - 1, line * 0 + 1) for pair in ((line, end), (end, line))
    ]
    matrix, counts = multiplied_out()
    sizes, none = (states**2).sum(axis=1)[:, None], csr_matrix
    falls, positive = -rates(states, speed(states)) / sizes, values(states) / sizes
    above, over = values(np.concatenate(edges)), values(states)
    count, terms = len(states), len(counts)

    def row(left: Float, *, slack: int = 0) -> csr_matrix:
        middle = slack * identity(count) if slack else none((left.shape[0], count))
        return beside([csr_matrix(left), middle, none((left.shape[0], terms))])

    size = [beside([sign * matrix, none((terms, count)), -identity(terms)]) for sign in (1, -1)]
    left = vstack([row(-falls), row(-positive), row(-above), row(over, slack=-1), *size])
    limits = [-FALL * np.ones(count), -0.3 * np.ones(count), -EDGE * np.ones(len(above)), np.ones(count)]
    found = linprog(
        np.concatenate([np.zeros(len(MONOMIALS)), np.ones(count) / count, SMALL * counts]),
        A_ub=left.tocsr(),
        b_ub=np.concatenate([*limits, np.zeros(2 * terms)]),
        bounds=[(None, None)] * len(MONOMIALS) + [(0, None)] * (count + terms),
    )
    for (i, j), value in zip(MONOMIALS, found.x[: len(MONOMIALS)], strict=True):
        print(f"{value:+.3f} * x^{i} * y^{j}")


if __name__ == "__main__":
    main()
