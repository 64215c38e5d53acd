"""Small modules in the manner of PyTorch, on the graph, the evaluator and the proofs of this package.

A module runs at once on the evaluator's binary32 kernels, compiles to the graph that certificates are about
with the same bits, and exports to ONNX. There are no gradients: weights come from elsewhere.
"""

from __future__ import annotations

from pytest_torchlean.nn import functional
from pytest_torchlean.nn.activations import (
    CELU,
    ELU,
    GELU,
    SELU,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from pytest_torchlean.nn.compiled import Compiled, compile, from_onnx
from pytest_torchlean.nn.layers import (
    AdaptiveAvgPool2d,
    AvgPool1d,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    GroupNorm,
    Identity,
    InstanceNorm2d,
    LayerNorm,
    Linear,
    MaxPool1d,
    MaxPool2d,
    Upsample,
    ZeroPad2d,
)
from pytest_torchlean.nn.module import Module, Sequential
from pytest_torchlean.nn.pytorch import from_torch
from pytest_torchlean.nn.tensor import Tensor

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "SELU",
    "AdaptiveAvgPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Compiled",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "Dropout",
    "Flatten",
    "GroupNorm",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "InstanceNorm2d",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MaxPool1d",
    "MaxPool2d",
    "Mish",
    "Module",
    "PReLU",
    "ReLU",
    "ReLU6",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
    "Tensor",
    "Upsample",
    "ZeroPad2d",
    "compile",
    "from_onnx",
    "from_torch",
    "functional",
]
