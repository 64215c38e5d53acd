"""The hooks by which other packages extend pytest-torchlean.

A module may implement them as a pytest plugin, or be named in the entry-point group `torchlean.extensions`,
which `torchlean` on the command line reads too. Every hook takes no argument and returns one value or a
list of them; they are asked once per process, when the first property is met.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from pytest_torchlean.extensions.model import Falsifier, Operator, PropertyKind, Reporter

hookspec = pluggy.HookspecMarker("pytest")

GROUP = "torchlean.extensions"
"""The entry-point group."""

HOOKS = (
    "pytest_torchlean_operators",
    "pytest_torchlean_property_kinds",
    "pytest_torchlean_falsifiers",
    "pytest_torchlean_reporters",
    "pytest_torchlean_executor",
)


@hookspec
def pytest_torchlean_operators() -> Operator | Sequence[Operator]:
    """ONNX operators that pytest-torchlean does not know, each by a function of operators that it does.

    The evaluator, bounds and certificates follow from the function. That it is what the operator means is
    trusted; the comparison with onnxruntime stands against a wrong one, and the ledger names it.
    """
    raise NotImplementedError


@hookspec
def pytest_torchlean_property_kinds() -> PropertyKind | Sequence[PropertyKind]:
    """New words for `check:`. A kind turns its keys into boxes and linear inequalities, which Lean checks."""
    raise NotImplementedError


@hookspec
def pytest_torchlean_falsifiers() -> Falsifier | Sequence[Falsifier]:
    """Searches for counterexamples. They give candidates; REFUTED needs one that breaks when run again."""
    raise NotImplementedError


@hookspec
def pytest_torchlean_reporters() -> Reporter | Sequence[Reporter]:
    """Further forms of the record, for `torchlean report --report NAME=FILE` and `--torchlean-report`."""
    raise NotImplementedError


@hookspec
def pytest_torchlean_executor() -> Executor:
    """Where parts of a box are bounded: processes of this machine, or those of a cluster.

    What is found does not depend on it. Who gives it shuts it down.
    """
    raise NotImplementedError
