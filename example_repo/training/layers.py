"""Layers for interval-bound training: every layer is a dense matrix whose entries are shared parameters.

A box of inputs travels as centre and radius, both float64 of shape (images, features), features in
row-major order. An affine layer maps centre to `centre @ M.T + b` and radius to `radius @ abs(M).T`;
ReLU clips the two ends. A convolution is the matrix whose entry (output, input) is a kernel weight
or zero, so one pair of formulas and one gradient serve Gemm, Conv and AveragePool.

Interval-bound propagation for training: Gowal et al., "On the Effectiveness of Interval Bound
Propagation for Training Verifiably Robust Models", 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

NOTHING = -1
"""Index of a matrix entry that no parameter reaches; the entry is zero."""


@dataclass
class Affine:
    """Gemm or Conv: `weights` and `bias` hold the parameters, the indices spread them over a matrix.

    weight_index: (outputs, inputs), entries index the flat weights or are NOTHING.
    bias_index: (outputs,), entries index the bias.
    """

    weights: Array
    bias: Array
    weight_index: Indices
    bias_index: Indices

    def matrix(self) -> Array:
        """The dense (outputs, inputs) matrix."""
        padded: Array = np.append(self.weights.ravel(), 0.0)
        return padded[self.weight_index]

    def offset(self) -> Array:
        """The dense (outputs,) bias."""
        return np.take(self.bias, self.bias_index)

    def weight_gradient(self, matrix_gradient: Array) -> Array:
        """Sum a gradient of the dense matrix over the entries that share a parameter."""
        size = self.weights.size
        index = np.where(self.weight_index == NOTHING, size, self.weight_index)
        summed = np.bincount(index.ravel(), matrix_gradient.ravel(), minlength=size + 1).astype(np.float64)
        return summed[:size].reshape(self.weights.shape)

    def bias_gradient(self, offset_gradient: Array) -> Array:
        """Sum a gradient of the dense bias over the outputs that share a bias."""
        return np.bincount(self.bias_index, offset_gradient, minlength=self.bias.size).astype(np.float64)


@dataclass
class Average:
    """AveragePool: a fixed matrix without parameters."""

    fixed: Array

    def matrix(self) -> Array:
        """The dense (outputs, inputs) matrix."""
        return self.fixed


@dataclass
class Relu:
    """Element-wise max(x, 0)."""


Layer = Affine | Average | Relu


def gemm(random: np.random.Generator, inputs: int, outputs: int) -> Affine:
    """A fully connected layer, weights (outputs, inputs), He-initialised."""
    weights = random.normal(0.0, np.sqrt(2.0 / inputs), (outputs, inputs))
    index = np.arange(outputs * inputs, dtype=np.int64).reshape(outputs, inputs)
    return Affine(weights, np.zeros(outputs), index, np.arange(outputs, dtype=np.int64))


def convolution(random: np.random.Generator, inputs: int, outputs: int, side: int) -> Affine:
    """A 3x3 convolution, stride 1, padding 1, on (inputs, side, side); weights (outputs, inputs, 3, 3)."""
    weights = random.normal(0.0, np.sqrt(2.0 / (inputs * 9)), (outputs, inputs, 3, 3))
    positions = np.arange(weights.size, dtype=np.int64).reshape(weights.shape)
    index = np.full((outputs, side, side, inputs, side, side), NOTHING, dtype=np.int64)
    for row, column in np.ndindex(side, side):
        for down, right in np.ndindex(3, 3):
            source_row, source_column = row + down - 1, column + right - 1
            if 0 <= source_row < side and 0 <= source_column < side:
                index[:, row, column, :, source_row, source_column] = positions[:, :, down, right]
    index = index.reshape(outputs * side * side, inputs * side * side)
    return Affine(weights, np.zeros(outputs), index, np.repeat(np.arange(outputs), side * side))


def average(channels: int, side: int) -> Average:
    """A 2x2 average with stride 2 on (channels, side, side)."""
    half = side // 2
    fixed = np.zeros((channels, half, half, channels, side, side))
    for channel, row, column in np.ndindex(channels, half, half):
        fixed[channel, row, column, channel, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = 0.25
    return Average(fixed.reshape(channels * half * half, channels * side * side))


def forward(layers: list[Layer], centre: Array, radius: Array) -> list[tuple[Array, Array]]:
    """Centre and radius after every layer, the input's first."""
    boxes = [(centre, radius)]
    for layer in layers:
        if isinstance(layer, Relu):
            lower, upper = np.maximum(centre - radius, 0.0), np.maximum(centre + radius, 0.0)
            centre, radius = (upper + lower) / 2, (upper - lower) / 2
        else:
            matrix = layer.matrix()
            offset = layer.offset() if isinstance(layer, Affine) else 0.0
            centre, radius = centre @ matrix.T + offset, radius @ np.abs(matrix).T
        boxes.append((centre, radius))
    return boxes


