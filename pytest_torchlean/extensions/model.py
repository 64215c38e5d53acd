"""What an extension gives: operators, property kinds, falsifiers and reporters.

None of them can make a verdict. An operator becomes ONNX operators that are known here, a property kind
becomes boxes and linear inequalities that Lean checks, a falsifier gives candidates that are run again, and
a reporter sees a copy of the record. Importing this module loads neither numpy nor onnx.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_torchlean.spec.blocks import Field

AttributeValue = int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]


@dataclass(frozen=True)
class OperatorNode:
    """A node of a model, as an operator's `body` sees it.

    since: the version of the operator that the model's opset selects. attributes: the node's own; defaults
    are the body's business. shapes: of the inputs, None for one that is left out. outputs: how many.
    """

    since: int
    attributes: Mapping[str, AttributeValue]
    shapes: tuple[tuple[int, ...] | None, ...]
    outputs: int


@dataclass(frozen=True)
class Operator:
    """An ONNX operator that this package does not know, by a function of operators that it does.

    domain, name: as in the model file. since: the versions of the operator that `body` knows. body: for one
    node the ONNX function that it means, as text for `onnx.parser.parse_function` or as a FunctionProto;
    references to attributes (`@alpha`) take the node's values. onnxruntime must have the operator: what it
    computes is compared with the body before anything is called PROVED.
    """

    domain: str
    name: str
    since: tuple[int, ...]
    body: Callable[[OperatorNode], object]
    doc: str = ""

    @property
    def label(self) -> str:
        """The name with its domain."""
        return f"{self.domain}.{self.name}" if self.domain else self.name


@dataclass(frozen=True)
class Inequality:
    """`outputs . Y + inputs . X + constant >= 0`, or `> 0` where strict, on flat elements by their number.

    Numbers are exact: `int` or `Fraction`.
    """

    outputs: Mapping[int, int | Fraction] = field(default_factory=dict)
    inputs: Mapping[int, int | Fraction] = field(default_factory=dict)
    constant: int | Fraction = 0
    strict: bool = False


@dataclass(frozen=True)
class Claim:
    """For every input of the box, every clause holds; a clause holds where one of its inequalities does.

    lower, upper: one exact number for each flat input element.
    """

    lower: Sequence[int | Fraction]
    upper: Sequence[int | Fraction]
    clauses: Sequence[Sequence[Inequality]]


@dataclass(frozen=True)
class ModelView:
    """What a property kind may know of the model: shapes, and the flat number of elements."""

    input_shapes: Mapping[str, tuple[int, ...]]
    output_shapes: Mapping[str, tuple[int, ...]]
    inputs: int
    outputs: int


@dataclass(frozen=True)
class PropertyKind:
    """A new word for `check:`.

    name: lower case with at least one hyphen, e.g. `acme-monotone`, so that no later kind of this package has
    it. fields: its own keys beside those that every property has; `pytest_torchlean.extend` has the types.
    claims: from the decoded keys (those that were given) and the model to what is claimed, without doing any
    arithmetic that rounds. words: the claim as one sentence, for people.
    """

    name: str
    doc: str
    fields: tuple[Field, ...]
    claims: Callable[[Mapping[str, Any], ModelView], Sequence[Claim]]
    words: Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, eq=False)
class Search:
    """A region in which an input is sought that breaks something.

    lower, upper: float32 (inputs,), the first and last binary32 input of every element. shape: of the model's
    input where it has one. outputs: from points, float64 (n, inputs), to float64 (n, outputs), evaluated in
    binary64. missing: from points to float64 (n,), by how much each misses what is sought; zero or less
    means that it looks like a counterexample. seed: the same for equal runs. most: candidates that are read.
    """

    lower: NDArray[np.float32]
    upper: NDArray[np.float32]
    shape: tuple[int, ...]
    outputs: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    missing: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    seed: int
    most: int


@dataclass(frozen=True)
class Falsifier:
    """A search for counterexamples, asked where our own found none and no proof was found.

    candidates: flat points, float32 or what converts to it without loss, inside the region. Each is run on
    onnxruntime and on the evaluator; only a point that breaks the property in all of them counts.
    """

    name: str
    doc: str
    candidates: Callable[[Search], Iterable[Any]]


@dataclass(frozen=True)
class Reporter:
    """A further form of the record: a pure function from the record, as JSON values, to text.

    name: lower case with at least one hyphen. content: what is written, in a few words.
    """

    name: str
    content: str
    render: Callable[[Mapping[str, Any]], str]
