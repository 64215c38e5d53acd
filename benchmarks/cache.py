"""How much less a rerun searches: the example repository cold, then warm, in one process.

    python benchmarks/cache.py --output benchmarks/CACHE.md

Seconds of this process's own processor time, so that other work on the machine does not count: `search` is
everything that looks for certificates and witnesses (in the record `bound` and `search`), `cache` what the
cache itself takes, `Lean` Lean's own processor time. A first run without a cache loads everything that is
loaded once. Lean checks every proof again, warm as cold.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path

from pytest_torchlean.cache.store import Store
from pytest_torchlean.gate import run_spec
from pytest_torchlean.outputs import environment_of
from pytest_torchlean.report.record import record, without_timings
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.spec import load_spec

EXAMPLE = Path(__file__).resolve().parent.parent / "example_repo"
SEARCH = ("bound", "search")


def run(store: Store | None, only: set[str] | None = None) -> tuple[dict[str, PropertyResult], float]:
    """Results by id with processor time for seconds, and the processor time of Lean."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    spec = load_spec(EXAMPLE / "torchlean.yaml", EXAMPLE)
    # the record's seconds come from the monotonic clock; here they are this process's processor time
    clock, time.monotonic = time.monotonic, time.process_time
    try:
        results = run_spec(spec, root=EXAMPLE, cache=store, select=only)
    finally:
        time.monotonic = clock
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lean = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {result.id: result for result in results if only is None or result.id in only}, lean


def search(result: PropertyResult) -> float:
    return sum(result.evidence.seconds.get(step, 0.0) for step in SEARCH)


def plain(results: dict[str, PropertyResult]) -> str:
    listed = list(results.values())
    return json.dumps(without_timings(record(listed, environment_of(listed))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    os.chdir(EXAMPLE)
    spec = load_spec(EXAMPLE / "torchlean.yaml", EXAMPLE)
    chosen = {spec.item_id(prop) for prop in spec.properties if prop.check != "runtime"}
    run(None, {spec.item_id(prop) for prop in spec.properties if prop.check == "range"})
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "kept", 1 << 28)
        cold, lean_cold = run(store, chosen)
        size = store.state
        warm, lean_warm = run(store, chosen)
    states = Counter(result.evidence.effort["cache"] for result in warm.values())
    lines = [
        "# A rerun without change",
        "",
        "    python benchmarks/cache.py --output benchmarks/CACHE.md",
        "",
        "The properties of example_repo that are proved, cold and then warm in one process; seconds of",
        "processor time. `search`: looking for certificates and witnesses. `cache`: reading, stating again,",
        "replaying, writing. Lean checks every proof again.",
        "",
        "| property | search, cold | search, warm | times less | cache, cold | cache, warm | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for identifier, first in cold.items():
        second = warm[identifier]
        ratio = search(first) / max(search(second), 1e-9)
        own = [result.evidence.seconds["cache"] for result in (first, second)]
        lines.append(
            f"| {identifier.partition('::')[2]} | {search(first):.3f} | {search(second):.3f} | {ratio:.1f} | "
            f"{own[0]:.3f} | {own[1]:.3f} | {second.evidence.verdict.value} |"
        )
    totals = [sum(map(search, results.values())) for results in (cold, warm)]
    caches = [
        sum(result.evidence.seconds["cache"] for result in results.values()) for results in (cold, warm)
    ]
    lines += [
        f"| **all** | **{totals[0]:.3f}** | **{totals[1]:.3f}** | **{totals[0] / totals[1]:.1f}** | "
        f"{caches[0]:.3f} | {caches[1]:.3f} | |",
        "",
        "| | cold | warm |",
        "|---|---|---|",
        f"| Lean | {lean_cold:.1f} | {lean_warm:.1f} |",
        f"| Lean's share of Lean and search | {lean_cold / (lean_cold + totals[0]):.1%} | "
        f"{lean_warm / (lean_warm + totals[1]):.1%} |",
        "",
        f"{size.entries} entries, {size.bytes / 1000:.0f} kB; in the second run "
        + ", ".join(f"{count} {word}" for word, count in sorted(states.items()))
        + f". The two records without timings are {'equal' if plain(cold) == plain(warm) else 'DIFFERENT'}.",
        "",
        "What is left of the search is what no entry may answer: inputs neither proved nor refuted are",
        "searched again, and the bounds and margins that a report shows are computed again.",
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.output:
        options.output.write_text(text)


if __name__ == "__main__":
    main()
