"""Plots as inline SVG: bounds of outputs, a histogram, a certified share. Plain numbers in, text out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_torchlean.spec import exact
from pytest_torchlean.verdict import Histogram, Radius, Sampled

MOST_ROWS = 24
"""Outputs that a plot of bounds draws."""
_MOST_STEPS = 200
_WIDTH, _LEFT, _RIGHT = 600, 34, 590
_ROW = 15


@dataclass(frozen=True)
class Drawing:
    """An SVG and what it leaves out, in words, empty where that is nothing."""

    svg: str
    left_out: str = ""


def number(text: str) -> float:
    """An exact number of the record as binary64, NaN where it is no number or lies beyond binary64."""
    try:
        return float.fromhex(text) if "x" in text[:3].lower() else float(exact.number(text))
    except (ValueError, OverflowError):
        return math.nan


def bounds_plot(
    bounds: Mapping[str, Sequence[str]], claimed: Mapping[str, Sequence[str]] | None, sampled: Sampled | None
) -> Drawing | None:
    """A row for each output: the bounds as a band, the samples as a line in it, the claim as marks.

    None where a bound is missing or is no number.
    """
    lower, upper = (_numbers(bounds.get(side, ())) for side in ("lower", "upper"))
    count = min(len(lower), len(upper))
    if not count or not all(map(math.isfinite, (*lower, *upper))):
        return None
    shown = min(count, MOST_ROWS)
    seen = (_numbers(sampled.lower), _numbers(sampled.upper)) if sampled is not None else ([], [])
    scale = _Scale.around([*lower[:shown], *upper[:shown], *seen[0][:shown], *seen[1][:shown]])
    demanded = {side: _numbers(values)[:shown] for side, values in (claimed or {}).items()}
    scale = scale.widened([value for values in demanded.values() for value in values])
    height = shown * _ROW + 26
    parts = [_labels(shown), scale.axis(height)]
    parts.append(_bars("band", 9, lower[:shown], upper[:shown], scale))
    if len(seen[0]) == len(seen[1]) == count:
        parts.append(_bars("seen", 4, seen[0][:shown], seen[1][:shown], scale))
    for values in demanded.values():
        parts.append(_marks(values, scale))
    rest = f"and {count - shown} more outputs in the record" if count > shown else ""
    return Drawing(_svg(height, parts, "bounds of the outputs"), rest)


def histogram_plot(histogram: Histogram) -> Drawing | None:
    """Bars between the edges; those that lie below zero in another colour. None without bars."""
    edges, most = _numbers(histogram.edges), max(histogram.counts, default=0)
    if not most or len(edges) != len(histogram.counts) + 1 or not all(map(math.isfinite, edges)):
        return None
    scale, height, base = _Scale.around(edges).widened([0.0]), 150, 124
    parts = [scale.axis(height)]
    for count, low, high in zip(histogram.counts, edges, edges[1:], strict=False):
        if count:
            left, right = scale(low), scale(high)
            tall = max(1.0, 104 * count / most)
            kind = "under" if high <= 0 else "bar"
            parts.append(
                f'<rect class="{kind}" x="{left + 0.5:.1f}" y="{base - tall:.1f}" '
                f'width="{max(0.5, right - left - 1):.1f}" height="{tall:.1f}"><title>{count}</title></rect>'
            )
    if scale.low < 0 < scale.high:
        parts.append(f'<path class="zero" d="M{scale(0):.1f} 10V{base}"/>')
    parts.append(f'<text x="{_LEFT - 4}" y="24" text-anchor="end">{most}</text>')
    return Drawing(_svg(height, parts, "histogram of margins"))


def share_plot(radii: Sequence[Radius]) -> Drawing | None:
    """The share of inputs whose radius reaches at least what the axis says. None without a radius above 0."""
    reached = sorted(float(found.radius) for found in radii)
    if not reached or reached[-1] <= 0:
        return None
    places = sorted({0.0, *(radius for radius in reached if radius > 0)})
    if len(places) > _MOST_STEPS:
        places = [places[-1] * step / _MOST_STEPS for step in range(_MOST_STEPS + 1)]
    scale, height, base = _Scale(0.0, places[-1] * 1.04), 170, 144
    path, previous = "", 0.0
    for place in places:
        share = sum(radius >= place and radius > 0 for radius in reached) / len(reached)
        y = base - 124 * share
        path += f"M{scale(0):.1f} {y:.1f}" if not path else f"H{scale(previous):.1f}V{y:.1f}"
        previous = place
    path += f"H{scale(previous):.1f}V{base}"
    grid = "".join(f"M{_LEFT} {base - 124 * tenth / 4:.1f}H{_RIGHT}" for tenth in range(1, 5))
    parts = [
        f'<path class="axis" d="{grid}"/>',
        scale.axis(height),
        f'<path class="area" d="{path}H{scale(0):.1f}Z"/>',
        f'<path class="seen" stroke-width="2" d="{path}"/>',
        *(
            f'<text x="{_LEFT - 4}" y="{base + 4 - 31 * quarter}" text-anchor="end">{25 * quarter}%</text>'
            for quarter in (0, 2, 4)
        ),
    ]
    return Drawing(_svg(height, parts, "certified share against the radius"))


@dataclass(frozen=True)
class _Scale:
    """A horizontal scale from numbers to places in the drawing."""

    low: float
    high: float

    @classmethod
    def around(cls, values: Sequence[float]) -> _Scale:
        finite = [value for value in values if math.isfinite(value)]
        low, high = min(finite), max(finite)
        room = max((high - low) * 0.03, abs(high) * 1e-6, 1e-30)
        return cls(low - room, high + room)

    def widened(self, values: Sequence[float]) -> _Scale:
        """Also around those values that lie no further away than the span; others are marked at the side."""
        span = self.high - self.low
        near = [value for value in values if self.low - span <= value <= self.high + span]
        return _Scale.around([self.low, self.high, *near])

    def __call__(self, value: float) -> float:
        share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return _LEFT + (_RIGHT - _LEFT) * min(1.0, max(0.0, share))

    def axis(self, height: float) -> str:
        base = height - 26
        step = _step((self.high / 2 - self.low / 2) / 2.5)
        first = math.ceil(self.low / step)
        ticks = [first + place for place in range(12) if (first + place) * step <= self.high]
        marks = "".join(f"M{self(tick * step):.1f} {base}v5" for tick in ticks)
        texts = "".join(
            f'<text x="{self(tick * step):.1f}" y="{height - 8}" text-anchor="middle">{tick * step:.4g}'
            "</text>"
            for tick in ticks
        )
        return f'<path class="axis" d="M{_LEFT} {base}H{_RIGHT}{marks}"/>{texts}'


def _step(size: float) -> float:
    power = 10.0 ** math.floor(math.log10(size))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= size)


def _svg(height: float, parts: Sequence[str], title: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{title}">{"".join(parts)}</svg>'


def _labels(count: int) -> str:
    return "".join(
        f'<text x="{_LEFT - 6}" y="{row * _ROW + 12}" text-anchor="end">{row}</text>' for row in range(count)
    )


def _bars(kind: str, width: int, lower: Sequence[float], upper: Sequence[float], scale: _Scale) -> str:
    path = "".join(
        f"M{scale(low):.1f} {row * _ROW + 8}H{max(scale(high), scale(low) + 1):.1f}"
        for row, (low, high) in enumerate(zip(lower, upper, strict=False))
        if math.isfinite(low) and math.isfinite(high)
    )
    return f'<path class="{kind}" stroke-width="{width}" d="{path}"/>'


def _marks(values: Sequence[float], scale: _Scale) -> str:
    """A stroke where the value lies; an arrow at the side where it lies beyond."""
    path, arrows = "", ""
    for row, value in enumerate(values):
        y = row * _ROW
        if scale.low <= value <= scale.high:
            path += f"M{scale(value):.1f} {y + 2}v12"
        elif not math.isnan(value):
            sign, x, anchor = ("▸", _RIGHT, "end") if value > scale.high else ("◂", _LEFT, "start")
            arrows += f'<text class="out" x="{x}" y="{y + 12}" text-anchor="{anchor}">{sign}</text>'
    return f'<path class="mark" stroke-width="2" d="{path}"/>{arrows}' if path else arrows


def _numbers(values: Sequence[str]) -> list[float]:
    return [number(value) for value in values]
