"""The one table of the JSON record: every key, what it holds, and what it means.

`record.py` writes by it, `read.py` reads by it, `schema.py` turns it into the committed JSON Schema. A new
fact about a property is a field of Evidence (or PropertyResult) and one line here.
"""

from __future__ import annotations

from typing import Any

from pytest_torchlean.changes import KINDS, Change, Comparison
from pytest_torchlean.extensions.registry import Use
from pytest_torchlean.report.fields import (
    EXACT,
    NAMED_TEXTS,
    TEXT,
    TEXTS,
    WHOLE,
    Choice,
    Field,
    Flag,
    Group,
    Many,
    Maybe,
    Named,
    Object,
    Seconds,
    Share,
    Text,
)
from pytest_torchlean.results import Environment, OtherModelResult, PropertyResult
from pytest_torchlean.verdict import (
    Counts,
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

SCHEMA = "torchlean.report/1"

CODE = Text(r"^TL[0-9]{4}$", "a TLnnnn code")
DIGEST = Text(r"^[0-9a-f]{64}$", "a sha256")
DECIMAL = Text(r"^-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$", "a decimal number as text")

COUNTS = Object(
    Counts,
    tuple(Field(key, WHOLE) for key in ("proved", "refuted", "unknown", "misclassified", "total")),
    wrong=lambda found: (
        None
        if found.proved + found.refuted + found.unknown + found.misclassified == found.total
        else "counts that add up to their total"
    ),
)

THEOREM = Object(Theorem, (Field("name", TEXT), Field("axioms", TEXTS)))

USE = Object(
    Use,
    (
        Field("role", TEXT, "What it is, with its name."),
        Field("origin", TEXT, "The distribution, or the file of a plugin."),
        Field("version", TEXT, "The distribution's version, or sha256: and the digest of the file."),
    ),
)

PROBLEM = Object(
    Problem,
    (
        Field("code", CODE, "See `torchlean explain`."),
        Field("message", TEXT),
        Field("fix", TEXT),
    ),
)

SESSION = Object(
    SessionRecord,
    (
        Field("name", TEXT),
        Field("options", NAMED_TEXTS, "All options of the session and the shapes of its inputs."),
        Field("operators", TEXTS, "The operators that really ran, with their counts."),
        Field("rewrites", TEXTS, "Those of them that the model file does not have."),
        Field("counts", Named(WHOLE), "Samples, and the node outputs compared in them."),
        Field("worst", NAMED_TEXTS, "The largest observed share of the bound, by operator."),
        Field("shares", Named(Named(WHOLE)), "By operator: elements by their share of the bound, in bins."),
        Field("ulps", Named(Named(WHOLE)), "By operator: elements by their distance in ulps, in bins."),
        Field("uncovered", TEXTS, "Values without a rule, and why."),
        Field(
            "equalities",
            NAMED_TEXTS,
            "What became of each demand that another execution gives the shipped session's bits.",
        ),
        Field("bits", TEXT, "Whether the outputs have the bits of the first session's."),
    ),
)

RADIUS = Object(
    Radius,
    (
        Field("index", WHOLE, "Position in the data set."),
        Field("radius", Share(), "0 where none is proved."),
    ),
)

SAMPLED = Object(
    Sampled,
    (Field("points", WHOLE), Field("lower", Many(EXACT)), Field("upper", Many(EXACT))),
    wrong=lambda found: None if len(found.lower) == len(found.upper) else "two lists of the same length",
)

HISTOGRAM = Object(
    Histogram,
    (Field("edges", Many(DECIMAL), "Ascending."), Field("counts", Many(WHOLE))),
    wrong=lambda found: (
        None if len(found.edges) == len(found.counts) + 1 else "one more edge than there are counts"
    ),
)

MISTAKE = Object(
    Mistake,
    (
        Field("line", WHOLE),
        Field("column", WHOLE),
        Field("code", CODE),
        Field("message", TEXT),
        Field("fix", TEXT),
    ),
)

WITNESS = Object(
    Witness,
    (
        Field("index", Maybe(WHOLE), "Position in the data set; null for a region given in the spec."),
        Field("shape", Many(WHOLE)),
        Field("input", Many(EXACT), "Flat, in row-major order of the shape."),
        Field("reference", Maybe(Many(EXACT)), "The unperturbed input, where there is one."),
        Field("runtime_output", Many(EXACT), "onnxruntime's outputs."),
        Field("evaluator_output", Many(EXACT), "The evaluator's outputs."),
        Field("violation", TEXT, "The broken inequality in words."),
    ),
)


OTHER_MODEL = Object(
    OtherModelResult,
    (
        Field("name", TEXT),
        Field("path", TEXT),
        Field("sha256", Maybe(DIGEST), "The digest of the bytes that were judged."),
        Field("preprocess", TEXTS, "What is done to a raw input ahead of the file, step by step."),
        Field("shapes", Maybe(Named(Many(WHOLE))), "The shape of every input, where the spec gives some."),
    ),
)


def _first_witness(result: PropertyResult) -> Witness | None:
    return next(iter(result.evidence.witnesses), None)


def _further_witnesses(result: PropertyResult) -> tuple[Witness, ...]:
    return result.evidence.witnesses[1:]


def _evidence(key: str, kind: Any, doc: str = "") -> Field:
    return Field(key, kind, doc, source=f"evidence.{key}")


RESULT: tuple[Field, ...] = (
    Field("id", TEXT, "The pytest item id file::model::name."),
    Field(
        "spec",
        Group(
            (
                Field("file", TEXT, source="spec_file"),
                Field("sha256", Maybe(DIGEST), "Of a torchlean.yaml.", source="spec_sha256"),
                Field("line", WHOLE),
                Field("column", WHOLE),
            ),
        ),
        "Where the property is written.",
    ),
    Field(
        "model",
        Group(
            (
                Field("name", TEXT, source="model_name"),
                Field("path", TEXT, source="model_path"),
                Field(
                    "sha256",
                    Maybe(DIGEST),
                    "The digest of the bytes that were judged; null where none could be read.",
                    source="model_sha256",
                ),
                Field("preprocess", TEXTS, "What is done to a raw input ahead of the file, step by step."),
                Field(
                    "shapes",
                    Maybe(Named(Many(WHOLE))),
                    "The shape of every input, where the spec gives extents that the file leaves open.",
                    source="model_shapes",
                ),
            )
        ),
    ),
    Field("other_model", Maybe(OTHER_MODEL), "The second model of a property about two; null for the rest."),
    Field("check", TEXT, "The kind of property."),
    _evidence("verdict", Choice(tuple(verdict.value for verdict in Verdict), Verdict)),
    Field(
        "outcome",
        Choice(("passed", "warned", "failed")),
        "What the gate does with the verdict.",
        derive=lambda result: result.outcome,
    ),
    Field("on_unknown", Choice(("fail", "warn"))),
    _evidence(
        "assurance", Maybe(Choice(("kernel", "evaluated"))), "How what was proved was checked by Lean."
    ),
    _evidence("semantics", Choice(("real", "binary32"))),
    _evidence("theorem", Maybe(THEOREM), "The theorem that carries the proof, and its axioms."),
    _evidence(
        "counts",
        Maybe(COUNTS),
        "proved + refuted + unknown + misclassified = total, which counts every listed input.",
    ),
    _evidence("accuracy", Maybe(TEXT), "Share of the listed inputs classified right, an exact fraction."),
    _evidence("samples", Maybe(WHOLE)),
    _evidence("claim", TEXT),
    _evidence("found", TEXT),
    _evidence("runtime", TEXT, "Whether the claim covers what onnxruntime runs."),
    _evidence("bounds", Maybe(Named(Many(EXACT))), "Bounds of every output element."),
    _evidence("claimed", Maybe(Named(Many(EXACT))), "The bounds that a range property demands."),
    _evidence("sampled", Maybe(SAMPLED), "Outputs of onnxruntime at points of the region: seen, not proved."),
    _evidence(
        "margins",
        Maybe(HISTOGRAM),
        "Least margins over the balls as intervals show them: how far each is from its proof, not a proof.",
    ),
    _evidence(
        "radii",
        Many(RADIUS),
        "For a radius property the largest radius proved for each listed input, 0 for none.",
    ),
    Field("witness", Maybe(WITNESS), "The first witness.", derive=_first_witness),
    Field("further_witnesses", Many(WITNESS), derive=_further_witnesses),
    Field("witness_file", Maybe(TEXT), "The file that `torchlean replay` reads, relative to the root."),
    Field(
        "reproduce",
        TEXT,
        "One shell line that shows the finding again.",
        derive=lambda result: result.reproduce,
    ),
    _evidence("next_steps", TEXT),
    _evidence("problem", Maybe(PROBLEM)),
    _evidence("mistakes", Many(MISTAKE), "For a spec that cannot be read, every error in it."),
    _evidence("details", TEXTS, "Further lines for a person."),
    _evidence("sessions", Many(SESSION), "The sessions of a runtime check, in the order in which they ran."),
    _evidence(
        "machine",
        Maybe(NAMED_TEXTS),
        "What a runtime check ran on: onnxruntime and its build, numpy, the processor and its flags.",
    ),
    _evidence("extensions", Many(USE), "What third parties gave that the verdict depends on."),
    _evidence(
        "files", Maybe(Named(DIGEST, ordered=True)), "Digests of the data and property files that were read."
    ),
    _evidence("lean", Maybe(NAMED_TEXTS), "The Lean that answered; null where none was asked."),
    _evidence("seconds", Seconds(), "By step. `seconds` and `effort` alone differ between equal runs."),
    _evidence(
        "effort",
        NAMED_TEXTS,
        "`cache`: off, miss, hit or discarded, and `cache_note` why; `lean_mb`: the most memory Lean held; "
        "`lean_cpu`: processor seconds of its processes.",
    ),
    _evidence("trust", TEXTS, "What the verdict rests on, one sentence each."),
)

CHANGE = Object(
    Change,
    (
        Field(
            "kind", Choice(KINDS), "What happened; the gate fails for the first four and for a wrong waiver."
        ),
        Field("id", TEXT, "The property's id, or the path of a spec."),
        Field("key", TEXT, "The part of the claim or of the result that differs, `removed` or `added`."),
        Field("message", TEXT),
        Field("code", Text(r"^(TL[0-9]{4})?$", "a TLnnnn code or nothing")),
        Field("fix", TEXT),
        Field("file", TEXT),
        Field("line", WHOLE),
        Field("column", WHOLE),
        Field("before", TEXT),
        Field("after", TEXT),
        Field("waived_by", Maybe(TEXT), "Who waives it, until when and why."),
        Field("fails", Flag(), "Whether the gate fails because of it.", derive=lambda change: change.fails),
    ),
)

COMPARISON = Object(
    Comparison,
    (
        Field("base", Maybe(TEXT), "The commit of `--base`."),
        Field("against", TEXTS, "What was compared with."),
        Field("passes", Flag(), derive=lambda comparison: comparison.passes),
        Field("changes", Many(CHANGE)),
    ),
)

RATCHET = Maybe(COMPARISON)
"""The top-level key `ratchet`: the results against a baseline, null where there is none."""

TOOL = Object(
    Environment,
    (
        Field("version", TEXT),
        Field("onnxruntime", Maybe(TEXT)),
        Field("lean", Maybe(NAMED_TEXTS)),
        Field("others", Named(TEXT, ordered=True), "Versions of further tools."),
        Field("extensions", NAMED_TEXTS, "Extensions of third parties that were loaded, with versions."),
    ),
)
