"""Does the emitted text describe this model? Decoded again, evaluated exactly, compared with runs.

Lean proves a theorem about the text's numbers. That these numbers are the model's is checked here: the
graph read back from the text is evaluated exactly at many points and must lie within the derived error
bound of what onnxruntime computes there, and the boxes must contain the property's regions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.error_bounds import gamma
from pytest_torchlean.bounds.program import FIRST_INPUT, ONE_SLOT, ZERO_SLOT
from pytest_torchlean.certificate.bilinear import factors_of
from pytest_torchlean.certificate.curves import curve_radius
from pytest_torchlean.certificate.forms import Forms
from pytest_torchlean.certificate.statement import (
    AffineData,
    BilinearData,
    BoxData,
    CurveData,
    GraphData,
    MaximumData,
    MinimumData,
    PropertyData,
    QuotientData,
    ReluData,
)
from pytest_torchlean.certificate.words import (
    EXPONENT_OF_SCALED,
    integers,
    pairs_of,
    patterns_of,
    sources_of,
    unpack_digits,
)
from pytest_torchlean.errors import CertificateError, DataError
from pytest_torchlean.evaluator.exact import curve

MINIMUM_POINTS = 32

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""The model on one flat input, all outputs flat and concatenated."""


def require_same_function(
    graph: GraphData, outputs: NDArray[np.int64], points: NDArray[np.float32], run: Run
) -> float:
    """Compare the decoded graph with runs of the model.

    outputs: the slots that hold the model's outputs. points: float32 (at least 32, inputs), in the region.
    Returns the largest share of the allowed distance that was seen. Raises CertificateError TL0610 at
    the first point where a run lies outside the bound, is not finite or may overflow, and where the
    numbers of inputs or outputs differ; ValueError for too few points.
    """
    if len(points) < MINIMUM_POINTS:
        raise ValueError(f"at least {MINIMUM_POINTS} points are needed")
    if points.shape[1] != graph.inputs:
        raise CertificateError("TL0610", "the emitted graph has another number of inputs")
    try:
        exact = _ExactGraph(graph)
    except ValueError as error:
        raise CertificateError("TL0610", f"the emitted graph cannot be decoded: {error}") from error
    worst = 0.0
    for number, point in enumerate(points):
        values, radius = exact.evaluate(point)
        seen = run(point).astype(np.float64).reshape(-1)
        if seen.size != outputs.size or int(outputs.max(initial=0)) >= len(values):
            raise CertificateError("TL0610", "the emitted graph has another number of outputs")
        for index, slot in enumerate(outputs):
            answer, expected, allowed = float(seen[index]), values[slot], float(radius[slot])
            comparable = math.isfinite(answer) and math.isfinite(allowed)
            distance = abs(Fraction(answer) - expected) if comparable else Fraction(1)
            if not comparable or distance > Fraction(allowed):
                raise CertificateError(
                    "TL0610",
                    f"output {index} at guard point {number}: onnxruntime gives {answer!r}, the emitted "
                    f"data {_shown(expected)}; {_explained(allowed)}",
                )
            if distance:
                worst = max(worst, float(distance / Fraction(allowed)))
    return worst


def require_box(data: BoxData, lower: Sequence[Fraction], upper: Sequence[Fraction]) -> None:
    """The box is exactly the region. Raises CertificateError TL0611 otherwise."""
    if data.denominator < 1 or data.width < 1:
        raise CertificateError("TL0611", "an emitted box has no denominator or no digits")
    lows = unpack_digits(data.lower, data.width, len(lower))
    highs = unpack_digits(data.upper, data.width, len(upper))
    for found, wanted in ((lows, lower), (highs, upper)):
        for digit, bound in zip(found, wanted, strict=True):
            if Fraction(digit - data.offset, data.denominator) != bound:
                raise CertificateError("TL0611", "an emitted box is not the property's region")


