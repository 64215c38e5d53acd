"""`torchlean bundle`: Lean alone checks it again, and says no to any other bundle."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import model

from pytest_torchlean import bundle, invariant
from pytest_torchlean.bundle import AcceptedText, bundle_files, write_bundle
from pytest_torchlean.certificate.binary import decode, encode
from pytest_torchlean.certificate.text import parse
from pytest_torchlean.checker import BuiltLibrary, CheckResult, LeanInstall, Outcome, _launcher
from pytest_torchlean.checker.sources import read_sources, source_directory
from pytest_torchlean.cli import main
from pytest_torchlean.errors import CertificateError
from pytest_torchlean.properties import emitted, parts
from pytest_torchlean.properties.derived import ASSUMED, BENDS
from pytest_torchlean.properties.looped import MULTIPLIED_OUT, assumed
from pytest_torchlean.results import PropertyResult
from pytest_torchlean.verdict import Evidence, Verdict

SPEC = """\
version: 1
defaults: {semantics: real}
models:
  net: {path: "a-/net.onnx"}
properties:
  - {name: bounded, model: net, check: range, input: {lower: 0, upper: 1}, output: {lower: -1, upper: 3}}
  - {name: tight, model: net, check: range, input: {lower: 0, upper: 1}, output: {lower: 0, upper: 1/4}}
  - name: evaluated
    model: net
    check: range
    input: {lower: 0, upper: 1}
    output: {lower: -1, upper: 3}
    assurance: evaluated
  - {name: robust, model: net, check: robustness, epsilon: 1/8, data: data.npz, at_least: 80%}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with three outputs, bounds that hold and do not hold, and five labelled inputs."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "pyproject.toml").touch()
    nodes = [
        helper.make_node("Gemm", ["x", "w1"], ["z"]),
        helper.make_node("Relu", ["z"], ["h"]),
        helper.make_node("Gemm", ["h", "w2"], ["y"]),
    ]
    weights = {
        "w1": np.array([[1, -1], [-1, 1]], dtype=np.float32),
        "w2": np.array([[1, 0, 0.5], [0, 1, 0.25]], dtype=np.float32),
    }
    (folder / "a-").mkdir()
    onnx.save(model(nodes, {"x": [1, 2]}, {"y": [1, 3]}, weights), folder / "a-" / "net.onnx")
    inputs = np.array([[0.9, 0.1], [0.1, 0.9], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], dtype=np.float32)
    np.savez(folder / "data.npz", inputs=inputs, labels=np.array([0, 1, 0, 1, 0], dtype=np.int64))
    (folder / "torchlean.yaml").write_text(SPEC)
    return folder


def make(project: Path, name: str, output: Path) -> int:
    spec = project / "torchlean.yaml"
    return main(["bundle", f"{spec}::net::{name}", "-o", str(output), "--root", str(project)])


@pytest.fixture(scope="module")
def bounded(project: Path, library: BuiltLibrary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("bounded") / "bundle"
    assert make(project, "bounded", output) == 0
    return output


def as_lean(folder: Path, lean: LeanInstall, ready: BuiltLibrary | None = None) -> dict[str, str]:
    """An environment whose PATH has a `lean`. `ready` hands out modules of the library, to save time."""
    folder.mkdir()
    start = f'"{sys.executable}" -I -S "{_launcher.__file__}" 8000 1000 {lean.kind} "{lean.path}" "$@"'
    shortcut = ""
    if ready is not None:
        shortcut = (
            'for last in "$@"; do :; done\nname="${last#lean/}"\n'
            f'built="{ready.olean_directory}/${{name%.lean}}.olean"\n'
            'if [ -f "$built" ]; then cp "$built" "build/${name%.lean}.olean"; exit; fi\n'
        )
    (folder / "lean").write_text(f"#!/bin/sh\n{shortcut}exec {start}\n")
    (folder / "lean").chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder)}


