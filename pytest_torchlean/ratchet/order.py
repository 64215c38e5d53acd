"""Which of two plain values is the weaker one, key by key. Where that cannot be told the answer is None.

Every function takes the value before and the value after, None where the key is absent, and answers -1 where
the later one is weaker, 1 where it is stronger, 0 where both mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from pytest_torchlean.ratchet.claims import Plain, is_block
from pytest_torchlean.spec import exact

Answer = int | None
Order = Callable[[Plain | None, Plain | None], Answer]


def equal_only(before: Plain | None, after: Plain | None) -> Answer:
    """For values that no order is known for."""
    return 0 if before == after else None


def ranked(*words: str) -> Order:
    """For words, the weakest first. A word that is not among them has no rank."""

    def order(before: Plain | None, after: Plain | None) -> Answer:
        if before == after:
            return 0
        if before not in words or after not in words:
            return None
        return 1 if words.index(str(after)) > words.index(str(before)) else -1

    return order


def larger(absent: str | None = None) -> Order:
    """For numbers of which the larger one is the stronger; `absent` is what a missing key means."""

    def order(before: Plain | None, after: Plain | None) -> Answer:
        low, high = _number(before, absent), _number(after, absent)
        if low is None or high is None:
            return equal_only(before, after)
        return (high > low) - (high < low)

    return order


def smaller(absent: str | None = None) -> Order:
    """For numbers of which the smaller one is the stronger; `absent` is what a missing key means."""
    return lambda before, after: larger(absent)(after, before)


def margins(before: Plain | None, after: Plain | None) -> Answer:
    """For the lead from which on two models must agree: smaller is stronger, but only 0 lets ties pass."""
    old, new = _number(before, "0"), _number(after, "0")
    if old and new == 0:
        return None
    if old == 0 and new:
        return -1
    return smaller("0")(before, after)


def wider(before: Plain | None, after: Plain | None) -> Answer:
    """For boxes of inputs: the larger region is the stronger claim, and no box is everything."""
    return _boxes(before, after, 1)


def narrower(before: Plain | None, after: Plain | None) -> Answer:
    """For boxes of outputs: the smaller one is the stronger claim, and a missing side is unbounded."""
    return _boxes(before, after, -1)


def supersets(before: Plain | None, after: Plain | None) -> Answer:
    """For blocks of lists that are combined: more of each is stronger."""
    if before == after:
        return 0
    if not is_block(before) or not is_block(after) or before.keys() != after.keys():
        return None
    lists = [(before[key], after[key]) for key in before]
    if not all(isinstance(old, tuple) and isinstance(new, tuple) for old, new in lists):
        return None
    return _joined([_sets(set(old), set(new)) for old, new in lists])


def data_file(before: Plain | None, after: Plain | None) -> Answer:
    """For files: the same bytes are the same claim, whatever their path."""
    if is_block(before) and is_block(after):
        digest = before.get("sha256")
        return 0 if isinstance(digest, str) and len(digest) == 64 and digest == after.get("sha256") else None
    return equal_only(before, after)


def listed(before: Plain | None, after: Plain | None) -> Answer:
    """For the choice of inputs in a file: `all`, `{first: n}` or a list of positions. More are stronger.

    That holds only where every listed input must be proved; `compare.py` sees to that.
    """
    if before == after:
        return 0
    if "all" in (before, after):
        return 1 if after == "all" else -1
    old, new = _first(before), _first(after)
    if old is not None and new is not None:
        return 1 if new > old else -1
    if isinstance(before, tuple) and isinstance(after, tuple):
        return _sets(set(before), set(after))
    return None


def each_larger(before: Plain | None, after: Plain | None) -> Answer:
    """For blocks of numbers by name: every one at least as large, none missing."""
    if before is None and after is not None:
        return 1
    if not is_block(before) or not is_block(after):
        return equal_only(before, after)
    if not before.keys() <= after.keys():
        return -1
    answers = [larger()(before[name], after[name]) for name in before]
    return _joined([*answers, 1 if after.keys() > before.keys() else 0])


def _number(value: Plain | None, absent: str | None) -> Fraction | None:
    text = absent if value is None else value
    if not isinstance(text, str):
        return None
    try:
        return Fraction(text) if "/" in text else exact.number(text)
    except (ValueError, ZeroDivisionError):
        return None


def _first(value: Plain | None) -> Fraction | None:
    return _number(value["first"], None) if is_block(value) and value.keys() == {"first"} else None


def _sets(old: set[Plain], new: set[Plain]) -> Answer:
    if old == new:
        return 0
    return 1 if new > old else -1 if new < old else None


def _joined(answers: list[Answer]) -> Answer:
    """Of parts that all count: weaker where one is weaker and none stronger, and so on."""
    if None in answers or (1 in answers and -1 in answers):
        return -1 if -1 in answers else None
    return -1 if -1 in answers else 1 if 1 in answers else 0


def _boxes(before: Plain | None, after: Plain | None, sign: int) -> Answer:
    """`sign` 1 where the larger box is the stronger claim, -1 where the smaller one is."""
    if before == after:
        return 0
    if before is None or after is None:
        return sign if after is None else -sign
    if not is_block(before) or not is_block(after):
        return None
    if not {*before, *after} <= {"lower", "upper"}:
        return None
    answers: list[Answer] = []
    for side, up in (("lower", -1), ("upper", 1)):
        answers += _sides(before.get(side), after.get(side), up * sign, sign)
    return _joined(answers)


def _sides(before: Plain | None, after: Plain | None, sign: int, outside: int) -> list[Answer]:
    """Elements of one side; `sign` 1 where a larger number is stronger, `outside` what no bound at all is."""
    if before is None or after is None:
        return [0 if before is after else outside if after is None else -outside]
    old = before if isinstance(before, tuple) else (before,)
    new = after if isinstance(after, tuple) else (after,)
    if len(old) != len(new) and 1 not in (len(old), len(new)):
        return [None]
    count = max(len(old), len(new))
    old, new = (side * count if len(side) == 1 else side for side in (old, new))
    answers: list[Answer] = []
    for low, high in zip(old, new, strict=True):
        answer = larger()(low, high)
        answers.append(None if answer is None else answer * sign)
    return answers


CLAIMS: Mapping[str, Order] = {
    "semantics": ranked("real", "binary32"),
    "on_unknown": ranked("warn", "fail"),
    "assurance": ranked("evaluated", "any", "kernel"),
}
"""Keys that every kind of property has. `binary32` counts as the stronger: it speaks of what runs."""

_BALL: Mapping[str, Order] = {
    "epsilon": larger(),
    "domain": wider,
    "data": data_file,
    "at_least": larger("1"),
    "min_accuracy": larger("0"),
    "listed": listed,
}

OF_KIND: Mapping[str, Mapping[str, Order]] = {
    "robustness": _BALL,
    "radius": {**_BALL, "up_to": larger(), "steps": larger()},
    "range": {"input": wider, "output": narrower, "strict": ranked("false", "true")},
    "vnnlib": {"file": data_file},
    "equivalent": {"input": wider, "tolerance": smaller(), "margin": margins},
    "monotone": {"input": wider, "by": larger(), "slack": smaller("0")},
    "lipschitz": {
        "input": wider,
        "apart": larger(),
        "constant": smaller(),
        "slack": smaller("0"),
        "norm": ranked("l1", "l2", "linf"),
    },
    "invariant": {"disturbance": larger("0")},
    "lyapunov": {"ball": smaller(), "decrease": larger("0"), "disturbance": larger("0")},
    "gradient": {"input": wider, "bounds": narrower},
    "residual": {"input": wider, "within": smaller()},
    "runtime": {"samples": larger(), "sessions": supersets, "data": data_file},
}
"""Keys of one kind. A key that stands nowhere has no order: any change of it needs a waiver."""

_VERDICTS = {"PROVED": 2, "AGREED": 2, "UNKNOWN": 1}


def verdicts(before: Plain | None, after: Plain | None) -> Answer:
    """PROVED and AGREED above UNKNOWN above everything else."""
    old, new = _VERDICTS.get(str(before), 0), _VERDICTS.get(str(after), 0)
    return (new > old) - (new < old)


def levels(before: Plain | None, after: Plain | None) -> Answer:
    """The kernel above the evaluated checker above no proof."""
    return ranked("", "evaluated", "kernel")(before or "", after or "")


def _no_bounds(before: Plain | None, after: Plain | None) -> Answer:
    """For proved bounds: tighter is better, and none at all is the worst."""
    if before is None or after is None:
        return 0 if before is after else 1 if before is None else -1
    return narrower(before, after)


RESULTS: Mapping[str, Order] = {
    "verdict": verdicts,
    "level": levels,
    "proved": larger("0"),
    "accuracy": larger("0"),
    "radii": each_larger,
    "bounds": _no_bounds,
    "samples_run": larger("0"),
    "sessions_run": larger("0"),
}
"""What a result is measured by. `total` alone says nothing."""


def order_of(kind: str, key: str) -> Order:
    """The order of a key of a claim of this kind."""
    return OF_KIND.get(kind, {}).get(key) or CLAIMS.get(key, equal_only)
