"""What the properties of a spec say, as frozen values; `spec.document` has the whole file.

The rest of the package sees nothing else of torchlean.yaml. Every number is an exact `fractions.Fraction`.
Durations are seconds, memory is in bytes. Paths of a loaded spec are absolute, resolved, and inside the
repository root; those of a decorator are relative until `bind` places them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Literal

from pytest_torchlean.errors import SourceSpan, SpecError
from pytest_torchlean.extensions.model import PropertyKind
from pytest_torchlean.extensions.registry import Provided

Bound = Fraction | tuple[Fraction, ...]
"""One number for every element, or one per element in row-major order."""

Semantics = Literal["real", "binary32"]
OnUnknown = Literal["fail", "warn"]
Assurance = Literal["kernel", "evaluated", "any"]

DEFAULT_TIMEOUT = Fraction(60)
DEFAULT_SAMPLES = 256
SAMPLINGS = ("probes", "data", "uniform", "magnitudes", "ties", "boundaries", "cancellation")
"""How a runtime check draws its samples; `differential/samples.py` says what each of them is."""
DEFAULT_STEPS = 6
DEFAULT_SEMANTICS: Semantics = "binary32"
NAME_PATTERN = "[a-z0-9][a-z0-9._-]{0,99}"
"""Names of models and properties. They become parts of pytest item ids, so never brackets or colons."""


@dataclass(frozen=True)
class Bounds:
    """A closed box: `lower <= value <= upper`, element by element."""

    lower: Bound
    upper: Bound


@dataclass(frozen=True)
class OutputBounds:
    """What a range property claims of each output element. At least one side is given."""

    lower: Bound | None
    upper: Bound | None


@dataclass(frozen=True, kw_only=True)
class PropertySpec:
    """What every property has. `name` and `model` are empty for a decorator until `bind` fills them."""

    check: ClassVar[str] = ""

    name: str = ""
    model: str = ""
    span: SourceSpan | None = None
    timeout: Fraction = DEFAULT_TIMEOUT
    """Wall time for the whole property, in seconds."""
    semantics: Semantics | None = None
    """None: the tool's default. Always None for `runtime`, which compares binary32 executions only."""
    on_unknown: OnUnknown = "fail"
    assurance: Assurance = "any"
    """What a proof must rest on. Always "any" for `runtime`, which proves nothing."""
    memory: int | None = None
    """Limit for each worker process in bytes. None: the checker's own limit."""

    @property
    def chosen_semantics(self) -> Semantics:
        """What executions the claim is about: every one in binary32 where the spec does not say."""
        return self.semantics or DEFAULT_SEMANTICS


LEVELS = ("none", "basic", "extended", "layout", "all")
"""onnxruntime's levels of graph optimisation, each with what those before it do."""


@dataclass(frozen=True)
class Sessions:
    """The sessions of a runtime check: every combination of the listed values.

    `threads` are intra-op threads. An empty `batch` is the model's own batch size.
    """

    optimisation: tuple[str, ...] = ("none", "all")
    threads: tuple[int, ...] = (1,)
    inter_op_threads: tuple[int, ...] = (1,)
    batch: tuple[int, ...] = ()
    providers: tuple[str, ...] = ("CPUExecutionProvider",)

    @property
    def count(self) -> int:
        """How many combinations there are."""
        lists = (self.optimisation, self.threads, self.inter_op_threads, self.batch or (1,), self.providers)
        return math.prod(map(len, lists))


@dataclass(frozen=True, kw_only=True)
class RuntimeProperty(PropertySpec):
    """onnxruntime agrees with the exact evaluator on samples, node by node."""

    check: ClassVar[str] = "runtime"

    samples: int = DEFAULT_SAMPLES
    seed: int = 0
    data: Path | None = None
    """Inputs to sample from. None: samples are drawn from `input`, or from the tool's own mix."""
    input: Bounds | None = None
    sampling: tuple[str, ...] = ()
    """Words of SAMPLINGS; none means all of them."""
    sessions: Sessions = Sessions()


@dataclass(frozen=True, kw_only=True)
class RobustnessProperty(PropertySpec):
    """No point of the ball around a listed input, intersected with `domain`, changes its class."""

    check: ClassVar[str] = "robustness"

    epsilon: Fraction
    data: Path
    norm: Literal["linf"] = "linf"
    domain: Bounds | None = None
    at_least: Fraction | None = None
    """Share of ALL listed inputs that must be classified right and proved. None: every one."""
    min_accuracy: Fraction | None = None
    """Share of ALL listed inputs that must be classified right. None: no demand of its own."""
    indices: tuple[int, ...] | None = None
    """Positions in the data file that are listed, counted from 0. None: all of them."""
    limit: int | None = None
    """Only the first so many inputs are listed. Never given together with `indices`."""

    @property
    def required_share(self) -> Fraction:
        """The share that must be proved, with the default filled in."""
        return Fraction(1) if self.at_least is None else self.at_least