def recheck(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(folder / "recheck.sh")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


@pytest.fixture(scope="module")
def quick(
    lean: LeanInstall, library: BuiltLibrary, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    return as_lean(tmp_path_factory.mktemp("path") / "bin", lean, library)


def test_lean_alone_checks_a_bundle_again(bounded: Path, lean: LeanInstall, tmp_path: Path) -> None:
    """The whole library is compiled, by the script and nothing else."""
    done = recheck(bounded, as_lean(tmp_path / "bin", lean))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("'PytestTorchLean.Emitted.claim' depends on axioms: [propext, Quot.sound]\n")
    assert "version 4.35.0" in done.stdout


def test_the_script_has_three_lines(bounded: Path) -> None:
    assert len((bounded / "recheck.sh").read_text().splitlines()) == 1 + 3


def test_the_claim_is_read_first(bounded: Path, project: Path) -> None:
    text = (bounded / "Claim.lean").read_text()
    words, _, lean_text = text.partition("\n-/\n")
    assert "torchlean.yaml::net::bounded" in words
    assert hashlib.sha256((project / "a-" / "net.onnx").read_bytes()).hexdigest() in words
    assert "-1 <= output <= 3 for every input in [0, 1]" in words
    assert "exact arithmetic on the stored binary32 weights" in words
    assert "2 inputs, 2 affine nodes and 1 others" in words
    theorem = re.search(r"^theorem claim.*?(?=^end )", lean_text, re.MULTILINE | re.DOTALL)
    assert theorem is not None
    assert len(theorem[0].splitlines()) <= 30
    assert "Executes .real graph slots" in theorem[0]


def test_words_of_the_user_stay_in_the_comment(bounded: Path) -> None:
    """The model lies in a folder whose name ends a Lean comment."""
    text = (bounded / "Claim.lean").read_text()
    assert "a- /net.onnx" in text
    assert text.index("-/") > text.index("Executions:")
    assert not any("net.onnx" in path.read_text() for path in (bounded / "lean").rglob("*.lean"))


def altered(
    bundle: Path, folder: Path, name: str, change: Callable[[str], str], *, sums: bool = True
) -> Path:
    """A copy with one file changed; `sums` renews the list of digests, as a forger would."""
    copy = folder / "altered"
    shutil.copytree(bundle, copy, ignore=shutil.ignore_patterns("build"))
    before = (copy / name).read_text()
    after = change(before)
    assert after != before
    (copy / name).write_text(after)
    if sums:
        renewed = []
        for line in (copy / "SHA256SUMS").read_text().splitlines():
            path = line.split("  ", 1)[1]
            renewed.append(f"{hashlib.sha256((copy / path).read_bytes()).hexdigest()}  {path}\n")
        (copy / "SHA256SUMS").write_text("".join(renewed))
    return copy


def test_the_unaltered_bundle_passes_with_the_quick_lean(bounded: Path, quick: dict[str, str]) -> None:
    assert recheck(bounded, quick).returncode == 0


def replaced(pattern: str, by: str) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, by, text, count=1, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        pytest.param("lean/Certificate.lean", replaced("3f800000", "7f800000"), id="infinite-weight"),
        pytest.param("lean/Certificate.lean", replaced("3f800000", "43800000"), id="weight-256"),
        pytest.param(
            "lean/Certificate.lean",
            replaced("(_certificate : Certificate := ⟨⟨nat_lit )[0-9]+", r"\g<1>0"),
            id="unit",
        ),
        pytest.param(
            "lean/Certificate.lean", replaced("Semantics.real", "Semantics.binary32"), id="semantics"
        ),
        pytest.param("lean/Certificate.lean", replaced("by decide .kernel$", "sorry"), id="sorry"),
        pytest.param(
            "lean/Certificate.lean",
            replaced("^theorem (part0_accepted : .*) := by decide .kernel$", r"axiom \1"),
            id="axiom",
        ),
        pytest.param("Claim.lean", replaced("Executes .real", "Executes .binary32"), id="another-claim"),
        pytest.param("Claim.lean", replaced("  joined K", "  sorry"), id="claim-without-proof"),
        pytest.param("lean/Joined.lean", replaced(r"part0_claims\]", "]"), id="claims-left-out"),
        pytest.param("MODULES", replaced("^Joined\n", ""), id="module-left-out"),
    ],
)
def test_an_altered_bundle_is_refused(
    bounded: Path, tmp_path: Path, quick: dict[str, str], name: str, change: Callable[[str], str]
) -> None:
    done = recheck(altered(bounded, tmp_path, name, change), quick)
    assert done.returncode != 0


