"""A worked extension: one operator, one property kind, one falsifier and one report form.

The entry point `acme = acme_torchlean` of the group `torchlean.extensions` names this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_torchlean.extend import (
    Box,
    Claim,
    Falsifier,
    Field,
    Inequality,
    ModelView,
    Operator,
    OperatorNode,
    PropertyKind,
    Reporter,
    Search,
    elements,
    number,
)


def fused_gemm(node: OperatorNode) -> str:
    """onnxruntime's FusedGemm: a Gemm, and the activation that the node names."""
    keys = ("alpha", "beta", "transA", "transB")
    given = ", ".join(f"{key} = {node.attributes[key]}" for key in keys if key in node.attributes)
    activation = node.attributes.get("activation", "Relu")
    return f"""
        <domain: "acme", opset_import: ["": 17]>
        FusedGemm (a, b, c) => (y) {{
            h = Gemm{f" <{given}>" if given else ""} (a, b, c)
            y = {activation} (h)
        }}
    """


def sum_claims(values: Mapping[str, Any], model: ModelView) -> list[Claim]:
    """The sum of all outputs stays at or below `at_most` for every input of the box."""
    box = values["input"]
    lower = elements(box.lower, model.inputs, what="input.lower")
    upper = elements(box.upper, model.inputs, what="input.upper")
    bounded = Inequality(outputs=dict.fromkeys(range(model.outputs), -1), constant=values["at_most"])
    return [Claim(lower, upper, [[bounded]])]


def sum_words(values: Mapping[str, Any]) -> str:
    """The claim for people."""
    return f"the outputs sum to at most {values['at_most']} for every input of the box"


def corners(search: Search) -> Iterator[Any]:
    """The corners at which one input is at its upper end, and the one at which all are."""
    yield search.upper
    for place in range(search.lower.size):
        point = search.lower.copy()
        point[place] = search.upper[place]
        yield point


def chat(record: Mapping[str, Any]) -> str:
    """One line for each property."""
    return "".join(f"{result['verdict']} {result['id']}\n" for result in record["results"])


def pytest_torchlean_operators() -> Operator:
    return Operator("com.microsoft", "FusedGemm", (1,), fused_gemm, doc="Gemm with an activation")


def pytest_torchlean_property_kinds() -> PropertyKind:
    return PropertyKind(
        "acme-sum",
        "The outputs sum to at most a number for every input of a box.",
        (
            Field("input", Box(), "The box of inputs.", required=True),
            Field("at_most", number(), "The largest sum.", required=True),
        ),
        sum_claims,
        sum_words,
    )


def pytest_torchlean_falsifiers() -> Falsifier:
    return Falsifier("acme-corners", "corners of the region", corners)


def pytest_torchlean_reporters() -> Reporter:
    return Reporter("acme-chat", "one line for each property", chat)