@dataclass(frozen=True, kw_only=True)
class RadiusProperty(RobustnessProperty):
    """As robustness, and for each listed input the largest radius up to `up_to` that can be proved."""

    check: ClassVar[str] = "radius"

    up_to: Fraction
    """The largest radius that is tried, at least `epsilon`."""
    steps: int = DEFAULT_STEPS
    """How often the range of radii is halved: they are multiples of up_to / 2^steps, and `epsilon`."""


@dataclass(frozen=True, kw_only=True)
class RangeProperty(PropertySpec):
    """Every output element stays within `output` for every input of the box `input`."""

    check: ClassVar[str] = "range"

    input: Bounds
    output: OutputBounds
    strict: bool = False
    """Whether the claim is `lower < y < upper` instead of `lower <= y <= upper`."""


@dataclass(frozen=True, kw_only=True)
class VnnlibProperty(PropertySpec):
    """No input has the outputs that a VNN-LIB file calls unsafe. The file is read when the property runs."""

    check: ClassVar[str] = "vnnlib"

    file: Path


Element = int | str
"""A position counted from 0 over all elements in order, or the name of a model's input: all its elements."""


@dataclass(frozen=True, kw_only=True)
class EquivalentProperty(PropertySpec):
    """Two models, given the same input of the box, give nearly the same outputs, or the same class."""

    check: ClassVar[str] = "equivalent"

    to: str
    """The other model: a name of the `models` block, or in a decorator a path."""
    input: Bounds
    tolerance: Bound | None = None
    """The largest difference of each output. Never given together with `same`."""
    same: Literal["class"] | None = None
    margin: Fraction = Fraction(0)
    """For `same: class`: by how much the other model's class leads where this one must agree."""


@dataclass(frozen=True, kw_only=True)
class MonotoneProperty(PropertySpec):
    """Raising inputs `along` anywhere in the box lowers no output by more than `slack`, or raises none."""

    check: ClassVar[str] = "monotone"

    along: tuple[Element, ...]
    by: Bound
    """By how much each of them is raised at most, in the order of their positions."""
    input: Bounds
    outputs: tuple[int, ...] | None = None
    """Positions of the outputs that are meant. None: all of them."""
    direction: Literal["nondecreasing", "nonincreasing"] = "nondecreasing"
    slack: Fraction = Fraction(0)


@dataclass(frozen=True, kw_only=True)
class LipschitzProperty(PropertySpec):
    """No input near one of the box has outputs further from its own than constant * distance + slack."""

    check: ClassVar[str] = "lipschitz"

    constant: Fraction
    apart: Bound
    """How far the two inputs are apart at most, one number or one for each of `along`."""
    input: Bounds
    along: tuple[Element, ...] | None = None
    """The inputs in which they differ. None: all of them."""
    outputs: tuple[int, ...] | None = None
    """Positions of the outputs that are meant. None: all of them."""
    slack: Fraction = Fraction(0)
    norm: Literal["linf", "l2", "l1"] = "linf"
    """Of the difference of the two inputs."""


@dataclass(frozen=True)
class Formula:
    """An expression as written; `expressions/` reads it."""

    text: str
    span: SourceSpan | None = None


@dataclass(frozen=True)
class NextState:
    """The next value of one element of the state, as a formula of the state and the control."""

    name: str
    formula: Formula


@dataclass(frozen=True, kw_only=True)
class LoopProperty(PropertySpec):
    """What the kinds about a closed loop share: the model maps a state to a control, the dynamics both to the
    next state."""

    dynamics: tuple[NextState, ...] | str
    """Formulas in the order of the model's input elements, which are the state; or a second model, a name of
    the `models` block, in a decorator a path. It takes the state and behind it the control.
    """
    state: tuple[str, ...] | None = None
    """Names of the state's elements, exactly where a model gives the dynamics."""
    control: tuple[str, ...] | None = None
    """Names of the model's outputs in order. None: `u`, or `u0`, `u1`, ... where there are several."""
    region: Bounds
    disturbance: Bound = Fraction(0)
    """By how much each element of the next state may differ from what the dynamics give."""

    @property
    def formulas(self) -> tuple[NextState, ...]:
        """The dynamics as formulas; none where a model gives them."""
        return () if isinstance(self.dynamics, str) else self.dynamics

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the state's elements."""
        return self.state or tuple(each.name for each in self.formulas)


