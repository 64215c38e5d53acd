"""True claims with their certificates, and ways to change them.

A change of the data is made before anything is encoded, and the mutant gets the best certificate that the
producer can make. A change of integers is made in the emission: either the claim stays what it was and its
certificate is unusable, or the claim becomes false, or speaks about slots that no node has written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from certificate_examples import (
    Network,
    accepted,
    ball,
    centers,
    conv,
    false_at,
    largest_radius,
    linear,
    mlp,
    residual,
    slots_of,
)
from onnx import helper
from onnx_models import lowered, model

from pytest_torchlean.bounds.program import AffineNode, Program, ReluNode, lower_to_program
from pytest_torchlean.certificate.account import Account
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms, bound_forms, margin_forms
from pytest_torchlean.certificate.linear import relaxed_script
from pytest_torchlean.certificate.model import (
    AffineData,
    ComposedData,
    ConcludeScript,
    ConclusionData,
    DecodingData,
    DirectData,
    Emission,
    NodeScript,
    RelaxationData,
    RelaxedData,
    ReluData,
    ScaleData,
    ScriptData,
    Semantics,
    SplitScript,
    StepData,
    TightenScript,
)
from pytest_torchlean.certificate.plan import Goal, build_emission, prepare
from pytest_torchlean.certificate.words import affine_data, patterns_of, sources_of

BUILDERS: dict[str, Callable[[int], Network]] = {
    "linear": linear,
    "mlp": mlp,
    "conv": conv,
    "residual": residual,
}


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


def bits_flipped(truth: Truth) -> list[Truth]:
    """Signs, exponents and leading fraction bits of seeded weights."""
    rng = np.random.default_rng(7)
    places = _weights(truth, bias=False)
    flipped = []
    for _ in range(40):
        place = places[int(rng.integers(len(places)))]
        mask = np.uint32(1 << int(rng.integers(22, 32)))
        change = lambda w, mask=mask: (np.float32(w).view(np.uint32) ^ mask).view(np.float32)  # noqa: E731
        mutant = _with_weight(truth, *place, change)
        if all(np.isfinite(n.weights).all() for n in mutant.program.nodes if isinstance(n, AffineNode)):
            flipped.append(mutant)
    return flipped


def box_moved(truth: Truth) -> list[Truth]:
    """The box elsewhere, as large as before."""
    rng = np.random.default_rng(8)
    moved = []
    for _ in range(12):
        shift = [Fraction(int(n), 16) for n in rng.integers(-48, 49, len(truth.box.lower))]
        sides = (
            tuple(bound + by for bound, by in zip(side, shift, strict=True))
            for side in (truth.box.lower, truth.box.upper)
        )
        moved.append(replace(truth, box=RationalBox(*sides)))
    return moved


SHARED_KINDS = (
    sign_flipped, weight_enlarged, bias_changed, bits_flipped, box_widened, box_moved, sources_exchanged,
)  # fmt: skip
KINDS = {
    margin_truth: (*SHARED_KINDS, label_swapped),
    range_truth: (*SHARED_KINDS, bound_tightened),
}
SEEDS = {"linear": 2, "mlp": 3, "conv": 5, "residual": 1}
RELU_SEEDS = {"mlp": (1, 2, 3, 5), "conv": (0, 1, 2, 3)}
MOST_OF_A_KIND = 4


def some_false(truths: list[Truth], most: int = MOST_OF_A_KIND) -> list[Emission]:
    """Emissions of seeded mutants that an exact counterexample shows to be false, at most so many."""
    order = np.random.default_rng(9).permutation(len(truths))
    found: list[Emission] = []
    for index in order[: 6 * most]:
        emission = truths[index].emission
        if false_at(emission) is not None:
            found.append(emission)
        if len(found) == most:
            break
    return found


# --- trees ------------------------------------------------------------------------------------------

Path = tuple[str, ...]


@cache
def tree_truth() -> Truth:
    """|x0| + |x1|, each as a sum of two ReLUs, is at most 2 + 1/64 on [-1, 1]^2.

    Interval bounds reach 4 on the whole box and 3 where one input has one sign.
    """
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v"], ["y"]),
    ]
    weights = {
        "w": np.array([[1, -1, 0, 0], [0, 0, 1, -1]], dtype=np.float32),
        "v": np.ones((4, 1), dtype=np.float32),
    }
    program = lower_to_program(lowered(model(nodes, {"x": [1, 2]}, ["y"], weights)))
    forms = bound_forms(None, [Fraction(2) + Fraction(1, 64)], 1, False)
    return Truth(program, forms, RationalBox((Fraction(-1),) * 2, (Fraction(1),) * 2))


def with_tree(emission: Emission) -> Emission:
    """The certificate with a script for every quarter, and a second cut of the first input near the ends."""
    leaf, scale = emission.certificate.scripts[0][0], emission.certificate.scale
    near = 15 * scale.unit // 16
    signs = SplitScript(3, scale.center, leaf, leaf)
    below = SplitScript(2, scale.center - near, signs, signs)
    above = SplitScript(2, scale.center + near, signs, signs)
    return with_script(emission, SplitScript(2, scale.center, below, above))


def with_script(emission: Emission, script: ScriptData) -> Emission:
    return replace(emission, certificate=replace(emission.certificate, scripts=((script,),)))


def parts_of(script: ScriptData, path: Path = ()) -> Iterator[tuple[Path, ScriptData]]:
    """The splits of a tree, and its leaves, with their paths."""
    yield path, script
    if isinstance(script, SplitScript):
        for side in ("below", "above"):
            yield from parts_of(getattr(script, side), (*path, side))


def planted(script: ScriptData, path: Path, new: ScriptData) -> ScriptData:
    """The tree with another part at a path."""
    if not path:
        return new
    assert isinstance(script, SplitScript)
    side, *rest = path
    return replace(script, **{side: planted(getattr(script, side), tuple(rest), new)})


def changed_trees() -> Iterator[Emission]:
    """The same claim with trees that do not prove it."""
    emission = with_tree(tree_truth().emission)
    (root,) = emission.certificate.scripts[0]
    scale = emission.certificate.scale
    for path, part in parts_of(root):
        for new in _changed_split(part, scale) if isinstance(part, SplitScript) else _changed_leaf(part):
            yield with_script(emission, planted(root, path, new))


def _changed_split(part: SplitScript, scale: ScaleData) -> Iterator[ScriptData]:
    needed = part.value == scale.center
    values = [0, scale.center - 2 * scale.unit, scale.center + 2 * scale.unit]
    if needed:
        values += [scale.center + by * scale.unit // 16 for by in (-9, -5, 3, 7)]
        yield from (replace(part, slot=slot) for slot in (0, 1, 5 - part.slot))
        yield part.below if part.slot == 3 else part.below.below  # type: ignore[union-attr]
    yield from (replace(part, value=value) for value in values)
    yield from (replace(part, slot=slot) for slot in (4, 12, 10**6))
    if part.slot == 2 and needed:
        yield replace(part, below=part.above, above=part.below)


def _changed_leaf(leaf: ScriptData) -> Iterator[ScriptData]:
    own, how = spine(leaf)
    yield script_of(own[:-1], how)
    yield script_of([], how)
    yield script_of([*own, own[0], own[0]], how)
    yield script_of(own[::-1], how)
    yield uncomposed(leaf)


def false_trees() -> Iterator[Truth]:
    """Other data, so that the claim of the tree is false."""
    truth = tree_truth()
    for bound in (Fraction(31, 16), Fraction(7, 4), Fraction(1), Fraction(0), Fraction(-1)):
        yield replace(truth, forms=bound_forms(None, [bound], 1, False))
    for side in (Fraction(17, 16), Fraction(5, 4), Fraction(2)):
        yield replace(truth, box=RationalBox((-side,) * 2, (side,) * 2))
    for place in _weights(truth, bias=False):
        yield _with_weight(truth, *place, lambda w: np.float32(1.125) * w)


# --- backward rows ----------------------------------------------------------------------------------


@cache
def deep_program() -> Program:
    """y = max(c0, 0) + max(c1, 0) with c = (r0 + r1, r0 - r1), r = (max(x0 + x1, 0), max(x0 - x1, 0))."""
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Gemm", ["b", "w"], ["c"]),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("Gemm", ["d", "v"], ["y"]),
    ]
    weights = {
        "w": np.array([[1, 1], [1, -1]], dtype=np.float32),
        "v": np.ones((2, 1), dtype=np.float32),
    }
    return lower_to_program(lowered(model(nodes, {"x": [1, 2]}, ["y"], weights)))


def deep_emission(bound: Fraction, semantics: Semantics = Semantics.REAL) -> Emission:
    """y at most `bound` on [-1, 1]^2, with backward rows. Intervals prove 6, rows 5; y is 4 at a corner."""
    box = RationalBox((Fraction(-1),) * 2, (Fraction(1),) * 2)
    account = prepare(deep_program(), [Goal(bound_forms(None, [bound], 1, False), (box,))], semantics)
    claim = account.emission.claims[0]
    chosen, _, _ = relaxed_script(account, claim, claim.boxes[0])
    return with_script(account.emission, chosen)


def changed_rows() -> Iterator[Emission]:
    """The claim that y is at most 5 with other slopes, sizes and links that do not prove it."""
    emission = deep_emission(Fraction(5))
    account = Account(emission)
    (own,) = emission.certificate.scripts[0]
    for new in _changed_parts(own):
        if not account.forecast(emission.claims[0], new).accepted.all():
            yield with_script(emission, new)


def _changed_parts(script: ScriptData) -> Iterator[ScriptData]:
    if isinstance(script, NodeScript):
        yield from (replace(script, rest=rest) for rest in _changed_parts(script.rest))
    elif isinstance(script, TightenScript):
        yield script.rest
        yield from (replace(script, rows=rows) for rows in _changed_relaxation(script.rows))
        yield from (replace(script, rest=rest) for rest in _changed_parts(script.rest))
    elif isinstance(script, ConcludeScript) and isinstance(script.how, RelaxedData):
        for rows in _changed_relaxation(script.how.rows):
            yield ConcludeScript(replace(script.how, rows=rows))
        for size in (0, 2):
            yield ConcludeScript(replace(script.how, shift=script.how.shift + 9, size=size))


def _changed_relaxation(rows: RelaxationData) -> Iterator[RelaxationData]:
    for name, by in (
        ("digit", -50),
        ("width", -1),
        ("width", -3),
        ("rows", 1),
        ("start", 1),
        ("start", 40),
        ("goals", 7),
    ):
        yield replace(rows, **{name: getattr(rows, name) + by})
    yield replace(rows, links=rows.links[::-1])
    for place, link in enumerate(rows.links):
        for name in vars(link):
            for by in (-1, 1, 5, 1 << 9):
                value = getattr(link, name) + by
                if value >= 0:
                    changed = replace(link, **{name: value})  # type: ignore[type-var]
                    yield replace(rows, links=(*rows.links[:place], changed, *rows.links[place + 1 :]))


def false_rows() -> Iterator[Emission]:
    """Bounds that y exceeds at a corner, with the best rows."""
    for bound in (Fraction(7, 2), Fraction(31, 8), Fraction(3), Fraction(2), Fraction(0), Fraction(-1)):
        yield deep_emission(bound)


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
