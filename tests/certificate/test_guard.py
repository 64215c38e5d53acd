"""The guard passes what describes the model and its property, and says no to everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from certificate_examples import Network, ball, centers, conv, linear, mlp, piecewise, quadratic, residual
from onnx import helper
from onnx_models import lowered, model

from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.bounds.program import AffineNode, ExtremumNode, Program, ReluNode
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.forms import Forms, bound_forms, margin_forms
from pytest_torchlean.certificate.guard import require_box, require_forms, require_same_function
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import AffineData, ClaimData, GraphData
from pytest_torchlean.errors import CertificateError
from pytest_torchlean.runtime import RuntimeSession

Array = np.ndarray
BUILDERS = {"linear": linear, "mlp": mlp, "conv": conv, "residual": residual, "piecewise": piecewise}
BUILDERS["quadratic"] = quadratic


def shape_of(network: Network) -> tuple[int, ...]:
    dimensions = network.proto.graph.input[0].type.tensor_type.shape.dim
    return tuple(dimension.dim_value for dimension in dimensions)


def runner(network: Network) -> Callable[[Array], Array]:
    session = RuntimeSession(network.proto.SerializeToString(), optimise=True)

    def run(point: Array) -> Array:
        return np.concatenate([y.reshape(-1) for y in session.run({"x": point.reshape(shape_of(network))})])

    return run


def points(network: Network, count: int = 32) -> Array:
    return np.random.default_rng(5).uniform(-1, 1, (count, network.inputs)).astype(np.float32)


def emitted(program: Program) -> GraphData:
    forms = Forms(np.zeros((0, program.outputs.size), dtype=object), np.zeros(0, dtype=object), True)
    region = RationalBox((Fraction(-1),) * program.inputs, (Fraction(1),) * program.inputs)
    return build_emission(program, [Goal(forms, (region,))]).graph


def guard(program: Program, network: Network, run: Callable[[Array], Array] | None = None) -> float:
    return require_same_function(emitted(program), program.outputs, points(network), run or runner(network))


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_model_itself_passes(name: str, seed: int) -> None:
    network = BUILDERS[name](seed)
    assert 0 < guard(network.program, network) < 1


def changed(program: Program, change: Callable[[AffineNode], AffineNode], which: int = 0) -> Program:
    """The program with one affine node changed."""
    places = [i for i, node in enumerate(program.nodes) if isinstance(node, AffineNode)]
    nodes = list(program.nodes)
    chosen = nodes[places[which]]
    assert isinstance(chosen, AffineNode)
    nodes[places[which]] = change(chosen)
    return replace(program, nodes=tuple(nodes))


def with_weights(change: Callable[[Array], Array]) -> Callable[[AffineNode], AffineNode]:
    return lambda node: replace(
        node, weights=np.ascontiguousarray(change(node.weights.copy()), dtype=np.float32)
    )


def rows_swapped(table: Array) -> Array:
    return table[[1, 0, *range(2, len(table))]]


def transposed(table: Array) -> Array:
    """The square part without the bias."""
    size = min(table.shape)
    table[:size, :size] = table[:size, :size].T.copy()
    return table


def one_scaled(table: Array) -> Array:
    table.flat[np.abs(table).argmax()] *= np.float32(1.001)
    return table


def high_bit_flipped(table: Array) -> Array:
    """The highest bit of the fraction of the largest weight."""
    place = int(np.abs(table).argmax())
    patterns = table.view(np.uint32)
    patterns.flat[place] ^= np.uint32(1 << 22)
    return patterns.view(np.float32)


def sign_flipped(table: Array) -> Array:
    table.flat[np.abs(table).argmax()] *= -1
    return table


@pytest.mark.parametrize("name", ["linear", "mlp", "conv"])
@pytest.mark.parametrize(
    "change",
    [rows_swapped, transposed, one_scaled, high_bit_flipped, sign_flipped],
    ids=lambda change: change.__name__,
)
@pytest.mark.parametrize("which", [0, -1], ids=["first", "last"])
def test_other_weights_are_noticed(name: str, change: Callable[[Array], Array], which: int) -> None:
    network = BUILDERS[name](3)
    other = changed(network.program, with_weights(change), which)
    with pytest.raises(CertificateError, match="output") as caught:
        guard(other, network)
    assert caught.value.code == "TL0610"


def test_all_weights_scaled_are_noticed() -> None:
    network = mlp(3)
    other = changed(network.program, with_weights(lambda table: table * np.float32(1.001)))
    with pytest.raises(CertificateError):
        guard(other, network)


def test_an_axis_read_the_wrong_way_is_noticed() -> None:
    """A convolution whose windows go down where they should go across."""
    network = conv(3)

    def turned(node: AffineNode) -> AffineNode:
        grid = np.arange(2, 11).reshape(3, 3)
        mirror = np.concatenate([[0, 1], grid.T.reshape(-1)])
        return replace(node, sources=mirror[node.sources])

    with pytest.raises(CertificateError):
        guard(changed(network.program, turned), network)


def test_a_missing_relu_is_noticed() -> None:
    network = mlp(3)
    program = network.program
    relu = next(node for node in program.nodes if isinstance(node, ReluNode))

    def around(node: AffineNode) -> AffineNode:
        inside = (node.sources >= relu.start) & (node.sources < relu.start + relu.size)
        return replace(node, sources=np.where(inside, node.sources - relu.start + relu.first, node.sources))

    with pytest.raises(CertificateError):
        guard(changed(program, around, -1), network)


def other_source(node: ExtremumNode) -> ExtremumNode:
    return replace(node, left=np.full_like(node.left, 2), right=np.full_like(node.right, 2))


def other_operation(node: ExtremumNode) -> ExtremumNode:
    return replace(node, maximum=not node.maximum)


@pytest.mark.parametrize("change", [other_source, other_operation])
@pytest.mark.parametrize("which", range(8))
def test_another_maximum_or_minimum_is_noticed(
    change: Callable[[ExtremumNode], ExtremumNode], which: int
) -> None:
    """LeakyRelu, two stages of windows, both kinds of PRelu, Clip and Min."""
    network = piecewise(3)
    program = network.program
    places = [index for index, node in enumerate(program.nodes) if isinstance(node, ExtremumNode)]
    nodes = list(program.nodes)
    chosen = nodes[places[which]]
    assert isinstance(chosen, ExtremumNode)
    nodes[places[which]] = change(chosen)
    with pytest.raises(CertificateError):
        guard(replace(program, nodes=tuple(nodes)), network)


def test_a_divisor_of_another_size_is_noticed() -> None:
    network = conv(3)
    other = changed(network.program, lambda node: replace(node, divisor=8), 1)
    with pytest.raises(CertificateError):
        guard(other, network)


def test_another_model_is_noticed() -> None:
    with pytest.raises(CertificateError):
        guard(mlp(3).program, mlp(3), runner(mlp(4)))


def test_outputs_in_another_order_are_noticed() -> None:
    network = linear(3)
    program = replace(network.program, outputs=network.program.outputs[::-1].copy())
    with pytest.raises(CertificateError):
        guard(program, network)


@pytest.mark.parametrize("answer", [np.nan, np.inf, -np.inf])
def test_answers_that_are_no_numbers_are_refused(answer: float) -> None:
    network = linear(0)
    with pytest.raises(CertificateError) as caught:
        guard(network.program, network, lambda point: np.full(3, answer, dtype=np.float32))
    assert caught.value.code == "TL0610"


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_no_finite_bound_is_said_in_words(weight: float) -> None:
    """1 / (x0 - x1) where both are nearly equal: the divisor may be 0 in some run, and 0 * inf is NaN."""
    nodes = [
        helper.make_node("Sub", ["a", "b"], ["d"]),
        helper.make_node("Div", ["one", "d"], ["q"]),
        helper.make_node("Mul", ["q", "w"], ["m"]),
        helper.make_node("Add", ["m", "a"], ["y"]),
    ]
    weights = {"one": np.ones((1, 1), dtype=np.float32), "w": np.full((1, 1), weight, dtype=np.float32)}
    program = lower_to_program(lowered(model(nodes, {"a": [1, 1], "b": [1, 1]}, ["y"], weights)))
    near = np.array([[1.0, np.nextafter(np.float32(1), np.float32(2))]] * 32, dtype=np.float32)
    with pytest.raises(CertificateError, match="has no bound there: near this point") as caught:
        require_same_function(emitted(program), program.outputs, near, lambda point: point[:1])
    assert caught.value.code == "TL0610"
    assert "nan apart" not in caught.value.message


@pytest.mark.parametrize("share", [0.999997, 1.000003])
def test_powers_that_nothing_divides_are_held_to_their_own_budget(share: float) -> None:
    """Only a Softmax's scores are rounded once more, which is 7.6e-6 of a power at 64."""
    graph, run = exponentials()
    near = np.full((32, 1), 64.0, dtype=np.float32)
    assert require_same_function(emitted(graph), graph.outputs, near, run) < 1
    with pytest.raises(CertificateError, match="explained by rounding"):
        require_same_function(
            emitted(graph), graph.outputs, near, lambda point: np.float32(share) * run(point)
        )


