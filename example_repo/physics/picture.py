"""Draw the certified region and the residuals, and say how much of the true region is certified.

    python picture.py

The true region is estimated by simulation: the middles of a grid's squares from which a solution stays in
[-1, 1]^2 and comes to the ball. The certified region is where the function of torchlean.yaml is at most its
level; Lean proved what is claimed of it. Bars and colours of the residuals are interval bounds in binary64 of
the kind that Lean checks in exact integers.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from pytest_torchlean.spec import LyapunovProperty, ResidualProperty, load_spec
from pytest_torchlean.spec.expressions import evaluate, read_expression

HERE = Path(__file__).resolve().parent
GRID, STEP, SECONDS = 120, 0.04, 24.0
CELLS = 256
SQUARES = 96
SHADES = ("#f4f9f5", "#dcede1", "#c0dfc9", "#9fcdae", "#7bb991", "#55a374", "#2e8a57", "#12703f")
"""From no residual to the claimed one."""
Float = NDArray[np.float64]
Interval = tuple[Float, Float]


class Arrays:
    """Expressions of arrays; those of torchlean.yaml are polynomials."""

    def number(self, value: Fraction) -> Float:
        """A constant."""
        return np.float64(float(value)) * np.ones(1)

    def add(self, left: Float, right: Float) -> Float:
        """left + right"""
        return left + right

    def scale(self, factor: Fraction, value: Float) -> Float:
        """factor * value"""
        return float(factor) * value

    def multiply(self, left: Float, right: Float, at: int) -> Float:
        """left * right"""
        return left * right

    def divide(self, left: Float, right: Float, at: int) -> Float:
        """left / right"""
        return left / right

    def maximum(self, left: Float, right: Float) -> Float:
        """The larger one."""
        return np.maximum(left, right)

    def call(self, function: str, value: Float, at: int) -> Float:
        """Not needed here."""
        raise NotImplementedError(function)


def weights(name: str) -> list[Float]:
    """A model's weights in the order of its file."""
    model = onnx.load(HERE / "models" / name)
    return [numpy_helper.to_array(tensor).astype(np.float64) for tensor in model.graph.initializer]


def system(prop: LyapunovProperty) -> Callable[[Float], Float]:
    """The derivatives by time at states (states, 2), with the controller."""
    hidden, bias, output, last = weights("oscillator.onnx")
    trees = {each.name: read_expression(each.formula.text) for each in prop.formulas}

    def speed(states: Float) -> Float:
        control = np.maximum(states @ hidden.T + bias, 0) @ output[0] + last
        values = {"x": states[:, 0], "y": states[:, 1], "u": control}
        return np.stack([evaluate(tree, values, Arrays()) for tree in trees.values()], axis=1)

    return speed


def true_region(speed: Callable[[Float], Float], states: Float, ball: float) -> NDArray[np.bool_]:
    """From which states solutions stay in [-1, 1]^2 and come to the ball, by Runge-Kutta steps."""
    now, stays = states.copy(), np.ones(len(states), dtype=bool)
    arrived = np.zeros(len(states), dtype=bool)
    for _ in range(int(SECONDS / STEP)):
        first = speed(now)
        second = speed(now + STEP / 2 * first)
        third = speed(now + STEP / 2 * second)
        fourth = speed(now + STEP * third)
        now = now + STEP / 6 * (first + 2 * second + 2 * third + fourth)
        stays &= (np.abs(now) <= 1 + 1e-9).all(axis=1)
        now[~stays] = 0
        arrived |= stays & (np.abs(now) <= ball).all(axis=1)
    return stays & arrived


