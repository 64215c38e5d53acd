"""Random modules of `pytest_torchlean.nn` with inputs that fit them, as hypothesis strategies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from pytest_torchlean import nn
from pytest_torchlean.nn import functional

ELEMENTWISE = (
    nn.ReLU, nn.ReLU6, nn.Tanh, nn.Sigmoid, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU,
    nn.Mish, nn.Softplus, nn.Softsign, nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh, nn.Identity, nn.Dropout,
    nn.PReLU,
)  # fmt: skip

IMAGE_LAYERS = (
    "conv", "grouped", "transposed", "norm", "instance", "max", "mean", "act", "branch", "pad", "up",
)  # fmt: skip


class Residual(nn.Module):
    """x + body(x) / 3, and the same once more: parameters are used twice."""

    def __init__(self, body: nn.Module) -> None:
        self.body = body

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        once = x + self.body(x) / 3.0
        return 1.5 * once - functional.mul(self.body(once), 0.1)


class Branches(nn.Module):
    """Two modules beside each other, concatenated along channels."""

    def __init__(self, parts: list[nn.Module]) -> None:
        self.parts = parts

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        return functional.cat([part(x) for part in self.parts], dim=1)


@dataclass(frozen=True, eq=False)
class Example:
    """A module, the shape of its input, and the seed of its input's numbers."""

    module: nn.Module
    shape: tuple[int, ...]
    seed: int

    def input(self) -> np.ndarray:
        """Numbers of several sizes, zeros of both signs among them."""
        generator = np.random.default_rng(self.seed)
        values = generator.normal(size=self.shape) * np.exp2(generator.uniform(-8, 3, self.shape))
        values[generator.random(self.shape) < 0.1] = 0.0
        values[generator.random(self.shape) < 0.05] = -0.0
        return values.astype(np.float32)


@st.composite
def examples(draw: Any) -> Example:
    """A sequence of layers over images or rows that ends in a dense layer."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    layers: list[nn.Module] = []
    if draw(st.booleans()):
        shape: tuple[int, ...] = (
            1,
            draw(st.integers(1, 3)),
            draw(st.integers(4, 8)),
            draw(st.integers(4, 8)),
        )
        inner = shape
        for _ in range(draw(st.integers(1, 4))):
            layer = draw(image_layers(inner, generator))
            inner = layer(np.zeros(inner, dtype=np.float32)).shape
            layers.append(layer)
        layers.append(nn.Flatten())
        inner = (1, int(np.prod(inner)))
    else:
        shape = inner = (1, draw(st.integers(1, 9)))
    for _ in range(draw(st.integers(1, 3))):
        width = draw(st.integers(1, 7))
        layers.append(nn.Linear(inner[1], width, draw(st.booleans()), generator=generator))
        inner = (1, width)
        layers.append(draw(row_layers(width, generator)))
    return Example(nn.Sequential(*layers), shape, draw(st.integers(0, 2**32 - 1)))


@st.composite
def image_layers(draw: Any, shape: tuple[int, ...], generator: np.random.Generator) -> nn.Module:
    channels, least = shape[1], min(shape[2:])
    kernel = draw(st.integers(1, min(3, least)))
    stride, padding = draw(st.integers(1, 2)), draw(st.integers(0, kernel // 2))
    wide = draw(st.integers(1, 4))
    kind = draw(
        st.sampled_from(
            ("conv", "grouped", "transposed", "norm", "max", "mean", "act", "branch", "pad", "up", "instance")
        )
    )
    if kind == "conv":
        bias = draw(st.booleans())
        return nn.Conv2d(channels, wide, kernel, stride, padding, bias=bias, generator=generator)
    if kind == "grouped":
        return nn.Conv2d(
            channels, 2 * channels, kernel, stride, padding, groups=channels, generator=generator
        )
    if kind == "transposed":
        extra = draw(st.integers(0, stride - 1))
        return nn.ConvTranspose2d(channels, wide, kernel, stride, 0, extra, generator=generator)
    if kind == "norm":
        return normalised(nn.BatchNorm2d(channels, affine=draw(st.booleans())), generator)
    if kind == "max":
        return nn.MaxPool2d(kernel, stride, padding, ceil_mode=draw(st.booleans()))
    if kind == "mean":
        return nn.AvgPool2d(kernel, stride, padding, count_include_pad=draw(st.booleans()))
    if kind == "pad":
        return nn.ZeroPad2d((1, 0, padding, 2))
    if kind == "up":
        return nn.Upsample(scale_factor=stride) if least < 9 else nn.Identity()
    if kind == "instance":
        return normalised(nn.InstanceNorm2d(channels, affine=True), generator)
    if kind == "branch":
        pair = [nn.Conv2d(channels, wide, 1, generator=generator), nn.AdaptiveAvgPool2d(shape[2:])]
        return Branches(pair)
    return draw(st.sampled_from(ELEMENTWISE))()


@st.composite
def row_layers(draw: Any, width: int, generator: np.random.Generator) -> nn.Module:
    kind = draw(st.sampled_from(("act", "act", "norm", "layer", "residual", "softmax", "log")))
    if kind == "norm":
        return normalised(nn.BatchNorm1d(width), generator)
    if kind == "layer":
        return nn.LayerNorm(width)
    if kind == "residual":
        return Residual(nn.Sequential(nn.Linear(width, width, generator=generator), nn.ReLU()))
    if kind == "softmax":
        return nn.Softmax()
    if kind == "log":
        return nn.LogSoftmax()
    return draw(st.sampled_from(ELEMENTWISE))()


def normalised(module: nn.Module, generator: np.random.Generator) -> nn.Module:
    """The module with random parameters; a variance stays positive."""
    state = {name: generator.normal(size=value.shape) for name, value in module.state_dict().items()}
    if "running_var" in state:
        state["running_var"] = np.abs(state["running_var"]) + 0.1
    module.load_state_dict({name: value.astype(np.float32) for name, value in state.items()})
    return module
