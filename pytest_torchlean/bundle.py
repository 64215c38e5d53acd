"""A proof that can be checked again without this package: Lean files and a script of three lines.

The certificate in a bundle is, byte for byte, the text that Lean accepted. `Claim.lean` says in words and as
one short theorem what it proves. Words from the user's files stand in comments only, escaped.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_torchlean.certificate.text import THEOREM
from pytest_torchlean.checker import LEAN_VERSION
from pytest_torchlean.checker.library import OPTIONS
from pytest_torchlean.checker.sources import LeanSources, module_path
from pytest_torchlean.errors import CertificateError
from pytest_torchlean.report.escape import terminal_line
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.verdict import Verdict

CLAIM = "claim"
"""Name of the theorem that the auditor reads, in the certificate's namespace."""
_NAMESPACE = THEOREM.rpartition(".")[0]
_WIDTH = 100
_STATEMENT = re.compile(
    r"^theorem holds\.\{u\} \(K : Type u\) \[OrderedRing K\] : (?P<statement>[^\n]*?) :=", re.MULTILINE
)
_CONJUNCT = re.compile(
    r"Every \(Claim\.Holds K (?P<semantics>(?:Semantics)?\.(?:real|binary32)) graph\) (?P<claims>\w+)"
)
_MEANINGS = {
    "real": "exact arithmetic on the stored binary32 weights, inputs anywhere in the exact rational region",
    "binary32": "every binary32 execution - any order and grouping of each sum, fused multiply-add or not, "
    "every rounding accounted for, overflow excluded - on every binary32 number of the region's outward "
    "binary32 hull",
}


@dataclass(frozen=True)
class AcceptedText:
    """A text that Lean accepted, and the axioms of its theorem as Lean printed them."""

    text: str
    axioms: tuple[str, ...]


def bundle_files(
    result: PropertyResult, accepted: Sequence[AcceptedText], sources: LeanSources, readme: bytes
) -> dict[str, bytes]:
    """The files of a bundle by path. `readme` is the library's.

    Raises CertificateError TL0620 unless the property is PROVED by Lean's kernel with one text.
    """
    evidence = result.evidence
    if evidence.verdict is not Verdict.PROVED or evidence.assurance != "kernel":
        level = f" at level `{evidence.assurance}`" if evidence.assurance else ""
        raise CertificateError("TL0620", f"{result.id} is {evidence.verdict.value}{level}: {evidence.found}")
    if len(accepted) != 1:
        raise CertificateError("TL0620", f"{result.id} rests on {len(accepted)} texts, a bundle holds one")
    (proof,) = accepted
    semantics, claims = _statement(proof.text)
    modules = [str(module_path(module, "").as_posix()) for module in sources.modules]
    files: dict[str, bytes] = {
        f"lean/{path}.lean": sources.text[module]
        for path, module in zip(modules, sources.modules, strict=True)
    }
    files["lean/README.md"] = readme
    files["lean/Certificate.lean"] = proof.text.encode()
    files["lean/Joined.lean"] = _joined(semantics, claims).encode()
    files["Claim.lean"] = _claim(result, semantics, proof.text).encode()
    files["MODULES"] = "".join(f"{module}\n" for module in (*modules, "Certificate", "Joined")).encode()
    files["recheck.sh"] = _script(proof.axioms).encode()
    files["SHA256SUMS"] = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items())
    ).encode()
    return files


def write_bundle(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files. Raises CertificateError TL0621 if the folder holds something already, OSError."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CertificateError("TL0621", f"{folder} exists and is not an empty folder")
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "recheck.sh").chmod(0o755)


def _statement(text: str) -> tuple[str, tuple[str, ...]]:
    """The semantics and the lists of claims that the text's last theorem is about."""
    found = _STATEMENT.search(text)
    pieces = found["statement"].split(" ∧ ") if found else []
    conjuncts = [_CONJUNCT.fullmatch(piece) for piece in pieces]
    known = [(match["semantics"].rpartition(".")[2], match["claims"]) for match in conjuncts if match]
    if not known or len(known) != len(pieces) or len({semantics for semantics, _ in known}) != 1:
        raise CertificateError("TL0620", "the certificate's theorem has a form that no bundle states")
    return known[0][0], tuple(claims for _, claims in known)


def _joined(semantics: str, claims: Sequence[str]) -> str:
    """The module that lists all claims and joins the certificate's theorems about them."""
    listed = textwrap.fill(", ".join(claims), _WIDTH, initial_indent="  ", subsequent_indent="  ")
    names = [f"h{index}" for index in range(len(claims))]
    known = names[0] if len(names) == 1 else f"⟨{', '.join(names)}⟩"
    return (
        "prelude\nimport Certificate\n"
        "/-! The claims of the certificate in one list, and its theorem about them. -/\n"
        f"namespace {_NAMESPACE}\n"
        f"noncomputable def claims : List (List Claim) := [\n{listed}]\n"
        "theorem joined.{u} (K : Type u) [OrderedRing K] :\n"
        f"    Every (Every (Claim.Holds K Semantics.{semantics} graph)) claims :=\n"
        f"  match holds K with\n  | {known} => ⟨{', '.join((*names, 'trivial'))}⟩\n"
        f"end {_NAMESPACE}\n"
    )


