"""Modules: parameters with names, a `forward`, and what follows from the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.kernels import require_gradual_underflow
from pytest_torchlean.errors import ModelError
from pytest_torchlean.nn.tensor import Array, Tensor, as_tensor
from pytest_torchlean.onnx_export import DEFAULT_OPSET


def _missing(self: Module, *inputs: Tensor) -> Any:
    raise NotImplementedError(f"{type(self).__name__} has no forward")


class Module:
    """The base of all modules. A subclass sets parameters (float32 arrays) and modules as attributes in its
    `__init__` and computes in `forward` with `nn.functional`, with operators, and with its modules.

    `forward` gets tensors and gives one or a tuple of them. It may look at shapes, not at numbers.
    """

    forward: Callable[..., Any] = _missing
    """What the module computes; subclasses define it with the arguments they take."""

    def __call__(self, *inputs: Any) -> Any:
        """Arrays in, arrays out, computed now; tensors in, tensors out. Raises ModelError TL0109."""
        if any(isinstance(value, Tensor) for value in inputs):
            return self._traced(inputs)
        require_gradual_underflow()
        result = self.forward(*(as_tensor(np.asarray(value)) for value in inputs))
        return tuple(part.numpy() for part in result) if isinstance(result, tuple) else result.numpy()

    def compile(self, *examples: Sequence[int] | Array, free_batch: bool = False) -> Any:
        """The module as a graph, for float32 inputs of these shapes; see `nn.compile`."""
        from pytest_torchlean.nn.compiled import compile

        return compile(self, *examples, free_batch=free_batch)

    def export(
        self,
        path: str | Path,
        *examples: Sequence[int] | Array,
        opset: int = DEFAULT_OPSET,
        free_batch: bool = True,
    ) -> None:
        """Write the module as ONNX for inputs of these shapes, whose first dimension stays free unless told
        otherwise. Raises ModelError TL0109, TL0110."""
        self.compile(*examples, free_batch=free_batch).export(path, opset=opset)

    def children(self) -> Iterator[tuple[str, Module]]:
        """Direct modules with their names; those in lists are named by attribute and position."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, list | tuple):
                for position, item in enumerate(value):
                    if isinstance(item, Module):
                        yield f"{name}.{position}", item

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all inside, with their paths."""
        yield prefix, self
        for name, child in self.children():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def state_dict(self) -> dict[str, NDArray[np.float32]]:
        """All parameters by path, such as "0.weight" or "1.running_mean": PyTorch's names."""
        return {
            f"{path}.{name}" if path else name: value
            for path, module in self.named_modules()
            for name, value in vars(module).items()
            if isinstance(value, np.ndarray)
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take parameters from arrays, or from a PyTorch `state_dict()`: the same names and shapes, float32.

        PyTorch's counters of training steps are ignored. Raises ModelError TL0109, before anything changed.
        """
        own = self.state_dict()
        given = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
        missing, unknown = sorted(own.keys() - given.keys()), sorted(given.keys() - own.keys())
        if missing or unknown:
            raise ModelError("TL0109", f"parameters are missing: {missing}; or unknown: {unknown}")
        arrays = {name: _array(value) for name, value in given.items()}
        for name, array in arrays.items():
            if array.dtype != np.float32 or array.shape != own[name].shape:
                wanted = f"float32{list(own[name].shape)}"
                raise ModelError(
                    "TL0109", f"parameter {name} is {array.dtype.name}{list(array.shape)}, not {wanted}"
                )
        for path, module in self.named_modules():
            for name, value in list(vars(module).items()):
                if isinstance(value, np.ndarray):
                    setattr(module, name, arrays[f"{path}.{name}" if path else name])

    def _traced(self, inputs: Sequence[Any]) -> Any:
        """`forward`, with this module's path in the names of nodes."""
        trace = next((x.trace for x in inputs if isinstance(x, Tensor) and x.trace is not None), None)
        if trace is None:
            return self.forward(*inputs)
        outer, trace.scope = trace.scope, trace.paths.get(id(self), trace.scope)
        try:
            return self.forward(*inputs)
        finally:
            trace.scope = outer


class Sequential(Module):
    """Modules one after the other."""

    def __init__(self, *modules: Module) -> None:
        self.modules = modules

    def forward(self, x: Tensor) -> Tensor:
        for module in self.modules:
            x = module(x)
        return x

    def children(self) -> Iterator[tuple[str, Module]]:
        for position, module in enumerate(self.modules):
            yield str(position), module

    def __len__(self) -> int:
        return len(self.modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.modules)

    def __getitem__(self, position: int) -> Module:
        return self.modules[position]


def _array(value: Any) -> NDArray[Any]:
    """A copy as an array; a PyTorch tensor is detached first."""
    return np.array(value.detach().cpu().numpy() if hasattr(value, "detach") else value, order="C")
