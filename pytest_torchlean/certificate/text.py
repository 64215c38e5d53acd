"""An emission as a Lean module, and back: the guard reads the very text that Lean checks.

The text contains no name or string of the user's files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pytest_torchlean.certificate.apart import joined
from pytest_torchlean.certificate.model import (
    CaseData,
    CertificateData,
    Emission,
    PartScript,
    ScaleData,
    ScriptData,
)
from pytest_torchlean.certificate.rules import Rules, rules_of
from pytest_torchlean.certificate.scripts import share
from pytest_torchlean.certificate.statement import (
    AffineData,
    BoxData,
    ClaimData,
    GraphData,
    NodeData,
    Semantics,
)
from pytest_torchlean.certificate.terms import (
    Name,
    UnreadableText,
    constructed,
    listed,
    long_numbers,
    number,
    read,
    structure,
    term,
)

__all__ = ["THEOREM", "UnreadableText", "parse", "render"]

THEOREM = "PytestTorchLean.Emitted.holds"
"""Full name of the theorem that an emitted text proves."""
_OPTIONS = """set_option maxRecDepth 1000000
set_option maxHeartbeats 0
set_option linter.all false
namespace PytestTorchLean.Emitted
"""


def _header(rules: Rules) -> str:
    return "".join(
        ["prelude\nimport PytestTorchLean\n", *(f"import {module}\n" for module in rules.modules), _OPTIONS]
    )


def render(parts: Sequence[Emission]) -> str:
    """The module that proves every part.

    ValueError for no part, and for parts about several graphs or semantics.
    """
    if not parts or any(
        (part.semantics, part.graph) != (parts[0].semantics, parts[0].graph) for part in parts
    ):
        raise ValueError("a text is about one graph and one semantics")
    first = parts[0]
    lines = [_header(rules_of(first.graph))]
    names = []
    for index, node in enumerate(first.graph.nodes):
        name = f"node{index}"
        names.append(name)
        if isinstance(node, AffineData):
            lines.extend(_define_structure(f"{name}_affine", "Affine", node))
            lines.append(_define(name, "Node", f"Node.affine {name}_affine"))
        else:
            lines.append(_define(name, "Node", term(node)))
    lines.append(_define("graph", "Graph", structure([number(first.graph.inputs), listed(names)])))
    for index, part in enumerate(parts):
        lines.extend(_part(index, part))
    semantics = first.semantics.value
    holds = f"Every (Claim.Holds K {semantics} graph)"
    statements = [f"{holds} part{index}_claims" for index in range(len(parts))]
    proofs = [
        f"sound_parts (part{index}_accepted K)" if part.apart else f"sound K part{index}_accepted"
        for index, part in enumerate(parts)
    ]
    lines.append(
        f"theorem holds.{{u}} (K : Type u) [OrderedRing K] : {' ∧ '.join(statements)} := "
        + (proofs[0] if len(proofs) == 1 else f"⟨{', '.join(proofs)}⟩")
    )
    lines.append("end PytestTorchLean.Emitted\n")
    return "\n".join(lines)


def _define(name: str, kind: str, value: str) -> str:
    return f"noncomputable def {name} : {kind} := {value}"


def _define_structure(name: str, kind: str, value: Any) -> Iterator[str]:
    """A structure after its long numbers."""
    names: dict[int, str] = {}
    for field, long in long_numbers(value).items():
        names.setdefault(long, f"{name}_{field}")
        if names[long] == f"{name}_{field}":
            yield _define(names[long], "Nat", number(long))
    yield _define(name, kind, term(value, lambda part: names.get(part) if isinstance(part, int) else None))


def _part(index: int, part: Emission) -> Iterator[str]:
    prefix = f"part{index}"
    claims = []
    for place, claim in enumerate(part.claims):
        name = f"{prefix}_claim{place}"
        yield from _define_structure(f"{name}_forms", "Affine", claim.property.forms)
        boxes = []
        for position, box in enumerate(claim.boxes):
            own = f"{name}_box{position}"
            boxes.append(own)
            yield from _define_structure(own, "Box", box)
        about = claim.property
        stated = structure([f"{name}_forms", term(about.strict), number(about.alternatives)])
        yield _define(name, "Claim", structure([stated, listed(boxes)]))
        claims.append(name)
    yield _define(f"{prefix}_claims", "List Claim", listed(claims))
    certificate = part.certificate
    scripts = [script for scripts in certificate.scripts for script in scripts]
    shared = share([*scripts, *(own.script for own in part.apart)])

    def name_of(value: Any) -> str | None:
        place = shared.number(value)
        return None if place is None else f"{prefix}_script{place}"

    for place, script in enumerate(shared.defined):
        yield _define(f"{prefix}_script{place}", "Script", constructed(script, name_of))
    if part.apart:
        yield from _apart(prefix, part, name_of)
        return
    yield _define(f"{prefix}_certificate", "Certificate", term(certificate, name_of))
    yield (
        f"theorem {prefix}_accepted : check {rules_of(part.graph).value} {part.semantics.value} graph "
        f"{prefix}_claims {prefix}_certificate = Bool.true := by decide +kernel"
    )


def _apart(prefix: str, part: Emission, name_of: Name) -> Iterator[str]:
    """A theorem for each part of the tree, and one that joins them."""
    if len(part.claims) != 1 or len(part.claims[0].boxes) != 1 or part.certificate.scripts:
        raise ValueError("parts are about one box, and have the only scripts")
    claim, semantics, rules = f"{prefix}_claim0", part.semantics.value, rules_of(part.graph).value
    yield _define(f"{prefix}_scale", "Scale", term(part.certificate.scale))
    theorems = []
    for place, own in enumerate(part.apart):
        path = f"{prefix}_path{place}"
        yield _define(path, "List Case", term(own.path))
        theorems.append(f"{prefix}_case{place}")
        yield (
            f"theorem {theorems[-1]} : checkPart {rules} {semantics} graph {prefix}_scale {claim}.property "
            f"{claim}_box0 {path} {name_of(own.script)} = Bool.true := by decide +kernel"
        )
    yield (
        f"theorem {prefix}_accepted.{{u}} (K : Type u) [OrderedRing K] : PartsHold K {semantics} graph "
        f"{prefix}_scale {prefix}_claims := ⟨⟨{joined(part.apart, theorems)}, trivial⟩, trivial⟩"
    )


_KINDS: dict[str, Any] = {
    "Nat": int,
    "Affine": AffineData,
    "Node": NodeData,
    "Graph": GraphData,
    "Box": BoxData,
    "Claim": ClaimData,
    "List Claim": tuple[ClaimData, ...],
    "Script": ScriptData,
    "Certificate": CertificateData,
    "Scale": ScaleData,
    "List Case": tuple[CaseData, ...],
}
_DEFINITION = re.compile(r"noncomputable def ([a-z][a-z0-9_]*) : ([A-Za-z ]+) := (.*)")
_ACCEPTED = re.compile(r"theorem part[0-9]+_accepted : check [A-Za-z.]+ ([A-Za-z0-9.]+) .*")
_CASE = re.compile(
    r"theorem part([0-9]+)_case([0-9]+) : checkPart .* ([a-z0-9_]+) = Bool\.true := by decide \+kernel"
)
_JOINED = re.compile(r"theorem part[0-9]+_accepted\.\{u\} .* : PartsHold K ([A-Za-z0-9.]+) .*")


def parse(text: str) -> tuple[Emission, ...]:
    """The parts that a rendered text speaks about: `render(parse(text)) == text`, character by character.

    Raises UnreadableText for every other text.
    """
    header = next((header for header in map(_header, Rules) if text.startswith(header)), None)
    if header is None:
        raise UnreadableText("the header differs")
    known: dict[str, Any] = {}
    semantics: list[str] = []
    cases: dict[int, list[PartScript]] = {}
    for line in text[len(header) :].split("\n"):
        definition = _DEFINITION.fullmatch(line)
        accepted = _ACCEPTED.fullmatch(line) or _JOINED.fullmatch(line)
        case = _CASE.fullmatch(line)
        if definition is not None:
            name, kind = definition[1], _KINDS.get(definition[2])
            if name in known or kind is None:
                raise UnreadableText(f"{name} is defined twice, or as something unknown")
            # a number knows no other, so that arithmetic cannot build on its own results
            known[name] = read(definition[3], kind, {} if kind is int else known, 4 * len(text))
        elif accepted is not None:
            semantics.append(accepted[1])
        elif case is not None:
            path, script = known.get(f"part{case[1]}_path{case[2]}"), known.get(case[3])
            if path is None or script is None:
                raise UnreadableText("a part of a tree is incomplete")
            cases.setdefault(int(case[1]), []).append(PartScript(path, script))
    try:
        parts = tuple(
            Emission(
                Semantics(meaning),
                known["graph"],
                known[f"part{index}_claims"],
                CertificateData(known[f"part{index}_scale"], ())
                if index in cases
                else known[f"part{index}_certificate"],
                tuple(cases.get(index, ())),
            )
            for index, meaning in enumerate(semantics)
        )
        same = bool(parts) and render(parts) == text
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise UnreadableText("a part is incomplete") from error
    if not same:
        raise UnreadableText("the text says more or something else than its data")
    return parts
