"""Two chains over one picture: which proposals one has and the other lacks, and at which step.

Chains over the same grid number their anchors alike, so an anchor can be asked what became of it
in the other chain. Chains over different grids share boxes, not numbers.

Shapes: P proposals of one chain, Q of the other, N anchors.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

from explorer.core.candidates import Candidates, Fate
from explorer.core.columns import as_columns
from explorer.core.layout import Grid
from explorer.core.proposals import Proposals
from explorer.core.sweep import find_met

SAME = 0.9  # IoU from which two boxes count as one; rounding anchors to pixels moves less


class Why(IntEnum):
    """Why the other chain has no such proposal; the first five are its `Fate` there."""

    MOVED = 0  # its anchor gave a proposal there too, at another place
    BELOW_TOP_N = Fate.BELOW_TOP_N
    TOO_SMALL = Fate.TOO_SMALL
    SUPPRESSED = Fate.SUPPRESSED
    OVER_CAP = Fate.OVER_CAP
    LOW_SCORE = Fate.LOW_SCORE
    OTHER_GRID = 100  # the other chain has no anchor of this number


@dataclass(frozen=True, eq=False)
class Chain:
    """What two chains are compared by."""

    grid: Grid
    candidates: Candidates
    proposals: Proposals


@dataclass(frozen=True, eq=False)
class Lacking:
    """The proposals of one chain that another lacks, best first."""

    rank: Tensor  # (M,) int64, place among the proposals of the one chain
    why: Tensor  # (M,) int64, a `Why`


def find_lacking(one: Chain, other: Chain, same: float = SAME) -> Lacking:
    """The proposals of `one` that `other` has nowhere, and why.

    Args:
        one: chain whose proposals are asked for.
        other: chain over the same picture, of any settings.
        same: IoU from which two boxes count as one, in (0, 1].

    Returns:
        The lacking ones, on the CPU; none where `one` has no proposals.
    """
    mine, theirs = (chain.proposals.boxes.cpu().numpy() for chain in (one, other))
    under = float(np.nextafter(np.float32(same), np.float32(0)))  # `same` itself is the same
    met = find_met(as_columns(np.concatenate([mine, theirs])), len(mine), under)
    rank = torch.from_numpy(np.flatnonzero(~met[: len(mine)]))
    anchors = one.proposals.anchor_index.cpu()[rank]
    if _number_alike(one.grid, other.grid):
        why = final_fate(other)[anchors].long()
    else:
        why = torch.full_like(anchors, Why.OTHER_GRID)
    return Lacking(rank, why)


def final_fate(chain: Chain) -> Tensor:
    """(N,) int8, the step at which each anchor ended, a `Fate`; on the CPU."""
    fate = chain.candidates.fate.cpu().clone()
    fate[chain.candidates.anchor_index.cpu()] = chain.proposals.fate.cpu()
    return fate


def _number_alike(one: Grid, other: Grid) -> bool:
    return (one.cells, one.per_cell) == (other.cells, other.per_cell)