@dataclass(frozen=True, kw_only=True)
class InvariantProperty(LoopProperty):
    """No step leads out of the region: the box, cut by the constraints."""

    check: ClassVar[str] = "invariant"

    constraints: tuple[Formula, ...] = ()
    """Inequalities of the state that cut the box."""


@dataclass(frozen=True, kw_only=True)
class LyapunovProperty(LoopProperty):
    """Outside a box around the origin a function is positive and every step lowers it."""

    check: ClassVar[str] = "lyapunov"

    function: Formula
    ball: Bound
    """Half the sides of the box around the origin in which nothing is claimed."""
    decrease: Fraction = Fraction(0)
    """By how much a step lowers the function at least; 0: by anything."""
    level: Fraction | None = None
    """States of the region where the function is at most this stay there. None: none are claimed to stay."""
    time: str | None = None
    """`continuous`: the dynamics give derivatives by time instead of next states."""


@dataclass(frozen=True, kw_only=True)
class DerivativeProperty(PropertySpec):
    """What the kinds about derivatives share. They are exact: a rounded function has no derivative."""

    input: Bounds

    @property
    def chosen_semantics(self) -> Semantics:
        """Exact arithmetic on the stored weights."""
        return "real"


@dataclass(frozen=True, kw_only=True)
class GradientProperty(DerivativeProperty):
    """The derivatives of one output along some inputs lie within bounds everywhere in the box."""

    check: ClassVar[str] = "gradient"

    bounds: OutputBounds
    output: int = 0
    """Position of the output that is meant."""
    along: tuple[Element, ...] | None = None
    """The inputs along which it is differentiated. None: all of them."""


@dataclass(frozen=True, kw_only=True)
class ResidualProperty(DerivativeProperty):
    """An expression of inputs, outputs and derivatives is at most `within` in size everywhere in the box."""

    check: ClassVar[str] = "residual"

    inputs: tuple[str, ...]
    """Names of the model's input elements, in order."""
    outputs: tuple[str, ...] = ("u",)
    """Names of the model's outputs, in order."""
    residual: Formula
    within: Fraction


@dataclass(frozen=True, kw_only=True)
class ExtensionProperty(PropertySpec):
    """A property of a kind that an extension gives; every kind has a subclass that names it in `check`."""

    provided: Provided[PropertyKind]
    values: Mapping[str, Any]
    """The kind's own keys, decoded; those that were not given are absent."""


def elements(bound: Bound, count: int, *, what: str, span: SourceSpan | None = None) -> tuple[Fraction, ...]:
    """`bound` as exactly `count` numbers in row-major order.

    Raises SpecError TL0318 when a list of another length was given; `what` names it in the message.
    """
    if isinstance(bound, Fraction):
        return (bound,) * count
    if len(bound) != count:
        raise SpecError(
            "TL0318",
            f"{what} lists {len(bound)} numbers, but the model has {count} elements there",
            span=span,
        )
    return bound


def second_model(prop: PropertySpec | None) -> str | None:
    """The second model that a property names: a name of the `models` block, in a decorator a path."""
    if isinstance(prop, EquivalentProperty):
        return prop.to
    if isinstance(prop, LoopProperty) and isinstance(prop.dynamics, str):
        return prop.dynamics
    return None


def bind(prop: PropertySpec, *, name: str, model: str, base: Path, root: Path) -> PropertySpec:
    """A decorator's property with its name, its model's name, and its paths placed under `base`.

    Raises SpecError TL0313 when a path leaves `root`, TL0310 when `name` is not a valid name.
    """
    from pytest_torchlean.spec.paths import resolve_inside

    if not re.fullmatch(NAME_PATTERN, name):
        raise SpecError("TL0310", f"{name!r} is not a valid property name", span=prop.span)
    placed = replace(prop, name=name, model=model)
    if isinstance(placed, RobustnessProperty | RuntimeProperty) and placed.data is not None:
        placed = replace(placed, data=resolve_inside(placed.data.as_posix(), base=base, root=root))
    if isinstance(placed, VnnlibProperty):
        placed = replace(placed, file=resolve_inside(placed.file.as_posix(), base=base, root=root))
    return placed
