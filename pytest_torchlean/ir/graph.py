"""The graph: an op-tagged static single-assignment program over named values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Attribute = int | float | str | tuple[int, ...] | tuple[float, ...] | None
"""Attribute values: floats hold exact binary32 values."""


@dataclass(frozen=True)
class ValueType:
    """Static type of a value: numpy dtype name ("float32", "int64", "bool", ...) and shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of elements."""
        size = 1
        for extent in self.shape:
            size *= extent
        return size


@dataclass(frozen=True)
class Node:
    """One operation. An absent optional input is the empty string.

    `source` is the ONNX node's own name, for messages only: it is not part of the canonical form.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: tuple[tuple[str, Attribute], ...] = ()
    source: str = ""

    def attribute(self, name: str) -> Attribute:
        """The attribute's value; KeyError when the node has none of that name."""
        for key, value in self.attributes:
            if key == name:
                return value
        raise KeyError(name)


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in topological order. `constants` are initialisers and what was folded from them; float32 ones
    hold no NaN, and infinities only where the model computes with them (masks).

    `types` covers inputs, constants and every node output. `free_batch` says that the model's
    first dimension is symbolic and was fixed to 1 here.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    constants: Mapping[str, NDArray[np.generic]]
    types: Mapping[str, ValueType]
    free_batch: bool = False