def _claim(result: PropertyResult, semantics: str, text: str) -> str:
    return (
        "prelude\nimport Joined\n/-\n"
        + "".join(f"{line}\n" for line in _words(result, semantics, text))
        + f"-/\nnamespace {_NAMESPACE}\n\n{_THEOREM.format(semantics=semantics)}\nend {_NAMESPACE}\n\n"
        f"#print axioms {_NAMESPACE}.{CLAIM}\n"
    )


_THEOREM = """\
theorem claim.{{u}} (K : Type u) [OrderedRing K] :     -- over every linearly ordered commutative ring,
    Every (Every fun stated : Claim =>                -- for each of the claims listed in lean/Joined.lean,
      Every (fun box : Box =>                         -- for each of its boxes,
        ∀ slots : Nat → K,                            -- for every assignment of numbers to the slots
          Executes .{semantics} graph slots →         -- that is an execution of the graph
          box.Contains .{semantics} graph.inputs slots →    -- on an input that the box contains,
          stated.property.Holds slots ∧               -- the inequalities hold
          NodesFinite .{semantics} slots graph.nodes) -- and no operation overflows.
        stated.boxes) claims :=
  joined K
"""


def _words(result: PropertyResult, semantics: str, text: str) -> Iterator[str]:
    evidence = result.evidence
    yield "# What this bundle proves"
    yield ""
    for name, value in (
        ("Property", result.id),
        ("Model", result.model_path),
        ("SHA-256", f"{result.model_sha256} (a label: Lean does not read the file)"),
        ("Claim", evidence.claim),
        ("Found", evidence.found),
        ("Executions", f"{semantics}: {_MEANINGS[semantics]}"),
    ):
        yield from _wrapped(f"{name + ':':<12}{_comment(value)}")
    if evidence.counts is not None:
        counts = evidence.counts
        yield from _wrapped(
            f"{'Inputs:':<12}{counts.proved} of {counts.total} listed inputs, each with its own boxes below; "
            "nothing is said here about the others, nor which class is the right one."
        )
    yield ""
    yield from _wrapped(
        "These words are labels. What Lean checks is the theorem below, about the numbers in "
        "lean/Certificate.lean: `graph` holds the model's weights as 32-bit patterns, `part0_claims` and so "
        "on the inequalities and the boxes. The theorem's words are defined in lean/PytestTorchLean/Spec and "
        "explained in lean/README.md. That the numbers are those of the model file was compared with "
        "onnxruntime when the bundle was made, and is not part of the theorem."
    )
    yield ""
    yield from _graph(text)
    yield ""
    yield from _wrapped(
        f"To check everything again: `sh recheck.sh`, with Lean {LEAN_VERSION} as `lean` on the PATH. It "
        "compiles the library, the certificate and this file, prints the axioms of every theorem named in "
        "the library's README and of the theorem below, and ends with exit code 0 only if all is accepted."
    )


def _graph(text: str) -> Iterator[str]:
    """How many slots, nodes and boxes the certificate speaks of, counted in its text."""
    inputs = re.search(r"^noncomputable def graph : Graph := ⟨nat_lit (\d+),", text, re.MULTILINE)
    affine = len(re.findall(r"^(?:noncomputable )?def node\d+ : Node := Node\.affine", text, re.MULTILINE))
    nodes = len(re.findall(r"^(?:noncomputable )?def node\d+ : Node :=", text, re.MULTILINE))
    boxes = len(re.findall(r"^noncomputable def part\d+_claim\d+_box\d+ : Box", text, re.MULTILINE))
    claims = len(re.findall(r"^noncomputable def part\d+_claim\d+ : Claim", text, re.MULTILINE))
    yield from _wrapped(
        f"The graph has {inputs[1] if inputs else 'unknown'} inputs, {affine} affine nodes and "
        f"{nodes - affine} others. The certificate has {claims} claims about {boxes} boxes."
    )


def _comment(text: str) -> str:
    """Text that cannot end a Lean comment or begin another, in one line without harmful characters."""
    line = terminal_line(text)
    while "-/" in line or "/-" in line:
        line = line.replace("-/", "- /").replace("/-", "/ -")
    return line


def _wrapped(text: str) -> Iterator[str]:
    lines = textwrap.wrap(text, _WIDTH, subsequent_indent=" " * 12 if text[10:12] == "  " else "") or [""]
    for line in lines:
        yield _comment(line)


def _script(axioms: Sequence[str]) -> str:
    """Three commands: check the files and the version, compile in the order of imports, check the claim."""
    options = " ".join((*OPTIONS, "--tstack=262144"))
    rests = f"depends on axioms: [{', '.join(axioms)}]" if axioms else "does not depend on any axioms"
    answer = f"'{_NAMESPACE}.{CLAIM}' {rests}"
    first = (
        'cd "$(dirname "$0")" && rm -rf build && mkdir build && export LEAN_PATH=build && '
        "if command -v sha256sum; then sha256sum --quiet -c SHA256SUMS; fi && "
        f'lean --version | grep -F "version {LEAN_VERSION}," || exit 1'
    )
    second = (
        'while read -r module; do mkdir -p "$(dirname "build/$module")" && '
        f'lean {options} --root=lean -o "build/$module.olean" "lean/$module.lean" || exit 1; done < MODULES'
    )
    third = (
        f"lean {options} Claim.lean > build/answer; code=$?; cat build/answer; "
        f'test $code = 0 && grep -qxF "{answer}" build/answer'
    )
    return f"#!/bin/sh\n{first}\n{second}\n{third}\n"
