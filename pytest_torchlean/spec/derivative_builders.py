"""The decorator API's properties of derivatives; `spec.builders` says how numbers and paths are given."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_torchlean.spec import kinds
from pytest_torchlean.spec.arguments import Number, OpenPair, Pair, box_of, make_property
from pytest_torchlean.spec.model import Assurance, Element, GradientProperty, OnUnknown, ResidualProperty


def gradient(
    *,
    input: Pair,
    bounds: OpenPair,
    output: int | None = None,
    along: Sequence[Element] | None = None,
    timeout: str | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> GradientProperty:
    """The derivatives of output number `output` along the inputs `along` lie within `bounds`.

    Raises SpecError.
    """
    return make_property(
        "gradient",
        GradientProperty,
        kinds.GRADIENT,
        input=box_of(input),
        bounds=box_of(bounds),
        output=output,
        along=along,
        timeout=timeout,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def residual(
    *,
    input: Pair,
    inputs: Sequence[str],
    residual: str,
    within: Number,
    outputs: Sequence[str] | None = None,
    timeout: str | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> ResidualProperty:
    """The expression `residual`, where `u_x` and `u_xx` are derivatives, is at most `within` in size.

    Raises SpecError.
    """
    return make_property(
        "residual",
        ResidualProperty,
        kinds.RESIDUAL,
        input=box_of(input),
        inputs=inputs,
        outputs=outputs,
        residual=residual,
        within=within,
        timeout=timeout,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )
