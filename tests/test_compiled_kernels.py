"""The compiled evaluator gives the bits of the plain one, on any number of threads, whatever the batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_torchlean.binary32 import kernels, machine
from pytest_torchlean.ir.graph import Node, ValueType
from pytest_torchlean.ops import RULES

pytestmark = pytest.mark.skipif(not kernels.numba_available(), reason="numba is not installed")

any_number = st.integers(0, 2**32 - 1).map(lambda bits: np.uint32(bits).view(np.float32))
tame_number = st.integers(-(2**24), 2**24).map(lambda n: np.float32(n * 2.0**-20))
tiny_number = st.integers(-(2**26), 2**26).map(lambda n: np.float32(n * 2.0**-149))


def arrays(*shape: int) -> st.SearchStrategy[np.ndarray]:
    """Numbers of all kinds: any bits, ordinary ones, subnormal ones."""
    return st.sampled_from([any_number, tame_number, tiny_number]).flatmap(
        lambda elements: hnp.arrays(np.float32, shape, elements=elements, fill=elements)
    )


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


def test_a_thread_that_fails_is_not_overheard() -> None:
    def work(start: int, stop: int) -> None:
        if start:
            raise RuntimeError("second range")

    with pytest.raises(RuntimeError, match="second range"):
        machine.spread(8, 2, work)


def test_ranges_of_threads_are_disjoint_and_complete() -> None:
    for count in range(0, 12):
        for threads in range(1, 6):
            seen = np.zeros(count, dtype=np.int64)

            def work(start: int, stop: int, seen: np.ndarray = seen) -> None:
                seen[start:stop] += 1

            machine.spread(count, threads, work)
            assert (seen == 1).all()
