"""The declarative tables of torchlean.yaml: one row per key, one table per kind of property.

Decoding, "did you mean", the decorators and the JSON Schema are all driven by these tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_torchlean.spec.blocks import Field
from pytest_torchlean.spec.boxes import BoundValue, Box
from pytest_torchlean.spec.fields import (
    Choice,
    ElementList,
    FilePath,
    Flag,
    IntegerList,
    Name,
    duration,
    integer,
    memory,
    number,
    share,
)
from pytest_torchlean.spec.formulas import FormulaText, InequalityList, NameList, NextStates
from pytest_torchlean.spec.model import (
    SAMPLINGS,
    EquivalentProperty,
    GradientProperty,
    InvariantProperty,
    LipschitzProperty,
    LyapunovProperty,
    MonotoneProperty,
    PropertySpec,
    RadiusProperty,
    RangeProperty,
    ResidualProperty,
    RobustnessProperty,
    RuntimeProperty,
    VnnlibProperty,
)
from pytest_torchlean.spec.preprocess_fields import Preprocess
from pytest_torchlean.spec.sessions import SessionMatrix, Several
from pytest_torchlean.spec.shapes import SHAPE_FIELDS

SUPPORTED_VERSION = 1
MAX_PROPERTIES = 10_000
MAX_INDEX = 10**9


@dataclass(frozen=True)
class Kind:
    """One kind of property: the word after `check:`, what it claims, its class and its own keys."""

    name: str
    doc: str
    build: Callable[..., PropertySpec]
    fields: tuple[Field, ...]


TIMEOUT = Field("timeout", duration(), "Wall time for one property, e.g. 60s, 2m, 500ms.", default="60s")
SEMANTICS = Field(
    "semantics",
    Choice(("real", "binary32")),
    "Arithmetic of the claim: every binary32 execution, or exact on the stored weights.",
    default="binary32",
)
ON_UNKNOWN = Field(
    "on_unknown", Choice(("fail", "warn")), "Whether the verdict UNKNOWN fails the gate.", default="fail"
)
ASSURANCE = Field(
    "assurance",
    Choice(("kernel", "evaluated", "any")),
    "What a proof rests on: a theorem in Lean's kernel, the proved checker run by Lean's interpreter, or the "
    "kernel where it is expected to end in half of the time.",
    default="any",
)
MEMORY = Field("memory", memory(), "Memory limit of each worker process, e.g. 2GiB.")

DEFAULTS_FIELDS: tuple[Field, ...] = (TIMEOUT, SEMANTICS, ON_UNKNOWN, ASSURANCE, MEMORY)

_INPUT_BOX = (
    "The box of inputs, e.g. {lower: 0, upper: 1}; lists give one number per element in row-major order."
)
_SELECTION = (
    Field(
        "indices",
        IntegerList(MAX_INDEX),
        "Positions in the data file to list, counted from 0.",
        default="all",
    ),
    Field("limit", integer(1, MAX_INDEX), "List only the first so many inputs.", default="all"),
)

RUNTIME = Kind(
    "runtime",
    "onnxruntime agrees with the exact evaluator on samples, node by node, within derived bounds.",
    RuntimeProperty,
    (
        Field("samples", integer(1, 1_000_000), "How many inputs to compare.", default="256"),
        Field("seed", integer(0, 2**63 - 1), "Seed of the sampler.", default="0"),
        Field(
            "data",
            FilePath(),
            "An npz file whose inputs are among the samples; `outputs` recorded elsewhere are compared.",
        ),
        Field("input", Box(), _INPUT_BOX),
        Field(
            "sampling",
            Several(Choice(SAMPLINGS), "[data, uniform]"),
            "Kinds of samples: exact probes, rows of `data`, uniform in `input`, adversarial mixes.",
            default=f"[{', '.join(SAMPLINGS)}]",
        ),
        Field(
            "sessions",
            SessionMatrix(),
            "The sessions to compare, e.g. {optimisation: [none, all], threads: [1, 2]}.",
            default="no optimisation and all, one thread",
        ),
    ),
)
_BALL: tuple[Field, ...] = (
    Field("epsilon", number(at_least=0), "Radius of the ball, e.g. 8/255.", required=True),
    Field("norm", Choice(("linf",), later=("l1", "l2")), "Norm of the ball.", default="linf"),
    Field(
        "domain",
        Box(),
        "Box of valid inputs, e.g. {lower: 0, upper: 1}; the ball is intersected with it.",
    ),
    Field("data", FilePath(), "An npz file with the arrays `inputs` and `labels`.", required=True),
    Field(
        "at_least",
        share(),
        "Share of all listed inputs that must be classified right and proved, e.g. 90%.",
        default="100%",
    ),
    Field("min_accuracy", share(), "Share of all listed inputs that must be classified right."),
    *_SELECTION,
)
ROBUSTNESS = Kind(
    "robustness",
    "No input within epsilon of a listed input, and within the domain, changes the class.",
    RobustnessProperty,
    _BALL,
)
RADIUS = Kind(
    "radius",
    "As robustness, and the record names for every listed input the largest radius that is proved.",
    RadiusProperty,
    (
        *_BALL,
        Field("up_to", number(at_least=0), "The largest radius that is tried, e.g. 1/10.", required=True),
        Field(
            "steps",
            integer(1, 12),
            "How often the range of radii is halved: radii are multiples of up_to / 2^steps.",
            default="6",
        ),
    ),
)
RANGE = Kind(
    "range",
    "Every output stays within bounds for every input of a box.",
    RangeProperty,
    (
        Field("input", Box(), _INPUT_BOX, required=True),
        Field(
            "output", Box(one_sided=True), "Bounds claimed of the output; one side is enough.", required=True
        ),
        Field("strict", Flag(), "Claim strict inequalities.", default="false"),
    ),
)

VNNLIB = Kind(
    "vnnlib",
    "No input leads to outputs that a VNN-LIB file calls unsafe.",
    VnnlibProperty,
    (Field("file", FilePath(), "A VNN-LIB 1.0 file, also packed as .vnnlib.gz.", required=True),),
)

_PAIR_BOX = Field("input", Box(), _INPUT_BOX, required=True)
_OUTPUTS = Field(
    "outputs", IntegerList(MAX_INDEX), "Positions of the outputs meant, counted from 0.", default="all"
)
EQUIVALENT = Kind(
    "equivalent",
    "Two models give nearly the same outputs, or the same class, for every input of a box.",
    EquivalentProperty,
    (
        Field("to", Name("model"), "The other model, a name from the `models` block.", required=True),
        _PAIR_BOX,
        Field("tolerance", BoundValue(0), "The largest difference, one number or one per output."),
        Field("same", Choice(("class",)), "Claim the same class instead of a tolerance."),
        Field(
            "margin",
            number(at_least=0),
            "With `same: class`: agree wherever the class of `to` leads all others by this much.",
            default="0",
        ),
    ),
)
MONOTONE = Kind(
    "monotone",
    "Raising some inputs from anywhere in a box never lowers (or raises) an output by more than a slack.",
    MonotoneProperty,
    (
        Field(
            "along",
            ElementList(MAX_INDEX),
            "The inputs that are raised: positions counted from 0, or names of model inputs.",
            required=True,
        ),
        Field("by", BoundValue(0), "By how much each of them is raised at most, e.g. 1/10.", required=True),
        _PAIR_BOX,
        _OUTPUTS,
        Field(
            "direction",
            Choice(("nondecreasing", "nonincreasing")),
            "How the outputs answer.",
            default="nondecreasing",
        ),
        Field("slack", number(at_least=0), "By how much an output may go the other way.", default="0"),
    ),
)
LIPSCHITZ = Kind(
    "lipschitz",
    "Near an input of a box outputs move by at most constant * (distance of the inputs) + slack.",
    LipschitzProperty,
    (
        Field("constant", number(at_least=0), "The Lipschitz constant claimed, e.g. 2.5.", required=True),
        Field("apart", BoundValue(0), "How far the inputs are apart at most, e.g. 1/10.", required=True),
        Field(
            "along",
            ElementList(MAX_INDEX),
            "The inputs in which they differ: positions counted from 0, or names of model inputs.",
            default="all",
        ),
        _PAIR_BOX,
        _OUTPUTS,
        Field("slack", number(at_least=0), "What is allowed beyond, for inputs however near.", default="0"),
        Field(
            "norm", Choice(("linf", "l2", "l1")), "How the distance of inputs is measured.", default="linf"
        ),
    ),
)

_LOOP: tuple[Field, ...] = (
    Field(
        "dynamics",
        NextStates(),
        "For each element of the model's input, in order, its name and its next value as an expression, e.g. "
        "{x: x + v/10, v: v + u/10}; or a name from the `models` block, of a model that takes the state and "
        "then the control.",
        required=True,
    ),
    Field("state", NameList(), "Names of the state's elements, where `dynamics` is a model."),
    Field(
        "control",
        NameList(),
        "Names of the model's outputs in the expressions.",
        default="u, or u0, u1, ... for several",
    ),
    Field("region", Box(), "The box of states, e.g. {lower: -1, upper: 1}.", required=True),
    Field(
        "disturbance",
        BoundValue(0),
        "By how much each element of the next state may differ from what `dynamics` gives.",
        default="0",
    ),
)
INVARIANT = Kind(
    "invariant",
    "No step of a closed loop leads from a box of states, or a polytope in it, out of it.",
    InvariantProperty,
    (
        *_LOOP,
        Field(
            "constraints",
            InequalityList(),
            "Inequalities of the state that cut the box, e.g. [x + v <= 1, x + v >= -1].",
        ),
    ),
)
LYAPUNOV = Kind(
    "lyapunov",
    "Outside a box around the origin a function is positive and every step of a closed loop lowers it.",
    LyapunovProperty,
    (
        *_LOOP,
        Field("function", FormulaText(), "The function, e.g. abs(x) + 2*abs(v).", required=True),
        Field(
            "ball",
            BoundValue(0),
            "Half the sides of the box around the origin in which nothing is claimed, e.g. 1/10.",
            required=True,
        ),
        Field("decrease", number(at_least=0), "By how much a step lowers the function.", default="anything"),
        Field(
            "level",
            number(),
            "States where the function is at most this are claimed to stay in the region, with the function "
            "at most this.",
        ),
        Field(
            "time",
            Choice(("steps", "continuous")),
            "Whether `dynamics` gives the next state, or the state's derivatives by time.",
            default="steps",
        ),
    ),
)

GRADIENT = Kind(
    "gradient",
    "The derivatives of an output along inputs lie within bounds, for every input of a box.",
    GradientProperty,
    (
        Field("input", Box(), _INPUT_BOX, required=True),
        Field(
            "bounds",
            Box(one_sided=True),
            "Bounds of the derivatives, one number or one for each input of `along`; one side is enough.",
            required=True,
        ),
        Field("output", integer(0, MAX_INDEX), "Position of the output, counted from 0.", default="0"),
        Field(
            "along",
            ElementList(MAX_INDEX),
            "The inputs along which: positions counted from 0, or names of model inputs.",
            default="all",
        ),
    ),
)
RESIDUAL = Kind(
    "residual",
    "An expression of inputs, outputs and their derivatives is near 0, for every input of a box.",
    ResidualProperty,
    (
        Field("input", Box(), _INPUT_BOX, required=True),
        Field("inputs", NameList(), "Names of the model's input elements, in order.", required=True),
        Field("outputs", NameList(), "Names of the model's outputs, in order.", default="[u]"),
        Field(
            "residual",
            FormulaText(),
            "The expression; u_x and u_xx are derivatives of the output u along the input x.",
            required=True,
        ),
        Field("within", number(at_least=0), "How far from 0 it is at most.", required=True),
    ),
)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        RUNTIME,
        ROBUSTNESS,
        RADIUS,
        RANGE,
        VNNLIB,
        EQUIVALENT,
        MONOTONE,
        LIPSCHITZ,
        INVARIANT,
        LYAPUNOV,
        GRADIENT,
        RESIDUAL,
    )
}
LATER_KINDS: tuple[str, ...] = ()


def common_fields(known: Mapping[str, Kind]) -> tuple[Field, ...]:
    """The keys of every property, `check` naming one of the known kinds."""
    check = Choice(tuple(known), later=LATER_KINDS, code="TL0314")
    return (
        Field(
            "name", Name("property"), "Name of the property; the last part of its pytest id.", required=True
        ),
        Field("model", Name("model"), "A name from the `models` block.", required=True),
        Field("check", check, "Kind of property.", required=True),
        TIMEOUT,
        ON_UNKNOWN,
        MEMORY,
    )


COMMON_FIELDS: tuple[Field, ...] = common_fields(KINDS)

MODEL_FIELDS: tuple[Field, ...] = (
    Field("path", FilePath(), "The ONNX file, relative to this file.", required=True),
    *SHAPE_FIELDS,
    Field(
        "preprocess",
        Preprocess(),
        "What is done to a raw input before the model sees it, step by step; claims are about the raw input.",
    ),
)


def fields_of(kind: Kind, known: Mapping[str, Kind] | None = None) -> tuple[Field, ...]:
    """Every key a property of this kind may have.

    Runtime checks prove nothing, so they have neither semantics nor assurance to choose; derivatives are
    those of exact arithmetic. known: the kinds that `check` may name, with extensions.
    """
    common = COMMON_FIELDS if known is None else common_fields(known)
    chosen: tuple[Field, ...] = (SEMANTICS, ASSURANCE)
    if kind is RUNTIME or kind in (GRADIENT, RESIDUAL):
        chosen = () if kind is RUNTIME else (ASSURANCE,)
    return common + chosen + kind.fields


def home_of(key: str, known: Mapping[str, Kind] | None = None) -> str | None:
    """Which checks know a key, in words; None when none does."""
    names = [
        kind.name for kind in (known or KINDS).values() if key in {entry.key for entry in fields_of(kind)}
    ]
    if not names:
        return None
    *others, last = (f"`{name}`" for name in names)
    return f"it belongs to check{'s' if others else ''} {', '.join(others)}{' and ' if others else ''}{last}"
