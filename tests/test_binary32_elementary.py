"""Elementary functions: correctly rounded against MPFR, equal bits from numpy and numba, special values."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlean.binary32 import elementary, enclosure, formulas, kernels, real_functions, tables, ulp
from pytest_torchlean.binary32.arithmetic import Enclosed

gmpy2 = pytest.importorskip("gmpy2")
needs_numba = pytest.mark.skipif(not kernels.numba_available(), reason="numba is not installed")

PRECISION = 600
PARAMETERS = {
    "Celu": [(1.0, 0.0), (0.3, 0.0), (-2.5, 0.0)],
    "Elu": [(1.0, 0.0), (1.5, 0.0), (-0.2, 0.0), (0.0, 0.0)],
    "HardSigmoid": [(0.2, 0.5), (1.0 / 6.0, 0.5), (-0.7, 0.1), (0.0, 0.25)],
    "Selu": [(1.6732631921768188, 1.0507010221481323), (1.0, 1.5)],
    "Swish": [(1.0, 0.0), (1.702, 0.0), (-0.5, 0.0), (0.0, 0.0)],
}
CASES = [
    (name, tuple(float(np.float32(number)) for number in parameters))
    for name in elementary.NAMES
    for parameters in PARAMETERS.get(name, [(0.0, 0.0)])
]

every_function = pytest.mark.parametrize(("name", "parameters"), CASES, ids=lambda value: str(value))


def mpfr(value: Fraction | float) -> object:
    exact = Fraction(value)
    return gmpy2.mpfr(gmpy2.mpq(exact.numerator, exact.denominator))


def references(p: float, q: float) -> dict[str, Callable[[object], object]]:
    """The functions by MPFR, written down independently of the code under test."""
    g = gmpy2

    cubic = mpfr(Fraction(44715, 10**6))
    sixth = mpfr(float(np.float32(1 / 6)))

    def clipped(x: object) -> object:
        return min(max(x, g.mpfr(0)), g.mpfr(1))

    return {
        "Acos": g.acos, "Acosh": g.acosh, "Asin": g.asin, "Asinh": g.asinh, "Atan": g.atan, "Atanh": g.atanh,
        "Cos": g.cos, "Cosh": g.cosh, "Erf": g.erf, "Exp": g.exp, "Log": g.log, "Sin": g.sin, "Sinh": g.sinh,
        "Tan": g.tan, "Tanh": g.tanh,
        "Sigmoid": lambda x: 1 / (1 + g.exp(-x)),
        "Softplus": lambda x: max(x, g.mpfr(0)) + g.log1p(g.exp(-abs(x))),
        "Softsign": lambda x: x / (1 + abs(x)),
        "Gelu": lambda x: x * g.erfc(-x / g.sqrt(g.mpfr(2))) / 2,
        "GeluTanh": lambda x: x / (1 + g.exp(-2 * g.sqrt(2 / g.const_pi()) * (x + cubic * x * x * x))),
        "Mish": lambda x: x if x > 10000 else x * g.tanh(g.log1p(g.exp(x))),
        "Swish": lambda x: x / (1 + g.exp(-mpfr(p) * x)),
        "HardSwish": lambda x: x * clipped(sixth * x + g.mpfr("0.5")),
        "HardSigmoid": lambda x: clipped(mpfr(p) * x + mpfr(q)),
        "Elu": lambda x: x if x >= 0 else mpfr(p) * g.expm1(x),
        "Celu": lambda x: x if x >= 0 else mpfr(p) * g.expm1(x / mpfr(p)),
        "Selu": lambda x: mpfr(q) * x if x >= 0 else mpfr(q) * mpfr(p) * g.expm1(x),
    }  # fmt: skip


def nearest(value: object) -> float:
    """An MPFR number rounded once to binary32."""
    if gmpy2.is_nan(value):
        return float("nan")
    if abs(value) > gmpy2.mpfr(2) ** 140:
        return float("inf") if value > 0 else float("-inf")
    if abs(value) < gmpy2.mpfr(2) ** -160:
        return 0.0
    ratio = gmpy2.mpq(value)
    return float(ulp.round_nearest(Fraction(int(ratio.numerator), int(ratio.denominator))))


def sample(seed: int, count: int) -> np.ndarray:
    """All bit patterns, numbers of ordinary size, numbers near 1, tiny ones, and breakpoints of formulas."""
    rng = np.random.default_rng(seed)
    patterns = rng.integers(0, 2**32, count, dtype=np.uint32).view(np.float32)
    ordinary = rng.standard_normal(count).astype(np.float32) * 4
    near_one = 1 + rng.standard_normal(count // 4) * 2.0 ** rng.integers(-23, 0, count // 4)
    tiny = rng.standard_normal(count // 4) * 2.0 ** rng.integers(-149, -20, count // 4)
    points = np.float32([0.0, 1.0, 0.75, 0.5, 1 / 3, 0.0625, 2.0, 3.0, 6.0, 8.0, 15.0, 17.33, 88.72, 103.97])
    edges = np.concatenate(
        [np.nextafter(points, np.float32(-1)), points, np.nextafter(points, np.float32(999))]
    )
    with np.errstate(invalid="ignore"):
        every = np.concatenate([patterns, ordinary, near_one, tiny, edges, -edges]).astype(np.float32)
    return every[np.isfinite(every)]


@every_function
def test_every_result_is_the_nearest_binary32_number(name: str, parameters: tuple[float, float]) -> None:
    x = sample(1, 160)
    got = elementary.evaluate(name, x, *parameters, implementation="numpy")
    with gmpy2.context(gmpy2.get_context(), precision=PRECISION, emax=10**8, emin=-(10**8)):
        reference = references(*parameters)[name]
        for number, own in zip(x.tolist(), got.tolist(), strict=True):
            expected = nearest(reference(mpfr(number))) if number or name != "Log" else float("-inf")
            assert own == expected or (own != own and expected != expected), (number, own, expected)


COMPILED = ("Exp", "Gelu", "HardSigmoid", "Log", "Asin", "Sin", "Swish", "Tanh")
"""Functions that use every building block; compiling takes a second each."""


@needs_numba
@pytest.mark.parametrize(("name", "parameters"), [case for case in CASES if case[0] in COMPILED], ids=str)
def test_numpy_and_numba_give_the_same_bits(name: str, parameters: tuple[float, float]) -> None:
    x = np.concatenate([sample(2, 4000), np.float32([np.nan, np.inf, -np.inf])])
    plain = elementary.evaluate(name, x, *parameters, implementation="numpy")
    compiled = elementary.evaluate(name, x, *parameters, implementation="numba")
    assert plain.view(np.uint32).tolist() == compiled.view(np.uint32).tolist()


@every_function
def test_the_exact_fallback_alone_gives_the_same_numbers(name: str, parameters: tuple[float, float]) -> None:
    x = sample(3, 60)
    own = elementary.evaluate(name, x, *parameters)
    inside = np.isfinite(own) & (np.abs(x) < 1e30)
    for number, got in zip(x[inside].tolist(), own[inside].tolist(), strict=True):
        assert real_functions.rounded(name, Fraction(number), *map(Fraction, parameters)) == got, number


@every_function
def test_margins_hold_with_room(name: str, parameters: tuple[float, float]) -> None:
    """The proved margin of the binary64 value is kept four times over (except where only the side counts)."""
    x = sample(4, 100)
    x = x[(np.abs(x) > 2.0**-40) & (np.abs(x) < 2.0**40)]
    with np.errstate(all="ignore"):
        value, margin = formulas.FORMULAS[name](x.astype(np.float64), *parameters)
    with gmpy2.context(gmpy2.get_context(), precision=PRECISION, emax=10**8, emin=-(10**8)):
        reference = references(*parameters)[name]
        for number, own, allowed in zip(x.tolist(), value.tolist(), margin.tolist(), strict=True):
            exact = reference(mpfr(number))
            if not gmpy2.is_finite(exact) or not 2.0**-150 < abs(exact) < 2.0**128 or abs(own) == 1.0:
                continue
            assert abs(mpfr(own) - exact) <= (allowed / 4 if allowed > 8 * tables.V else allowed) * abs(exact)


SPECIAL = {
    "Exp": [(0.0, 1.0), (-0.0, 1.0), (np.inf, np.inf), (-np.inf, 0.0), (89.0, np.inf), (-104.0, 0.0)],
    "Log": [(0.0, -np.inf), (-0.0, -np.inf), (1.0, 0.0), (-1.0, np.nan), (np.inf, np.inf), (-np.inf, np.nan)],
    "Tanh": [(-0.0, -0.0), (np.inf, 1.0), (-np.inf, -1.0), (8.47554, 1 - 2.0**-24), (2.0**-149, 2.0**-149)],
    "Sigmoid": [(np.inf, 1.0), (-np.inf, 0.0), (-0.0, 0.5), (-103.0, 2.0**-149), (-104.0, 0.0)],
    "Erf": [(-0.0, -0.0), (np.inf, 1.0), (-np.inf, -1.0)],
    "Gelu": [(-0.0, -0.0), (-np.inf, -0.0), (np.inf, np.inf), (2.0**-149, 2.0**-149), (-(2.0**-149), -0.0)],
    "Sin": [(-0.0, -0.0), (np.inf, np.nan), (2.0**-149, 2.0**-149)],
    "Elu": [(-0.0, -0.0), (-1e-30, -1e-30), (-np.inf, -1.0), (np.inf, np.inf)],
    "Mish": [(-np.inf, -0.0), (-200.0, -0.0), (np.inf, np.inf)],
    "Softsign": [(np.inf, 1.0), (-np.inf, -1.0), (-0.0, -0.0)],
    "HardSwish": [(-np.inf, -0.0), (-3.0, -0.0), (np.inf, np.inf), (3.0, 3.0)],
    "Atanh": [(1.0, np.inf), (-1.0, -np.inf), (1.5, np.nan), (np.inf, np.nan)],
    "Acosh": [(1.0, 0.0), (0.5, np.nan), (-np.inf, np.nan)],
}


@pytest.mark.parametrize(
    ("name", "implementation"),
    [(name, "numpy") for name in SPECIAL]
    + [pytest.param(name, "numba", marks=needs_numba) for name in SPECIAL if name in COMPILED],
)
def test_special_values(name: str, implementation: str) -> None:
    given_numbers, expected = np.float32(SPECIAL[name]).T.copy()
    got = elementary.evaluate(name, given_numbers, 1.0, implementation=implementation)
    canonical = kernels.canonical_nan(expected.astype(np.float32))
    assert got.view(np.uint32).tolist() == canonical.view(np.uint32).tolist()
    assert ulp.bits_of(elementary.evaluate(name, np.float32([np.nan]), 1.0)[0]) == 0x7FC00000


finite = st.integers(0, 2**32 - 1).map(ulp.from_bits).filter(lambda x: bool(np.isfinite(x)))
small_integers = st.integers(-40, 40).map(np.float32)
halves = st.integers(-9, 9).map(lambda n: np.float32(n / 4))
round_numbers = st.builds(lambda m, e: np.float32(m * 2.0**e), st.integers(1, 99), st.integers(-12, 12))


@given(st.one_of(finite, round_numbers), st.one_of(finite, small_integers, halves))
@settings(deadline=None, max_examples=400)
def test_powers_are_the_nearest_binary32_numbers(x: np.float32, y: np.float32) -> None:
    got = float(elementary.power(np.array([x]), np.array([y]))[0])
    if x == 0:
        return
    with gmpy2.context(gmpy2.get_context(), precision=PRECISION, emax=10**8, emin=-(10**8)):
        exponent = mpfr(float(y))
        if x > 0 or y == int(y):
            sign = -1 if x < 0 and int(y) % 2 else 1
            expected = sign * nearest(
                gmpy2.exp(min(max(exponent * gmpy2.log(mpfr(float(abs(x)))), -400), 400))
            )
            if y == int(y) and 0 <= y <= 40:
                expected = float(ulp.round_nearest(Fraction(float(x)) ** int(y)))
        else:
            expected = float("nan")
    assert got == expected or (got != got and expected != expected)


@needs_numba
@given(st.lists(st.tuples(finite, st.one_of(finite, halves)), min_size=1, max_size=9))
@settings(deadline=None, max_examples=100)
def test_powers_have_the_same_bits_from_both(pairs: list[tuple[np.float32, np.float32]]) -> None:
    x, y = (np.array(part, dtype=np.float32) for part in zip(*pairs, strict=True))
    plain = elementary.power(x, y, implementation="numpy")
    compiled = elementary.power(x, y, implementation="numba")
    assert plain.view(np.uint32).tolist() == compiled.view(np.uint32).tolist()


def test_special_powers_follow_c99() -> None:
    inf, nan = np.inf, np.nan
    cases = [
        (0.0, -1.0, inf), (-0.0, -1.0, -inf), (-0.0, -2.0, inf), (0.0, 0.0, 1.0), (nan, 0.0, 1.0),
        (1.0, nan, 1.0), (-1.0, inf, 1.0), (2.0, -inf, 0.0), (0.5, inf, 0.0), (-inf, 3.0, -inf),
        (-inf, -3.0, -0.0), (-inf, 0.5, inf), (-0.0, 0.5, 0.0), (-0.0, 3.0, -0.0), (-2.0, 0.5, nan),
        (-8.0, 1 / 3, nan), (-2.0, 3.0, -8.0), (-2.0, 2.0**24, inf), (2.0, -149.0, 2.0**-149),
        (2.0, -150.0, 0.0), (nan, 1.0, nan), (1.5, 2.0, 2.25), (-2.0, -151.0, -0.0),
    ]  # fmt: skip
    x, y, expected = np.float32(cases).T.copy()
    got = elementary.power(x, y)
    canonical = kernels.canonical_nan(expected.copy())
    assert got.view(np.uint32).tolist() == canonical.view(np.uint32).tolist()


def test_ties_of_powers_and_activations_go_to_even() -> None:
    three = np.float32([2.0**12 + 1, 4097 * 3])
    squares = elementary.power(three, np.float32([2.0]))
    assert [Fraction(float(value)) for value in squares] == [
        Fraction(float(ulp.round_nearest(Fraction(float(value)) ** 2))) for value in three
    ]
    odd = np.float32([3 * 2.0**-149, 5 * 2.0**-149])
    assert (elementary.evaluate("Swish", odd, 0.0) / np.float32(2.0**-149)).tolist() == [2.0, 2.0]
    assert (elementary.evaluate("Swish", odd, 1.0) / np.float32(2.0**-149)).tolist() == [2.0, 3.0]


@given(
    st.sampled_from(["exponential", "logarithm", "arc_tangent", "error_function", "square_root"]),
    st.integers(0, 2**70),
    st.integers(10, 68),
    st.sampled_from([80, 200, 333]),
)
@settings(deadline=None, max_examples=300)
def test_enclosures_hold_and_are_narrow(name: str, numerator: int, shift: int, bits: int) -> None:
    x = min(Fraction(numerator + 1, 1 << shift), Fraction(60) + Fraction(numerator, 1 << 71))
    with gmpy2.context(gmpy2.get_context(), precision=PRECISION, emax=10**8, emin=-(10**8)):
        number = enclosure.number(x, bits)
        low, high = getattr(enclosure, name)(number).ends()
        reference = {"exponential": gmpy2.exp, "logarithm": gmpy2.log, "arc_tangent": gmpy2.atan,
                     "error_function": gmpy2.erf, "square_root": gmpy2.sqrt}[name]  # fmt: skip
        value = Fraction(gmpy2.mpq(reference(mpfr(x))))
        assert low <= value <= high
        slack = Fraction(2**20, 2**bits) * max(1, value)
        narrow = Fraction(max(number.high - number.low, 1)) * max(1, value) * max(1, 1 / x)
        assert high - low <= slack * narrow


@every_function
def test_a_function_of_an_interval_stays_in_its_radius(name: str, parameters: tuple[float, float]) -> None:
    """Whatever binary32 number an execution has, its correctly rounded result is where `Enclosed` says."""
    rng = np.random.default_rng(6)
    wide = rng.uniform(-(2.0**20), 2.0**20, 500)
    center = np.concatenate([rng.standard_normal(3000) * 3, wide, [0.0, 3e38]])
    radius = np.abs(rng.standard_normal(center.size)) * 2.0 ** rng.integers(-20, 3, center.size)
    found = Enclosed(center, radius).function(name, *parameters)
    narrow = np.isfinite(found.radius)
    assert narrow.any()
    for _ in range(6):
        x = np.clip(center + radius * rng.uniform(-1, 1, center.size), -3e38, 3e38).astype(np.float32)
        inside = np.abs(x.astype(np.float64) - center) <= radius
        given_numbers = np.where(inside, x, np.float32(0))
        result = elementary.evaluate(name, given_numbers, *parameters).astype(np.float64)
        with np.errstate(invalid="ignore"):
            within = np.abs(result - found.center) <= found.radius
        assert (within | ~inside | ~narrow).all()


def test_an_enclosure_too_wide_asks_for_more() -> None:
    with pytest.raises(enclosure.MorePrecision):
        enclosure.number(1, 64) / enclosure.Enclosure(-1, 1, 64)
    with pytest.raises(enclosure.MorePrecision):
        enclosure.logarithm(enclosure.Enclosure(0, 1, 64))
    with pytest.raises(ArithmeticError):
        real_functions._decide(lambda bits: enclosure.Enclosure(0, 1 << bits, bits))


@needs_numba
def test_machine_code_need_not_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    from pytest_torchlean.binary32 import compiled

    original = numba.njit

    def unwritable(*arguments: object, **options: object) -> object:
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return original(*arguments, **options)

    monkeypatch.setattr(numba, "njit", unwritable)
    x, result, places = np.float32([1, -3]), np.empty(2, dtype=np.float32), np.empty(2, dtype=np.int64)
    assert compiled.loop.__wrapped__("Softsign")(x, 0.0, 0.0, result, places) == 0
    assert result.tolist() == [0.5, -0.75]


def test_the_environment_selects_the_implementation(monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_torchlean.binary32 import compiled

    monkeypatch.setenv("TORCHLEAN_KERNELS", "numpy")
    monkeypatch.setattr(compiled, "loop", lambda name: pytest.fail("numba was used"))
    monkeypatch.setattr(compiled, "value_loop", lambda name: pytest.fail("numba was used"))
    large = np.full(2**17, 0.5, dtype=np.float32)
    assert (elementary.evaluate("Softsign", large) == np.float32(1 / 3)).all()
    assert elementary.reference("Softsign", large)[0].shape == large.shape


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (1, 2)])
def test_every_shape_is_kept(shape: tuple[int, ...]) -> None:
    x = np.full(shape, 1.25, dtype=np.float32)
    for name in elementary.NAMES:
        parameters = PARAMETERS.get(name, [()])[0]
        value, radius = elementary.reference(name, x, *parameters)
        assert elementary.evaluate(name, x, *parameters).shape == value.shape == radius.shape == shape
    assert elementary.power(x, np.float32([[3.0]])).shape == np.broadcast_shapes(shape, (1, 1))


@given(st.sampled_from(CASES), finite)
@settings(deadline=None, max_examples=250)
def test_any_number_is_rounded_like_its_enclosure(
    case: tuple[str, tuple[float, float]], x: np.float32
) -> None:
    name, parameters = case
    own = elementary.evaluate(name, np.array([x]), *parameters)[0]
    if np.isfinite(own):
        exact = real_functions.rounded(name, Fraction(float(x)), *map(Fraction, parameters))
        assert exact == own
        value, radius = elementary.reference(name, np.array([x]), *parameters)
        step = max(float(np.spacing(np.abs(own))), 2.0**-149)
        assert abs(float(own) - value[0]) <= step / 2 + radius[0]
