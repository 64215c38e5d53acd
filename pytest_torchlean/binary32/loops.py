"""Loops over elements, compiled by numba; their callers check shapes and give contiguous arrays.

Products go panel by panel: WIDTH columns of the right operand, row after row in memory, meet tiles of rows.
Importing this module imports numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_torchlean.binary32 import machine
from pytest_torchlean.binary32 import tile as tiles
from pytest_torchlean.binary32.tile import ROWS, WIDTH, tile

_KEY = machine.digest((__file__, str(tiles.__file__)))
_NAN = np.float32(np.nan)


def _compiled(function: Any) -> Any:
    return machine.compiled(function, key=_KEY)


@_compiled
def settle(values: Any) -> None:
    """Replaces every NaN of a vector by the quiet NaN."""
    for i in range(values.size):
        value = values[i]
        values[i] = value if value == value else _NAN


@_compiled
def cut(b: Any, panels: Any) -> None:
    """b (k, columns) as panels (count, k, WIDTH); columns beyond the last are 0."""
    depth, columns = b.shape
    down = b.strides[0] < b.strides[1]
    for p in range(panels.shape[0]):
        first = p * WIDTH
        count = min(WIDTH, columns - first)
        if down:
            for j in range(count):
                for k in range(depth):
                    panels[p, k, j] = b[k, first + j]
        else:
            for k in range(depth):
                for j in range(count):
                    panels[p, k, j] = b[k, first + j]
        if count < WIDTH:
            for k in range(depth):
                for j in range(count, WIDTH):
                    panels[p, k, j] = 0.0


@_compiled
def multiply(a: Any, panels: Any, bias: Any, out: Any, start: Any, stop: Any) -> None:
    """Panels start..stop of a @ b + bias: a (rows, k), bias (columns,) or empty, out (rows, columns)."""
    rows, depth = a.shape
    columns = out.shape[1]
    steps = np.arange(depth) * WIDTH
    scratch = np.empty((ROWS, WIDTH), dtype=np.float32)
    for p in range(start, stop):
        first = p * WIDTH
        count = min(WIDTH, columns - first)
        right = panels.ctypes.data + 4 * p * depth * WIDTH
        for i in range(0, rows, ROWS):
            height = min(ROWS, rows - i)
            left = a.ctypes.data + 4 * i * depth
            tile(height, count, left, depth, right, steps.ctypes.data, depth, scratch.ctypes.data, WIDTH)
            for r in range(height):
                if bias.size:
                    for j in range(count):
                        value = scratch[r, j] + bias[first + j]
                        out[i + r, first + j] = value if value == value else _NAN
                else:
                    for j in range(count):
                        value = scratch[r, j]
                        out[i + r, first + j] = value if value == value else _NAN


@_compiled
def multiply_each(a: Any, b: Any, out: Any, start: Any, stop: Any) -> None:
    """Products start..stop of (count, rows, k) by (count, k, columns); b is cut as it is used."""
    depth = a.shape[2]
    columns = out.shape[2]
    panels = np.empty((-(-columns // WIDTH), depth, WIDTH), dtype=np.float32)
    none = np.empty(0, dtype=np.float32)
    for index in range(start, stop):
        cut(b[index], panels)
        multiply(a[index], panels, none, out[index], 0, panels.shape[0])


@_compiled
def add_up(terms: Any, totals: Any) -> None:
    """totals (size,), given as +0, plus terms (count, size), ascending."""
    for i in range(terms.shape[0]):
        for j in range(terms.shape[1]):
            totals[j] += terms[i, j]
    settle(totals)


@_compiled
def rectify(x: Any, out: Any) -> None:
    """0 for numbers below 0, everything else as it is."""
    for i in range(x.size):
        value = x[i]
        out[i] = np.float32(0.0) if value < 0 else value


@_compiled
def below_largest(x: Any, out: Any) -> Any:
    """x - max(x) for each row; whether every number of x is finite and so is every difference."""
    finite = True
    for i in range(x.shape[0]):
        largest = x[i, 0]
        for j in range(1, x.shape[1]):
            largest = max(largest, x[i, j])
        for j in range(x.shape[1]):
            value = x[i, j] - largest
            finite = finite and -np.inf < value < np.inf
            out[i, j] = value
    return finite


@_compiled
def divide_by_sum(x: Any) -> None:
    """x / sum(x) for each row, in place, the sum ascending."""
    for i in range(x.shape[0]):
        total = np.float32(0.0)
        for j in range(x.shape[1]):
            total += x[i, j]
        for j in range(x.shape[1]):
            value = x[i, j] / total
            x[i, j] = value if value == value else _NAN


@_compiled
def normalize_rows(x: Any, epsilon: Any, scale: Any, bias: Any, out: Any) -> None:
    """(x - mean) * (1 / sqrt(variance + epsilon)) * scale + bias for each row, one rounding after the other.

    x, out (rows, n); scale (n,); bias (n,) or empty.
    """
    one, count = np.float32(1.0), np.float32(x.shape[1])
    for i in range(x.shape[0]):
        total = np.float32(0.0)
        for j in range(x.shape[1]):
            total += x[i, j]
        mean = total / count
        total = np.float32(0.0)
        for j in range(x.shape[1]):
            distance = x[i, j] - mean
            total += distance * distance
        inverse = one / np.sqrt(total / count + epsilon)
        for j in range(x.shape[1]):
            value = (x[i, j] - mean) * inverse * scale[j]
            if bias.size:
                value += bias[j]
            out[i, j] = value if value == value else _NAN


@_compiled
def largest_of(x: Any, taps: Any, out: Any) -> None:
    """The first largest, or first NaN, of x (maps, extent) at taps (windows, volume): out (maps, windows)."""
    for m in range(x.shape[0]):
        for w in range(taps.shape[0]):
            best = x[m, taps[w, 0]]
            for v in range(1, taps.shape[1]):
                value = x[m, taps[w, v]]
                if value > best or (value != value and best == best):
                    best = value
            out[m, w] = best


@_compiled
def mean_of(x: Any, taps: Any, counts: Any, out: Any) -> None:
    """Ascending sums of x (maps, extent) at taps (windows, volume), a negative one 0, divided by counts."""
    for m in range(x.shape[0]):
        for w in range(taps.shape[0]):
            total = np.float32(0.0)
            for v in range(taps.shape[1]):
                if taps[w, v] >= 0:
                    total += x[m, taps[w, v]]
            value = total / counts[w]
            out[m, w] = value if value == value else _NAN


@_compiled
def lay_out(x: Any, rows: Any, columns: Any, size: Any, planes: Any) -> None:
    """x (maps, height, width) into `planes`, size numbers per map: row i, column j at rows[i] + columns[j].

    A negative place leaves the row or column out.
    """
    for m in range(x.shape[0]):
        for i in range(x.shape[1]):
            if rows[i] >= 0:
                place = m * size + rows[i]
                for j in range(x.shape[2]):
                    if columns[j] >= 0:
                        planes[place + columns[j]] = x[m, i, j]


@_compiled
def convolve(
    weights: Any, planes: Any, steps: Any, bias: Any, out: Any, pitch: Any, size: Any, start: Any, stop: Any
) -> None:
    """Tasks start..stop, one for each image, group and panel of positions.

    weights (groups, rows, k); planes: size numbers per image and group, where output (y, x) multiplies weight
    k with the number at y * pitch + x + steps[k]; bias (groups * rows,) or empty; out (images, groups * rows,
    height, width). Numbers at places that are no output are computed and dropped.
    """
    groups, rows, depth = weights.shape
    height, width = out.shape[2], out.shape[3]
    places = (height - 1) * pitch + width
    panels = -(-places // WIDTH)
    scratch = np.empty((ROWS, WIDTH), dtype=np.float32)
    for task in range(start, stop):
        both, p = task // panels, task % panels
        image, group = both // groups, both % groups
        first = p * WIDTH
        count = min(WIDTH, places - first)
        right = planes.ctypes.data + 4 * (both * size + first)
        for i in range(0, rows, ROWS):
            tall = min(ROWS, rows - i)
            left = weights.ctypes.data + 4 * (group * rows + i) * depth
            tile(tall, count, left, depth, right, steps.ctypes.data, depth, scratch.ctypes.data, WIDTH)
            for r in range(tall):
                channel = group * rows + i + r
                added = bias[channel] if bias.size else np.float32(0.0)
                done = 0
                y, x = first // pitch, first % pitch
                while done < count:
                    run = min(count - done, pitch - x)
                    for j in range(min(run, width - x)):
                        value = scratch[r, done + j] + added
                        out[image, channel, y, x + j] = value if value == value else _NAN
                    done += run
                    y += 1
                    x = 0


@_compiled
def gather(planes: Any, steps: Any, first: Any, pitch: Any, width: Any, out: Any) -> None:
    """What each output (y, x) reads: out (height * width, k) from place first + y * pitch + x + steps[k]."""
    for o in range(out.shape[0]):
        place = first + o // width * pitch + o % width
        for k in range(steps.size):
            out[o, k] = planes[place + steps[k]]
