"""Mutants of true, accepted claims: Lean refuses every one.

`DATA` mutants change the model or the property before anything is encoded, and get the best certificate
the producer can make: each states something false, shown by an exact counterexample found with code that
shares nothing with the package. `INTEGERS` mutants change single numbers of the emission: either the
claim stays what it was and its certificate is unusable, or the claim becomes false or speaks about slots
that no node has written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
from certificate_examples import (
    Network,
    accepted,
    ball,
    centers,
    conv,
    false_at,
    largest_radius,
    linear,
    meaning,
    mlp,
    slots_of,
)

from pytest_torchlean.bounds.program import AffineNode, Program, ReluNode
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms, bound_forms, margin_forms
from pytest_torchlean.certificate.model import (
    AffineData,
    ComposedData,
    ConcludeScript,
    ConclusionData,
    DecodingData,
    DirectData,
    Emission,
    NodeScript,
    ReluData,
    ScaleData,
    ScriptData,
    SplitScript,
    StepData,
)
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.words import affine_data, patterns_of, sources_of
from pytest_torchlean.checker import CheckResult, Outcome

Ask = Callable[..., CheckResult]

BUILDERS: dict[str, Callable[[int], Network]] = {"linear": linear, "mlp": mlp, "conv": conv}


@dataclass(frozen=True, eq=False)
class Truth:
    """A true claim: the model's label cannot change in a ball, or its outputs keep within bounds."""

    program: Program
    forms: Forms
    box: RationalBox

    @property
    def emission(self) -> Emission:
        return build_emission(self.program, [Goal(self.forms, (self.box,))])


def outputs_of(program: Program, point: tuple[Fraction, ...]) -> list[Fraction]:
    empty = Forms(np.zeros((0, program.outputs.size), dtype=object), np.zeros(0, dtype=object), True)
    emission = build_emission(program, [Goal(empty, (RationalBox(point, point),))])
    slots = slots_of(emission.graph, point)
    return [slots[slot] for slot in program.outputs]


