"""What each property claims, in one sentence with exact numbers, before anything has run."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pytest_torchlean.errors import ExtensionError
from pytest_torchlean.extensions.model import PropertyKind
from pytest_torchlean.extensions.registry import Provided
from pytest_torchlean.spec.model import (
    Bound,
    Element,
    EquivalentProperty,
    ExtensionProperty,
    GradientProperty,
    InvariantProperty,
    LipschitzProperty,
    LoopProperty,
    LyapunovProperty,
    MonotoneProperty,
    PropertySpec,
    RadiusProperty,
    RangeProperty,
    ResidualProperty,
    RobustnessProperty,
    RuntimeProperty,
    Sessions,
    VnnlibProperty,
)


def claim(prop: PropertySpec) -> str:
    """The property's claim as one plain sentence."""
    if isinstance(prop, RuntimeProperty):
        matrix = "" if prop.sessions == Sessions() else f" in {prop.sessions.count} sessions"
        return f"onnxruntime agrees with the exact evaluator, node by node, on {prop.samples} samples{matrix}"
    if isinstance(prop, RobustnessProperty):
        return _robustness(prop)
    if isinstance(prop, RangeProperty):
        return _range(prop)
    if isinstance(prop, VnnlibProperty):
        return f"no input leads to outputs that {prop.file.name} calls unsafe"
    if isinstance(prop, ExtensionProperty):
        return _by_extension(prop)
    if isinstance(prop, EquivalentProperty):
        return _equivalent(prop)
    if isinstance(prop, MonotoneProperty):
        return _monotone(prop)
    if isinstance(prop, LipschitzProperty):
        beyond = f" + {prop.slack}" if prop.slack else ""
        where = "" if prop.along is None else f" in input{'s' * (len(prop.along) > 1)} " + _named(prop.along)
        measured = "" if prop.norm == "linf" else f" in the {prop.norm} norm"
        return (
            f"an input in {_inside(prop)} and one at most {_bound(prop.apart)} from it{where} have values of "
            f"{_outputs(prop.outputs)} at most {prop.constant} times as far apart{measured}{beyond}"
        )
    if isinstance(prop, InvariantProperty):
        cut = "".join(f", {formula.text}" for formula in prop.constraints[:4])
        cut += ", ..." if len(prop.constraints) > 4 else ""
        return f"a step {_dynamics(prop)} never leads out of {_states(prop)}{cut}"
    if isinstance(prop, LyapunovProperty):
        return _lyapunov(prop)
    if isinstance(prop, GradientProperty):
        left = "" if prop.bounds.lower is None else f"{_bound(prop.bounds.lower)} <= "
        right = "" if prop.bounds.upper is None else f" <= {_bound(prop.bounds.upper)}"
        where = (
            "every input"
            if prop.along is None
            else f"input{'s' * (len(prop.along) > 1)} {_named(prop.along)}"
        )
        what = f"derivative of output {prop.output} along {where}"
        return f"{left}{what}{right}, everywhere in [{_bound(prop.input.lower)}, {_bound(prop.input.upper)}]"
    if isinstance(prop, ResidualProperty):
        box = f"[{_bound(prop.input.lower)}, {_bound(prop.input.upper)}]"
        return f"|{prop.residual.text}| <= {prop.within} for every ({', '.join(prop.inputs)}) in {box}"
    return f"the {prop.check} property {prop.name} holds"


def _lyapunov(prop: LyapunovProperty) -> str:
    if prop.time == "continuous":
        return _falling(prop)
    lowered = f"lowers it by at least {prop.decrease}" if prop.decrease else "lowers it"
    where = f"in {_states(prop)} outside the box of {_bound(prop.ball)} around 0"
    text = f"{where}, {prop.function.text} is positive and a step {_dynamics(prop)} {lowered}"
    if prop.level is None:
        return text
    return f"{text} from where it is at most {prop.level}, and leads to no state outside those states"


def _falling(prop: LyapunovProperty) -> str:
    fast = f" at a rate of at least {prop.decrease}" if prop.decrease else ""
    where = f"in {_states(prop)} outside the box of {_bound(prop.ball)} around 0"
    text = f"{where}, {prop.function.text} is positive and falls{fast} along {_dynamics(prop, '/dt =')}"
    if prop.level is None:
        return text
    return f"{text} where it is at most {prop.level}, and no solution leaves those states"


