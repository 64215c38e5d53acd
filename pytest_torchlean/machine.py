"""What the bits of a run may depend on besides the model: the processor."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_MOST_BYTES = 2**20


@cache
def processor() -> dict[str, str]:
    """The processor's architecture, model and instruction sets, as far as the system tells them."""
    found = {"architecture": platform.machine(), "processor": platform.processor()}
    for line in _cpuinfo():
        key, _, value = (part.strip() for part in line.partition(":"))
        if key == "model name" and value:
            found["processor"] = value
        if key.lower() in ("flags", "features") and value:
            found["flags"] = " ".join(sorted(value.split()))
            break
    return {key: value for key, value in found.items() if value}


def _cpuinfo() -> list[str]:
    try:
        with _CPUINFO.open("rb") as stream:
            return stream.read(_MOST_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
