"""A proof that can be checked again without this package: Lean files and a script of three lines.

The certificate in a bundle is, byte for byte, the text that Lean accepted; where it accepted several, their
theorems in one text. `Claim.lean` says in words and as one short theorem what it proves. At the level
`evaluated` it holds the document that Lean's interpreter read, and `Claim.lean` is the program that reads it.
Words from the user's files stand in comments only, escaped.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_torchlean.certificate.binary import DocumentData, UnreadableDocument, decode, encode
from pytest_torchlean.certificate.rules import rules_of
from pytest_torchlean.certificate.statement import AffineData
from pytest_torchlean.certificate.text import THEOREM, parse, render
from pytest_torchlean.checker import LEAN_VERSION
from pytest_torchlean.checker.evaluate import program
from pytest_torchlean.checker.library import OPTIONS
from pytest_torchlean.checker.sources import EVALUATED, ROOT, LeanSources, module_path, restricted
from pytest_torchlean.errors import CertificateError
from pytest_torchlean.properties.derived import ASSUMED, BENDS
from pytest_torchlean.properties.looped import MULTIPLIED_OUT, says_what_the_system_is
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
_IMPORT = re.compile(r"^import (\S+)$", re.MULTILINE)
_CONJUNCT = re.compile(
    r"Every \(Claim\.Holds K (?P<semantics>(?:Semantics)?\.(?:real|binary32)) graph\) (?P<claims>\w+)"
)
_MEANINGS = {
    "real": "exact arithmetic on the stored binary32 weights, inputs anywhere in the exact rational region",
    "binary32": "every binary32 execution - any order and grouping of each sum, fused multiply-add or not, "
    "every rounding accounted for, overflow excluded - on every binary32 number of the region's outward "
    "binary32 hull",
}


_ASSUMED = (ASSUMED, BENDS, MULTIPLIED_OUT)
"""What is assumed of the graph, as sentences of the ledger."""


@dataclass(frozen=True)
class AcceptedText:
    """A text that Lean accepted, and the axioms of its theorem as Lean printed them."""

    text: str
    axioms: tuple[str, ...]


@dataclass(frozen=True)
class AcceptedDocument:
    """A document that the compiled checker accepted, and the model's file whose weights it compared."""

    data: bytes
    model: bytes


Accepted = AcceptedText | AcceptedDocument


def bundle_files(
    result: PropertyResult, accepted: Sequence[Accepted], sources: LeanSources, readme: bytes
) -> dict[str, bytes]:
    """The files of a bundle by path. `readme` is the library's; `sources` have all of it that is needed.

    Raises CertificateError TL0620 unless the property is PROVED with texts of the known form, or documents.
    """
    evidence = result.evidence
    if evidence.verdict is not Verdict.PROVED:
        raise CertificateError("TL0620", f"{result.id} is {evidence.verdict.value}: {evidence.found}")
    texts = [proof for proof in accepted if isinstance(proof, AcceptedText)]
    documents = [proof for proof in accepted if isinstance(proof, AcceptedDocument)]
    if texts and not documents and evidence.assurance == "kernel":
        files = _kernel_files(result, texts, sources)
    elif documents and not texts and evidence.assurance == "evaluated":
        files = _evaluated_files(result, documents, sources)
    else:
        raise CertificateError("TL0620", f"{result.id} rests on nothing that a bundle could hold")
    files["lean/README.md"] = readme
    files["SHA256SUMS"] = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items())
    ).encode()
    return files


def _library(sources: LeanSources, *roots: str) -> tuple[dict[str, bytes], list[str]]:
    """The files of what the roots need of the library, and its modules in the order of their imports."""
    sources = restricted(sources, *roots)
    modules = [str(module_path(module, "").as_posix()) for module in sources.modules]
    named = zip(modules, sources.modules, strict=True)
    return {f"lean/{path}.lean": sources.text[module] for path, module in named}, modules


