"""Results of every kind, for the tests of reports."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from pytest_torchlean.results import Environment, PropertyResult
from pytest_torchlean.verdict import (
    Counts,
    Evidence,
    Histogram,
    Mistake,
    Problem,
    Radius,
    Sampled,
    SessionRecord,
    Theorem,
    Verdict,
    Witness,
)

DIGEST = "0123456789abcdef" * 4

ENVIRONMENT = Environment(
    version="0.1.0",
    onnxruntime="1.23.0",
    lean={"version": "4.35.0", "sha256": "ab" * 32, "origin": "wheel"},
    others={"python": "3.13.1", "numpy": "2.3.0"},
)

WITNESS = Witness(
    shape=(1, 4),
    input=("0x1.0p-1", "0x1.8p-3", "0x0.0p+0", "-0x1.0p-149"),
    runtime_output=("0x1.8p+1", "0x1.9p+1"),
    evaluator_output=("0x1.8p+1", "0x1.9p+1"),
    violation="class 1 scores at least as high as class 0",
    index=17,
    reference=("0x1.0p-1", "0x1.0p-3", "0x0.0p+0", "0x0.0p+0"),
)


def result(name: str, evidence: Evidence, **changes: object) -> PropertyResult:
    values: dict[str, object] = {
        "id": f"torchlean.yaml::digits::{name}",
        "spec_file": "torchlean.yaml",
        "line": 14,
        "column": 5,
        "model_name": "digits",
        "model_path": "models/digits.onnx",
        "model_sha256": DIGEST,
        "check": "robustness",
        "evidence": evidence,
    }
    return PropertyResult(**(values | changes))  # type: ignore[arg-type]


PROVED = result(
    "robust-8of255",
    Evidence(
        verdict=Verdict.PROVED,
        claim="at least 90% of all listed inputs keep their class within 8/255",
        found="331 of 360 inputs are proved, 324 were asked for",
        assurance="kernel",
        theorem=Theorem("PytestTorchLean.robust_sound", ("propext", "Quot.sound")),
        counts=Counts(proved=331, refuted=17, unknown=1, misclassified=11, total=360),
        accuracy="349/360",
        runtime="unoptimised session only: the default session folds BatchNormalization",
        lean={"version": "4.35.0", "sha256": "ab" * 32, "origin": "wheel"},
        seconds={"lower": 0.125, "bound": 0.5, "lean": 0.25},
        trust=("Lean's kernel", "the lowering from ONNX"),
        margins=Histogram(("-0.5", "0", "0.5", "1"), (3, 40, 306)),
    ),
)
REFUTED = result(
    "robust-1of10",
    Evidence(
        verdict=Verdict.REFUTED,
        claim="every listed input keeps its class within 1/10",
        found="259 inputs have a witness; at most 101 can be proved and 360 were asked for",
        assurance="kernel",
        theorem=Theorem("PytestTorchLean.robust_sound", ("propext",)),
        counts=Counts(proved=90, refuted=259, unknown=0, misclassified=11, total=360),
        witnesses=(WITNESS,),
        next_steps="retrain the model, or claim a smaller epsilon",
        seconds={"bound": 2.0},
        radii=(Radius(0, Fraction(3, 160)), Radius(17, Fraction(0))),
    ),
    line=21,
    witness_file=".torchlean/witness one.json",
)
UNKNOWN = result(
    "logits-bounded",
    Evidence(
        verdict=Verdict.UNKNOWN,
        claim="every output lies in [-40, 40]",
        found="output 3 may reach 5284/127",
        bounds={"lower": tuple(f"-{n}/3" for n in range(20)), "upper": ("5284/127",) * 20},
        claimed={"lower": ("-40",) * 20, "upper": ("40",) * 20},
        sampled=Sampled(32, ("-0x1.8p+0",) * 20, ("0x1.0p+5",) * 20),
        next_steps="raise `timeout`, or claim a wider range",
    ),
    check="range",
    line=28,
)
WARNED = result("logits-warned", UNKNOWN.evidence, check="range", line=33, on_unknown="warn")
AGREED = result(
    "runtime-agrees",
    Evidence(
        verdict=Verdict.AGREED,
        claim="onnxruntime agrees with the exact evaluator",
        found="256 samples, no difference",
        semantics="binary32",
        samples=256,
        sessions=(
            SessionRecord(
                name="default optimisation, 2 threads",
                options={"optimisation": "all", "intra_op_threads": "2", "inputs": "x[1, 2]"},
                operators=("Gemm", "com.microsoft.FusedGemm"),
                rewrites=("com.microsoft.FusedGemm",),
                counts={"samples": 256, "exact_outputs": 0, "bounded_outputs": 512, "unbounded": 3},
                worst={"Gemm": "0.125000"},
                shares={"Gemm": {"<= 0.1": 500, "<= 0.2": 12}},
                ulps={"Gemm": {"0": 480, "1": 32}},
                uncovered=("y: no rule",),
                equalities={"every value exposed": "equal bits on 256 samples"},
                bits="bits equal to those with no optimisation on 256 samples",
            ),
        ),
        machine={"onnxruntime": "1.23.0", "numpy": "2.3.0", "processor": "A processor", "flags": "avx2 fma"},
        seconds={"runtime": 1.5},
    ),
    check="runtime",
    line=9,
    model_shapes={"x": (1, 2)},
)
DIVERGENT = result(
    "runtime-differs",
    Evidence(
        verdict=Verdict.DIVERGENT,
        claim="onnxruntime agrees with the exact evaluator",
        found="node Conv_0 differs by 3 times its bound",
        semantics="binary32",
        samples=7,
        details=("first divergent node: Conv_0", "sample 6"),
    ),
    check="runtime",
    line=40,
)
UNSUPPORTED = result(
    "unsupported",
    Evidence(
        verdict=Verdict.UNSUPPORTED,
        claim="every output lies in [-40, 40]",
        found="2 nodes lie outside what can be certified",
        problem=Problem("TL0201", "no meaning for Softmax", "remove the node"),
        details=("Softmax (opset 13): node /head", "Erf (opset 13): node /act"),
    ),
    check="range",
    line=50,
)
ERROR = result(
    "broken",
    Evidence(
        verdict=Verdict.ERROR,
        claim="every output lies in [-40, 40]",
        found="the model could not be read",
        problem=Problem("TL0103", "the file ends after 12 bytes", "export the model again"),
    ),
    model_sha256=None,
    line=60,
)
CURVE = result(
    "radius-1of10",
    replace(
        PROVED.evidence,
        claim="at least 50% of all listed inputs keep their class within 1/40; radii up to 1/10 are tried",
        found="3 of 4 inputs are proved",
        counts=Counts(proved=3, refuted=0, unknown=0, misclassified=1, total=4),
        radii=tuple(Radius(row, Fraction(step, 80)) for row, step in ((0, 2), (3, 0), (5, 7), (8, 3))),
        margins=None,
    ),
    check="radius",
    line=66,
)
IMAGE = result(
    "robust-images",
    replace(
        REFUTED.evidence,
        found="1 input has a witness",
        counts=Counts(proved=0, refuted=1, unknown=0, misclassified=0, total=1),
        radii=(),
        witnesses=(
            replace(
                WITNESS,
                shape=(1, 1, 4, 4),
                input=tuple(f"0x{n:x}.0p-4" for n in range(16)),
                reference=("0x0.0p+0",) * 8 + tuple(f"0x{n:x}.0p-4" for n in range(8, 16)),
            ),
        ),
    ),
    line=72,
    model_name="images",
    model_path="models/images.onnx",
    model_sha256="cd" * 32,
    id="torchlean.yaml::images::robust-images",
)
BROKEN_SPEC = PropertyResult(
    id="vision/torchlean.yaml",
    spec_file="vision/torchlean.yaml",
    line=3,
    column=7,
    model_name="",
    model_path="",
    model_sha256=None,
    check="spec",
    evidence=Evidence(
        verdict=Verdict.ERROR,
        claim="vision/torchlean.yaml can be read",
        found="the spec cannot be read",
        problem=Problem("TL0904", "vision/torchlean.yaml:3:7: TL0304: unknown key `eps`", "mend the spec"),
        mistakes=(
            Mistake(3, 7, "TL0304", "unknown key `eps`", "valid keys: epsilon"),
            Mistake(9, 1, "TL0306", "the property lacks the key `check`", "add it"),
        ),
    ),
)
HOSTILE = result(
    "a",
    Evidence(
        verdict=Verdict.ERROR,
        claim="\x1b]0;owned\x07 <script>&\u202e",
        found="first\n::error file=x::owned\x00\ufffe]]>\ud800",
        problem=Problem("TL0901", "\x1b[2J", "##[error]x"),
        details=("::stop-commands::x",),
        next_steps="\r\x9b31m",
        trust=("\x0b",),
    ),
    id='torchlean.yaml::digits::a"<\x1b[31m>',
    spec_file="dir\n::warning::/torchlean.yaml",
    model_path="mo\tdel\x7f.onnx",
)

RESULTS = (
    AGREED,
    PROVED,
    REFUTED,
    UNKNOWN,
    WARNED,
    DIVERGENT,
    UNSUPPORTED,
    ERROR,
    CURVE,
    IMAGE,
    BROKEN_SPEC,
)