def exponentials() -> tuple[Program, Callable[[Array], Array]]:
    """A model that is nothing but Exp, and its session."""
    proto = model([helper.make_node("Exp", ["x"], ["y"])], {"x": (1,)}, ["y"])
    session = RuntimeSession(proto.SerializeToString(), optimise=True)
    return lower_to_program(lowered(proto)), lambda point: session.run({"x": point})[0]


def test_a_finite_bound_is_shown() -> None:
    network = linear(0)
    with pytest.raises(CertificateError, match=r"at most [0-9.e+-]+ apart is explained by rounding"):
        guard(network.program, network, lambda point: np.full(3, 1e6, dtype=np.float32))


@pytest.mark.parametrize("count", [0, 2, 4])
def test_another_number_of_outputs_is_refused(count: int) -> None:
    network = linear(0)
    run = runner(network)
    with pytest.raises(CertificateError, match="number of outputs"):
        guard(network.program, network, lambda point: np.resize(run(point), count))


def test_another_number_of_inputs_is_refused() -> None:
    network = linear(0)
    graph = replace(emitted(network.program), inputs=5)
    with pytest.raises(CertificateError, match="number of inputs"):
        require_same_function(graph, network.program.outputs, points(network), runner(network))


def test_sources_that_are_not_written_are_refused() -> None:
    network = linear(0)
    graph = emitted(network.program)
    (node,) = graph.nodes
    assert isinstance(node, AffineData)
    graph = replace(graph, nodes=(replace(node, sources=node.sources + 100),))
    with pytest.raises(CertificateError, match="before it is written"):
        require_same_function(graph, network.program.outputs, points(network), runner(network))


