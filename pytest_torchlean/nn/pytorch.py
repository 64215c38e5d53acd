"""From a `torch.nn.Module`, through PyTorch's own ONNX export; PyTorch is imported only here, when asked."""

from __future__ import annotations

import hashlib
import io
import warnings
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_torchlean.errors import ModelError
from pytest_torchlean.nn.compiled import Compiled
from pytest_torchlean.onnx_import import LoadedModel, lower

DEFAULT_OPSET = 18


def from_torch(module: Any, *example: Any, opset: int = DEFAULT_OPSET) -> Compiled:
    """The module in evaluation mode as PyTorch exports it for the example tensors: what would be shipped.

    The result's `stored` are PyTorch's bytes, so `export` writes exactly them. Raises ModelError TL0111
    where PyTorch is not installed or this is no module of it, TL0112 where its export fails, and
    UnsupportedError TL02xx for operators outside the table.
    """
    try:
        torch: Any = import_module("torch")
    except ImportError as problem:
        raise ModelError("TL0111", f"PyTorch cannot be imported: {str(problem)[:200]}") from None
    if not isinstance(module, torch.nn.Module):
        raise ModelError("TL0111", f"{type(module).__name__} is not a torch.nn.Module")
    training = module.training
    module.eval()
    try:
        data = _exported(torch, module, example, opset)
    finally:
        module.train(training)
    loaded = LoadedModel(Path(f"{type(module).__name__}.onnx"), data, hashlib.sha256(data).hexdigest())
    return Compiled(lower(loaded), data)


def _exported(torch: Any, module: Any, example: tuple[Any, ...], opset: int) -> bytes:
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(module, example, buffer, opset_version=opset)
    except Exception as problem:
        lines = str(problem).strip().splitlines()
        reason = lines[0][:300] if lines else ""
        raise ModelError("TL0112", f"PyTorch's export failed: {type(problem).__name__}: {reason}") from None
    return buffer.getvalue()
