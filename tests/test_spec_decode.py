"""Right specs become exact values with places."""

from __future__ import annotations

import pickle
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_torchlean.errors import SourceSpan, SpecError, SpecErrors
from pytest_torchlean.spec import (
    Bounds,
    Defaults,
    OutputBounds,
    RangeProperty,
    RobustnessProperty,
    RuntimeProperty,
    Spec,
    bind,
    decode_spec,
    elements,
    load_spec,
)
from pytest_torchlean.spec.builders import robustness, runtime_agreement

README_SPEC = """\
# yaml-language-server: $schema=torchlean.schema.json
version: 1
models:
  digits:
    path: models/digits.onnx
  other: {path: "../shared.onnx"}
defaults: {timeout: 90s, semantics: real, on_unknown: warn, memory: 2GiB}
properties:
  - name: runtime-agrees
    model: digits
    check: runtime
    samples: 64
  - name: robust-8of255
    model: digits
    check: robustness
    epsilon: 8/255            # stays exact
    norm: linf
    domain: {lower: 0, upper: 1}
    data: data/digits-test.npz
    at_least: 90%
    timeout: 500ms
    on_unknown: fail
  - name: logits-bounded
    model: other
    check: range
    input: {lower: [0, -0.1], upper: [1, 0x1.8p-3]}
    output: {upper: 40}
    strict: true
"""


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    folder = tmp_path / "part"
    folder.mkdir()
    (folder / "torchlean.yaml").write_text(README_SPEC)
    return load_spec(folder / "torchlean.yaml", tmp_path)


def test_models(spec: Spec, tmp_path: Path) -> None:
    assert spec.file == "part/torchlean.yaml"
    assert [entry.shown for entry in spec.models.values()] == ["part/models/digits.onnx", "shared.onnx"]
    assert spec.models["digits"].path == (tmp_path / "part/models/digits.onnx").resolve()
    assert spec.models["digits"].span == SourceSpan("part/torchlean.yaml", 4, 3, 6)


def test_runtime_property(spec: Spec) -> None:
    assert spec.properties[0] == RuntimeProperty(
        name="runtime-agrees",
        model="digits",
        span=SourceSpan("part/torchlean.yaml", 9, 5, 4),
        timeout=Fraction(90),
        on_unknown="warn",
        memory=2 << 30,
        samples=64,
    )


def test_robustness_property(spec: Spec, tmp_path: Path) -> None:
    assert spec.properties[1] == RobustnessProperty(
        name="robust-8of255",
        model="digits",
        span=SourceSpan("part/torchlean.yaml", 13, 5, 4),
        timeout=Fraction(1, 2),
        semantics="real",
        on_unknown="fail",
        memory=2 << 30,
        epsilon=Fraction(8, 255),
        domain=Bounds(Fraction(0), Fraction(1)),
        data=(tmp_path / "part/data/digits-test.npz").resolve(),
        at_least=Fraction(9, 10),
    )


def test_range_property(spec: Spec) -> None:
    found = spec.properties[2]
    assert isinstance(found, RangeProperty)
    assert found.input == Bounds((Fraction(0), Fraction(-1, 10)), (Fraction(1), Fraction(3, 16)))
    assert found.output == OutputBounds(None, Fraction(40))
    assert found.strict is True


def test_ids_and_defaults(spec: Spec) -> None:
    assert spec.item_id(spec.properties[1]) == "part/torchlean.yaml::digits::robust-8of255"
    assert spec.defaults == Defaults(Fraction(90), "real", "warn", 2 << 30)


def test_specs_cross_process_boundaries(spec: Spec) -> None:
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_without_defaults_the_documented_ones_hold(tmp_path: Path) -> None:
    text = (
        "version: 1\nmodels: {m: {path: m.onnx}}\n"
        "properties: [{name: a, model: m, check: robustness, epsilon: 0, data: d}]"
    )
    found = decode_spec(text.encode(), file="t", base=tmp_path, root=tmp_path).properties[0]
    assert isinstance(found, RobustnessProperty)
    assert (found.timeout, found.semantics, found.on_unknown, found.memory) == (60, None, "fail", None)
    assert (found.norm, found.domain, found.at_least, found.required_share) == ("linf", None, None, 1)