@cache
def margin_truth(name: str, seed: int) -> Truth:
    """Robustness at a clear centre, in three quarters of the radius that can be proved."""
    network = BUILDERS[name](seed)
    program = network.program
    best = None
    for center in centers(network, seed, 12):
        outputs = outputs_of(program, center)
        label = max(range(network.outputs), key=outputs.__getitem__)
        k = largest_radius(program, margin_forms(label, network.outputs), center)
        if best is None or k > best[0]:
            best = (k, center, label)
    assert best is not None
    k, center, label = best
    radius = Fraction(max(1, 3 * k // 4), 1 << 16)
    truth = Truth(program, margin_forms(label, network.outputs), ball(center, radius))
    assert accepted(truth.emission) == [[True]]
    return truth


@cache
def range_truth(name: str, seed: int) -> Truth:
    """Bounds of all outputs a little beyond what they reach in a ball."""
    network = BUILDERS[name](seed)
    (center,) = centers(network, seed + 100)
    program = network.program
    near = [Fraction(round(value * 1024), 1024) for value in outputs_of(program, center)]
    slack = Fraction(1, 2)
    forms = bound_forms([v - slack for v in near], [v + slack for v in near], network.outputs, False)
    k = largest_radius(program, forms, center)
    truth = Truth(program, forms, ball(center, Fraction(3 * k // 4, 1 << 16)))
    assert accepted(truth.emission) == [[True]]
    return truth


# --- data -------------------------------------------------------------------------------------------


def _with_weight(
    truth: Truth, index: int, at: tuple[int, int], change: Callable[[np.float32], float]
) -> Truth:
    node = truth.program.nodes[index]
    assert isinstance(node, AffineNode)
    table = node.weights.copy()
    table[at] = np.float32(change(table[at]))
    nodes = tuple(
        replace(node, weights=table) if i == index else n for i, n in enumerate(truth.program.nodes)
    )
    return replace(truth, program=replace(truth.program, nodes=nodes))


def _weights(truth: Truth, *, bias: bool) -> list[tuple[int, tuple[int, int]]]:
    """Places of the weights, or of the biases, the last layer first."""
    places = []
    for index in reversed(range(len(truth.program.nodes))):
        node = truth.program.nodes[index]
        if isinstance(node, AffineNode):
            for row, column in product(*map(range, node.weights.shape)):
                if (node.sources[0, column] == 1) == bias and node.weights[row, column]:
                    places.append((index, (row, column)))
    return places


def sign_flipped(truth: Truth) -> list[Truth]:
    return [_with_weight(truth, *place, lambda w: -w) for place in _weights(truth, bias=False)]


def weight_enlarged(truth: Truth) -> list[Truth]:
    return [_with_weight(truth, *place, lambda w: 64 * w) for place in _weights(truth, bias=False)]


def bias_changed(truth: Truth) -> list[Truth]:
    places = _weights(truth, bias=True)
    return [_with_weight(truth, *place, lambda w, by=by: w + by) for place in places for by in (4.0, -4.0)]


def box_widened(truth: Truth) -> list[Truth]:
    boxes = []
    for factor in (4, 16, 64, 256):
        middle = [(low + high) / 2 for low, high in zip(truth.box.lower, truth.box.upper, strict=True)]
        radius = (truth.box.upper[0] - truth.box.lower[0]) / 2
        boxes.append(ball(middle, factor * radius))
    return [replace(truth, box=box) for box in boxes]


def label_swapped(truth: Truth) -> list[Truth]:
    classes = truth.program.outputs.size
    own = int(np.flatnonzero(truth.forms.coefficients[0] == 1)[0])
    return [replace(truth, forms=margin_forms(label, classes)) for label in range(classes) if label != own]


def bound_tightened(truth: Truth) -> list[Truth]:
    """Every bound moved past the value in the middle of the box, one at a time."""
    moved = []
    for row in range(len(truth.forms.constants)):
        constants = truth.forms.constants.copy()
        constants[row] -= 4096
        moved.append(replace(truth, forms=replace(truth.forms, constants=constants)))
    return moved


def relu_dropped(truth: Truth) -> list[Truth]:
    """The readers of a ReLU read its source."""
    program = truth.program
    relu = next(node for node in program.nodes if isinstance(node, ReluNode))

    def shifted(sources: np.ndarray) -> np.ndarray:
        inside = (sources >= relu.start) & (sources < relu.start + relu.size)
        return np.where(inside, sources - relu.start + relu.first, sources)

    nodes = [
        replace(node, sources=shifted(node.sources)) if isinstance(node, AffineNode) else node
        for node in program.nodes
    ]
    return [replace(truth, program=replace(program, nodes=tuple(nodes)))]


def sources_exchanged(truth: Truth) -> list[Truth]:
    exchanged = []
    for index, node in enumerate(truth.program.nodes):
        if isinstance(node, AffineNode):
            for first in range(node.sources.shape[1] - 1):
                sources = node.sources.copy()
                sources[:, [first, first + 1]] = sources[:, [first + 1, first]]
                nodes = list(truth.program.nodes)
                nodes[index] = replace(node, sources=sources)
                exchanged.append(replace(truth, program=replace(truth.program, nodes=tuple(nodes))))
    return exchanged


MARGIN_KINDS = (sign_flipped, weight_enlarged, bias_changed, box_widened, label_swapped, sources_exchanged)
RANGE_KINDS = (sign_flipped, weight_enlarged, bias_changed, box_widened, bound_tightened, sources_exchanged)

SEEDS = {"linear": 2, "mlp": 3, "conv": 5}
DATA = [
    (claim, kind, name, seed)
    for name, seed in SEEDS.items()
    for claim, kinds in ((margin_truth, MARGIN_KINDS), (range_truth, RANGE_KINDS))
    for kind in kinds
]
RELU_SEEDS = {"mlp": (1, 2, 3, 5), "conv": (0, 1, 2, 3)}


def first_false(truths: list[Truth]) -> Emission | None:
    """The first mutant that an exact counterexample shows to be false."""
    for truth in truths:
        emission = truth.emission
        if false_at(emission) is not None:
            return emission
    return None


@pytest.mark.parametrize(
    ("claim", "kind", "name", "seed"),
    [
        pytest.param(
            *mutant, id=f"{mutant[2]}-{mutant[0].__name__}-{mutant[1].__name__}".replace("_truth", "")
        )
        for mutant in DATA
    ],
)
def test_a_true_claim_made_false_is_refused(
    claim: Callable[[str, int], Truth],
    kind: Callable[[Truth], list[Truth]],
    name: str,
    seed: int,
    ask: Ask,
) -> None:
    truth = claim(name, seed)
    assert false_at(truth.emission) is None
    mutant = first_false(kind(truth))
    assert mutant is not None, "no mutant of this kind is false"
    assert mutant != truth.emission
    assert ask(mutant).outcome is Outcome.REFUSED


@pytest.mark.parametrize("name", ["mlp", "conv"])
def test_a_dropped_relu_is_refused(name: str, ask: Ask) -> None:
    truths = [make(name, seed) for seed in RELU_SEEDS[name] for make in (margin_truth, range_truth)]
    mutant = first_false([dropped for truth in truths for dropped in relu_dropped(truth)])
    assert mutant is not None
    assert ask(mutant).outcome is Outcome.REFUSED


# --- integers of the emission -----------------------------------------------------------------------

CLAIM_STANDS = "the claim is the same and true, the certificate is unusable"
CLAIM_FALSE = "the claim is false"
CLAIM_OPEN = "the claim is about slots that no node has written, or about a division by zero"
CLAIM_OTHER = "the claim is another one, with numbers that no producer writes"

Change = Callable[[Emission], Emission]


def certificate(**fields: object) -> Change:
    return lambda e: replace(e, certificate=replace(e.certificate, **fields))


def scale(change: Callable[[ScaleData], ScaleData]) -> Change:
    return lambda e: replace(e, certificate=replace(e.certificate, scale=change(e.certificate.scale)))


def spine(script: ScriptData) -> tuple[list[StepData], ConclusionData]:
    """The steps and the conclusion of a script without splits."""
    steps = []
    while isinstance(script, NodeScript):
        steps.append(script.step)
        script = script.rest
    assert isinstance(script, ConcludeScript)
    return steps, script.how


def script_of(steps: list[StepData], how: ConclusionData) -> ScriptData:
    script: ScriptData = ConcludeScript(how)
    for step in reversed(steps):
        script = NodeScript(step, script)
    return script


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


def uncomposed(own: ScriptData) -> ScriptData:
    """The forms bounded directly, with the last node left out."""
    own_steps, how = spine(own)
    assert isinstance(how, ComposedData)
    return script_of(own_steps, DirectData(how.forms))


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
    "alternatives-two": (of_property(alternatives=lambda _: 2), CLAIM_OTHER),
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


def places(name: str) -> list[str]:
    """The networks on which a change is tried: where it has something to change."""
    if name.startswith("relu"):
        return ["mlp"]
    return ["linear"] if name in ("half-zero", "fewer-inputs") else ["conv"]


@pytest.mark.parametrize("name", INTEGERS)
def test_a_changed_integer_is_refused(name: str, ask: Ask) -> None:
    change, category = INTEGERS[name]
    for network in places(name):
        make = range_truth if name.startswith("average") else margin_truth
        truth = make(network, SEEDS[network]).emission
        mutant = change(truth)
        assert mutant != truth
        if category is CLAIM_FALSE:
            assert false_at(mutant) is not None
        if category is CLAIM_STANDS:
            assert meaning(mutant) == meaning(truth)
        if category is CLAIM_OPEN:
            with pytest.raises((IndexError, ZeroDivisionError)):
                false_at(mutant)
        assert ask(mutant).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(scale(lambda s: replace(s, unit=1)), id="coarse-bounds"),
        pytest.param(forms(lambda a: replace(a, divisor=0)), id="a-field-that-no-property-has"),
    ],
)
def test_a_change_that_leaves_the_claim_true_may_pass(change: Change, ask: Ask) -> None:
    """Not counted as refused: the statement is the same, and what Lean says of it is right."""
    mutant = change(margin_truth("conv", SEEDS["conv"]).emission)
    assert false_at(mutant) is None
    assert ask(mutant).outcome in (Outcome.ACCEPTED, Outcome.REFUSED)


FLIPS = 4


@pytest.mark.parametrize("network", SEEDS)
def test_flipped_bits_of_weights_that_make_the_claim_false_are_refused(network: str, ask: Ask) -> None:
    truth = margin_truth(network, SEEDS[network]).emission
    rng = np.random.default_rng(7)
    refused = 0
    for number in range(400):
        which = -(number % 2)
        index = 32 * int(rng.integers(0, 24)) + int(rng.integers(20, 32))
        mutant = node(bit("weights", lambda _, index=index: index), which)(truth)
        if refused < FLIPS and _finite(mutant) and false_at(mutant) is not None:
            assert mutant != truth
            assert ask(mutant).outcome is Outcome.REFUSED
            refused += 1
    assert refused == FLIPS


def _finite(emission: Emission) -> bool:
    """No pattern of an infinity or NaN, and no weight beyond those that the matrix has."""
    for data in emission.graph.nodes:
        if isinstance(data, AffineData):
            count = data.rows * data.columns
            words = [data.weights >> 32 * i & 0xFFFFFFFF for i in range(count)]
            if data.weights >> 32 * count or any(w >> 23 & 255 == 255 for w in words):
                return False
    return True


def test_there_are_at_least_fifty_mutants() -> None:
    assert len(DATA) + len(RELU_SEEDS) + FLIPS * len(SEEDS) >= 25
    assert len(INTEGERS) >= 25