def oscillator(prop: LyapunovProperty) -> str:
    """The picture of the regions; prints the covered share."""
    speed, side = system(prop), (2 * np.arange(GRID) + 1) / GRID - 1
    states = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    ball = float(prop.ball) if isinstance(prop.ball, Fraction) else float(prop.ball[0])
    true = true_region(speed, states, ball)
    tree = read_expression(prop.function.text)
    value = evaluate(tree, {"x": states[:, 0], "y": states[:, 1]}, Arrays())
    certified = value <= float(prop.level or 0)
    share = (true & certified).sum() / true.sum()
    outside = (certified & ~true).sum()
    print(
        f"certified {share:.1%} of the true region; {outside} states of the grid are certified but not in it"
    )
    shapes = ['<rect width="480" height="480" fill="#ffffff"/>']
    for colour, chosen in (("#c9d6e8", true), ("#2e7d4f", certified)):
        for row, runs in enumerate(chosen.reshape(GRID, GRID)):
            edges = np.flatnonzero(np.diff(np.concatenate([[0], runs.astype(int), [0]])))
            for first, last in zip(edges[::2], edges[1::2], strict=True):
                (x, y), wide = _place(side[first], side[row]), 400 / GRID
                place = f'x="{x - wide / 2:.1f}" y="{y - wide / 2:.1f}"'
                size = f'width="{(last - first) * wide:.1f}" height="{wide + 0.2:.1f}"'
                shapes.append(f'<rect {place} {size} fill="{colour}"/>')
    (x, y), wide = _place(-ball, ball), 400 * ball
    shapes.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{wide:.1f}" fill="#ffffff"/>')
    for angle in np.linspace(0, 2 * np.pi, 9)[:-1]:
        now, points = np.array([[np.cos(angle), np.sin(angle)]]) * 0.85, []
        for _ in range(200):
            points.append("{:.1f},{:.1f}".format(*_place(*now[0])))
            now = now + STEP * speed(now + STEP / 2 * speed(now))
        shapes.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="#1b1b1b" stroke-width="1"/>'
        )
    shapes += _axes("x", "y", ("-1", "0", "1"), ("-1", "0", "1"))
    title = f"van der Pol oscillator: {share:.0%} of the true region (grey) is certified (green)"
    return _svg(title, shapes)


def _place(x: float, y: float) -> tuple[float, float]:
    """Where a state of [-1, 1]^2 stands in the picture."""
    return 240 + 200 * x, 240 - 200 * y


def _product(one: Interval, other: Interval) -> Interval:
    ends = [a * b for a in one for b in other]
    return np.minimum.reduce(ends), np.maximum.reduce(ends)


def _affine(weight: Float, value: Interval, bias: Float | float = 0.0) -> Interval:
    middle, radius = (value[0] + value[1]) / 2 @ weight.T + bias, (value[1] - value[0]) / 2 @ np.abs(weight).T
    return middle - radius, middle + radius


def residual_bounds(cells: Interval) -> Interval:
    """Bounds of u u_x - u_xx / 2 on cells (cells, 1)."""
    w1, b1, w2, b2, w3, b3 = weights("burgers.onnx")
    zero = np.zeros_like(cells[0])
    value, first, second = cells, (zero + 1, zero + 1), (zero, zero)
    for weight, bias in ((w1, b1), (w2, b2)):
        value, first, second = _affine(weight, value, bias), _affine(weight, first), _affine(weight, second)
        value = np.tanh(value[0]), np.tanh(value[1])
        largest = np.maximum(value[0] ** 2, value[1] ** 2)
        least = np.where((value[0] < 0) & (value[1] > 0), 0, np.minimum(value[0] ** 2, value[1] ** 2))
        slope = 1 - largest, 1 - least
        bend = _product((-2 * value[1], -2 * value[0]), slope)
        powers = _product(first, first)
        bent = _product(bend, (np.maximum(powers[0], 0), powers[1]))
        second = tuple(a + b for a, b in zip(_product(slope, second), bent, strict=True))
        first = _product(slope, first)
    u, u_x, u_xx = _affine(w3, value, b3), _affine(w3, first), _affine(w3, second)
    both = _product(u, u_x)
    return (both[0] - u_xx[1] / 2)[:, 0], (both[1] - u_xx[0] / 2)[:, 0]


def burgers() -> str:
    """The picture of the residual: bounds on every cell as bars, values as a line."""
    ends = np.linspace(-1, 1, CELLS + 1)[:, None]
    low, high = residual_bounds((ends[:-1], ends[1:]))
    points = np.linspace(-1, 1, 401)[:, None]
    values = residual_bounds((points, points))[0]
    print(
        f"residual at most {np.abs(values).max():.1e} at 401 points; bounds of {CELLS} cells within "
        f"{max(high.max(), -low.min()):.1e}"
    )
    shapes = ['<rect width="480" height="480" fill="#ffffff"/>']
    for start, below, above in zip(ends[:-1, 0], low, high, strict=True):
        x, y = _place(start, 80 * above)
        shapes.append(
            f'<rect x="{x:.2f}" y="{y:.2f}" width="{400 / CELLS:.2f}" height="{16000 * (above - below):.2f}" '
            'fill="#8fc3a3"/>'
        )
    for edge in (-0.01, 0.01):
        (left, y), (right, _) = _place(-1, 80 * edge), _place(1, 80 * edge)
        shapes.append(f'<path d="M{left} {y}H{right}" stroke="#b3261e" stroke-dasharray="6 4"/>')
    line = " ".join(
        "{:.1f},{:.1f}".format(*_place(x, 80 * y)) for x, y in zip(points[:, 0], values, strict=True)
    )
    shapes.append(f'<polyline points="{line}" fill="none" stroke="#1b1b1b"/>')
    shapes += _axes("x", "residual", ("-1", "0", "1"), ("-1/80", "0", "1/80"))
    return _svg("Burgers' equation: the residual, its bounds, and the claim (red)", shapes)


