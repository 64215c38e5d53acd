"""Verdicts and the evidence behind them: the one definition that every report derives from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from pytest_torchlean.extensions.registry import Use


class Verdict(StrEnum):
    """What is known about a property. Only PROVED and AGREED let a gate pass."""

    PROVED = "PROVED"
    """Lean accepted a certificate for exactly this model's bytes and this property."""
    REFUTED = "REFUTED"
    """An input breaks the property, in exact arithmetic, on onnxruntime and on our evaluator."""
    UNKNOWN = "UNKNOWN"
    """The method or the budget ran out; the best bound and the gap are reported."""
    UNSUPPORTED = "UNSUPPORTED"
    """The model or the claim lies outside what the tool can decide; every reason is listed."""
    ERROR = "ERROR"
    """The check itself failed: bad input, no Lean, a refused certificate, a crash."""
    AGREED = "AGREED"
    """A sampled runtime check found no difference."""
    DIVERGENT = "DIVERGENT"
    """A sampled runtime check found a node whose output lies outside its derived bound."""

    @property
    def passes(self) -> bool:
        """Whether the gate lets this verdict through without an explicit `on_unknown: warn`."""
        return self in (Verdict.PROVED, Verdict.AGREED)


@dataclass(frozen=True)
class Counts:
    """How the inputs of a data-set property fared. `total` is the number of ALL listed inputs.

    proved + refuted + unknown + misclassified = total.
    """

    proved: int
    refuted: int
    unknown: int
    misclassified: int
    total: int


@dataclass(frozen=True)
class Witness:
    """An input that breaks a property, with every number as a binary32 hexadecimal literal.

    `input` is flat in row-major order of `shape`. `violation` is the broken inequality in words.
    `index` is the position in the data set, None for a region given in the spec.
    """

    shape: tuple[int, ...]
    input: tuple[str, ...]
    runtime_output: tuple[str, ...]
    evaluator_output: tuple[str, ...]
    violation: str
    index: int | None = None
    reference: tuple[str, ...] | None = None
    """The unperturbed input, where there is one (for pictures side by side)."""


@dataclass(frozen=True)
class Radius:
    """The largest radius proved for one input; 0 where none is. `index` is its position in the data."""

    index: int
    radius: Fraction


@dataclass(frozen=True)
class Sampled:
    """Least and greatest of every output over some points of the region, binary32 as hexadecimal literals."""

    points: int
    lower: tuple[str, ...]
    upper: tuple[str, ...]


@dataclass(frozen=True)
class Histogram:
    """How many numbers lie from one edge to the next; decimal numbers as text, one more edge than counts.

    The last count includes the last edge.
    """

    edges: tuple[str, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Mistake:
    """One error of a spec file, with its place."""

    line: int
    column: int
    code: str
    message: str
    fix: str


@dataclass(frozen=True)
class Theorem:
    """The Lean theorem that carries a proof, and the axioms Lean printed for it."""

    name: str
    axioms: tuple[str, ...]


@dataclass(frozen=True)
class SessionRecord:
    """One session of a runtime check: how it was opened, what ran in it, and what was compared.

    `options` are all options of the session and the shapes of its inputs. `operators` are those that
    really ran, `rewrites` those of them that the model file does not have. `counts` has `samples`,
    `exact_outputs`, `bounded_outputs` and `unbounded` elements. `worst` maps an operator to the largest
    observed share of its bound, a decimal. `equalities` maps each demand of bit equality to what became of
    it. `bits` compares the outputs with the first session's.
    """

    name: str
    options: Mapping[str, str]
    operators: tuple[str, ...]
    rewrites: tuple[str, ...]
    counts: Mapping[str, int]
    worst: Mapping[str, str]
    shares: Mapping[str, Mapping[str, int]]
    """By operator: how many elements came how near to their bound, by bins that are named by their ends."""
    ulps: Mapping[str, Mapping[str, int]]
    """By operator: how many bounded elements were how many units in the last place from the evaluator's."""
    uncovered: tuple[str, ...]
    equalities: Mapping[str, str]
    bits: str


@dataclass(frozen=True)
class Problem:
    """An error attached to a verdict: stable code, what happened, what to do."""

    code: str
    message: str
    fix: str


@dataclass(frozen=True)
class Evidence:
    """Everything known about one property after it ran.

    `claim` says in one sentence what was claimed, `found` what was found; both are plain text
    without terminal escapes. Only `seconds` and `effort` vary between equal runs.
    """

    verdict: Verdict
    claim: str
    found: str
    semantics: str = "real"
    assurance: str | None = None
    """"kernel" or "evaluated": the level of what was proved, which may be a part of a property over data that
    is not PROVED. None where nothing was proved."""
    theorem: Theorem | None = None
    counts: Counts | None = None
    accuracy: str | None = None
    """Share of inputs classified right, as an exact fraction, where the property is over data."""
    samples: int | None = None
    bounds: Mapping[str, tuple[str, ...]] | None = None
    """Exact numbers as strings, e.g. {"lower": (...), "upper": (...)} per output element."""
    claimed: Mapping[str, tuple[str, ...]] | None = None
    """The bounds that a range property demands, in the form of `bounds`; a side may be absent."""
    sampled: Sampled | None = None
    """What onnxruntime gave at points of a range property's region: seen, not proved."""
    margins: Histogram | None = None
    """Least margins over the balls of a robustness property as intervals in binary64 show them: a picture of
    how far each is from its proof, not a part of it."""
    mistakes: tuple[Mistake, ...] = ()
    """For a spec that cannot be read, every error in it."""
    radii: tuple[Radius, ...] = ()
    """For a radius property, one per listed input."""
    witnesses: tuple[Witness, ...] = ()
    runtime: str = ""
    """The runtime line of the ledger (DESIGN section 2)."""
    next_steps: str = ""
    problem: Problem | None = None
    details: tuple[str, ...] = ()
    """Further lines a person may want: per-node divergence, unsupported nodes, ..."""
    sessions: tuple[SessionRecord, ...] = ()
    """The sessions of a runtime check, in the order in which they ran."""
    machine: Mapping[str, str] | None = None
    """What a runtime check ran on: versions and build of onnxruntime and numpy, processor and its flags."""
    extensions: tuple[Use, ...] = ()
    """What third parties gave that this verdict depends on."""
    claimed_set: object = field(default=None, repr=False, compare=False)
    """For a property of an extension's kind, the unsafe set: for its witness file, not for the record."""
    files: Mapping[str, str] | None = None
    """Digests of the data and property files that were read, by path relative to the root."""
    lean: Mapping[str, str] | None = None
    """Version, sha256 and origin of the Lean that answered; None when Lean was not asked."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    effort: Mapping[str, str] = field(default_factory=dict)
    """How this run got there: whether the cache helped, Lean's memory. Like `seconds`, no part of what was
    found."""
    trust: tuple[str, ...] = ()
    """What this verdict rests on, one sentence each."""

    @property
    def certified(self) -> int:
        """Number of inputs proved; 1 or 0 for a property over a single region."""
        if self.counts is not None:
            return self.counts.proved
        return int(self.verdict is Verdict.PROVED)