def require_forms(data: PropertyData, forms: Forms) -> NDArray[np.int64]:
    """The emitted forms are a positive multiple of the property's; returns the slots they call outputs.

    Raises CertificateError TL0612 otherwise.
    """
    rows, outputs = forms.coefficients.shape
    if data.forms.positions != 1 or data.forms.rows != rows or data.forms.columns < outputs:
        raise CertificateError("TL0612", "the emitted inequalities have another number of rows or outputs")
    slots = sources_of(data.forms)[0]
    chosen: NDArray[np.int64] = slots[:outputs]
    expected = _by_slot(forms.coefficients, chosen)
    _add_by_slot(expected, forms.constants.reshape(-1, 1), np.array([ONE_SLOT]))
    if forms.on_inputs is not None:
        _add_by_slot(expected, forms.on_inputs, FIRST_INPUT + np.arange(forms.on_inputs.shape[1]))
    found = _by_slot(integers(patterns_of(data.forms)), slots)
    zeros = np.zeros(rows, dtype=object)
    pairs = [
        (found.get(slot, zeros), expected.get(slot, zeros)) for slot in {*found, *expected} - {ZERO_SLOT}
    ]
    pivot = next((pair for pair in pairs if any(pair[1])), None)
    row = 0 if pivot is None else int(np.flatnonzero(pivot[1] != 0)[0])
    if (
        data.strict is not forms.strict
        or data.alternatives != forms.alternatives
        or pivot is None
        or pivot[0][row] * pivot[1][row] <= 0
        or any((one * pivot[1][row] != other * pivot[0][row]).any() for one, other in pairs)
    ):
        raise CertificateError("TL0612", "the emitted inequalities are not the property's")
    return chosen


def _by_slot(table: NDArray[np.object_], slots: NDArray[np.int64]) -> dict[int, NDArray[np.object_]]:
    """What each slot is multiplied by, (rows,), all columns that read it together."""
    found: dict[int, NDArray[np.object_]] = {}
    _add_by_slot(found, table, slots)
    return found


def _add_by_slot(
    found: dict[int, NDArray[np.object_]], table: NDArray[np.object_], slots: NDArray[np.int64]
) -> None:
    for column, slot in enumerate(slots.tolist()):
        found[slot] = found[slot] + table[:, column] if slot in found else table[:, column]


def _magnitude(number: Fraction) -> float:
    try:
        return abs(float(number))
    except OverflowError:
        return math.inf