def test_one_name_may_stand_under_two_models(tmp_path: Path) -> None:
    text = (
        "version: 1\nmodels: {a: {path: a}, b: {path: b}}\nproperties:\n"
        "- {name: agrees, model: a, check: runtime}\n- {name: agrees, model: b, check: runtime}\n"
    )
    found = decode_spec(text.encode(), file="t", base=tmp_path, root=tmp_path)
    assert [found.item_id(prop) for prop in found.properties] == ["t::a::agrees", "t::b::agrees"]


def test_quoted_numbers_and_names_are_read_as_written(tmp_path: Path) -> None:
    text = (
        'version: "1"\nmodels: {"yes": {path: m}}\n'
        'properties: [{name: "1e3", model: yes, check: robustness, epsilon: "8/255", data: "d"}]'
    )
    found = decode_spec(text.encode(), file="t", base=tmp_path, root=tmp_path).properties[0]
    assert isinstance(found, RobustnessProperty)
    assert (found.name, found.model, found.epsilon) == ("1e3", "yes", Fraction(8, 255))


def test_indices_and_limit(tmp_path: Path) -> None:
    text = (
        "version: 1\nmodels: {m: {path: m}}\nproperties:\n"
        "- {name: a, model: m, check: robustness, epsilon: 1, data: d, indices: [5, 0]}\n"
        "- {name: b, model: m, check: robustness, epsilon: 1, data: d, limit: 3}\n"
    )
    first, second = decode_spec(text.encode(), file="t", base=tmp_path, root=tmp_path).properties
    assert isinstance(first, RobustnessProperty)
    assert isinstance(second, RobustnessProperty)
    assert (first.indices, first.limit, second.indices, second.limit) == ((5, 0), None, None, 3)


def test_a_bound_becomes_one_number_per_element() -> None:
    assert elements(Fraction(1, 3), 2, what="`lower`") == (Fraction(1, 3), Fraction(1, 3))
    assert elements((Fraction(1), Fraction(2)), 2, what="`lower`") == (1, 2)


def test_a_list_of_bounds_must_fit_the_model() -> None:
    with pytest.raises(SpecError, match="lists 1 numbers, but the model has 2") as caught:
        elements((Fraction(1),), 2, what="`lower`")
    assert caught.value.code == "TL0318"


def test_bind_places_a_decorators_property(tmp_path: Path) -> None:
    prop = bind(robustness(epsilon=1, data="d.npz"), name="a", model="m", base=tmp_path / "x", root=tmp_path)
    assert isinstance(prop, RobustnessProperty)
    assert (prop.name, prop.model, prop.data) == ("a", "m", (tmp_path / "x/d.npz").resolve())


def test_bind_refuses_names_and_paths_that_a_spec_refuses(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="not a valid property name"):
        bind(runtime_agreement(), name="a[1]", model="m", base=tmp_path, root=tmp_path)
    with pytest.raises(SpecError, match="leads outside"):
        bind(robustness(epsilon=1, data="../d"), name="a", model="m", base=tmp_path, root=tmp_path)


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_give_spec_errors_and_nothing_else(data: bytes) -> None:
    with pytest.raises(SpecErrors):
        decode_spec(data, file="t", base=Path("base"), root=Path("base"))


_PIECES = [
    *("version: 1", "models:", "properties:", "- ", "  ", "\n", "\t", "{", "}", "[", "]", ": ", ",", "name"),
    *("check: runtime", "model: m", "m", "path: a", "&a", "*a", "!x", "'", '"', "#", "|", ">", "?", "---"),
    *("%YAML 1.1", "\\x", "\u2028", "0x1p3", "1/2", "<<", "~", 'data: "\\ud800"', '"\\U00110000"'),
]


@settings(max_examples=400)
@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
def test_any_yaml_like_text_gives_a_spec_or_spec_errors(text: str) -> None:
    try:
        decode_spec(text.encode(), file="t", base=Path("base"), root=Path("base"))
    except SpecErrors as errors:
        for finding in errors.findings:
            span = finding.error.span
            assert span is not None
            assert span.line >= 1
            assert span.column >= 1
            assert span.length >= 1
