"""Write lean/oleans.json: the digests that the built library has, after two builds that agree.

    python lean/tools/write_digests.py

To be run after the last change of the sources, before a wheel is made. Digests of other sources are not used.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from pytest_torchlean.checker import ensure_built, find_lean
from pytest_torchlean.checker.library import OPTIONS, SHIPPED


def main() -> int:
    """Build twice in different folders; exit code 1 if a file differs."""
    lean = find_lean(None)
    directory = Path(__file__).resolve().parent.parent
    builds = []
    for name in ("a", "another/folder"):
        with tempfile.TemporaryDirectory() as folder:
            built = ensure_built(lean, cache=Path(folder) / name)
            manifest = built.olean_directory.parent / "build.json"
            builds.append(json.loads(manifest.read_text(encoding="utf-8")))
    first, second = builds
    different = [module for module in first["oleans"] if first["oleans"][module] != second["oleans"][module]]
    if different:
        print("not reproducible:", *different)
        return 1
    (directory / SHIPPED).write_text(
        json.dumps({**first, "options": OPTIONS}, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
