"""Modules of PyTorch: taken through its own export, and its layers against ours. Skipped without PyTorch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_torchlean import nn
from pytest_torchlean.errors import ModelError
from pytest_torchlean.onnx_import import load_model, lower
from pytest_torchlean.runtime import RuntimeSession


def test_without_pytorch_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModelError, match="PyTorch cannot be imported") as caught:
        nn.from_torch(object())
    assert caught.value.code == "TL0111"


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", exc_type=ImportError)


def network(torch: Any) -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1),
        torch.nn.BatchNorm2d(4),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Dropout(),
        torch.nn.Linear(64, 3),
    )


def ours() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(64, 3),
    )


X = np.random.default_rng(0).normal(size=(1, 1, 8, 8)).astype(np.float32)


def test_a_module_is_what_pytorch_exports(torch: Any, tmp_path: Path) -> None:
    module = network(torch).train()
    compiled = nn.from_torch(module, torch.from_numpy(X))
    assert module.training
    with torch.no_grad():
        wanted = module.eval()(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(compiled(X), wanted, rtol=1e-4, atol=1e-5)
    compiled.export(tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_bytes() == compiled.stored
    graph = lower(load_model(tmp_path / "m.onnx", root=tmp_path))
    assert nn.Compiled(graph).digest == compiled.digest
    session = RuntimeSession(compiled.to_onnx(), optimise=False)
    (answer,) = session.run({session.inputs[0]: X})
    np.testing.assert_allclose(answer, wanted, rtol=1e-4, atol=1e-5)


def test_a_state_dict_gives_the_same_function(torch: Any) -> None:
    module, own = network(torch).eval(), ours()
    own.load_state_dict(module.state_dict())
    with torch.no_grad():
        wanted = module(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(own(X), wanted, rtol=1e-4, atol=1e-5)


LAYERS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = {
    "linear": ("Linear", (5, 3), {}, (2, 5)),
    "linear-rank-3": ("Linear", (5, 3), {}, (2, 4, 5)),
    "conv": ("Conv2d", (4, 6, 3), {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}, (1, 4, 9, 8)),
    "conv1d": ("Conv1d", (2, 3, 3), {"padding": 1}, (1, 2, 7)),
    "transposed": (
        "ConvTranspose2d", (4, 6, 3), {"stride": 2, "output_padding": 1, "groups": 2}, (1, 4, 5, 4),
    ),
    "max": ("MaxPool2d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}, (1, 2, 8, 7)),
    "mean": ("AvgPool2d", (3,), {"stride": 2, "padding": 1}, (1, 2, 8, 7)),
    "mean-inside": ("AvgPool2d", (3, 2), {"padding": 1, "count_include_pad": False}, (1, 2, 8, 7)),
    "adaptive": ("AdaptiveAvgPool2d", ((2, 1),), {}, (1, 2, 8, 7)),
    "norm": ("BatchNorm1d", (5,), {"eps": 1e-3}, (2, 5)),
    "layer": ("LayerNorm", ([4, 5],), {}, (2, 4, 5)),
    "group": ("GroupNorm", (2, 4), {}, (1, 4, 3, 2)),
    "instance": ("InstanceNorm2d", (3,), {"affine": True}, (1, 3, 4, 4)),
    "pad": ("ZeroPad2d", ((1, 2, 0, 3),), {}, (1, 2, 3, 4)),
    "up": ("Upsample", (), {"scale_factor": 2}, (1, 2, 3, 4)),
    "prelu": ("PReLU", (3,), {}, (1, 3, 2, 2)),
    "hardtanh": ("Hardtanh", (-0.5, 2.0), {}, (3, 7)),
    "leaky": ("LeakyReLU", (0.2,), {}, (3, 7)),
    "elu": ("ELU", (0.7,), {}, (3, 7)),
    "celu": ("CELU", (0.7,), {}, (3, 7)),
    "gelu": ("GELU", (), {}, (3, 7)),
    "gelu-tanh": ("GELU", ("tanh",), {}, (3, 7)),
    "softmax": ("Softmax", (1,), {}, (3, 7)),
    "log-softmax": ("LogSoftmax", (1,), {}, (3, 7)),
    **{
        name.lower(): (name, (), {}, (3, 7))
        for name in (
            "ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid", "Sigmoid", "Tanh",
            "Softplus", "Softsign", "Identity", "Flatten",
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("case", LAYERS)
def test_a_layer_is_pytorchs(torch: Any, case: str) -> None:
    name, arguments, options, shape = LAYERS[case]
    theirs = getattr(torch.nn, name)(*arguments, **options).eval()
    own = getattr(nn, name)(*arguments, **options)
    assert list(own.state_dict()) == [key for key in theirs.state_dict() if "num_batches" not in key]
    own.load_state_dict(theirs.state_dict())
    x = (3 * np.random.default_rng(1).normal(size=shape)).astype(np.float32)
    with torch.no_grad():
        wanted = theirs(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(own(x), wanted, rtol=1e-5, atol=1e-5)


def test_an_export_that_fails_is_an_error(torch: Any) -> None:
    class Refusing(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            raise RuntimeError("not today")

    with pytest.raises(ModelError) as caught:
        nn.from_torch(Refusing(), torch.zeros(1, 2))
    assert caught.value.code == "TL0112"


def test_other_objects_are_refused(torch: Any) -> None:
    with pytest.raises(ModelError) as caught:
        nn.from_torch(nn.ReLU(), torch.zeros(1, 2))
    assert caught.value.code == "TL0111"