def test_any_flipped_digit_is_noticed(bounded: Path, tmp_path: Path, quick: dict[str, str]) -> None:
    """Also one that leaves the theorem true: the list of digests says no."""
    copy = altered(bounded, tmp_path, "lean/Certificate.lean", replaced("3e800000", "3e800001"), sums=False)
    done = recheck(copy, quick)
    assert done.returncode != 0
    assert "Certificate.lean" in done.stdout + done.stderr


def test_another_version_of_lean_is_refused(bounded: Path, tmp_path: Path) -> None:
    (tmp_path / "lean").write_text('#!/bin/sh\necho "Lean (version 4.34.0, x86_64)"\n')
    (tmp_path / "lean").chmod(0o755)
    done = recheck(bounded, {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert done.returncode != 0


def test_a_data_set_is_bundled_with_all_its_theorems(
    project: Path, tmp_path: Path, quick: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MOST_BOXES_PER_THEOREM", 1)
    assert make(project, "robust", tmp_path / "bundle") == 0
    certificate = (tmp_path / "bundle" / "lean" / "Certificate.lean").read_text()
    assert certificate.count("_accepted : check") == 4
    assert "4 of 5 listed inputs" in (tmp_path / "bundle" / "Claim.lean").read_text()
    done = recheck(tmp_path / "bundle", quick)
    assert done.returncode == 0, done.stdout + done.stderr


def test_theorems_that_lean_accepted_one_by_one_stand_in_one_text(
    project: Path, tmp_path: Path, quick: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All together take too long."""
    monkeypatch.setattr(parts, "MOST_BOXES_PER_THEOREM", 1)
    genuine, asked = emitted.ask_lean, []

    def slow(text: str, **more: Any) -> CheckResult:
        asked.append(text)
        return CheckResult(Outcome.TIME, "t", (), 0.1, 1.0, "") if len(asked) == 1 else genuine(text, **more)

    monkeypatch.setattr(emitted, "ask_lean", slow)
    assert make(project, "robust", tmp_path / "bundle") == 0
    assert len(asked) == 5
    certificate = (tmp_path / "bundle" / "lean" / "Certificate.lean").read_text()
    assert [part for text in asked[1:] for part in parse(text)] == list(parse(certificate))
    assert "in 4 texts" in (tmp_path / "bundle" / "Claim.lean").read_text()
    done = recheck(tmp_path / "bundle", quick)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_was_evaluated_is_evaluated_again(
    project: Path, tmp_path: Path, lean: LeanInstall, library: BuiltLibrary, quick: dict[str, str]
) -> None:
    folder = tmp_path / "bundle"
    assert make(project, "evaluated", folder) == 0
    words = " ".join((folder / "Claim.lean").read_text().split())
    assert "There is no theorem about this model." in words
    assert "not its kernel" in words
    assert (folder / "model.onnx").read_bytes() == (project / "a-" / "net.onnx").read_bytes()
    done = recheck(folder, quick)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^recheck accepted: boxes 1, weights compared [1-9]", done.stdout, re.MULTILINE)
    for name, place in (("document", 2000), ("model.onnx", -200)):
        changed = tmp_path / name
        shutil.copytree(folder, changed)
        data = bytearray((changed / name).read_bytes())
        data[place % len(data)] ^= 0x40
        (changed / name).write_bytes(bytes(data))
        assert recheck(changed, quick).returncode != 0
    text = (folder / "recheck.sh").read_text()
    (folder / "recheck.sh").write_text(text.replace("accepted: boxes 1", "accepted: boxes 2"))
    (folder / "SHA256SUMS").unlink()
    assert recheck(folder, quick).returncode != 0


def test_a_document_that_says_no_is_not_rechecked(
    project: Path, tmp_path: Path, quick: dict[str, str]
) -> None:
    """The list of digests fits: the program itself refuses what does not prove the claim."""
    folder = tmp_path / "bundle"
    assert make(project, "evaluated", folder) == 0
    document = decode((folder / "document").read_bytes())
    (part,) = document.parts
    (claim,) = part.claims
    weak = replace(claim, property=replace(claim.property, forms=replace(claim.property.forms, weights=0)))
    strict = replace(weak, property=replace(weak.property, strict=True))
    broken = replace(document, parts=(replace(part, claims=(strict,)),))
    (folder / "document").write_bytes(encode(broken))
    sums = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "SHA256SUMS"
    )
    (folder / "SHA256SUMS").write_text(sums)
    done = recheck(folder, quick)
    assert done.returncode != 0
    assert "the certificate does not prove the claims" in done.stdout


@pytest.mark.usefixtures("library")
def test_what_is_not_proved_gets_no_bundle(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make(project, "tight", tmp_path / "bundle") == 2
    assert "TL0620" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()


def test_several_properties_get_no_bundle(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = project / "torchlean.yaml"
    arguments = ["-o", str(tmp_path / "bundle"), "--root", str(project)]
    assert main(["bundle", f"{spec}::net", *arguments]) == 2
    assert "names 4 properties" in capsys.readouterr().err


def result(evidence: Evidence) -> PropertyResult:
    return PropertyResult("id", "s.yaml", 1, 1, "m", "m.onnx", "0" * 64, "range", evidence)


TEXT = (
    "theorem holds.{u} (K : Type u) [OrderedRing K] : "
    "Every (Claim.Holds K Semantics.real graph) part0_claims := x\n"
)
PROVED = Evidence(Verdict.PROVED, claim="c", found="f", assurance="kernel")


@pytest.mark.parametrize(
    ("evidence", "texts"),
    [
        (Evidence(Verdict.PROVED, claim="c", found="f", assurance="evaluated"), [TEXT]),
        (Evidence(Verdict.REFUTED, claim="c", found="f"), [TEXT]),
        (PROVED, []),
        (PROVED, [TEXT, TEXT]),
        (PROVED, [TEXT.replace("Every (Claim", "Some (Claim")]),
        (PROVED, [TEXT.replace("part0_claims", "part0_claims \u2228 True")]),
        (PROVED, [TEXT.replace("holds", "other")]),
    ],
)
def test_only_a_proof_of_the_known_form_is_bundled(evidence: Evidence, texts: list[str]) -> None:
    sources = read_sources(source_directory())
    accepted = [AcceptedText(text, ("propext",)) for text in texts]
    with pytest.raises(CertificateError) as caught:
        bundle_files(result(evidence), accepted, sources, b"")
    assert caught.value.code == "TL0620"
    assert "Claim.lean" in bundle_files(result(PROVED), [AcceptedText(TEXT, ())], sources, b"")


LOOP = invariant(dynamics={"x": "x + u"}, region=(-1, 1))


@pytest.mark.parametrize("line", [ASSUMED, assumed(LOOP), assumed(replace(LOOP, dynamics="a plant"))])
@pytest.mark.parametrize("more", [(), (BENDS,), (MULTIPLIED_OUT, "Ahead of the model's file: x - 1.")])
def test_what_words_take_for_granted_is_said(line: str, more: tuple[str, ...]) -> None:
    """Also what is said of bends, or of monomials, wherever it stands; and nothing else of the ledger."""
    evidence = replace(PROVED, trust=("The model's batch dimension is free.", line, *more))
    sources = read_sources(source_directory())
    text = bundle_files(result(evidence), [AcceptedText(TEXT, ())], sources, b"")["Claim.lean"].decode()
    words = " ".join(text.split())
    assert f"Assumed: {' '.join((line, *more[:1]))} " in words
    assert "batch dimension" not in words
    assert "Ahead of" not in words


def test_nothing_is_taken_for_granted_where_the_ledger_does_not_say_so() -> None:
    sources = read_sources(source_directory())
    evidence = replace(PROVED, trust=("The model is the system.", "the library"))
    text = bundle_files(result(evidence), [AcceptedText(TEXT, ())], sources, b"")["Claim.lean"].decode()
    assert "Assumed" not in text


def test_comments_cannot_be_left() -> None:
    for text in ("-/ axiom", "--//", "/-/-", "a\n-/\nb", "-\u200b/", "\u202e-/", "/--/", "-//--/"):
        safe = bundle._comment(text)
        assert not re.search(r"-/|/-|[\n\u200b\u202e]", safe)


def test_a_folder_with_files_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(CertificateError) as caught:
        write_bundle(tmp_path, {"Claim.lean": b""})
    assert caught.value.code == "TL0621"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