def _kernel_files(
    result: PropertyResult, accepted: Sequence[AcceptedText], sources: LeanSources
) -> dict[str, bytes]:
    proof = _one_text(accepted)
    semantics, claims = _statement(proof.text)
    files, modules = _library(sources, *_IMPORT.findall(proof.text))
    files["lean/Certificate.lean"] = proof.text.encode()
    files["lean/Joined.lean"] = _joined(semantics, claims).encode()
    files["Claim.lean"] = _claim(result, semantics, proof.text, len(accepted)).encode()
    files["MODULES"] = "".join(f"{module}\n" for module in (*modules, "Certificate", "Joined")).encode()
    rests = (
        f"depends on axioms: [{', '.join(proof.axioms)}]" if proof.axioms else "does not depend on any axioms"
    )
    files["recheck.sh"] = _script("Claim.lean", f"'{_NAMESPACE}.{CLAIM}' {rests}").encode()
    return files


def _one_text(accepted: Sequence[AcceptedText]) -> AcceptedText:
    """The text, or one with the theorems of several. Raises CertificateError TL0620 if they do not fit."""
    if len(accepted) == 1:
        return accepted[0]
    try:
        text = render([part for proof in accepted for part in parse(proof.text)])
    except ValueError as error:
        raise CertificateError("TL0620", f"the texts cannot be put together: {error}") from error
    return AcceptedText(text, max((proof.axioms for proof in accepted), key=len))


def _evaluated_files(
    result: PropertyResult, accepted: Sequence[AcceptedDocument], sources: LeanSources
) -> dict[str, bytes]:
    try:
        documents = [decode(proof.data) for proof in accepted]
    except UnreadableDocument as error:
        raise CertificateError("TL0620", f"the document cannot be read back: {error}") from error
    first = documents[0]
    parts = tuple(part for document in documents for part in document.parts)
    whole = replace(first, parts=parts)
    if any((other.semantics, other.graph) != (first.semantics, first.graph) for other in documents):
        raise CertificateError("TL0620", "the documents are about several graphs")
    rules = rules_of(first.graph)
    files, modules = _library(sources, ROOT, *rules.modules, EVALUATED)
    files["document"] = accepted[0].data if len(accepted) == 1 else encode(whole)
    files["model.onnx"] = accepted[0].model
    files["MODULES"] = "".join(f"{module}\n" for module in modules).encode()
    words = "".join(f"{line}\n" for line in _evaluated_words(result, whole, accepted[0].model))
    files["Claim.lean"] = program(rules, f"/-\n{words}-/\n").encode()
    answer = f"recheck accepted: boxes {whole.boxes}, weights compared {whole.compared}"
    files["recheck.sh"] = _script("--run Claim.lean recheck document model.onnx", answer).encode()
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


