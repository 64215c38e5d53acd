"""Exact values of affine steps in binary64 with a rigorous radius.

A product of two binary32 numbers is exact in binary64, so a sum of n products by any order is within
gamma53_{n+2} * sum |a_i b_i| of its exact value (Higham, Accuracy and Stability, section 3.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.ir.linear import AffineStep

Float64 = NDArray[np.float64]

_UNIT53 = 2.0**-53
_CHUNK = 2**21
"""Gathered numbers held at once: 16 MiB."""


@dataclass(frozen=True, eq=False)
class _Block:
    weights: Float64
    bias: Float64
    gather: NDArray[np.int64]
    scatter: NDArray[np.int64]
    divisor: float

    def parts(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Rows of `gather` and `scatter` of which `_CHUNK` numbers are gathered at once."""
        rows = max(1, _CHUNK // max(1, self.gather.shape[1]))
        for start in range(0, len(self.gather), rows):
            yield self.gather[start : start + rows], self.scatter[start : start + rows]

    @cached_property
    def sizes(self) -> Float64:
        """Absolute weights, kept from their first use on."""
        return np.abs(self.weights)

    @property
    def nbytes(self) -> int:
        """Memory of everything that is kept, the absolute weights included."""
        return sum(
            array.nbytes for array in (self.weights, self.weights, self.bias, self.gather, self.scatter)
        )


@dataclass(frozen=True, eq=False)
class AffineReference:
    """An affine step ready to be applied to flat binary64 vectors.

    `terms` is the number of products and the bias of each output element, float64 (size,).
    """

    sources: tuple[str, ...]
    size: int
    terms: Float64
    _blocks: tuple[_Block, ...]

    def apply(self, source: Float64) -> Float64:
        """The affine map, rounded in binary64. `source` is the concatenation of the flat sources."""
        return self._run(source, absolute=False, bias=True)

    def magnitude(self, source: Float64, *, bias: bool = True) -> Float64:
        """The map with |weights| and |bias| on a non-negative vector: the sum of absolute terms."""
        return self._run(source, absolute=True, bias=bias)

    def radius(self, magnitude: Float64) -> Float64:
        """How far `apply` may be from the exact value, given the sum of absolute terms."""
        count = self.terms + 3.0
        return count * _UNIT53 / (1.0 - count * _UNIT53) * magnitude * (1.0 + 2.0**-40)

    def single_roundings(self, source: Float64) -> tuple[NDArray[np.bool_], Float64]:
        """Where one rounding fixes the bits, and the binary32 number that it must give.

        That is the case where at most one product is not zero, its factor from `source` is a power of
        two, and it is a binary32 number: then only the bias is added, and any schedule rounds once.
        Both arrays are flat, of the output's size.
        """
        fixed = np.zeros(self.size, dtype=np.bool_)
        value = np.zeros(self.size, dtype=np.float64)
        padded = np.append(source, 0.0)
        plain = (padded == 0.0) | (np.abs(np.frexp(padded)[0]) == 0.5)
        for block in self._blocks:
            if block.divisor != 1.0:
                continue
            for gather, scatter in block.parts():
                sparse = ((padded[gather] != 0.0).sum(axis=1) <= 1) & plain[gather].all(axis=1)
                where = scatter[sparse]
                product = padded[gather[sparse]] @ block.weights.T
                bias = np.broadcast_to(block.bias, product.shape)
                rounded = (product + bias).astype(np.float32).astype(np.float64)
                known = product.astype(np.float32).astype(np.float64) == product
                fixed[where] = known & _sum_is_exact(product, bias)
                value[where] = rounded
        return fixed, value

    @property
    def nbytes(self) -> int:
        """Memory of everything that is kept."""
        return int(self.terms.nbytes) + sum(block.nbytes for block in self._blocks)

    def _run(self, source: Float64, *, absolute: bool, bias: bool) -> Float64:
        padded = np.append(source, 0.0)
        result = np.zeros(self.size, dtype=np.float64)
        for block in self._blocks:
            weights = block.sizes if absolute else block.weights
            offset = np.abs(block.bias) if absolute else block.bias
            for gather, scatter in block.parts():
                product = padded[gather] @ weights.T
                if bias:
                    product = product + offset
                result[scatter] = product / block.divisor
        return result


def _sum_is_exact(left: Float64, right: Float64) -> NDArray[np.bool_]:
    """Whether left + right is exact in binary64 (Knuth's TwoSum leaves no error)."""
    total = left + right
    virtual = total - left
    return np.asarray((left - (total - virtual)) + (right - virtual) == 0.0)


def affine_reference(step: AffineStep, size: int) -> AffineReference:
    """Prepare a step with `size` output elements. ZERO, index -1, reads the appended zero."""
    terms = np.zeros(size, dtype=np.float64)
    blocks = []
    for block in step.blocks:
        rows = block.weights.shape[0]
        bias = np.zeros(rows) if block.bias is None else block.bias.astype(np.float64)
        terms[block.scatter] = (block.weights != 0).sum(axis=1) + (0 if block.bias is None else 1)
        blocks.append(
            _Block(block.weights.astype(np.float64), bias, block.gather, block.scatter, float(block.divisor))
        )
    return AffineReference(step.sources, size, terms, tuple(blocks))