def _dynamics(prop: LoopProperty, sign: str = " :=") -> str:
    shown = ", ".join(f"{each.name}{sign} {each.formula.text}" for each in prop.formulas[:4])
    if isinstance(prop.dynamics, str):
        shown = f"({', '.join(prop.states[:4])}{', ...' * (len(prop.states) > 4)}){sign} `{prop.dynamics}`"
    more = ", ..." if len(prop.formulas) > 4 else ""
    off = f" (each off by at most {_bound(prop.disturbance)})" if prop.disturbance != 0 else ""
    return f"{shown}{more}{off}"


def _states(prop: LoopProperty) -> str:
    return f"[{_bound(prop.region.lower)}, {_bound(prop.region.upper)}]"


def _by_extension(prop: ExtensionProperty) -> str:
    """The claim as the extension words it, with its name; where that fails, the run says how."""
    given = prop.provided
    try:
        words = words_of(given, prop.values)
    except ExtensionError:
        words = f"the property {prop.name} holds"
    return f"{prop.check} (by extension {given.origin}): {words}"


def words_of(given: Provided[PropertyKind], values: Mapping[str, Any]) -> str:
    """What an extension says its claim is, on one line. Raises ExtensionError TL1003, TL1004."""
    words = given.call(given.it.words, dict(values))
    if not isinstance(words, str) or not words.strip():
        raise given.wrong("gave no words for its claim")
    return " ".join(words.split())[:500]


def _equivalent(prop: EquivalentProperty) -> str:
    if prop.tolerance is not None:
        return (
            f"outputs differ from those of `{prop.to}` by at most {_bound(prop.tolerance)} for every input "
            f"in {_inside(prop)}"
        )
    leads = f"leads by at least {prop.margin}" if prop.margin else "leads"
    beaten = "comes first here too" if prop.margin else "is beaten by no other here"
    return f"where a class of `{prop.to}` {leads}, it {beaten}, for every input in {_inside(prop)}"


def _monotone(prop: MonotoneProperty) -> str:
    verb = "lowers" if prop.direction == "nondecreasing" else "raises"
    beyond = f" by more than {prop.slack}" if prop.slack else ""
    what = f"input{'s' * (len(prop.along) > 1)} {_named(prop.along)}"
    return (
        f"raising {what} by at most {_bound(prop.by)} never {verb} {_outputs(prop.outputs)}{beyond}, from "
        f"anywhere in {_inside(prop)}"
    )


def _inside(prop: EquivalentProperty | MonotoneProperty | LipschitzProperty) -> str:
    return f"[{_bound(prop.input.lower)}, {_bound(prop.input.upper)}]"


def _named(chosen: tuple[Element, ...]) -> str:
    return ", ".join(map(str, chosen))


def _outputs(chosen: tuple[int, ...] | None) -> str:
    if chosen is None:
        return "any output"
    return f"output{'s' if len(chosen) > 1 else ''} {', '.join(map(str, chosen))}"


def _robustness(prop: RobustnessProperty) -> str:
    within = ""
    if prop.domain is not None:
        within = f" intersected with [{_bound(prop.domain.lower)}, {_bound(prop.domain.upper)}]"
    share = prop.required_share
    all_of_them = share == 1
    who = "every listed input" if all_of_them else f"at least {_percent(share)} of all listed inputs"
    tried = f"; radii up to {prop.up_to} are tried" if isinstance(prop, RadiusProperty) else ""
    keeps = "keeps its class" if all_of_them else "keep their class"
    return f"{who} of {prop.data.name} {keeps} in the L-infinity ball of radius {prop.epsilon}{within}{tried}"


def _range(prop: RangeProperty) -> str:
    relation = "<" if prop.strict else "<="
    left = "" if prop.output.lower is None else f"{_bound(prop.output.lower)} {relation} "
    right = "" if prop.output.upper is None else f" {relation} {_bound(prop.output.upper)}"
    return f"{left}output{right} for every input in [{_bound(prop.input.lower)}, {_bound(prop.input.upper)}]"


def _bound(bound: Bound) -> str:
    if isinstance(bound, Fraction):
        return str(bound)
    if len(bound) <= 4:
        return "(" + ", ".join(str(number) for number in bound) + ")"
    return f"({bound[0]}, ..., {bound[-1]}: {len(bound)} numbers)"


def _percent(share: Fraction) -> str:
    percent = share * 100
    return f"{percent}%"


def decimal(number: Fraction) -> str:
    """A short decimal for messages; the exact number is in the record."""
    return f"{float(number):.6g}"
