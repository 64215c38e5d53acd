"""The compiled evaluator gives the bits of the plain one, on any number of threads, whatever the batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx_models import lowered, model

from pytest_torchlean.binary32 import kernels
from pytest_torchlean.evaluator import evaluate, run
from pytest_torchlean.ir.graph import Node, ValueType
from pytest_torchlean.ops import RULES

pytestmark = pytest.mark.skipif(not kernels.numba_available(), reason="numba is not installed")

SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, 3e38, 2.0**-149], dtype=np.float32)


def numbers(kind: str, seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """float32 numbers: any bits, ordinary ones, subnormal ones, or ordinary ones among special ones."""
    random = np.random.default_rng(seed)
    if kind == "any":
        return random.integers(0, 2**32, shape, dtype=np.uint32).view(np.float32)
    if kind == "tiny":
        return (random.integers(-(2**26), 2**26, shape) * 2.0**-149).astype(np.float32)
    tame = random.normal(size=shape).astype(np.float32)
    return (
        np.where(random.random(shape) < 0.1, random.choice(SPECIAL, shape), tame) if kind == "mixed" else tame
    )


def arrays(*shape: int) -> st.SearchStrategy[np.ndarray]:
    """Arrays of `numbers`."""
    kinds = st.sampled_from(["tame", "mixed", "tiny", "any"])
    return st.builds(numbers, kinds, st.integers(0, 2**32 - 1), st.just(shape))


def same_bits(left: np.ndarray, right: np.ndarray) -> bool:
    """Equal shapes and bits."""
    left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
    return left.shape == right.shape and left.tobytes() == right.tobytes()


@st.composite
def products(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    rows, depth = draw(st.integers(1, 14)), draw(st.integers(0, 20))
    columns = draw(st.sampled_from([1, 3, 15, 16, 17, 31, 33, 63, 64, 65, 97, 130]))
    return draw(arrays(rows, depth)), draw(arrays(depth, columns))


@given(products(), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=150)
def test_products_of_every_tile_size_have_the_same_bits(operands, turned_left, turned_right) -> None:
    a, b = operands
    a = np.asfortranarray(a) if turned_left else a
    b = np.asfortranarray(b) if turned_right else b
    plain = kernels.matmul(a, b, implementation="numpy")
    assert same_bits(plain, kernels.matmul(a, b, implementation="numba"))
    assert same_bits(plain, kernels.matmul_each(a[None], b[None], implementation="numba")[0])


@given(products(), st.integers(1, 5), st.data())
@settings(deadline=None, max_examples=60)
def test_threads_share_outputs_and_change_no_bit(operands, threads, data) -> None:
    a, b = operands
    plain = kernels.matmul(a, b, implementation="numpy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "_WORTH_THREADS", 0)
        assert same_bits(plain, kernels.matmul(a, b, implementation="numba", threads=threads))
        each = kernels.matmul_each(
            np.stack([a, a]), np.stack([b, b]), implementation="numba", threads=threads
        )
    assert same_bits(np.stack([plain, plain]), each)


@given(products(), st.data())
@settings(deadline=None, max_examples=60)
def test_a_row_has_the_same_bits_alone_and_in_any_batch(operands, data) -> None:
    a, b = operands
    cut = data.draw(st.integers(0, len(a)))
    whole = kernels.matmul(a, b, implementation="numba")
    parts = [kernels.matmul(part, b, implementation="numba") for part in (a[:cut], a[cut:]) if len(part)]
    assert same_bits(whole, np.concatenate(parts))


@given(products(), st.data())
@settings(deadline=None, max_examples=60)
def test_a_bias_is_added_after_the_sum_with_one_rounding(operands, data) -> None:
    a, b = operands
    bias = data.draw(arrays(b.shape[1]))
    with np.errstate(all="ignore"):
        expected = kernels.canonical_nan(kernels.matmul(a, b, implementation="numpy") + bias)
    assert same_bits(expected, kernels.RightFactor(b).product(a, bias))


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Node, list[np.ndarray]]:
    axes = draw(st.integers(1, 3))
    transposed = draw(st.booleans())
    group = draw(st.integers(1, 3))
    each_in, each_out = draw(st.integers(1, 3)), draw(st.sampled_from([1, 2, 5, 7, 13]))
    kernel = [draw(st.integers(1, 4)) for _ in range(axes)]
    strides = [draw(st.integers(1, 3)) for _ in range(axes)]
    dilations = [draw(st.integers(1, 2)) for _ in range(axes)]
    pads = [draw(st.integers(0, 3)) for _ in range(2 * axes)]
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    extents = [span + draw(st.integers(0, 6)) for span in spans]
    x = draw(arrays(draw(st.integers(1, 2)), group * each_in, *extents))
    attributes = {
        "group": group,
        "strides": tuple(strides),
        "dilations": tuple(dilations),
        "pads": tuple(pads),
    }
    if transposed:
        reach = zip(extents, strides, spans, pads, pads[axes:], strict=False)
        outputs = [max(1, (e - 1) * s + span - begin - end) for e, s, span, begin, end in reach]
        attributes["outputs"] = tuple(outputs)
        w = draw(arrays(group * each_in, each_out, *kernel))
    else:
        w = draw(arrays(group * each_out, each_in, *kernel))
    operands = [x, w]
    if draw(st.booleans()):
        operands.append(draw(arrays(group * each_out)))
    names = ("x", "w", "b")[: len(operands)]
    op = "ConvTranspose" if transposed else "Conv"
    return Node(op, names, ("y",), tuple(attributes.items())), operands


@given(convolutions(), st.integers(1, 3))
@settings(deadline=None, max_examples=150)
def test_convolutions_have_the_same_bits_prepared_or_not(case, threads) -> None:
    node, operands = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHLEAN_KERNELS", "numpy")
        (plain,) = RULES[node.op].evaluate(node, operands)
        patch.setenv("TORCHLEAN_KERNELS", "numba")
        patch.setenv("TORCHLEAN_THREADS", str(threads))
        patch.setattr("pytest_torchlean.ops.lattice._WORTH_THREADS", 0)
        (compiled,) = RULES[node.op].evaluate(node, operands)
        types = [ValueType("float32", value.shape) for value in operands]
        prepare = RULES[node.op].prepare
        assert prepare is not None
        (prepared,) = prepare(node, types, [None, *operands[1:]])(operands)
        (computed,) = prepare(node, types, [None] * len(operands))(operands)
        first = [operands[0][:1], *operands[1:]]
        (alone,) = RULES[node.op].evaluate(node, first)
    assert same_bits(plain, compiled)
    assert same_bits(plain, prepared)
    assert same_bits(plain, computed)
    assert same_bits(plain[:1], alone)


def prepared_and_plain(node: Node, operands: list[np.ndarray], constant: list[bool]) -> None:
    """Assert that a prepared node gives the bits of the plain rule, whichever operands are constants."""
    rule = RULES[node.op]
    types = [ValueType(str(value.dtype), value.shape) for value in operands]
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setenv("TORCHLEAN_KERNELS", "numpy")
        expected = rule.evaluate(node, operands)
        patch.setenv("TORCHLEAN_KERNELS", "numba")
        assert rule.prepare is not None
        known = [value if fixed else None for value, fixed in zip(operands, constant, strict=True)]
        found = rule.prepare(node, types, known)(operands)
        compiled = rule.evaluate(node, operands)
    for left, right, again in zip(expected, found, compiled, strict=True):
        assert left.dtype == right.dtype
        assert same_bits(left, right)
        assert same_bits(left, again)


def turned(value: np.ndarray) -> np.ndarray:
    """The same numbers, laid out in memory the other way round."""
    return value.transpose().copy().transpose()


@given(st.sampled_from(["Add", "Sub", "Mul", "Div"]), st.data())
@settings(deadline=None, max_examples=80)
def test_arithmetic_has_the_same_bits_prepared(op, data) -> None:
    left, right = data.draw(
        st.sampled_from([((3, 4), (3, 4)), ((2, 3, 4), (4,)), ((1,), (5, 1)), ((), (7,))])
    )
    operands = [turned(data.draw(arrays(*left))), data.draw(arrays(*right))]
    prepared_and_plain(Node(op, ("a", "b"), ("y",)), operands, [False, data.draw(st.booleans())])


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_normalisations_have_the_same_bits_prepared(data) -> None:
    x = turned(data.draw(arrays(2, 3, 5)))
    node = Node(
        "BatchNormalization", ("x", "s", "b", "m", "v"), ("y",), (("epsilon", float(np.float32(1e-5))),)
    )
    prepared_and_plain(node, [x, *(data.draw(arrays(3)) for _ in range(4))], [False] + [True] * 4)
    axis = data.draw(st.integers(0, 2))
    prepared_and_plain(Node("Softmax", ("x",), ("y",), (("axis", axis),)), [x], [False])
    prepared_and_plain(Node("Relu", ("x",), ("y",)), [x], [False])


@given(st.integers(0, 2), st.booleans(), st.booleans(), st.data())
@settings(deadline=None, max_examples=60)
def test_layer_normalisation_has_the_same_bits_prepared(axis, whole, biased, data) -> None:
    x = turned(data.draw(arrays(2, 3, 5)))
    own = x.shape[axis:] if whole else (1,)
    operands = [x, data.draw(arrays(*own)), *([data.draw(arrays(*own))] if biased else [])]
    attributes = (("axis", axis), ("epsilon", float(np.float32(1e-5))))
    node = Node("LayerNormalization", ("x", "s", "b")[: len(operands)], ("y",), attributes)
    prepared_and_plain(node, operands, [False] * len(operands))


@given(st.sampled_from(["ReduceSum", "ReduceMean"]), st.permutations([0, 1, 2]), st.integers(0, 3), st.data())
@settings(deadline=None, max_examples=60)
def test_reductions_have_the_same_bits_prepared(op, axes, count, data) -> None:
    attributes = (("axes", tuple(axes[:count])), ("keepdims", data.draw(st.integers(0, 1))))
    prepared_and_plain(Node(op, ("x",), ("y",), attributes), [turned(data.draw(arrays(2, 3, 5)))], [False])


@given(st.sampled_from(["Exp", "Tanh", "Sigmoid", "Erf"]), st.integers(1, 3), st.data())
@settings(deadline=None, max_examples=40)
def test_functions_have_the_same_bits_on_any_number_of_threads(op, threads, data) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pytest_torchlean.binary32.elementary._WORTH_THREADS", 0)
        patch.setenv("TORCHLEAN_THREADS", str(threads))
        prepared_and_plain(Node(op, ("x",), ("y",)), [data.draw(arrays(4, 5))], [False])


@given(products(), st.booleans(), st.booleans(), st.sampled_from([1.0, 0.5]), st.data())
@settings(deadline=None, max_examples=80)
def test_gemm_has_the_same_bits_prepared(operands, trans_a, trans_b, scale, data) -> None:
    a, b = operands
    rows, columns = len(a), b.shape[1]
    shape = data.draw(st.sampled_from([(columns,), (1, columns), (rows, 1), (rows, columns), (), (1,)]))
    given = [a.T.copy() if trans_a else a, b.T.copy() if trans_b else b, data.draw(arrays(*shape))]
    attributes = {"alpha": scale, "beta": scale, "trans_a": int(trans_a), "trans_b": int(trans_b)}
    node = Node("Gemm", ("a", "b", "c"), ("y",), tuple(attributes.items()))
    for constant in ([False, True, True], [False, True, False], [False, False, True], [True, False, False]):
        prepared_and_plain(node, given, constant)


@given(products(), st.data())
@settings(deadline=None, max_examples=60)
def test_products_of_stacks_have_the_same_bits_prepared(operands, data) -> None:
    a, b = operands
    node = Node("MatMul", ("a", "b"), ("y",))
    prepared_and_plain(node, [np.stack([a, a[::-1]])[None], np.stack([b, -b])[None]], [False, False])
    prepared_and_plain(node, [np.stack([a, a[::-1]]), b], [False, data.draw(st.booleans())])
    prepared_and_plain(node, [a, np.stack([b, -b])], [False, True])
    prepared_and_plain(node, [a[0], b], [False, True])
    prepared_and_plain(node, [a, b[:, 0]], [False, data.draw(st.booleans())])


@given(st.sampled_from(["MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool"]), st.data())
@settings(deadline=None, max_examples=80)
def test_pools_have_the_same_bits_prepared(op, data) -> None:
    kernel = tuple(data.draw(st.integers(1, 3)) for _ in range(2))
    attributes: dict[str, object] = {
        "kernel_shape": kernel,
        "strides": tuple(data.draw(st.integers(1, 3)) for _ in range(2)),
        "pads": tuple(data.draw(st.integers(0, kernel[axis % 2] - 1)) for axis in range(4)),
        "dilations": (1, 1),
        "ceil_mode": 0,
        "count_include_pad": data.draw(st.integers(0, 1)),
        "storage_order": 0,
    }
    x = turned(data.draw(arrays(1, 2, 4, 5)))
    prepared_and_plain(Node(op, ("x",), ("y",), tuple(attributes.items())), [x], [False])


def test_movements_have_the_same_bits_prepared() -> None:
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for node in (
        Node("Transpose", ("x",), ("y",), (("perm", (2, 0, 1)),)),
        Node("Reshape", ("x",), ("y",), (("shape", (4, 6)),)),
        Node("Slice", ("x",), ("y",), (("starts", (1, 0, 3)), ("sizes", (1, 3, 2)), ("steps", (1, 1, -2)))),
        Node("Slice", ("x",), ("y",), (("starts", (0, 0, 0)), ("sizes", (2, 0, 4)), ("steps", (1, 1, 1)))),
        Node("Gather", ("x",), ("y",), (("axis", 1), ("indices", (2, 0)), ("shape", (2,)))),
    ):
        prepared_and_plain(node, [turned(x)], [False])


def network(batch: int, seed: int) -> onnx.ModelProto:
    """Convolution, normalisation, pooling, attention's products and Softmax, two full layers."""
    random = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32)

    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], strides=[2, 1], pads=[1, 0, 2, 1]),
        helper.make_node("BatchNormalization", ["c", "s", "b", "b", "v"], ["n"]),
        helper.make_node("Relu", ["n"], ["r"]),
        helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2]),
        helper.make_node("Reshape", ["p", "shape"], ["t"]),
        helper.make_node("Transpose", ["t"], ["u"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["t", "u"], ["q"]),
        helper.make_node("Softmax", ["q"], ["a"], axis=-1),
        helper.make_node("MatMul", ["a", "t"], ["h"]),
        helper.make_node("Add", ["h", "t"], ["g"]),
        helper.make_node("ReduceMean", ["g"], ["m"], axes=[2], keepdims=0),
        helper.make_node("Gemm", ["m", "f", "o"], ["y"], transB=1),
    ]
    constants = {
        "w": weights(5, 2, 3, 3),
        "b": weights(5),
        "s": weights(5),
        "v": np.abs(weights(5)),
        "shape": np.array([batch, 5, -1], dtype=np.int64),
        "f": weights(4, 5),
        "o": weights(4),
    }
    return model(nodes, {"x": [batch, 2, 7, 8]}, {"y": [batch, 4]}, constants)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3))
