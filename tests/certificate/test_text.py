"""Emitted text: what is read back is what was written, and no other text is read."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from certificate_examples import ball, centers, conv, mlp
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlean.certificate.forms import margin_forms
from pytest_torchlean.certificate.model import (
    CertificateData,
    ComposedData,
    ConcludeScript,
    DecodingData,
    DirectData,
    Emission,
    NodeScript,
    ScaleData,
    ScriptData,
    SplitScript,
    StepData,
)
from pytest_torchlean.certificate.plan import Goal, build_emission
from pytest_torchlean.certificate.statement import (
    AffineData,
    BoxData,
    ClaimData,
    GraphData,
    MaximumData,
    MinimumData,
    PropertyData,
    ReluData,
    Semantics,
)
from pytest_torchlean.certificate.text import UnreadableText, parse, render

SMALL = st.integers(0, 300)
NUMBER = st.one_of(SMALL, st.integers(0, 2**70), st.integers(0, 40_000).map(lambda n: (1 << n) - 1))
AFFINE = st.builds(AffineData, SMALL, SMALL, SMALL, NUMBER, SMALL, NUMBER, NUMBER)
NODE = st.one_of(AFFINE, *(st.builds(kind, NUMBER, NUMBER) for kind in (ReluData, MaximumData, MinimumData)))
BOX = st.builds(BoxData, NUMBER, NUMBER, SMALL, NUMBER, NUMBER)
CLAIM = st.builds(
    ClaimData, st.builds(PropertyData, AFFINE, st.booleans(), SMALL), st.lists(BOX, max_size=3).map(tuple)
)
DECODING = st.builds(DecodingData, SMALL, SMALL, SMALL)
STEP = st.builds(StepData, DECODING, SMALL, NUMBER)
CONCLUSION = st.one_of(st.builds(DirectData, DECODING), st.builds(ComposedData, DECODING, DECODING, SMALL))
SCRIPT: st.SearchStrategy[ScriptData] = st.recursive(
    st.builds(ConcludeScript, CONCLUSION),
    lambda own: st.one_of(st.builds(NodeScript, STEP, own), st.builds(SplitScript, SMALL, NUMBER, own, own)),
    max_leaves=6,
)
CERTIFICATE = st.builds(
    CertificateData,
    st.builds(ScaleData, NUMBER, NUMBER, SMALL),
    st.lists(st.lists(SCRIPT, max_size=3).map(tuple), max_size=3).map(tuple),
)
GRAPH = st.builds(GraphData, SMALL, st.lists(NODE, max_size=4).map(tuple))
PARTS = st.tuples(st.sampled_from(Semantics), GRAPH).flatmap(
    lambda common: st.lists(
        st.builds(Emission, *map(st.just, common), st.lists(CLAIM, max_size=3).map(tuple), CERTIFICATE),
        min_size=1,
        max_size=3,
    ).map(tuple)
)


@given(PARTS)
@settings(deadline=None, max_examples=60)
def test_what_is_read_back_is_what_was_written(parts: tuple[Emission, ...]) -> None:
    assert parse(render(parts)) == parts


@pytest.fixture(scope="module")
def text() -> str:
    network = mlp(0)
    goals = [
        Goal(margin_forms(k, 3), tuple(ball(c, c[0] ** 2) for c in centers(network, k, 2))) for k in (0, 1)
    ]
    emission = build_emission(network.program, goals)
    return render([emission, replace(emission, claims=emission.claims[:1])])


def edited(text: str, pattern: str, replacement: str) -> str:
    changed, count = re.subn(pattern, replacement, text, count=1, flags=re.MULTILINE)
    assert count == 1
    assert changed != text
    return changed


BOX_NAMED = r"noncomputable def {} : Box := ⟨nat_lit 1, nat_lit 2, nat_lit 3, nat_lit 4, nat_lit 5⟩" + "\n\\1"
EDITS = {
    "claim-dropped-from-its-list": (r"(part0_claims : List Claim := \[)part0_claim0, ", r"\1"),
    "box-dropped-from-its-claim": (r", \[part0_claim0_box0, part0_claim0_box1\]", ", [part0_claim0_box1]"),
    "box-used-twice": (r"\[part0_claim0_box0, part0_claim0_box1\]", "[part0_claim0_box0, part0_claim0_box0]"),
    "definition-dropped": (r"^noncomputable def part0_claim0_box0 .*\n", ""),
    "definition-twice": (r"^(noncomputable def part0_claim0_box0 .*\n)", r"\1\1"),
    "extra-definition": (r"^(noncomputable def graph)", BOX_NAMED.format("other")),
    "checker-shadowed": (r"^(noncomputable def part0_claims)", BOX_NAMED.format("check")),
    "theorem-dropped": (r"^theorem part1_accepted.*\n", ""),
    "theorem-twice": (r"^(theorem part1_accepted.*\n)", r"\1\1"),
    "theorem-about-something-else": (r"(check Rules.plain [A-Za-z0-9.]+ graph part)1", r"\g<1>0"),
    "conclusion-weaker": (r" ∧ Every \(Claim.Holds K Semantics.real graph\) part1_claims", ""),
    "conclusion-about-no-claims": (r"Every \(Claim.Holds K Semantics.real graph\) part1_claims", "True"),
    "conclusion-dropped": (r"^theorem holds.*\n", ""),
    "conclusion-twice": (r"^(theorem holds.*\n)", r"\1\1"),
    "other-executions-proved": (r"Claim.Holds K Semantics.real", "Claim.Holds K Semantics.binary32"),
    "other-executions-checked": (r"Rules.plain Semantics.real", "Rules.plain Semantics.binary32"),
    "unknown-executions": (r"Rules.plain Semantics.real", "Rules.plain Semantics.other"),
    "other-rules": (r"check Rules.plain", "check Rules.smooth"),
    "unknown-rules": (r"check Rules.plain", "check Rules.more"),
    "no-rules-named": (r"check Rules.plain", "check"),
    "rules-that-are-not-needed": (r"^(import PytestTorchLean)$", r"\1\n\1.Smooth"),
    "script-of-another-kind": (r"(part1_script0 : )Script", r"\1Graph"),
    "script-used-before-its-definition": (r"part0_script0", "part0_script9"),
    "script-of-another-part": (r"(part1_certificate : .*)part1_script", r"\1part0_script"),
    "conclusion-as-a-script": (r"Script.conclude ", ""),
    "unknown-constructor": (r"Script.conclude", "Script.believe"),
    "another-ring": (r"\[OrderedRing K\]", "[Inhabited K]"),
    "proof-by-sorry": (r"by decide \+kernel", "by sorry"),
    "proof-by-native-code": (r"by decide \+kernel", "by native_decide"),
    "comment": (r"^(theorem holds)", r"-- harmless\n\1"),
    "comment-in-a-line": (r"^(noncomputable def graph : Graph := .*)$", r"\1 -- harmless"),
    "block-comment": (r"nat_lit 0x", "/- -/ nat_lit 0x"),
    "axiom": (r"^(theorem holds)", r"axiom all : False\n\1"),
    "option": (r"^(noncomputable def graph)", r"set_option debug.skipKernelTC true\n\1"),
    "import": (r"^import PytestTorchLean$", "import PytestTorchLean.Core"),
    "another-namespace": (r"^namespace .*$", "namespace PytestTorchLean"),
    "text-after-the-end": (r"\Z", "theorem more : True := trivial\n"),
    "blank-line": (r"^(theorem holds)", r"\n\1"),
    "two-spaces": (r"nat_lit 0x", "nat_lit  0x"),
    "arithmetic-on-a-name": (r"⟨nat_lit ([0-9]+), nat_lit", r"⟨Nat.add (graph) (nat_lit \1), nat_lit"),
    "a-power-too-large": (r"nat_lit 0x", "Nat.pow (nat_lit 2) (nat_lit 99999999999) nat_lit 0x"),
    "a-tower-of-powers": (r"nat_lit 0x", "Nat.pow (nat_lit 9) (nat_lit 999999) nat_lit 0x"),
    "brackets-without-end": (r"nat_lit 0x", "(" * 5000 + "nat_lit 0x"),
    "a-list-where-a-number-belongs": (r"⟨nat_lit ([0-9]+), nat_lit", r"⟨[nat_lit \1], nat_lit"),
    "other-line-ends": (r"\n", "\r\n"),
    "line-separator": (r"^(theorem holds)", "\u2028\\1"),
    "other-digits": (r"nat_lit ([0-9]+),", "nat_lit \u0661,"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_no_other_text_is_read(name: str, text: str) -> None:
    assert render(parse(text)) == text
    with pytest.raises(UnreadableText):
        parse(edited(text, *EDITS[name]))


def test_a_changed_number_is_another_emission(text: str) -> None:
    changed = edited(text, r"(part0_claim0_box0 : Box := ⟨nat_lit) ([0-9]+)", r"\1 7\2")
    assert parse(changed) != parse(text)


def test_texts_differ_in_numbers_only(text: str) -> None:
    """No name or string of a model gets in: without its numbers a text is made of the same words."""

    def words(text: str) -> set[str]:
        return {
            re.sub(r"\d+", "", word) for word in re.findall(r"[^\W\d]\w*", re.sub(r"0x[0-9a-f]+", "", text))
        }

    (center,) = centers(conv(1), 0)
    other = build_emission(conv(1).program, [Goal(margin_forms(0, 2), (ball(center, center[0] ** 2),))])
    assert words(render([other])) <= words(text)


def test_what_has_no_text() -> None:
    network = mlp(1)
    emission = build_emission(network.program, [Goal(margin_forms(0, 3), ())])
    other = replace(emission, graph=replace(emission.graph, inputs=9))
    negative = replace(emission, graph=replace(emission.graph, inputs=-1))
    for parts in ([], [emission, other], [negative]):
        with pytest.raises(ValueError, match=r"graph|negative"):
            render(parts)
