"""Changes of the numbers of an emission."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from mutants.scripts import script_of, spine, uncomposed
from pytest_torchlean.certificate.model import (
    ConcludeScript,
    DecodingData,
    Emission,
    ScaleData,
    ScriptData,
    SplitScript,
    StepData,
)
from pytest_torchlean.certificate.statement import AffineData, ReluData
from pytest_torchlean.certificate.words import affine_data, patterns_of, sources_of

CLAIM_STANDS = "the claim is the same and true, the certificate is unusable"
CLAIM_FALSE = "the claim is false"
CLAIM_OPEN = "the claim is about slots that no node has written, or about a division by zero"
CLAIM_OTHER = "the claim is another one, with numbers that no producer writes"

Change = Callable[[Emission], Emission]


def certificate(**fields: object) -> Change:
    return lambda e: replace(e, certificate=replace(e.certificate, **fields))


def scale(change: Callable[[ScaleData], ScaleData]) -> Change:
    return lambda e: replace(e, certificate=replace(e.certificate, scale=change(e.certificate.scale)))


def script(change: Callable[[ScriptData], ScriptData]) -> Change:
    """Another script for the only box."""
    return lambda e: certificate(scripts=((change(e.certificate.scripts[0][0]),),))(e)


def steps(change: Callable[[list[StepData]], list[StepData]]) -> Change:
    def apply(old: ScriptData) -> ScriptData:
        own, how = spine(old)
        return script_of(change(own), how)

    return script(apply)


def decoding(change: Callable[[DecodingData], DecodingData], index: int = 0) -> Change:
    """Another decoding of the affine node that the step number `index` bounds."""

    def apply(own: list[StepData]) -> list[StepData]:
        own[index] = replace(own[index], decoding=change(own[index].decoding))
        return own

    return steps(apply)


def conclusion(**fields: Callable[[Any], object]) -> Change:
    def apply(old: ScriptData) -> ScriptData:
        own, how = spine(old)
        return script_of(
            own, replace(how, **{name: change(getattr(how, name)) for name, change in fields.items()})
        )

    return script(apply)


def split(slot: int, value: int, *, same: bool) -> Change:
    """A split of a slot before everything else; without `same` one case concludes at once."""

    def apply(old: ScriptData) -> ScriptData:
        other = old if same else ConcludeScript(spine(old)[1])
        return SplitScript(slot, value, old, other)

    return script(apply)


def node(change: Callable[[AffineData], AffineData], which: int = 0) -> Change:
    """The affine node number `which`; -1 is the last one."""

    def apply(e: Emission) -> Emission:
        places = [i for i, n in enumerate(e.graph.nodes) if isinstance(n, AffineData)]
        nodes = list(e.graph.nodes)
        chosen = nodes[places[which]]
        assert isinstance(chosen, AffineData)
        nodes[places[which]] = change(chosen)
        return replace(e, graph=replace(e.graph, nodes=tuple(nodes)))

    return apply


def relu(change: Callable[[ReluData], ReluData]) -> Change:
    def apply(e: Emission) -> Emission:
        nodes = tuple(change(n) if isinstance(n, ReluData) else n for n in e.graph.nodes)
        return replace(e, graph=replace(e.graph, nodes=nodes))

    return apply


def forms(change: Callable[[AffineData], AffineData]) -> Change:
    def apply(e: Emission) -> Emission:
        (claim,) = e.claims
        changed = replace(claim.property, forms=change(claim.property.forms))
        return replace(e, claims=(replace(claim, property=changed),))

    return apply


def of_property(**fields: Callable[[Any], object]) -> Change:
    def apply(e: Emission) -> Emission:
        (claim,) = e.claims
        about = claim.property
        about = replace(about, **{name: change(getattr(about, name)) for name, change in fields.items()})
        return replace(e, claims=(replace(claim, property=about),))

    return apply


def box(**fields: Callable[[int], int]) -> Change:
    def apply(e: Emission) -> Emission:
        (claim,) = e.claims
        (own,) = claim.boxes
        own = replace(own, **{name: change(getattr(own, name)) for name, change in fields.items()})
        return replace(e, claims=(replace(claim, boxes=(own,)),))

    return apply


def bit(field: str, number: Callable[[AffineData], int]) -> Callable[[AffineData], AffineData]:
    return lambda a: replace(a, **{field: getattr(a, field) ^ 1 << number(a)})


def with_word(index: int, slot: int) -> Callable[[AffineData], AffineData]:
    """Let column `index` of the first position read another slot."""

    def change(a: AffineData) -> AffineData:
        old = a.sources >> 32 * index & 0xFFFFFFFF
        return replace(a, sources=a.sources + ((slot - old) << 32 * index))

    return change


INTEGERS: dict[str, tuple[Change, str]] = {
    # how the weights are decoded
    "base-above-the-weights": (decoding(lambda d: replace(d, base=d.base + d.stages + 20)), CLAIM_STANDS),
    "base-zero": (decoding(lambda d: replace(d, base=0)), CLAIM_STANDS),
    "base-beyond-all-exponents": (decoding(lambda d: replace(d, base=256)), CLAIM_STANDS),
    "base-far-below": (decoding(lambda d: replace(d, base=1)), CLAIM_STANDS),
    "bits-missing": (decoding(lambda d: replace(d, bits=d.bits - 1)), CLAIM_STANDS),
    "bits-zero": (decoding(lambda d: replace(d, bits=0)), CLAIM_STANDS),
    "bits-too-many": (decoding(lambda d: replace(d, bits=4096)), CLAIM_STANDS),
    "stages-missing": (decoding(lambda d: replace(d, stages=d.stages - 1)), CLAIM_STANDS),
    "stages-too-many": (decoding(lambda d: replace(d, stages=12)), CLAIM_STANDS),
    "decoding-of-another-node": (decoding(lambda _: DecodingData(127, 0, 1)), CLAIM_STANDS),
    # the steps
    "no-scripts": (certificate(scripts=()), CLAIM_STANDS),
    "no-script-for-the-box": (certificate(scripts=((),)), CLAIM_STANDS),
    "node-missing": (steps(lambda own: own[:-1]), CLAIM_STANDS),
    "all-nodes-missing": (steps(lambda own: []), CLAIM_STANDS),
    "node-twice": (steps(lambda own: [*own, own[-1]]), CLAIM_STANDS),
    "split-beyond-the-slots": (split(10**6, 0, same=True), CLAIM_STANDS),
    "split-outside-the-bounds": (split(2, 0, same=True), CLAIM_STANDS),
    "split-with-an-open-case": (
        lambda e: split(0, e.certificate.scale.center, same=False)(e),
        CLAIM_STANDS,
    ),
    # fixed point
    "unit-zero": (scale(lambda s: replace(s, unit=0)), CLAIM_STANDS),
    "unit-above-center": (scale(lambda s: replace(s, unit=2 * s.center)), CLAIM_STANDS),
    "center-zero": (scale(lambda s: replace(s, center=0)), CLAIM_STANDS),
    "center-small": (scale(lambda s: replace(s, center=s.unit)), CLAIM_STANDS),
    "center-huge": (scale(lambda s: replace(s, center=s.center << s.half)), CLAIM_STANDS),
    "half-small": (scale(lambda s: replace(s, half=s.half // 2)), CLAIM_STANDS),
    "half-zero": (scale(lambda s: replace(s, half=0)), CLAIM_STANDS),
    "half-huge": (scale(lambda s: replace(s, half=16 * s.half)), CLAIM_STANDS),
    # the conclusion
    "composed-bits-one-short": (conclusion(bits=lambda n: n - 1), CLAIM_STANDS),
    "composed-bits-one": (conclusion(bits=lambda _: 1), CLAIM_STANDS),
    "composed-bits-huge": (conclusion(bits=lambda _: 4096), CLAIM_STANDS),
    "direct-before-the-last-node": (script(lambda own: uncomposed(own)), CLAIM_STANDS),
    "forms-decoding": (conclusion(forms=lambda _: DecodingData(127, 0, 24)), CLAIM_STANDS),
    "forms-bits-zero": (conclusion(forms=lambda d: replace(d, bits=0)), CLAIM_STANDS),
    # the graph
    "alternatives-zero": (of_property(alternatives=lambda _: 0), CLAIM_OTHER),
    "divisor-zero": (node(lambda a: replace(a, divisor=0)), CLAIM_OPEN),
    "positions-of-forms": (forms(lambda a: replace(a, positions=2)), CLAIM_STANDS),
    "source-is-itself": (lambda e: node(with_word(0, 2 + e.graph.inputs))(e), CLAIM_OPEN),
    "source-is-beyond": (node(with_word(0, 100000)), CLAIM_OPEN),
    "source-is-last-word": (node(with_word(0, 2**32 - 1)), CLAIM_OPEN),
    "forms-read-beyond": (forms(with_word(0, 5000)), CLAIM_OPEN),
    "fewer-inputs": (lambda e: replace(e, graph=replace(e.graph, inputs=e.graph.inputs - 1)), CLAIM_OTHER),
    "lanes-too-few": (
        node(lambda a: affine_data(patterns_of(a), sources_of(a), a.divisor, lanes=1)),
        CLAIM_STANDS,
    ),
    "no-lanes": (node(lambda a: replace(a, lanes=0)), CLAIM_OTHER),
    "relu-reads-beyond": (relu(lambda r: replace(r, first=r.first + 10**6)), CLAIM_OPEN),
    "weight-is-infinite": (node(lambda a: replace(a, weights=a.weights | 0x7F800000)), CLAIM_OTHER),
    "weight-is-nan": (node(lambda a: replace(a, weights=a.weights | 0x7FC00001), -1), CLAIM_OTHER),
    # the box
    "denominator-zero": (box(denominator=lambda _: 0), CLAIM_OTHER),
    "average-without-divisor": (lambda e: node(lambda a: replace(a, divisor=1), 1)(e), CLAIM_FALSE),
    "denominator-one": (box(denominator=lambda _: 1), CLAIM_OTHER),
    "offset-huge": (box(offset=lambda n: n + 10**40), CLAIM_OTHER),
    "width-huge": (box(width=lambda n: 100 * n), CLAIM_OTHER),
}  # fmt: skip


def more_integers() -> Iterator[tuple[str, Change]]:
    """Seeded changes that leave the claim as it is and make its certificate unusable."""
    rng = np.random.default_rng(10)
    for number in range(6):
        by, index = int(rng.integers(12, 60)), 2 * (number % 2)
        yield f"base-{number}", decoding(lambda d, by=by: replace(d, base=d.base + by), index)
        yield f"bits-{number}", decoding(lambda d, by=by: replace(d, bits=max(0, d.bits - by)), 0)
        yield f"half-{number}", scale(lambda s, by=by: replace(s, half=s.half - by))
        yield f"unit-{number}", scale(lambda s, by=by: replace(s, unit=s.unit << by))
        yield f"last-base-{number}", conclusion(last=lambda d, by=by: replace(d, base=d.base + by))
        yield f"last-bits-{number}", conclusion(last=lambda d, by=by: replace(d, bits=max(0, d.bits - by)))
        yield f"composed-bits-{number}", conclusion(bits=lambda n, by=by: max(0, n - by))