def _claim(result: PropertyResult, semantics: str, text: str, texts: int) -> str:
    return (
        "prelude\nimport Joined\n/-\n"
        + "".join(f"{line}\n" for line in _words(result, semantics, text, texts))
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


def _other_model(result: PropertyResult) -> tuple[tuple[str, str], ...]:
    other = result.other_model
    if other is None:
        return ()
    steps = f"; raw input: {'; '.join(other.preprocess)}" if other.preprocess else ""
    name = "To model" if result.check == "equivalent" else "Dynamics"
    return ((name, f"{other.path}{steps}"), ("SHA-256", f"{other.sha256} (a label, too)"))


def _head(result: PropertyResult, semantics: str, title: str, use: str) -> Iterator[str]:
    evidence = result.evidence
    yield f"# {title}"
    yield ""
    for name, value in (
        ("Property", result.id),
        ("Model", result.model_path),
        ("SHA-256", f"{result.model_sha256} ({use})"),
        *_other_model(result),
        *((("Raw input", "; ".join(result.preprocess)),) if result.preprocess else ()),
        ("Claim", evidence.claim),
        ("Found", evidence.found),
        ("Executions", f"{semantics}: {_MEANINGS[semantics]}"),
        *((("Assumed", line),) if (line := _assumed(result)) else ()),
    ):
        yield from _wrapped(f"{name + ':':<12}{_comment(value)}")
    if evidence.counts is not None:
        counts = evidence.counts
        yield from _wrapped(
            f"{'Inputs:':<12}{counts.proved} of {counts.total} listed inputs, each with its own boxes below; "
            "nothing is said here about the others, nor which class is the right one."
        )
    yield ""


def _assumed(result: PropertyResult) -> str | None:
    """What no theorem says about the words of the claim, as the ledger has it."""
    trust = result.evidence.trust
    return " ".join(line for line in trust if line in _ASSUMED or says_what_the_system_is(line)) or None


def _words(result: PropertyResult, semantics: str, text: str, texts: int) -> Iterator[str]:
    yield from _head(result, semantics, "What this bundle proves", "a label: Lean does not read the file")
    yield from _wrapped(
        "These words are labels. What Lean checks is the theorem below, about the numbers in "
        "lean/Certificate.lean: `graph` holds the model's weights as 32-bit patterns, `part0_claims` and so "
        "on the inequalities and the boxes. The theorem's words are defined in lean/PytestTorchLean/Spec and "
        "explained in lean/README.md. That the numbers are those of the model file was compared with "
        "onnxruntime when the bundle was made, and is not part of the theorem."
    )
    yield ""
    yield from _graph(text)
    if texts > 1:
        yield from _wrapped(
            f"Lean accepted its theorems in {texts} texts, one after the other, because all together took "
            "too much time or memory. Here they stand in one text, and are checked again one after the other."
        )
    yield ""
    yield from _wrapped(
        f"To check everything again: `sh recheck.sh`, with Lean {LEAN_VERSION} as `lean` on the PATH. It "
        "compiles the library, the certificate and this file, prints the axioms of the theorem below, and "
        "ends with exit code 0 only if all is accepted."
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


def _evaluated_words(result: PropertyResult, document: DocumentData, model: bytes) -> Iterator[str]:
    semantics = document.semantics.value.rpartition(".")[2]
    same = hashlib.sha256(model).hexdigest() == result.model_sha256
    use = "model.onnx here" if same else "a label; the model's own file is model.onnx here"
    yield from _head(result, semantics, "What was evaluated, and can be evaluated again", use)
    yield from _wrapped(
        "There is no theorem about this model. PytestTorchLean.sound, which Lean's kernel checks when "
        "the library is compiled, says: if `check` is true of a graph, claims and a certificate, the "
        "claims hold. The program below reads them from the file `document`, and Lean's interpreter, not "
        "its kernel, computes `check`. So Lean's compiler front, interpreter and run-time library are "
        "trusted too, and the reading of the file. See `The evaluated level` in lean/README.md."
    )
    yield ""
    affine = sum(isinstance(node, AffineData) for node in document.graph.nodes)
    claims = sum(len(part.claims) for part in document.parts)
    yield from _wrapped(
        f"The graph has {document.graph.inputs} inputs, {affine} affine nodes and "
        f"{len(document.graph.nodes) - affine} others. The document has {claims} claims about "
        f"{document.boxes} boxes. The program also compares {document.compared} weights with those "
        "in model.onnx, bit for bit; that the rest of the document is about this model and this claim was "
        "compared when the bundle was made, and is not checked again."
    )
    yield ""
    yield from _wrapped(
        f"To evaluate again: `sh recheck.sh`, with Lean {LEAN_VERSION} as `lean` on the PATH. It compiles "
        "the library, which has the kernel check `sound`, runs the program, and ends with exit code 0 "
        "only if the program accepts."
    )


def _script(command: str, answer: str) -> str:
    """Three commands: check files and version, compile in the order of imports, ask for the answer."""
    options = " ".join((*OPTIONS, "--tstack=262144"))
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
        f"lean {options} {command} > build/answer; code=$?; cat build/answer; "
        f'test $code = 0 && grep -qxF "{answer}" build/answer'
    )
    return f"#!/bin/sh\n{first}\n{second}\n{third}\n"
