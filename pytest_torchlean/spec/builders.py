"""The decorator API: the keys of torchlean.yaml as keyword arguments, decoded by the same code.

```python
@pytest.mark.certify("models/digits.onnx", robustness(epsilon="8/255", domain=(0, 1), data="data/digits.npz"))
def test_digits_are_robust(verdict): ...
```

Numbers may be text (`"8/255"`, `"1e-3"`, `"0x1.8p-3"`), `int`, `Fraction`, or `float`. A float means
exactly what it holds: `0.1` is 3602879701896397/36028797018963968, not one tenth; `"0.1"` is one tenth.
Paths are relative to pytest's root directory. Wrong arguments raise SpecError at once.
"""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from os import PathLike

from pytest_torchlean.spec import kinds
from pytest_torchlean.spec.arguments import (
    Number,
    OpenPair,
    Pair,
    Share,
    Side,
    box_of,
    make_property,
    refuse_float_shares,
)
from pytest_torchlean.spec.model import (
    Assurance,
    Element,
    EquivalentProperty,
    LipschitzProperty,
    MonotoneProperty,
    OnUnknown,
    RadiusProperty,
    RangeProperty,
    RobustnessProperty,
    RuntimeProperty,
    Semantics,
    VnnlibProperty,
)


def runtime_agreement(
    *,
    samples: int | None = None,
    seed: int | None = None,
    data: str | PathLike[str] | None = None,
    input: Pair | None = None,
    sampling: Sequence[str] | None = None,
    sessions: AbstractMapping[str, Sequence[str | int]] | None = None,
    timeout: str | None = None,
    on_unknown: OnUnknown | None = None,
    memory: str | None = None,
) -> RuntimeProperty:
    """onnxruntime agrees with the exact evaluator on `samples` inputs. Raises SpecError.

    `sampling` lists kinds of samples, e.g. `["data", "uniform", "ties"]`. `sessions` combines lists, e.g.
    `{"optimisation": ["none", "all"], "threads": [1, 2]}`.
    """
    return make_property(
        "runtime_agreement",
        RuntimeProperty,
        kinds.RUNTIME,
        samples=samples,
        seed=seed,
        data=data,
        input=box_of(input),
        sampling=sampling,
        sessions=sessions,
        timeout=timeout,
        on_unknown=on_unknown,
        memory=memory,
    )


def robustness(
    *,
    epsilon: Number,
    data: str | PathLike[str],
    domain: Pair | None = None,
    norm: str | None = None,
    at_least: Share | None = None,
    min_accuracy: Share | None = None,
    indices: Sequence[int] | None = None,
    limit: int | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> RobustnessProperty:
    """No listed input changes class within `epsilon` inside `domain`. Raises SpecError.

    `at_least` and `min_accuracy` are shares of all listed inputs: `"90%"`, `"0.9"`, `Fraction(9, 10)`.
    Floats are refused there: `0.9` holds slightly more than nine tenths, so 90 of 100 would miss it.
    """
    refuse_float_shares("robustness", at_least=at_least, min_accuracy=min_accuracy)
    return make_property(
        "robustness",
        RobustnessProperty,
        kinds.ROBUSTNESS,
        epsilon=epsilon,
        data=data,
        domain=box_of(domain),
        norm=norm,
        at_least=at_least,
        min_accuracy=min_accuracy,
        indices=indices,
        limit=limit,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def certified_radius(
    *,
    epsilon: Number,
    data: str | PathLike[str],
    up_to: Number,
    steps: int | None = None,
    domain: Pair | None = None,
    norm: str | None = None,
    at_least: Share | None = None,
    min_accuracy: Share | None = None,
    indices: Sequence[int] | None = None,
    limit: int | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> RadiusProperty:
    """As `robustness`, and `verdict.radii` holds each input's largest certified radius up to `up_to`.

    Radii are multiples of up_to / 2^steps. Raises SpecError.
    """
    refuse_float_shares("certified_radius", at_least=at_least, min_accuracy=min_accuracy)
    return make_property(
        "certified_radius",
        RadiusProperty,
        kinds.RADIUS,
        epsilon=epsilon,
        data=data,
        up_to=up_to,
        steps=steps,
        domain=box_of(domain),
        norm=norm,
        at_least=at_least,
        min_accuracy=min_accuracy,
        indices=indices,
        limit=limit,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def output_range(
    *,
    input: Pair,
    output: OpenPair,
    strict: bool | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> RangeProperty:
    """Every output lies within `output` for every input of the box `input`. Raises SpecError.

    One side of `output` may be None: `output=(None, 40)`.
    """
    return make_property(
        "output_range",
        RangeProperty,
        kinds.RANGE,
        input=box_of(input),
        output=box_of(output),
        strict=strict,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def vnnlib(
    *,
    file: str | PathLike[str],
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> VnnlibProperty:
    """No input leads to outputs that the VNN-LIB file `file` calls unsafe. Raises SpecError."""
    return make_property(
        "vnnlib",
        VnnlibProperty,
        kinds.VNNLIB,
        file=file,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def equivalent(
    *,
    to: str | PathLike[str],
    input: Pair,
    tolerance: Side | None = None,
    same: str | None = None,
    margin: Number | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> EquivalentProperty:
    """The model and the one in the file `to` give nearly the same outputs for every input of the box.

    Give `tolerance`, the largest difference of each output, or `same="class"`. Raises SpecError.
    """
    return make_property(
        "equivalent",
        EquivalentProperty,
        kinds.EQUIVALENT,
        files=("to",),
        to=to,
        input=box_of(input),
        tolerance=tolerance,
        same=same,
        margin=margin,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def monotone(
    *,
    along: Sequence[Element],
    by: Side,
    input: Pair,
    outputs: Sequence[int] | None = None,
    direction: str | None = None,
    slack: Number | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> MonotoneProperty:
    """Raising the inputs `along` by up to `by` lowers no output by more than `slack`. Raises SpecError.

    `direction="nonincreasing"` claims that it raises none.
    """
    return make_property(
        "monotone",
        MonotoneProperty,
        kinds.MONOTONE,
        along=along,
        by=by,
        input=box_of(input),
        outputs=outputs,
        direction=direction,
        slack=slack,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )


def lipschitz(
    *,
    constant: Number,
    apart: Side,
    input: Pair,
    along: Sequence[Element] | None = None,
    outputs: Sequence[int] | None = None,
    slack: Number | None = None,
    norm: str | None = None,
    timeout: str | None = None,
    semantics: Semantics | None = None,
    on_unknown: OnUnknown | None = None,
    assurance: Assurance | None = None,
    memory: str | None = None,
) -> LipschitzProperty:
    """Outputs of two inputs of the box, `apart` at most, differ by at most constant * distance + slack.

    The distance is the largest difference of an element, or that of `norm`: "l2" or "l1"; they differ in the
    inputs `along`. Raises SpecError.
    """
    return make_property(
        "lipschitz",
        LipschitzProperty,
        kinds.LIPSCHITZ,
        constant=constant,
        apart=apart,
        along=along,
        input=box_of(input),
        outputs=outputs,
        slack=slack,
        norm=norm,
        timeout=timeout,
        semantics=semantics,
        on_unknown=on_unknown,
        assurance=assurance,
        memory=memory,
    )
