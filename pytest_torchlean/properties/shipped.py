"""Models that a claim's graph was made from, held against their files.

Where the theorem is about a graph that was made from a model's graph - of derivatives, of monomials - the
guard compares it with its own ONNX form, which a wrong lowering has spoilt as well. Here the model's graph is
compared with the shipped bytes, node by node and as a whole, as it is for other kinds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pytest_torchlean.binary32.format import from_hex_all
from pytest_torchlean.bounds.lowering import lower_to_program
from pytest_torchlean.certificate.boxes import RationalBox
from pytest_torchlean.certificate.guard import MINIMUM_POINTS, require_same_function
from pytest_torchlean.certificate.plan import graph_data
from pytest_torchlean.errors import UnsupportedError
from pytest_torchlean.properties.executions import Executions
from pytest_torchlean.properties.joined import JoinedExecutions
from pytest_torchlean.properties.proving import guard_nodes, guard_points
from pytest_torchlean.spec.vnnlib import InputBox
from pytest_torchlean.verdict import Evidence, Verdict

_LANES = 2


def require_shipped(evidence: Evidence, executions: Executions, region: InputBox) -> None:
    """For a proof at points of the region, for a refutation at its witness.

    region: of the model's input, in the first elements. Nothing is compared where certificates do not cover
    a node that what is claimed may not need. Raises CertificateError TL0610, RuntimeFailure TL0705.
    """
    size = sum(executions.graph.types[name].size for name in executions.graph.inputs)
    if evidence.verdict is Verdict.PROVED:
        points = guard_points([RationalBox(region.lower[:size], region.upper[:size])])
    elif evidence.verdict is Verdict.REFUTED:
        points = np.repeat(from_hex_all(evidence.witnesses[0].input)[None, :size], MINIMUM_POINTS, axis=0)
    else:
        return
    _compare(executions, points)


def _compare(executions: Executions, points: NDArray[np.float32]) -> None:
    front = executions.front
    try:
        program = (
            executions.program
            if isinstance(executions, JoinedExecutions)
            else lower_to_program(executions.graph, () if front is None else front.values)
        )
    except UnsupportedError:
        return
    graph = graph_data(program, _LANES)
    executions.require_types(points[0])
    guard_nodes(graph, program.outputs, executions, program)
    require_same_function(graph, program.outputs, points, executions.runtime)
