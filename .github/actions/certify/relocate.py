"""Make the places in annotations and SARIF relative to the repository, where the project is a folder of it.

Run as `relocate.py PREFIX REPORTS`. Needs the standard library only.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import quote


def annotations(text: str, prefix: str) -> str:
    """`file=` of each workflow command gets the prefix."""
    for old, new in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C")):
        prefix = prefix.replace(old, new)
    lines = []
    for line in text.splitlines(keepends=True):
        head, found, rest = line.partition(" file=")
        lines.append(f"{head}{found}{prefix}/{rest}" if found and head in ("::error", "::warning") else line)
    return "".join(lines)


def sarif(text: str, prefix: str) -> str:
    """The URI of every result's location gets the prefix."""
    log = json.loads(text)
    quoted = quote(prefix, safe="/-._~")
    for run in log["runs"]:
        for result in run["results"]:
            for location in result["locations"]:
                place = location["physicalLocation"]["artifactLocation"]
                place["uri"] = f"{quoted}/{place['uri']}"
    return json.dumps(log, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def main(prefix: str, reports: Path) -> None:
    for name, relocated in (("annotations.txt", annotations), ("results.sarif", sarif)):
        path = reports / name
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "surrogateescape")
            path.write_bytes(relocated(text, prefix).encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
