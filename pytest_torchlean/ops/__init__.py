"""The operations of the intermediate representation, one file per family, all rules together."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_torchlean.ops import (
    batch_normalization,
    col2im,
    conv,
    cumulative,
    dense,
    einsum,
    elementary,
    elementwise,
    extremum,
    indexed,
    integral,
    interpolation,
    leaky,
    linear_algebra,
    logic,
    max_pooling,
    movement,
    normalization,
    ordering,
    pooling,
    quantization,
    recurrent,
    reduction,
    relu,
    sampling,
    thresholds,
)
from pytest_torchlean.ops.rule import OpRule

RULES: Mapping[str, OpRule] = {
    **batch_normalization.RULES,
    **col2im.RULES,
    **conv.RULES,
    **dense.RULES,
    **einsum.RULES,
    **elementary.RULES,
    **elementwise.RULES,
    **cumulative.RULES,
    **extremum.RULES,
    **indexed.RULES,
    **interpolation.RULES,
    **integral.RULES,
    **leaky.RULES,
    **linear_algebra.RULES,
    **logic.RULES,
    **max_pooling.RULES,
    **movement.RULES,
    **normalization.RULES,
    **ordering.RULES,
    **pooling.RULES,
    **quantization.RULES,
    **recurrent.RULES,
    **reduction.RULES,
    **relu.RULES,
    **sampling.RULES,
    **thresholds.RULES,
}
"""Operation tag to its rules."""

__all__ = ["RULES", "OpRule"]