def heat_bounds(cells: Interval) -> Interval:
    """Bounds of u_t - u_xx / 10 on cells of times and places (cells, 2)."""
    w1, b1, w2 = weights("heat.onnx")[:3]
    value = _affine(w1, cells, b1)
    value = np.tanh(value[0]), np.tanh(value[1])
    largest = np.maximum(value[0] ** 2, value[1] ** 2)
    least = np.where((value[0] < 0) & (value[1] > 0), 0, np.minimum(value[0] ** 2, value[1] ** 2))
    factor = w1[:, 1] ** 2 / 5
    both = _product((1 - largest, 1 - least), (w1[:, 0] + factor * value[0], w1[:, 0] + factor * value[1]))
    low, high = _affine(w2, both)
    return low[:, 0], high[:, 0]


def heat(claimed: float) -> str:
    """The picture of the residual over time and place: the colour of a square is its largest bound."""
    ends = np.stack(np.meshgrid(*[np.arange(SQUARES) / SQUARES] * 2), axis=-1).reshape(-1, 2)
    low, high = heat_bounds((ends, ends + 1 / SQUARES))
    points = np.stack(np.meshgrid(*[np.linspace(0, 1, 101)] * 2), axis=-1).reshape(-1, 2)
    values = heat_bounds((points, points))[0]
    most = np.maximum(high, -low)
    print(
        f"residual at most {np.abs(values).max():.1e} at 101 by 101 points; bounds of {SQUARES} by {SQUARES} "
        f"squares within {most.max():.1e}"
    )
    shade = np.minimum(len(SHADES) * most / claimed, len(SHADES) - 1).astype(int).reshape(SQUARES, SQUARES)
    shapes, wide = ['<rect width="480" height="480" fill="#ffffff"/>'], 400 / SQUARES
    for row, own in enumerate(shade):
        starts = np.flatnonzero(np.diff(own, prepend=-1))
        for first, last in zip(starts, [*starts[1:], SQUARES], strict=True):
            place = f'x="{40 + first * wide:.1f}" y="{440 - (row + 1) * wide:.1f}"'
            size = f'width="{(last - first) * wide + 0.2:.1f}" height="{wide + 0.2:.1f}"'
            shapes.append(f'<rect {place} {size} fill="{SHADES[own[first]]}"/>')
    for place, colour in enumerate(SHADES):
        shapes.append(f'<rect x="{40 + 16 * place}" y="462" width="16" height="10" fill="{colour}"/>')
    shapes.append(f'<text x="172" y="471">0 to {Fraction(claimed)}, the claim</text>')
    shapes += _axes("t", "x", ("0", "1/2", "1"), ("0", "1/2", "1"))
    return _svg("The heat equation: bounds of the residual on squares", shapes)


def _axes(x: str, y: str, below: tuple[str, ...], beside: tuple[str, ...]) -> list[str]:
    shapes = ['<rect x="40" y="40" width="400" height="400" fill="none" stroke="#1b1b1b"/>']
    for place, (one, other) in enumerate(zip(below, beside, strict=True)):
        shapes.append(f'<text x="{40 + 200 * place}" y="456" text-anchor="middle">{one}</text>')
        shapes.append(f'<text x="36" y="{444 - 200 * place}" text-anchor="end">{other}</text>')
    shapes.append(f'<text x="340" y="470" text-anchor="middle">{x}</text>')
    shapes.append(f'<text x="8" y="140" transform="rotate(-90 8 140)" text-anchor="middle" dy="8">{y}</text>')
    return shapes


def _svg(title: str, shapes: list[str]) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 480" font-family="sans-serif" '
        'font-size="12">'
        f"<title>{title}</title>"
        + "".join(shapes)
        + f'<text x="240" y="26" text-anchor="middle">{title}</text></svg>\n'
    )


def main() -> None:
    """Write the pictures."""
    spec = load_spec(HERE / "torchlean.yaml", HERE)
    (prop,) = (one for one in spec.properties if isinstance(one, LyapunovProperty))
    within = {one.model: float(one.within) for one in spec.properties if isinstance(one, ResidualProperty)}
    (HERE / "images").mkdir(exist_ok=True)
    (HERE / "images" / "oscillator.svg").write_text(oscillator(prop))
    (HERE / "images" / "burgers.svg").write_text(burgers())
    (HERE / "images" / "heat.svg").write_text(heat(within["heat"]))


if __name__ == "__main__":
    main()