def _number(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.copysign(math.inf, number)


def _shown(number: Fraction) -> str:
    try:
        return repr(float(number))
    except OverflowError:
        return "a number beyond the binary64 range"


def _explained(allowed: float) -> str:
    """How far apart roundings alone can bring two runs; infinity times a weight of 0 has made NaN of it."""
    if math.isfinite(allowed):
        return f"at most {allowed:.3g} apart is explained by rounding"
    return "rounding has no bound there: near this point a value may overflow, or a divisor be 0"


class _ExactGraph:
    """A decoded graph over integers with one denominator per node, and its rounding bounds."""

    def __init__(self, graph: GraphData) -> None:
        self._graph = graph
        self._divided = {
            left
            for node in graph.nodes
            if isinstance(node, QuotientData)
            for left, _ in pairs_of(node).tolist()
        }
        self._matrices = [_matrix(node) if isinstance(node, AffineData) else None for node in graph.nodes]

    def evaluate(self, point: NDArray[np.float32]) -> tuple[list[Fraction], NDArray[np.float64]]:
        """Exact values of all slots, and a bound on the distance of any binary32 run (float64)."""
        values: list[Fraction] = [Fraction(0), Fraction(1), *(Fraction(float(x)) for x in point)]
        radius = [0.0] * (FIRST_INPUT + len(point))
        for node, matrix in zip(self._graph.nodes, self._matrices, strict=True):
            if isinstance(node, ReluData):
                values.extend(max(x, Fraction(0)) for x in values[node.first : node.first + node.count])
                radius.extend(radius[node.first : node.first + node.count])
            elif isinstance(node, MaximumData | MinimumData):
                self._extremum(node, values, radius)
            elif isinstance(node, CurveData):
                self._curve(node, values, radius)
            elif isinstance(node, BilinearData):
                self._bilinear(node, values, radius)
            elif isinstance(node, QuotientData):
                self._quotient(node, values, radius)
            elif matrix is not None:
                self._affine(node, matrix, values, radius)
        return values, np.array(radius)

    def _extremum(self, node: MaximumData | MinimumData, values: list[Fraction], radius: list[float]) -> None:
        """No further off than the worse operand."""
        choose = max if isinstance(node, MaximumData) else min
        pairs = [(int(left), int(right)) for left, right in pairs_of(node)]
        if any(slot >= len(values) for pair in pairs for slot in pair):
            raise CertificateError("TL0610", "the emitted graph reads a slot before it is written")
        values.extend([choose(values[left], values[right]) for left, right in pairs])
        radius.extend([max(radius[left], radius[right]) for left, right in pairs])

    def _curve(self, node: CurveData, values: list[Fraction], radius: list[float]) -> None:
        """What the arguments' radii make of the value, and the budget of binary32."""
        place = slice(node.first, node.first + node.count)
        try:
            found = [curve(node.function.label, value) for value in values[place]]
        except DataError as error:
            raise CertificateError(
                "TL0610", f"the emitted graph has no value at a point of the region: {error.message}"
            ) from error
        centers = np.array([_number(value) for value in values[place]])
        around = np.array(radius[place])
        if node.function.label == "exp":
            # powers that are divided may be a Softmax's: a runtime rounds its scores less the largest one
            shares = [slot in self._divided for slot in range(len(values), len(values) + node.count)]
            around = around + np.where(shares, 2.0**-23 * np.abs(centers).max(initial=0.0), 0.0)
        values.extend(found)
        radius.extend(curve_radius(node.function, centers, around).tolist())

    def _quotient(self, node: QuotientData, values: list[Fraction], radius: list[float]) -> None:
        """What the operands' distances make of the quotient, and one rounding; nothing near a divisor 0."""
        pairs = pairs_of(node)
        if int(pairs.max(initial=0)) >= len(values):
            raise CertificateError("TL0610", "the emitted graph reads a slot before it is written")
        for left, right in pairs.tolist():
            x, z = values[left], values[right]
            if z == 0:
                raise CertificateError("TL0610", "the emitted graph divides by 0 at a point of the region")
            nearest = _magnitude(z) * (1.0 - 2.0**-40) - radius[right]
            spread = math.inf
            if nearest > 0.0:
                spread = (radius[left] + _magnitude(x / z) * radius[right]) / nearest
            size = _magnitude(x / z) + spread
            values.append(x / z)
            radius.append((spread + 2.0**-24 * size) * (1.0 + 2.0**-30) + 2.0**-149)

    def _bilinear(self, node: BilinearData, values: list[Fraction], radius: list[float]) -> None:
        """Each factor's distance times the other's size, and the roundings of products and sums."""
        factors = factors_of(node)
        if int(factors.max(initial=0)) >= len(values):
            raise CertificateError("TL0610", "the emitted graph reads a slot before it is written")
        rate = float(gamma(node.terms + 3))
        found: list[tuple[Fraction, float]] = []
        for pairs in factors.tolist():
            total = sum((values[left] * values[right] for left, right in pairs), Fraction(0))
            spread = size = 0.0
            for left, right in pairs:
                x, z = _magnitude(values[left]), _magnitude(values[right])
                spread += x * radius[right] + z * radius[left] + radius[left] * radius[right]
                size += (x + radius[left]) * (z + radius[right])
            found.append((total, (spread + rate * size) * (1.0 + 2.0**-30) + node.terms * 2.0**-148))
        values.extend(total for total, _ in found)
        radius.extend(bound for _, bound in found)

    def _affine(self, node: AffineData, matrix: _Matrix, values: list[Fraction], radius: list[float]) -> None:
        if int(matrix.read.max(initial=0)) >= len(values):
            raise CertificateError("TL0610", "the emitted graph reads a slot before it is written")
        read = [values[slot] for slot in matrix.read.tolist()]
        common = math.lcm(*{value.denominator for value in read})
        numbers = np.empty(len(read), dtype=object)
        numbers[:] = [value.numerator * (common // value.denominator) for value in read]
        sizes = np.array([_magnitude(value) for value in read])
        errors = np.array([radius[slot] for slot in matrix.read.tolist()])
        below = node.divisor * common << EXPONENT_OF_SCALED
        # every product, every sum and the division round once; padding adds exact zeros
        rate = float(gamma(node.columns + 3))
        for places in matrix.places:
            for row in matrix.weights @ numbers[places]:
                values.append(Fraction(int(row), below))
            spread = matrix.absolute @ errors[places]
            magnitude = matrix.absolute @ (sizes[places] + errors[places])
            slack = 1.0 + 2.0**-30  # the binary64 roundings of these lines, up to 2^22 columns
            bound = (spread + rate * magnitude) / node.divisor * slack + node.columns * 2.0**-148
            radius.extend(bound.tolist())


@dataclass(frozen=True, eq=False)
class _Matrix:
    """An affine node decoded: scaled integers and absolute values float64, both (rows, columns); the slots
    that it reads, and where among them every column stands at every position, (positions, columns).
    """

    weights: NDArray[Any]
    absolute: NDArray[np.float64]
    read: NDArray[np.int64]
    places: NDArray[np.int64]


def _matrix(node: AffineData) -> _Matrix:
    patterns = patterns_of(node)
    weights = integers(patterns)
    absolute = np.abs(np.ascontiguousarray(patterns).view(np.float32).astype(np.float64))
    sources = sources_of(node)
    read, places = np.unique(sources, return_inverse=True)
    return _Matrix(weights, absolute, read, places.reshape(sources.shape))
