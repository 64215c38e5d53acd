"""The inputs that a robustness property lists, and the boxes around them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.ulp import exact
from pytest_torchlean.bounds.program import Program
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.differential.samples import only_input, row_shape
from pytest_torchlean.errors import DataError
from pytest_torchlean.properties import PropertyContext
from pytest_torchlean.properties.claims import decimal
from pytest_torchlean.properties.points import Reference, region
from pytest_torchlean.spec.dataset import check_labels, load_dataset
from pytest_torchlean.spec.model import RobustnessProperty

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Listed:
    """The inputs a property lists: positions in the file, float32 (n, inputs), int64 labels (n,)."""

    positions: tuple[int, ...]
    inputs: Float32
    labels: NDArray[np.int64]

    @property
    def digest(self) -> str:
        """SHA-256 of everything that is listed."""
        parts = (np.array(self.positions, dtype="<i8"), self.inputs.astype("<f4"), self.labels.astype("<i8"))
        digest = hashlib.sha256(repr([part.shape for part in parts]).encode())
        for part in parts:
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def reference(self, row: int) -> Reference:
        return Reference(tuple(exact(number) for number in self.inputs[row]), int(self.labels[row]))


def listed_inputs(context: PropertyContext, prop: RobustnessProperty, program: Program) -> Listed:
    """The inputs a property lists. Raises DataError TL04xx where they do not fit the model."""
    graph = context.graph
    name = only_input(graph)
    if name is None:
        raise DataError("TL0405", f"robustness needs a model with one input, but it has {len(graph.inputs)}")
    if len(graph.outputs) != 1 or program.outputs.size < 2:
        raise DataError(
            "TL0405",
            f"robustness needs one output with a number per class, but the model has {len(graph.outputs)} "
            f"outputs with {program.outputs.size} numbers",
        )
    if graph.types[name].size != int(np.prod(row_shape(graph), dtype=np.int64)):
        raise DataError("TL0405", "robustness needs a model with batch size 1 or a free batch dimension")
    data = load_dataset(prop.data, row_shape(graph))
    check_labels(data.labels, int(program.outputs.size), prop.data)
    positions = tuple(range(len(data.labels)))
    if prop.indices is not None:
        outside = [index for index in prop.indices if index >= len(positions)]
        if outside:
            raise DataError(
                "TL0405", f"{prop.data.name} has {len(positions)} inputs, but `indices` lists {outside[0]}"
            )
        positions = prop.indices
    elif prop.limit is not None:
        positions = positions[: prop.limit]
    if not positions:
        raise DataError("TL0406", f"{prop.data.name} lists no input")
    chosen = list(positions)
    inputs = data.inputs.reshape(len(data.labels), -1)[chosen]
    _require_raw(context, prop, positions, inputs)
    return Listed(positions, inputs, data.labels[chosen])


def _require_raw(
    context: PropertyContext, prop: RobustnessProperty, positions: tuple[int, ...], inputs: Float32
) -> None:
    """Raises DataError TL0410 where a listed input holds a number that is none of the raw type."""
    integers = None if context.front is None else context.front.integers
    wrong = [] if integers is None else np.flatnonzero(~integers.holds(inputs).all(axis=1)).tolist()
    if integers is not None and wrong:
        raise DataError(
            "TL0410",
            f"{prop.data.name}: input {positions[wrong[0]]} holds a number that is no {integers.type} "
            f"({len(wrong)} of {len(positions)} listed inputs)",
        )


def box_around(prop: RobustnessProperty, listed: Listed, row: int) -> RationalBox:
    """The ball of a row, cut to the domain. Raises DataError TL0409 where nothing is left."""
    reference = listed.reference(row)
    lower, upper = region(prop, len(reference.values), reference)
    for element, (low, high) in enumerate(zip(lower, upper, strict=True)):
        if low > high:
            raise DataError(
                "TL0409",
                f"{prop.data.name}: element {element} of input {listed.positions[row]} is "
                f"{decimal(reference.values[element])}, further than epsilon outside the domain",
            )
    return RationalBox(lower, upper)
