"""The rows behind all links of a relaxation: Check.Relaxation.walk."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_torchlean.certificate.branches import Waiting, follow_branch
from pytest_torchlean.certificate.links import follow
from pytest_torchlean.certificate.multipliers import multiplied
from pytest_torchlean.certificate.pairing import paired
from pytest_torchlean.certificate.reframing import reframed
from pytest_torchlean.certificate.rows import Box, PassedNode, Rows, require
from pytest_torchlean.certificate.substitution import (
    BranchData,
    MultiplyData,
    PairData,
    ReframeData,
    RelaxationData,
    SettleData,
)


def followed(box: Box, passed: Sequence[PassedNode], data: RelaxationData, rows: Rows) -> Rows:
    """The rows behind all links: each passes a node, except for multipliers, branches and frames.

    Raises NotRelaxable.
    """
    left, waiting, width = len(passed), Waiting(), data.width
    for link in data.links:
        if isinstance(link, MultiplyData):
            rows = multiplied(box, link, rows)
        elif isinstance(link, BranchData):
            rows, waiting = follow_branch(box, link, rows, waiting)
        elif isinstance(link, ReframeData):
            rows, width = reframed(link, rows, width, waits=bool(waiting)), link.width
        elif isinstance(link, PairData):
            require(left > 0)
            rows, low = paired(box, passed[left - 1], link, rows)
            waiting = (*waiting, low)
        else:
            require(left > 0 and not (waiting and isinstance(link, SettleData)))
            left -= 1
            rows = follow(box, passed[left], link, rows)
    require(not waiting)
    return rows
