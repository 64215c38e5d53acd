"""The decorator API's properties of closed loops; `spec.builders` says how numbers and paths are given."""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from os import PathLike

from pytest_torchlean.spec import kinds
from pytest_torchlean.spec.arguments import Number, Pair, Side, box_of, make_property
from pytest_torchlean.spec.model import Assurance, InvariantProperty, LyapunovProperty, OnUnknown, Semantics


def invariant(
    *,
    dynamics: AbstractMapping[str, str] | str | PathLike[str],
    region: Pair,
    state: Sequence[str] | None = None,
    control: Sequence[str] | None = None,
    constraints: Sequence[str] | None = None,
    disturbance: Side | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> InvariantProperty:
    """No step of the closed loop leads out of `region`, cut by the inequalities `constraints`.

    `dynamics` gives each element of the model's input a name and its next value as an expression, e.g.
    `{"x": "x + v/10", "v": "v + u/10"}`; or it is the path of a model that takes the state and then the
    control, and `state` names the state's elements. Raises SpecError.
    """
    return make_property(
        "invariant",
        InvariantProperty,
        kinds.INVARIANT,
        files=() if isinstance(dynamics, AbstractMapping) else ("dynamics",),
        dynamics=dynamics,
        state=state,
        region=box_of(region),
        control=control,
        constraints=constraints,
        disturbance=disturbance,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def lyapunov(
    *,
    dynamics: AbstractMapping[str, str] | str | PathLike[str],
    function: str,
    region: Pair,
    ball: Side,
    state: Sequence[str] | None = None,
    control: Sequence[str] | None = None,
    decrease: Number | None = None,
    level: Number | None = None,
    time: str | None = None,
    disturbance: Side | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> LyapunovProperty:
    """In `region`, outside the box of `ball` around 0, `function` is positive and every step lowers it.

    With `level` no step leaves the states of the region where it is at most that. With `time="continuous"`
    `dynamics` gives derivatives by time. It may be the path of a model, as for `invariant`. Raises SpecError.
    """
    return make_property(
        "lyapunov",
        LyapunovProperty,
        kinds.LYAPUNOV,
        files=() if isinstance(dynamics, AbstractMapping) else ("dynamics",),
        dynamics=dynamics,
        state=state,
        function=function,
        region=box_of(region),
        ball=ball,
        control=control,
        decrease=decrease,
        level=level,
        time=time,
        disturbance=disturbance,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )
