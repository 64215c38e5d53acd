"""Canonical bytes, well-formedness, passes and the printer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx_models import lowered, model

from pytest_torchlean.errors import ModelError
from pytest_torchlean.evaluator import run
from pytest_torchlean.ir.canonical import digest, from_bytes, to_bytes
from pytest_torchlean.ir.graph import Graph, Node, ValueType
from pytest_torchlean.ir.names import printable, quoted
from pytest_torchlean.ir.passes import remove_dead_code, remove_identities, run_passes, simplify
from pytest_torchlean.ir.printer import print_graph
from pytest_torchlean.ir.wellformed import STRUCTURE, violations
from pytest_torchlean.ops.check import require_well_formed

MAGIC = b"torchlean graph 1\n"


def network(prefix: str = "", shift: float = 0.0, epsilon: float = 1e-5) -> Graph:
    rng = np.random.default_rng(0)
    weights = {
        f"{prefix}w": rng.standard_normal((4, 2, 3, 3)).astype(np.float32) + np.float32(shift),
        f"{prefix}c": rng.standard_normal(4).astype(np.float32),
        f"{prefix}v": np.ones(4, dtype=np.float32),
        f"{prefix}target": np.array([1, -1]),
    }
    p = prefix
    nodes = [
        helper.make_node("Identity", [f"{p}x"], [f"{p}x1"], name=f"{p}n0"),
        helper.make_node("Conv", [f"{p}x1", f"{p}w"], [f"{p}h"], pads=[1, 1, 1, 1]),
        helper.make_node(
            "BatchNormalization", [f"{p}h", *[f"{p}c"] * 3, f"{p}v"], [f"{p}b"], epsilon=epsilon
        ),
        helper.make_node("Relu", [f"{p}b"], [f"{p}r"]),
        helper.make_node("Dropout", [f"{p}r"], [f"{p}d"]),
        helper.make_node("AveragePool", [f"{p}d"], [f"{p}a"], kernel_shape=[2, 2]),
        helper.make_node("Reshape", [f"{p}a", f"{p}target"], [f"{p}z"]),
    ]
    return lowered(model(nodes, {f"{p}x": ["n", 2, 4, 4]}, [f"{p}z", f"{p}r"], weights))


def test_canonical_bytes_round_trip() -> None:
    graph = network()
    data = to_bytes(graph)
    back = from_bytes(data)
    assert to_bytes(back) == data
    assert digest(back) == digest(graph)
    assert back.free_batch
    x = np.random.default_rng(1).random((1, 2, 4, 4), dtype=np.float32)
    for own, again in zip(run(graph, {"x": x}), run(back, {"v0": x}), strict=True):
        assert own.tobytes() == again.tobytes()


def test_the_digest_ignores_names_and_sees_everything_else() -> None:
    base = digest(network())
    assert digest(network("other\n")) == base
    assert digest(network(shift=2.0**-20)) != base
    assert digest(network(epsilon=1e-4)) != base
    graph = network()
    assert digest(replace(graph, free_batch=False)) != base
    assert digest(replace(graph, outputs=graph.outputs[::-1])) != base
    unused = {**graph.constants, "unused": np.zeros(1, dtype=np.float32)}
    types = {**graph.types, "unused": ValueType("float32", (1,))}
    assert digest(replace(graph, constants=unused, types=types)) == base


def test_the_digest_does_not_change_between_releases() -> None:
    types = {name: ValueType("float32", (2,)) for name in ("x", "c", "y")}
    constants = {"c": np.array([1.5, -0.0], dtype=np.float32)}
    node = Node("Add", ("x", "c"), ("y",), (("k", 0.1875), ("p", (1, 2)), ("s", "t"), ("n", None)))
    graph = Graph(("x",), ("y",), (node,), constants, types)
    assert to_bytes(graph) == (
        b"torchlean graph 1\n"
        b'{"constants":[["float32",[2]]],"free_batch":false,"inputs":[["float32",[2]]],'
        b'"nodes":[["Add",[0,1],[["float32",[2]]],[["k",{"float":"0x1.8p-3"}],["p",[1,2]],["s","t"],["n",null]]]],'
        b'"outputs":[2]}\n' + constants["c"].tobytes()
    )


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_changed_bytes_are_refused_or_another_graph(data: st.DataObject) -> None:
    whole = bytearray(to_bytes(network()))
    original = bytes(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, min(len(whole) - 1, 900)))
        whole[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        whole = whole[: data.draw(st.integers(0, len(whole)))]
    try:
        graph = from_bytes(bytes(whole))
    except ModelError as problem:
        assert problem.code == "TL0108"  # noqa: PT017
    else:
        assert to_bytes(graph) == bytes(whole)
        assert (digest(graph) == digest(network())) == (bytes(whole) == original)


@pytest.mark.parametrize(
    "data", [b"", b"torchlean graph 1\n", b"torchlean graph 1\n{}\n", b"torchlean graph 1\n[]\n"]
)
def test_what_is_no_graph_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError):
        from_bytes(data)


def test_a_lowered_graph_is_well_formed() -> None:
    assert violations(network(), STRUCTURE) == []
    assert require_well_formed(network())


def broken(graph: Graph, **changes: object) -> str:
    with pytest.raises(ValueError, match=r": ") as caught:
        require_well_formed(replace(graph, **changes))
    return str(caught.value)


def test_every_rule_of_well_formedness_can_say_no() -> None:
    graph = network()
    types, nodes, constants = dict(graph.types), graph.nodes, dict(graph.constants)
    assert "defined 2 times" in broken(graph, nodes=(*nodes, nodes[-1]))
    assert "empty name" in broken(graph, inputs=("",))
    assert "before it is read" in broken(graph, nodes=nodes[::-1])
    assert "returns 'nowhere'" in broken(graph, outputs=("nowhere",))
    assert "types cover" in broken(graph, types={**types, "ghost": ValueType("float32", ())})
    assert "types cover" in broken(graph, types={**types, "r": ValueType("float8", (1, 4, 4, 4))})
    assert "declared type" in broken(graph, constants={**constants, "c": np.zeros(5, dtype=np.float32)})
    assert "NaN" in broken(graph, constants={**constants, "c": np.full(4, np.nan, dtype=np.float32)})
    doubled = replace(nodes[1], attributes=nodes[1].attributes * 2)
    assert "own name" in broken(graph, nodes=(nodes[0], doubled, *nodes[2:]))
    assert "operation is known" in broken(graph, nodes=(replace(nodes[0], op="Cosine"), *nodes[1:]))
    assert "follow from its inputs" in broken(graph, types={**types, "h": ValueType("float32", (1, 4, 4, 5))})
    without = replace(nodes[1], attributes=())
    assert "follow from its inputs" in broken(graph, nodes=(nodes[0], without, *nodes[2:]))


def test_passes_keep_every_output_bit() -> None:
    graph = network()
    simple = require_well_formed(simplify(graph))
    assert [node.op for node in simple.nodes] == [
        "Conv",
        "BatchNormalization",
        "Relu",
        "AveragePool",
        "Reshape",
    ]
    x = np.random.default_rng(2).standard_normal((1, 2, 4, 4)).astype(np.float32)
    for before, after in zip(run(graph, {"x": x}), run(simple, {"x": x}), strict=True):
        assert before.tobytes() == after.tobytes()


def test_an_identity_that_defines_an_output_stays() -> None:
    nodes = [
        helper.make_node("Identity", ["x"], ["y"]),
        helper.make_node("Identity", ["y"], ["z"]),
        helper.make_node("Relu", ["z"], ["r"]),
    ]
    graph = remove_identities(lowered(model(nodes, {"x": [2]}, ["z", "r"])))
    assert [(node.op, node.inputs, node.outputs) for node in graph.nodes] == [
        ("Identity", ("x",), ("z",)),
        ("Relu", ("z",), ("r",)),
    ]


def test_dead_code_goes_and_inputs_stay() -> None:
    graph = replace(network(), outputs=("h",))
    live = require_well_formed(remove_dead_code(graph))
    assert [node.op for node in live.nodes] == ["Identity", "Conv"]
    assert set(live.constants) == {"w"}
    assert live.inputs == ("x",)


def test_a_pass_that_breaks_the_graph_is_named() -> None:
    def drop_first_node(graph: Graph) -> Graph:
        return replace(graph, nodes=graph.nodes[1:])

    with pytest.raises(ValueError, match="after drop_first_node"):
        run_passes(network(), [drop_first_node])


def test_the_printer_shows_every_value_once_per_line() -> None:
    text = print_graph(network())
    assert text.startswith("graph (first dimension free, fixed to 1)\n  input    %x : float32[1, 2, 4, 4]\n")
    assert "  %h = Conv(%x1, %w) {strides=[1, 1], pads=[1, 1, 1, 1], dilations=[1, 1], group=1}" in text
    assert "epsilon=0x1.4f8b58p-17" in text
    assert text.endswith("  output   %z : float32[1, 36]\n  output   %r : float32[1, 4, 4, 4]\n")


@given(st.text(max_size=200))
def test_printable_names_are_printable_and_bounded(name: str) -> None:
    shown = printable(name)
    assert shown.isprintable()
    assert len(shown) <= 123
    assert quoted(name).isprintable()


def test_lone_surrogates_and_overrides_are_escaped() -> None:
    assert printable("a\ud800\u202eb\\") == "a\\ud800\\u202eb\\\\"
