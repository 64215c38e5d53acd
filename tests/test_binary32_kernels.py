"""The sequential kernels: their schedule, special values, and equal bits from both implementations."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_torchlean.binary32 import kernels, ulp
from pytest_torchlean.errors import RuntimeFailure

needs_numba = pytest.mark.skipif(not kernels.numba_available(), reason="numba is not installed")
IMPLEMENTATIONS = ["numpy", pytest.param("numba", marks=needs_numba)]

any_number = st.integers(0, 2**32 - 1)
tame_number = st.builds(
    lambda mantissa, exponent: int(np.float32(mantissa * 2.0**exponent).view(np.uint32)),
    st.integers(-(2**24), 2**24),
    st.integers(-100, 60),
)
tiny_number = st.builds(lambda bits, sign: bits | sign, st.integers(0, 2**24), st.sampled_from([0, 2**31]))


def matrices(elements: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    sizes = st.tuples(st.integers(1, 4), st.integers(0, 9), st.integers(1, 9))

    def pair(size: tuple[int, int, int]) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
        rows, depth, columns = size
        a = hnp.arrays(np.uint32, (rows, depth), elements=elements, fill=st.nothing())
        b = hnp.arrays(np.uint32, (depth, columns), elements=elements, fill=st.nothing())
        return st.tuples(a, b).map(lambda both: (both[0].view(np.float32), both[1].view(np.float32)))

    return sizes.flatmap(pair)


def sequential(a: np.ndarray, b: np.ndarray) -> np.float32:
    """The declared schedule on exact numbers, for finite operands without overflow."""
    total = np.float32(0.0)
    for x, y in zip(a, b, strict=True):
        product = ulp.round_nearest(ulp.exact(x) * ulp.exact(y))
        if not np.isfinite(product):
            return np.float32(np.nan)
        total = ulp.round_nearest(ulp.exact(total) + ulp.exact(product))
        if not np.isfinite(total):
            return np.float32(np.nan)
    return total


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@given(operands=st.one_of(matrices(tame_number), matrices(tiny_number)))
@settings(deadline=None, max_examples=60)
def test_a_product_is_the_declared_schedule_rounded_exactly(implementation, operands) -> None:
    a, b = operands
    got = kernels.matmul(a, b, implementation=implementation)
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            expected = sequential(a[i], b[:, j])
            if np.isfinite(expected):
                assert ulp.bits_of(got[i, j]) == ulp.bits_of(expected)


@needs_numba
@given(operands=st.one_of(matrices(any_number), matrices(tiny_number), matrices(tame_number)))
@settings(deadline=None, max_examples=200)
def test_numpy_and_numba_give_the_same_bits(operands) -> None:
    a, b = operands
    plain = kernels.matmul(a, b, implementation="numpy")
    compiled = kernels.matmul(a, b, implementation="numba")
    assert plain.view(np.uint32).tolist() == compiled.view(np.uint32).tolist()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_products_are_not_fused_and_sums_not_reordered(implementation) -> None:
    x = np.float32(1 + 2.0**-12)
    a = np.array([[x, -1.0]], dtype=np.float32)
    b = np.array([[x], [np.float32(x * x)]], dtype=np.float32)
    assert kernels.matmul(a, b, implementation=implementation)[0, 0] == 0.0
    a = np.array([[1.0, 2.0**-24, 2.0**-24]], dtype=np.float32)
    ones = np.ones((3, 40), dtype=np.float32)
    assert (kernels.matmul(a, ones, implementation=implementation) == 1.0).all()
    assert (kernels.matmul(a[:, ::-1], ones, implementation=implementation) == 1 + 2.0**-23).all()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_special_values_follow_the_standard(implementation) -> None:
    inf, nan = np.float32(np.inf), np.float32(np.nan)
    cases = [
        ([-0.0], [1.0], 0x00000000),
        ([inf], [2.0], 0x7F800000),
        ([inf], [0.0], 0x7FC00000),
        ([inf, 1.0], [1.0, -inf], 0x7FC00000),
        ([nan], [1.0], 0x7FC00000),
        ([3e38, 3e38], [1.0, 1.0], 0x7F800000),
        ([2.0**-149], [0.5], 0x00000000),
        ([2.0**-149], [0.75], 0x00000001),
        ([], [], 0x00000000),
    ]
    for left, right, bits in cases:
        a = np.array([left], dtype=np.float32)
        b = np.array(right, dtype=np.float32).reshape(-1, 1)
        product = kernels.matmul(a, b, implementation=implementation)
        assert ulp.bits_of(product[0, 0]) == bits, (left, right)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_read_only_and_strided_operands_are_accepted(implementation) -> None:
    a = np.frombuffer(np.arange(6, dtype=np.float32).tobytes(), dtype=np.float32).reshape(2, 3)
    product = kernels.matmul(a, a.T, implementation=implementation)
    assert product.tolist() == [[5.0, 14.0], [14.0, 50.0]]


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot multiply"):
        kernels.matmul(np.zeros((2, 3), dtype=np.float32), np.zeros((2, 3), dtype=np.float32))


def test_the_environment_selects_the_implementation(monkeypatch: pytest.MonkeyPatch) -> None:
    large = np.ones((64, 4096), dtype=np.float32)
    monkeypatch.setenv("TORCHLEAN_KERNELS", "numpy")
    monkeypatch.setattr(kernels, "RightFactor", lambda b: pytest.fail("numba was used"))
    assert kernels.matmul(large, large.T)[0, 0] == 4096.0


@given(hnp.arrays(np.float32, (5, 3), elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_a_sequential_sum_adds_in_order(terms: np.ndarray) -> None:
    got = kernels.sequential_sum(terms)
    for column in range(3):
        total = Fraction(0)
        for term in terms[:, column]:
            total = ulp.exact(ulp.round_nearest(total + ulp.exact(term)))
        assert Fraction(float(got[column])) == total


def test_a_process_that_flushes_subnormals_is_refused() -> None:
    kernels.require_gradual_underflow()
    program = (
        "import onnxruntime as ort, numpy as np, onnx\n"
        "from onnx import helper as h\n"
        "v = lambda n: h.make_tensor_value_info(n, 1, [1])\n"
        "g = h.make_graph([h.make_node('Relu', ['x'], ['y'])], 'g', [v('x')], [v('y')])\n"
        "m = h.make_model(g, opset_imports=[h.make_opsetid('', 13)], ir_version=8).SerializeToString()\n"
        "o = ort.SessionOptions(); o.add_session_config_entry('session.set_denormal_as_zero', '1')\n"
        "s = ort.InferenceSession(m, o, providers=['CPUExecutionProvider'])\n"
        "s.run(None, {'x': np.ones(1, np.float32)})\n"
        "from pytest_torchlean.binary32.kernels import require_gradual_underflow\n"
        "from pytest_torchlean.errors import RuntimeFailure\n"
        "tiny = np.array([1], np.uint32).view(np.float32)\n"
        "flushed = (tiny + np.float32(0)).view(np.uint32)[0] == 0\n"
        "try:\n"
        "    require_gradual_underflow(); print('accepted', flushed)\n"
        "except RuntimeFailure as problem:\n"
        "    print(problem.code, flushed)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    answer, flushed = done.stdout.split()
    assert answer == ("TL0710" if flushed == "True" else "accepted")


def test_flushing_is_reported_with_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels.np, "array", lambda *args, **kwargs: np.zeros(1, dtype=np.uint32))
    with pytest.raises(RuntimeFailure) as caught:
        kernels.require_gradual_underflow()
    assert caught.value.code == "TL0710"