@settings(deadline=None, max_examples=15)
def test_a_network_has_the_same_bits_in_every_mode_and_batch(seed, batch, threads) -> None:
    whole, single = lowered(network(batch, seed)), lowered(network(1, seed))
    x = np.random.default_rng(seed).normal(size=(batch, 2, 7, 8)).astype(np.float32)
    x[0, 0, 0, 0] = np.float32(2.0**-140)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCHLEAN_KERNELS", "numpy")
        plain = evaluate(whole, {"x": x})
        patch.setenv("TORCHLEAN_KERNELS", "numba")
        patch.setenv("TORCHLEAN_THREADS", str(threads))
        for place in ("ops.lattice", "binary32.kernels", "binary32.elementary"):
            patch.setattr(f"pytest_torchlean.{place}._WORTH_THREADS", 0)
        compiled = evaluate(whole, {"x": x})
        rows = [run(single, {"x": row[None]})[0] for row in x]
    assert plain.keys() == compiled.keys()
    for name, value in plain.items():
        assert same_bits(value, compiled[name]), name
    assert same_bits(plain["y"], np.concatenate(rows))


def test_the_evaluator_runs_without_numba(tmp_path: Path) -> None:
    proto = network(2, 5)
    (tmp_path / "model.onnx").write_bytes(proto.SerializeToString())
    program = (
        "import sys\n"
        "sys.modules['numba'] = sys.modules['llvmlite'] = None\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from pytest_torchlean.evaluator import run\n"
        "from pytest_torchlean.onnx_import import load_model, lower\n"
        "graph = lower(load_model(Path(sys.argv[1])))\n"
        "print(run(graph, {'x': np.ones((2, 2, 7, 8), dtype=np.float32)})[0].tobytes().hex())\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "model.onnx")]
    environment = {**os.environ, "TORCHLEAN_KERNELS": "numba"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    (own,) = run(lowered(proto), {"x": np.ones((2, 2, 7, 8), dtype=np.float32)})
    assert done.stdout.strip() == own.tobytes().hex()
