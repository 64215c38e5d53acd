"""Elementary functions over all binary32 inputs: ours against an independent reference, and onnxruntime.

    python benchmarks/elementary.py run --state DIR Exp Tanh     # all 2^32 patterns, in blocks, resumable
    python benchmarks/elementary.py run --state DIR --sample 26 --seed 1 Sin
    python benchmarks/elementary.py report --state DIR --output benchmarks/ELEMENTARY.md

Every input goes through `pytest_torchlean.binary32.elementary.evaluate`. The reference shares no code with
it: the C library's binary64 function, trusted to the margin of its row (hundreds of times its documented
error), decides wherever both ends of the margin round alike; the rest, a few inputs in a million, is decided
by MPFR with 400 bits. A single difference makes the run fail. The same pass compares onnxruntime's one-node
session with the reference, in units in the last place and as a share of its budget (`binary32/budgets.py`).
Each block is one vector for onnxruntime; NaN inputs are only checked for a NaN result.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import gmpy2
import numba
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from pytest_torchlean.binary32 import budgets, elementary, ulp
from pytest_torchlean.binary32.format import to_hex
from pytest_torchlean.binary32.kernels import numba_available

BLOCK = 2**22
TOTAL = 2**32
CONTEXT = {"precision": 400, "emax": 10**8, "emin": -(10**8)}
ROOT_2 = math.sqrt(2.0)
SLOPE = 2.0 * math.sqrt(2.0 / math.pi)
SIXTH = float(np.float32(1 / 6))
UNITS = 2.0 ** (np.arange(-126, 129) - 23)
"""The unit in the last place of a binary32 number by its exponent, from -126 on."""
FIFTH = float(np.float32(0.2))


@dataclass(frozen=True)
class Case:
    """One function. libm: binary64, compiled by numba; exact: MPFR; margin: trusted error of libm."""

    libm: Callable[[float], float]
    exact: Callable[[Any], Any]
    margin: float = 2.0**-44
    op: str = ""
    parameters: tuple[float, ...] = ()
    attributes: tuple[tuple[str, Any], ...] = ()


ALPHA, GAMMA = 1.6732631921768188, 1.0507010221481323

PER_ROOT_PI = 2.0 / math.sqrt(math.pi)


@numba.njit(error_model="numpy")
def logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(min(-x, 700.0)))


CASES: dict[str, Case] = {
    "Exp": Case(lambda x: math.exp(min(x, 700.0)), lambda x: gmpy2.exp(min(x, gmpy2.mpfr(700)))),
    # x - x^3/3, and 1 - 2 e^-2x: within 2^-50 of x and of 1
    "Tanh": Case(
        lambda x: x if abs(x) < 2.0**-26 else (math.copysign(1.0, x) if abs(x) > 20.0 else math.tanh(x)),
        gmpy2.tanh,
    ),
    "Sigmoid": Case(
        lambda x: 1.0 if x > 50.0 else (0.5 + 0.25 * x if abs(x) < 2.0**-26 else logistic(x)),
        lambda x: 1 / (1 + gmpy2.exp(min(-x, gmpy2.mpfr(700)))),
    ),
    "Erf": Case(
        lambda x: (
            x * PER_ROOT_PI if abs(x) < 2.0**-26 else (math.copysign(1.0, x) if abs(x) > 6.5 else math.erf(x))
        ),
        gmpy2.erf,
    ),
    "Log": Case(lambda x: math.log(x) if x > 0.0 else (-np.inf if x == 0.0 else np.nan), gmpy2.log),
    "Gelu": Case(
        lambda x: 0.5 * x * math.erfc(-x / ROOT_2),
        lambda x: x * gmpy2.erfc(-x / gmpy2.sqrt(gmpy2.mpfr(2))) / 2,
        margin=2.0**-40,
    ),
    "GeluTanh": Case(
        lambda x: x / (1.0 + math.exp(min(-SLOPE * (x + 0.044715 * x * x * x), 700.0))),
        lambda x: (
            x
            / (
                1
                + gmpy2.exp(
                    min(
                        -2
                        * gmpy2.sqrt(2 / gmpy2.const_pi())
                        * (x + gmpy2.mpfr(gmpy2.mpq(44715, 10**6)) * x * x * x),
                        gmpy2.mpfr(700),
                    )
                )
            )
        ),
        margin=2.0**-40,
        op="Gelu",
        attributes=(("approximate", "tanh"),),
    ),
    "Softplus": Case(
        lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
        lambda x: max(x, gmpy2.mpfr(0)) + gmpy2.log1p(gmpy2.exp(max(-abs(x), gmpy2.mpfr(-700)))),
    ),
    "Mish": Case(
        lambda x: x if x > 100.0 else x * math.tanh(math.log1p(math.exp(x))),
        lambda x: x * gmpy2.tanh(gmpy2.log1p(gmpy2.exp(min(max(x, gmpy2.mpfr(-700)), gmpy2.mpfr(700))))),
    ),
    "Swish": Case(
        lambda x: x / (1.0 + math.exp(min(-x, 700.0))),
        lambda x: x / (1 + gmpy2.exp(min(-x, gmpy2.mpfr(700)))),
        parameters=(1.0,),
        attributes=(("alpha", 1.0),),
    ),
    "Elu": Case(
        lambda x: x if x >= 0.0 else math.expm1(x),
        lambda x: x if x >= 0 else gmpy2.expm1(max(x, gmpy2.mpfr(-700))),
        parameters=(1.0,),
    ),
    "Celu": Case(
        lambda x: x if x >= 0.0 else 2.5 * math.expm1(x / 2.5),
        lambda x: x if x >= 0 else gmpy2.mpfr("2.5") * gmpy2.expm1(max(x, gmpy2.mpfr(-700)) / 2.5),
        parameters=(2.5,),
        attributes=(("alpha", 2.5),),
    ),
    "Selu": Case(
        lambda x: GAMMA * x if x >= 0.0 else GAMMA * ALPHA * math.expm1(x),
        lambda x: (
            gmpy2.mpfr(GAMMA) * x
            if x >= 0
            else gmpy2.mpfr(GAMMA) * gmpy2.mpfr(ALPHA) * gmpy2.expm1(max(x, gmpy2.mpfr(-700)))
        ),
        parameters=(ALPHA, GAMMA),
    ),
    "Softsign": Case(lambda x: x / (1.0 + abs(x)), lambda x: x / (1 + abs(x))),
    "HardSigmoid": Case(
        lambda x: min(max(FIFTH * x + 0.5, 0.0), 1.0),
        lambda x: min(max(gmpy2.mpfr(FIFTH) * x + gmpy2.mpfr("0.5"), gmpy2.mpfr(0)), gmpy2.mpfr(1)),
        parameters=(FIFTH, 0.5),
    ),
    "HardSwish": Case(
        lambda x: x * min(max(SIXTH * x + 0.5, 0.0), 1.0),
        lambda x: x * min(max(gmpy2.mpfr(SIXTH) * x + gmpy2.mpfr("0.5"), gmpy2.mpfr(0)), gmpy2.mpfr(1)),
    ),
    "Sin": Case(lambda x: math.sin(x), gmpy2.sin),
    "Cos": Case(lambda x: math.cos(x), gmpy2.cos),
    "Tan": Case(lambda x: math.tan(x), gmpy2.tan),
    "Sinh": Case(
        lambda x: math.sinh(min(max(x, -300.0), 300.0)),
        lambda x: gmpy2.sinh(min(max(x, gmpy2.mpfr(-300)), gmpy2.mpfr(300))),
    ),
    "Cosh": Case(
        lambda x: math.cosh(min(max(x, -300.0), 300.0)),
        lambda x: gmpy2.cosh(min(max(x, gmpy2.mpfr(-300)), gmpy2.mpfr(300))),
    ),
    "Asin": Case(lambda x: math.asin(x) if abs(x) <= 1.0 else np.nan, gmpy2.asin),
    "Acos": Case(lambda x: math.acos(x) if abs(x) <= 1.0 else np.nan, gmpy2.acos),
    "Atan": Case(lambda x: math.atan(x), gmpy2.atan),
    "Asinh": Case(lambda x: math.asinh(x), gmpy2.asinh),
    "Acosh": Case(lambda x: math.acosh(x) if x >= 1.0 else np.nan, gmpy2.acosh),
    "Atanh": Case(
        lambda x: math.atanh(x) if abs(x) < 1.0 else (x * np.inf if abs(x) == 1.0 else np.nan), gmpy2.atanh
    ),
}


@dataclass
class State:
    """What a run has found so far; one JSON file per function."""

    name: str
    sample: int = 0
    seed: int = 0
    next_block: int = 0
    blocks: int = 0
    inputs: int = 0
    finite: int = 0
    fallbacks: int = 0
    by_mpfr: int = 0
    wrong: list[str] = field(default_factory=list)
    worst_ulps: float = 0.0
    worst_ulps_at: str = ""
    worst_share: float = 0.0
    worst_share_at: str = ""
    special: int = 0
    seconds: float = 0.0


def judge(libm: Callable[[float], float], margin: float) -> Callable[..., Any]:
    """The compiled comparison of one block."""
    reference = numba.njit(libm, error_model="numpy")

    @numba.njit(error_model="numpy")
    def compare(xs, ours, theirs, open_, wrong, best, budget):  # type: ignore[no-untyped-def]
        undecided = errors = special = 0
        ulps, absolute, of_input, edge, edge_ulps, edge_absolute = budget
        for i in range(xs.size):
            x = np.float64(xs[i])
            if not abs(x) < np.inf:
                continue
            y = reference(x)
            spread = abs(y) * margin
            low, high = np.float32(y - spread), np.float32(y + spread)
            if low != high and abs(y) < np.inf:
                open_[undecided] = i
                undecided += 1
            elif not (ours[i] == np.float32(y) or (ours[i] != ours[i] and y != y)):
                wrong[min(errors, wrong.size - 1)] = i
                errors += 1
            if not abs(y) < 3.4028234663852886e38 or y == 0.0:
                continue
            t = np.float64(theirs[i])
            if not abs(t) < np.inf:
                special += 1
                continue
            exponent = (np.float64(y).view(np.int64) >> 52 & 0x7FF) - 1023
            unit = UNITS[max(exponent, -126) + 126]
            error = abs(t - y)
            if error > best[0] * unit:
                best[0], best[1] = error / unit, x
            a, b = (edge_ulps, edge_absolute) if abs(y) < edge else (ulps, absolute)
            allowed = a * unit + b + of_input * abs(x)
            if error > best[2] * allowed:
                best[2], best[3] = error / allowed, x
        return undecided, errors, special

    return compare


def session(name: str, case: Case) -> Any:
    """onnxruntime with one node, one thread, no rewriting."""
    node = helper.make_node(case.op or name, ["x"], ["y"], **dict(case.attributes))
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n"]) for n in "xy"]
    opset = 24 if name == "Swish" else 22
    proto = helper.make_model(
        helper.make_graph([node], "g", values[:1], values[1:]),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=10,
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as problem:
        print(f"{name}: onnxruntime has no kernel ({str(problem).splitlines()[0][:80]})")
        return None


def budget_of(name: str, case: Case) -> tuple[float, ...]:
    """The numbers of a budget; derived bounds have none, and their share is not measured."""
    if name not in budgets.BUDGETS:
        return (np.inf, 0.0, 0.0, 0.0, 0.0, 0.0)
    budget = budgets.BUDGETS[name]
    scale = float(np.prod([max(1.0, abs(p)) for p in case.parameters])) if budget.scaled else 1.0
    return (
        budget.ulps,
        budget.absolute * scale,
        budget.of_input,
        budget.edge,
        budget.edge_ulps,
        budget.edge_absolute,
    )


def by_mpfr(case: Case, x: float) -> float:
    """f(x) by MPFR, rounded once to binary32."""
    with gmpy2.context(gmpy2.get_context(), **CONTEXT):
        value = case.exact(gmpy2.mpfr(x))
        if gmpy2.is_nan(value):
            return math.nan
        if abs(value) > gmpy2.mpfr(2) ** 200:
            return math.copysign(math.inf, value)
        if abs(value) < gmpy2.mpfr(2) ** -200:
            return 0.0
        ratio = gmpy2.mpq(value)
        return float(ulp.round_nearest(Fraction(int(ratio.numerator), int(ratio.denominator))))


def patterns(state: State) -> np.ndarray:
    """The next block of inputs."""
    if state.sample:
        rng = np.random.default_rng([state.seed, state.next_block])
        bits = rng.integers(0, TOTAL, BLOCK, dtype=np.uint32)
    else:
        bits = np.arange(BLOCK, dtype=np.uint32) + np.uint32(state.next_block * BLOCK)
    return bits.view(np.float32)


def run(name: str, folder: Path, sample: int, seed: int, seconds: float) -> State:
    """Go on with one function until it is complete or time is over; each block saves the state."""
    case, file = CASES[name], folder / f"{name}.json"
    blocks = (2**sample if sample else TOTAL) // BLOCK
    state = State(name, sample, seed, blocks=blocks)
    if file.exists():
        stored = State(**json.loads(file.read_text()))
        if (stored.sample, stored.seed) == (sample, seed):
            state = stored
    compare, runtime = judge(case.libm, case.margin), session(name, case)
    budget = budget_of(name, case)
    stop = time.monotonic() + seconds
    while state.next_block < blocks and time.monotonic() < stop and not state.wrong:
        started = time.process_time()
        step(state, case, compare, runtime, budget)
        state.seconds += time.process_time() - started
        state.next_block += 1
        file.write_text(json.dumps(asdict(state), indent=1))
    print(
        f"{name}: {state.inputs} of {blocks * BLOCK} inputs, {len(state.wrong)} wrong, "
        f"{state.by_mpfr} by MPFR, onnxruntime {state.worst_ulps:.3f} ulp, {state.seconds:.0f} s",
        flush=True,
    )
    return state


def evaluated(name: str, x: np.ndarray, parameters: tuple[float, ...]) -> tuple[np.ndarray, int]:
    """What the package answers, and how many inputs its binary64 value left open."""
    count, decide = 0, elementary.decide

    def counting(*arguments: Any) -> None:
        nonlocal count
        count += arguments[-1].size
        decide(*arguments)

    elementary.decide = counting
    try:
        result = elementary.evaluate(name, x, *parameters)
        return result, count
    finally:
        elementary.decide = decide


def step(state: State, case: Case, compare: Callable[..., Any], runtime: Any, budget: Any) -> None:
    """One block."""
    x = patterns(state)
    ours, slow = evaluated(state.name, x, case.parameters)
    nan = np.isnan(x)
    theirs = runtime.run(None, {"x": x})[0] if runtime else ours
    open_, wrong = np.empty(x.size, dtype=np.int64), np.zeros(16, dtype=np.int64)
    best = np.array([state.worst_ulps, np.nan, state.worst_share, np.nan])
    undecided, errors, special = compare(x, ours, theirs, open_, wrong, best, budget)
    found = [f"{float(x[i]).hex()} gives {float(ours[i]).hex()}" for i in wrong[: min(errors, 16)]]
    if not np.isnan(ours[nan]).all():
        found.append("a NaN gives a number")
    for i in open_[:undecided].tolist():
        expected = by_mpfr(case, float(x[i]))
        if not (expected == float(ours[i]) or (expected != expected and np.isnan(ours[i]))):
            found.append(f"{float(x[i]).hex()} gives {float(ours[i]).hex()}, MPFR {expected.hex()}")
    state.wrong += found[:16]
    state.fallbacks += slow
    state.inputs += x.size
    state.finite += int(np.count_nonzero(np.isfinite(x)))
    state.by_mpfr += undecided
    state.special += special
    if not math.isnan(best[1]):
        state.worst_ulps, state.worst_ulps_at = float(best[0]), float(best[1]).hex()
    if not math.isnan(best[3]):
        state.worst_share, state.worst_share_at = float(best[2]), float(best[3]).hex()


def shown(literal: str) -> str:
    """An input as a short hexadecimal literal."""
    return f"`{to_hex(float.fromhex(literal))}`" if literal else ""


def report(folder: Path) -> str:
    """The table of all states."""
    states = [State(**json.loads(file.read_text())) for file in sorted(folder.glob("*.json"))]
    lines = [
        "# Elementary functions over all binary32 inputs\n",
        "Written by `python benchmarks/elementary.py report`. "
        + (__doc__ or "").split("\n\n")[2].replace("\n", " "),
        "",
        f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}, numpy {np.__version__}, "
        f"numba {numba.__version__}, MPFR through gmpy2 {gmpy2.version()}, {platform.machine()}, "
        f"{platform.libc_ver()[0]} {platform.libc_ver()[1]}.\n",
        "`decided slowly`: inputs for which our binary64 value left the rounding open, so that integers of "
        "growing precision decided. `by MPFR`: inputs for which the reference's margin did. `onnxruntime`: "
        "its largest error against the real value where that is finite and not 0, and the largest share of "
        "its budget; `inf or NaN`: where onnxruntime gives one although the real value is in range.\n",
        "| function | inputs | wrong | decided slowly | by MPFR | onnxruntime, ulp | at | of its budget | "
        "at | inf or NaN | CPU s |",
        "|---|---:|---:|---:|---:|---:|---|---:|---|---:|---:|",
    ]
    for state in states:
        what = "all 2^32" if not state.sample and state.inputs == TOTAL else f"{state.inputs:,}"
        if state.sample:
            what += f" drawn, seed {state.seed}"
        elif state.inputs < TOTAL:
            what += " (the first patterns)"
        derived = state.name not in budgets.BUDGETS
        share = "derived bound" if derived else f"{state.worst_share:.3f}"
        lines.append(
            f"| {state.name} | {what} | {len(state.wrong)} | {state.fallbacks:,} | {state.by_mpfr:,} | "
            f"{state.worst_ulps:,.3f} | {shown(state.worst_ulps_at)} | {share} | "
            f"{'' if derived else shown(state.worst_share_at)} | {state.special:,} | "
            f"{state.seconds:.0f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run or report; the exit code is 1 where a result was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("action", choices=["run", "report"])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--sample", type=int, default=0, help="draw 2^SAMPLE patterns instead of all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1e9)
    options = parser.parse_intermixed_args()
    options.state.mkdir(parents=True, exist_ok=True)
    if options.action == "report":
        text = report(options.state)
        if options.output:
            options.output.write_text(text, encoding="utf-8")
        print(text)
        return
    assert numba_available()
    states = [
        run(name, options.state, options.sample, options.seed, options.seconds)
        for name in options.names or CASES
    ]
    raise SystemExit(any(state.wrong for state in states))


if __name__ == "__main__":
    main()
