"""Print the digest of the checker (Lean sources, Lean), and of the library's files, or `none`.

Run with the Python that pytest-torchlean is installed in. `none`: no digests of the built files are shipped
for this Lean, so a restored library could not be compared with anything, and none may be restored.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from pytest_torchlean.checker.install import find_lean
from pytest_torchlean.checker.library import shipped_digests
from pytest_torchlean.checker.sources import PARTS, ROOT, read_sources, source_directory


def main(configured: str) -> None:
    lean = find_lean(Path(configured) if configured else None)
    folder = source_directory()
    texts = read_sources(folder, ROOT, *PARTS)
    checker = hashlib.sha256(f"{lean.sha256} {texts.sha256}".encode()).hexdigest()
    shipped = shipped_digests(folder, texts, lean)
    names = "none" if shipped is None else hashlib.sha256(repr(sorted(shipped.items())).encode()).hexdigest()
    print(checker, names, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1])