def test_weights_that_are_no_numbers_are_refused() -> None:
    network = linear(0)
    graph = emitted(network.program)
    (node,) = graph.nodes
    assert isinstance(node, AffineData)
    for weights in (node.weights | 0x7F800000, node.weights << 3200):
        other = replace(graph, nodes=(replace(node, weights=weights),))
        with pytest.raises(CertificateError, match="cannot be decoded"):
            require_same_function(other, network.program.outputs, points(network), runner(network))


def test_bounds_without_end_are_refused() -> None:
    """Where a run may overflow, nothing can be compared."""
    huge = np.full((1, 2), 3e38, dtype=np.float32)
    proto = model([helper.make_node("Gemm", ["x", "w"], ["z"], transB=1)], {"x": [1, 2]}, ["z"], {"w": huge})
    program = lower_to_program(lowered(proto))
    with pytest.raises(CertificateError):
        require_same_function(
            emitted(program), program.outputs, np.full((32, 2), 3e38, dtype=np.float32),
            lambda point: np.array([np.inf], dtype=np.float32),
        )  # fmt: skip


def test_too_few_points_are_an_error_of_the_caller() -> None:
    network = linear(0)
    with pytest.raises(ValueError, match="at least 32"):
        require_same_function(
            emitted(network.program), network.program.outputs, points(network, 31), runner(network)
        )


# --- the region and the inequalities ----------------------------------------------------------------


def boxed(box: RationalBox, network: Network) -> ClaimData:
    return build_emission(network.program, [Goal(margin_forms(0, network.outputs), (box,))]).claims[0]


@pytest.mark.parametrize("radius", [Fraction(1, 50), Fraction(8, 255), Fraction(0), Fraction(3)])
def test_a_box_is_its_region_and_no_other(radius: Fraction) -> None:
    network = linear(1)
    (center,) = centers(network, 4)
    box = ball(center, radius)
    data = boxed(box, network).boxes[0]
    require_box(data, box.lower, box.upper)
    top = 1 << data.width * 3
    smaller = [replace(data, lower=data.lower + 1), replace(data, lower=data.lower + top)]
    if data.upper >= top:
        smaller.append(replace(data, upper=data.upper - top))
    shifted = [
        replace(data, offset=data.offset + 1),
        replace(data, denominator=data.denominator + 1),
        replace(data, denominator=0),
        replace(data, width=data.width + 1),
        replace(data, width=0),
    ]
    for other in (*smaller, *shifted):
        with pytest.raises(CertificateError) as caught:
            require_box(other, box.lower, box.upper)
        assert caught.value.code == "TL0611"


def test_inequalities_are_the_propertys_and_no_others() -> None:
    network = mlp(1)
    program = network.program
    box = ball(centers(network, 0)[0], Fraction(1, 64))
    tenth = bound_forms([Fraction(-31, 10)] * 3, [Fraction(7, 10**6), Fraction(2), Fraction(1, 3)], 3, False)
    for forms in (margin_forms(1, 3), tenth):
        claim = build_emission(program, [Goal(forms, (box,))]).claims[0]
        assert np.array_equal(require_forms(claim.property, forms), program.outputs)
        constants = forms.constants.copy()
        constants[-1] += 1
        others = [
            margin_forms(2, 3),
            margin_forms(1, 3) if forms is tenth else tenth,
            replace(forms, strict=not forms.strict),
            replace(forms, constants=constants),
            replace(forms, coefficients=-forms.coefficients, constants=-forms.constants),
            replace(forms, coefficients=forms.coefficients[::-1], constants=forms.constants[::-1]),
            replace(forms, coefficients=forms.coefficients[:-1], constants=forms.constants[:-1]),
        ]
        for other in others:
            with pytest.raises(CertificateError) as caught:
                require_forms(claim.property, other)
            assert caught.value.code == "TL0612"
