"""The table of error codes as a page: `python -m pytest_torchlean.error_reference > docs/errors.md`."""

from __future__ import annotations

from pytest_torchlean.error_codes import CODES
from pytest_torchlean.error_examples import EXAMPLES

_GROUPS = {
    "TL01": "The model file",
    "TL02": "What lies outside the supported models",
    "TL03": "torchlean.yaml and the decorators",
    "TL04": "Data files",
    "TL05": "Lean and the checker",
    "TL06": "Certificates and their guard",
    "TL07": "onnxruntime and arithmetic",
    "TL08": "Reports",
    "TL09": "Ourselves",
    "TL10": "Extensions of third parties",
    "TL11": "The baseline ratchet",
}


def reference() -> str:
    """Every code with its cause and its fix, as Markdown."""
    parts = [
        "# Error reference\n",
        "Written by `python -m pytest_torchlean.error_reference`. `torchlean explain TLnnnn` says the same "
        "in a terminal. A code never changes its meaning and is never used again for another one.\n",
    ]
    group = ""
    for code in sorted(CODES):
        if code[:4] != group:
            group = code[:4]
            parts.append(f"# {_GROUPS.get(group, group + 'xx')}\n")
        row = CODES[code]
        example = f"- example: {EXAMPLES[code]}\n" if code in EXAMPLES else ""
        parts.append(f"## {code}\n\n{row.title}\n\n- cause: {row.cause}\n{example}- fix: {row.fix}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(reference(), end="")
