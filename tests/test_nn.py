"""Modules: eager and compiled bits are the same, exports give the graph again, and onnxruntime agrees."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from nn_modules import Example, examples

from pytest_torchlean import nn
from pytest_torchlean.differential import compare
from pytest_torchlean.errors import DataError, ModelError
from pytest_torchlean.ir.canonical import digest
from pytest_torchlean.nn import functional
from pytest_torchlean.onnx_export import table, to_onnx
from pytest_torchlean.onnx_import import LoadedModel, load_model, lower

PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def loaded(data: bytes) -> LoadedModel:
    return LoadedModel(Path("m.onnx"), data, "")


@given(examples())
@PROPERTY
def test_compiled_bits_are_the_eager_ones(example: Example) -> None:
    x = example.input()
    eager = example.module(x)
    compiled = example.module.compile(example.shape)
    assert eager.dtype == np.float32
    assert compiled(x).tobytes() == eager.tobytes()
    assert compiled.digest == nn.compile(example.module, x).digest


@given(examples())
@PROPERTY
def test_an_export_gives_the_graph_again_and_onnxruntime_agrees(example: Example) -> None:
    compiled = example.module.compile(example.shape, free_batch=True)
    data = compiled.to_onnx()
    graph = lower(loaded(data))
    assert digest(graph) == compiled.digest
    result = compare(loaded(data), graph, [{"input": example.input()}])
    assert result.divergence is None
    assert result.samples == 1


class TestFunctional:
    X = np.array([[-2.0, -0.5, 0.0, 1.0, 3.0]], dtype=np.float32)

    @pytest.mark.parametrize(
        ("function", "expected"),
        [
            (functional.relu, [0, 0, 0, 1, 3]),
            (functional.relu6, [0, 0, 0, 1, 3]),
            (functional.hardtanh, [-1, -0.5, 0, 1, 1]),
            (functional.leaky_relu, np.float32([-2, -0.5]) * np.float32(0.01)),
            (functional.softsign, np.float32([-2 / 3, -1 / 3, 0, 0.5, 0.75])),
            (functional.hardswish, [-2 * (1 / 6), -0.5 * (2.5 / 6), 0, 4 / 6, 3]),
        ],
    )
    def test_arrays_give_arrays(self, function: Callable[..., Any], expected: Any) -> None:
        found = function(self.X)
        assert isinstance(found, np.ndarray)
        assert found.dtype == np.float32
        wanted = np.asarray(expected, dtype=np.float32)
        np.testing.assert_allclose(found[0, : len(wanted)], wanted, rtol=1e-6)

    def test_dense_layers_of_any_rank_are_the_same_product(self) -> None:
        generator = np.random.default_rng(0)
        weight = generator.integers(-3, 4, (2, 5)).astype(np.float32)
        bias = np.array([1.0, -1.0], dtype=np.float32)
        wanted = self.X @ weight.T + bias
        assert (functional.linear(self.X, weight, bias) == wanted).all()
        assert (functional.linear(self.X[None], weight, bias) == wanted).all()
        assert (functional.linear(self.X[0], weight, bias) == wanted[0]).all()
        assert (functional.matmul(self.X, weight.T) == wanted - bias).all()

    def test_windows_are_pytorchs(self) -> None:
        x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
        assert functional.max_pool2d(x, 2).reshape(-1).tolist() == [5, 7, 13, 15]
        assert functional.avg_pool2d(x, 2).reshape(-1).tolist() == [2.5, 4.5, 10.5, 12.5]
        assert functional.avg_pool2d(x, 2, padding=1)[0, 0, 0, 0] == 0.0
        assert functional.avg_pool2d(x + 4, 2, padding=1)[0, 0, 0, 0] == 1.0
        assert functional.avg_pool2d(x + 4, 2, padding=1, count_include_pad=False)[0, 0, 0, 0] == 4.0
        assert functional.adaptive_avg_pool2d(x, 1).reshape(-1).tolist() == [7.5]
        assert functional.adaptive_avg_pool2d(x, (2, 1)).reshape(-1).tolist() == [3.5, 11.5]
        assert functional.flatten(x).shape == (1, 16)
        assert functional.permute(x, (0, 2, 3, 1)).shape == (1, 4, 4, 1)
        assert functional.mean(x, (-1, -2)).tolist() == [[7.5]]

    def test_operators_mix_tensors_arrays_and_numbers(self) -> None:
        class Mixed(nn.Module):
            def forward(self, x: nn.Tensor) -> nn.Tensor:
                shift = np.array([1, 2, 3, 4, 5], dtype=np.float32)
                weight = np.eye(5, dtype=np.float32)
                return -((shift - x) @ weight) * 2 + 1 / (x * x + 1)

        x = self.X
        wanted = -(np.float32([1, 2, 3, 4, 5]) - x) * 2 + 1 / (x * x + 1)
        assert (Mixed()(x) == wanted).all()
        assert Mixed().compile([1, 5])(x).tobytes() == Mixed()(x).tobytes()

    def test_several_inputs_and_outputs(self) -> None:
        class Pair(nn.Module):
            def forward(self, a: nn.Tensor, b: nn.Tensor) -> tuple[nn.Tensor, ...]:
                return functional.maximum(a, b), functional.minimum(a, b), a, a

        a, b = np.float32([[1, 5]]), np.float32([[3, 2]])
        eager = Pair()(a, b)
        compiled = Pair().compile([1, 2], [1, 2])
        assert [part.tolist() for part in eager] == [[[3, 5]], [[1, 2]], [[1, 5]], [[1, 5]]]
        for left, right in zip(compiled(a, b), eager, strict=True):
            assert left.tobytes() == right.tobytes()
        assert digest(lower(loaded(compiled.to_onnx()))) == compiled.digest


class TestParameters:
    def module(self) -> nn.Module:
        return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Sequential(nn.PReLU()))

    def test_names_are_pytorchs(self) -> None:
        assert list(self.module().state_dict()) == [
            "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "2.0.weight",
        ]  # fmt: skip

    def test_a_state_is_taken_and_changes_the_compiled_graph(self) -> None:
        module = self.module()
        state = {name: value + 1 for name, value in module.state_dict().items()}
        before = module.compile([1, 3])
        module.load_state_dict({**state, "1.num_batches_tracked": np.int64(7)})
        assert all((module.state_dict()[name] == value).all() for name, value in state.items())
        assert module.compile([1, 3]).digest != before.digest
        assert (before.graph.constants["0.bias"] + 1 == state["0.bias"]).all()

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"0.bias": None}, "missing"),
            ({"9.bias": np.zeros(1, dtype=np.float32)}, "unknown"),
            ({"0.bias": np.zeros(3, dtype=np.float32)}, "float32"),
            ({"0.bias": np.zeros(2)}, "float64"),
        ],
    )
    def test_a_state_that_does_not_fit_changes_nothing(self, change: dict[str, Any], words: str) -> None:
        module = self.module()
        before = module.compile([1, 3]).digest
        state = {name: value + 1 for name, value in module.state_dict().items()} | change
        with pytest.raises(ModelError, match=words) as caught:
            module.load_state_dict({name: value for name, value in state.items() if value is not None})
        assert caught.value.code == "TL0109"
        assert module.compile([1, 3]).digest == before

    def test_equal_seeds_give_equal_numbers(self) -> None:
        assert (nn.Linear(3, 2, generator=5).weight == nn.Linear(3, 2, generator=5).weight).all()
        assert (nn.Linear(3, 2, generator=5).weight != nn.Linear(3, 2, generator=6).weight).any()

    def test_modules_in_lists_are_found(self) -> None:
        class Listed(nn.Module):
            def __init__(self) -> None:
                self.parts = [nn.Linear(2, 2), nn.Linear(2, 2, generator=1)]

            def forward(self, x: nn.Tensor) -> nn.Tensor:
                return self.parts[1](self.parts[0](x))

        assert sorted(Listed().state_dict()) == [
            "parts.0.bias", "parts.0.weight", "parts.1.bias", "parts.1.weight",
        ]  # fmt: skip
        assert "parts.1.Gemm" in Listed().compile([1, 2]).graph.types


class Peeking(nn.Module):
    """Looks at a number."""

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        return x if x.numpy().sum() > 0 else -x


class Branching(nn.Module):
    """Takes a tensor for a truth value."""

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        return x if x else -x


class Constant(nn.Module):
    """Does not depend on its input."""

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        return np.zeros((1, 2), dtype=np.float32)  # type: ignore[return-value]


MISFITS: dict[str, Callable[[], object]] = {
    "shape": lambda: nn.Linear(3, 2)(np.zeros((1, 4), dtype=np.float32)),
    "traced-shape": lambda: nn.Linear(3, 2).compile([1, 4]),
    "float64": lambda: nn.ReLU()(np.zeros((1, 4))),
    "no-example": lambda: nn.ReLU().compile(),
    "negative-shape": lambda: nn.ReLU().compile([1, -4]),
    "free-batch": lambda: nn.ReLU().compile([2, 4], free_batch=True),
    "numbers": lambda: Peeking().compile([1, 2]),
    "truth": lambda: Branching().compile([1, 2]),
    "constant": lambda: Constant().compile([1, 2]),
    "groups": lambda: nn.Conv2d(3, 4, 1, groups=2),
    "axis": lambda: functional.softmax(np.zeros((1, 2), dtype=np.float32), dim=2),
    "windows": lambda: functional.adaptive_avg_pool2d(np.zeros((1, 1, 5, 5), dtype=np.float32), 2),
    "kernel": lambda: functional.max_pool2d(np.zeros((1, 1, 5, 5), dtype=np.float32), (2, 2, 2)),
    "gelu": lambda: functional.gelu(np.zeros(2, dtype=np.float32), "fast"),
    "layer": lambda: nn.LayerNorm(3)(np.zeros((1, 2), dtype=np.float32)),
    "nothing": lambda: functional.cat([]),
    "weight": lambda: functional.linear(np.zeros((1, 2), dtype=np.float32), np.zeros(2, dtype=np.float32)),
    "pad": lambda: functional.pad(np.zeros((1, 2), dtype=np.float32), [1]),
    "group-norm": lambda: nn.GroupNorm(2, 3)(np.zeros((1, 3, 2), dtype=np.float32)),
    "upsample": lambda: functional.upsample(np.zeros((1, 1, 2), dtype=np.float32), 0),
    "narrow": lambda: functional.narrow(np.zeros((1, 2), dtype=np.float32), 1, 1, 2),
    "places": lambda: functional.index_select(np.zeros((1, 2), dtype=np.float32), 1, [2]),
    "reshape": lambda: functional.reshape(np.zeros((1, 2), dtype=np.float32), (3,)),
}


@pytest.mark.parametrize("case", MISFITS)
def test_what_does_not_fit_is_an_error(case: str) -> None:
    with pytest.raises(ModelError) as caught:
        MISFITS[case]()
    assert caught.value.code == "TL0109"


def test_two_graphs_do_not_mix() -> None:
    kept: list[nn.Tensor] = []

    class Keeping(nn.Module):
        def forward(self, x: nn.Tensor) -> nn.Tensor:
            kept.append(x)
            return kept[0] + x

    module = Keeping()
    module.compile([1, 2])
    with pytest.raises(ModelError, match="different graphs"):
        module.compile([1, 2])


def test_a_compiled_module_refuses_other_shapes() -> None:
    with pytest.raises(DataError):
        nn.ReLU().compile([1, 2])(np.zeros((1, 3), dtype=np.float32))


class TestExport:
    def test_a_file_runs_with_any_batch(self, tmp_path: Path) -> None:
        import onnxruntime

        module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
        path = tmp_path / "deep" / "m.onnx"
        module.export(path, [1, 1, 4, 4])
        graph = lower(load_model(path, root=tmp_path))
        assert graph.free_batch
        assert nn.from_onnx(path).digest == module.compile([1, 1, 4, 4], free_batch=True).digest
        assert nn.from_onnx(path).to_onnx() == path.read_bytes()
        x = np.random.default_rng(0).normal(size=(5, 1, 4, 4)).astype(np.float32)
        (many,) = onnxruntime.InferenceSession(path).run(None, {"input": x})
        np.testing.assert_allclose(many, module(x), rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("opset", [13, 15, 17, 18, 20, 22])
    def test_opsets(self, opset: int) -> None:
        module = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Hardsigmoid(), nn.AvgPool2d(2), nn.Flatten(), nn.ELU())
        compiled = module.compile([1, 1, 5, 5])
        data = compiled.to_onnx(opset=opset)
        assert onnx.ModelProto.FromString(data).opset_import[0].version == opset
        assert digest(lower(loaded(data))) == compiled.digest

    def test_data_movement_is_written(self) -> None:
        class Moving(nn.Module):
            def forward(self, x: nn.Tensor) -> nn.Tensor:
                part = functional.narrow(functional.pad(x, (1, 2, 0, 1), value=3.0), 3, 1, 4)
                return functional.index_select(functional.permute(part, (0, 2, 3, 1)), 2, [3, 0, 0])

        x = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
        compiled = Moving().compile([1, 2, 2, 3])
        padded = np.pad(x, ((0, 0), (0, 0), (0, 1), (1, 2)), constant_values=3)[:, :, :, 1:5]
        assert (compiled(x) == padded.transpose(0, 2, 3, 1)[:, :, [3, 0, 0]]).all()
        assert digest(lower(loaded(compiled.to_onnx()))) == compiled.digest

    def test_groups_need_a_newer_opset(self) -> None:
        compiled = nn.GroupNorm(2, 4).compile([1, 4, 3])
        assert digest(lower(loaded(compiled.to_onnx(opset=21)))) == compiled.digest
        with pytest.raises(ModelError, match=r"InstanceNormalization \(21\)"):
            compiled.to_onnx()

    @pytest.mark.parametrize(
        ("module", "opset", "words"),
        [(nn.GELU(), 19, "Gelu"), (nn.LayerNorm(2), 16, "LayerNorm"), (nn.ReLU(), 9, "range"),
         (nn.ReLU(), 99, "range")],
    )  # fmt: skip
    def test_what_an_opset_lacks_is_named(self, module: nn.Module, opset: int, words: str) -> None:
        with pytest.raises(ModelError, match=words) as caught:
            module.compile([1, 2]).to_onnx(opset=opset)
        assert caught.value.code == "TL0110"

    def test_a_written_model_that_means_something_else_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The writing of Sub exchanges its operands."""

        def wrong(node: Any, graph: Any, constant: Any) -> Any:
            written = table.TABLE["Sub"].write(node, graph, constant)
            return table.Written("Sub", written.inputs[::-1], {})

        compiled = Swapped().compile([1, 2], [1, 2])
        compiled.to_onnx()
        rows = {**table.TABLE, "Sub": table.Row(13, wrong)}
        monkeypatch.setattr("pytest_torchlean.onnx_export.write.TABLE", rows)
        with pytest.raises(ModelError, match="does not give the graph again"):
            compiled.to_onnx()

    def test_operations_that_are_not_written_are_named(self) -> None:
        graph = lower(loaded(one_node("Floor")))
        with pytest.raises(ModelError, match="Floor"):
            to_onnx(graph)

    def test_a_file_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "m").mkdir()
        with pytest.raises(ModelError) as caught:
            nn.ReLU().export(tmp_path / "m", [1, 2])
        assert caught.value.code == "TL0110"


class Swapped(nn.Module):
    """The difference of two inputs."""

    def forward(self, a: nn.Tensor, b: nn.Tensor) -> nn.Tensor:
        return a - b


def one_node(op: str) -> bytes:
    node = onnx.helper.make_node(op, ["x"], ["y"])
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 2]) for name in "xy"]
    graph = onnx.helper.make_graph([node], "g", values[:1], values[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def test_importing_the_package_does_not_import_modules() -> None:
    script = (
        "import sys, pytest_torchlean; print([m for m in sys.modules if m.startswith(('numpy', 'onnx'))])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