def worst_margins(last: Affine, centre: Array, radius: Array, labels: Indices) -> Array:
    """Upper bounds of logit j minus the label's logit over the box, (images, classes), 0 at the label.

    The difference of two rows is formed before the bound, so what the two logits share cancels.
    """
    matrix, offset = last.matrix(), last.offset()
    rows = matrix[None, :, :] - matrix[labels][:, None, :]
    shift = offset[None, :] - offset[labels][:, None]
    bound: Array = np.einsum("ijk,ik->ij", rows, centre) + np.einsum("ijk,ik->ij", np.abs(rows), radius)
    return bound + shift


def softmax_loss_gradient(scores: Array, labels: Indices) -> Array:
    """Gradient of the mean cross entropy with respect to the scores."""
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    gradient: Array = exponentials / exponentials.sum(axis=1, keepdims=True)
    gradient[np.arange(len(labels)), labels] -= 1.0
    return gradient / len(labels)


def gradients(
    layers: list[Layer], centre: Array, radius: Array, labels: Indices, scale: float
) -> list[tuple[Array, Array]]:
    """Gradient (weights, bias) per Affine layer of `scale` times the mean cross entropy of the worst margins.

    With radius 0 this is the ordinary cross entropy.
    """
    last = layers[-1]
    assert isinstance(last, Affine)
    boxes = forward(layers[:-1], centre, radius)
    centre, radius = boxes[-1]
    matrix = last.matrix()
    score = scale * softmax_loss_gradient(worst_margins(last, centre, radius, labels), labels)
    rows = matrix[None, :, :] - matrix[labels][:, None, :]
    signs = np.sign(rows)
    to_centre = np.einsum("ij,ijk->ik", score, rows)
    to_radius = np.einsum("ij,ijk->ik", score, np.abs(rows))
    row_gradient = score[:, :, None] * (centre[:, None, :] + signs * radius[:, None, :])
    matrix_gradient = row_gradient.sum(axis=0)
    np.subtract.at(matrix_gradient, labels, row_gradient.sum(axis=1))
    offset_gradient = score.sum(axis=0)
    np.subtract.at(offset_gradient, labels, score.sum(axis=1))
    found = [(last.weight_gradient(matrix_gradient), last.bias_gradient(offset_gradient))]
    for layer, (centre, radius) in zip(reversed(layers[:-1]), reversed(boxes[:-1]), strict=True):
        if isinstance(layer, Relu):
            to_lower, to_upper = (to_centre - to_radius) / 2, (to_centre + to_radius) / 2
            to_lower = to_lower * (centre - radius > 0)
            to_upper = to_upper * (centre + radius > 0)
            to_centre, to_radius = to_lower + to_upper, to_upper - to_lower
            continue
        matrix = layer.matrix()
        if isinstance(layer, Affine):
            matrix_gradient = to_centre.T @ centre + np.sign(matrix) * (to_radius.T @ radius)
            found.append((layer.weight_gradient(matrix_gradient), layer.bias_gradient(to_centre.sum(axis=0))))
        to_centre, to_radius = to_centre @ matrix, to_radius @ np.abs(matrix)
    return found[::-1]
