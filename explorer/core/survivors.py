"""How many boxes survive NMS at every threshold: the count at one is one point of this curve."""

from __future__ import annotations

from torch import Tensor

from explorer.core.candidates import Candidates
from explorer.core.curve import survivors_by_threshold
from explorer.settings import Filter

THRESHOLDS = tuple(percent / 100 for percent in range(101))


def count_survivors(candidates: Candidates, rules: Filter, score_threshold: float) -> Tensor:
    """Count what NMS keeps of the candidates at each of `THRESHOLDS`, before the cap.

    Args:
        candidates: best first.
        rules: whether NMS works by level.
        score_threshold: candidates that score lower went before NMS.

    Returns:
        (101,) int64, zeros for no candidates, on the CPU.
    """
    enter = candidates.valid & ~(candidates.scores < score_threshold)
    level = candidates.level[enter] if rules.nms_by_level else None
    return survivors_by_threshold(candidates.boxes[enter], THRESHOLDS, level)


def tell_thresholds(survivors: Tensor, candidates: int) -> str:
    """Whether NMS keeps more at 0.7 than at 0.3, in these numbers.

    Args:
        survivors: from `count_survivors`.
        candidates: how many went in.
    """
    low, high = int(survivors[30]), int(survivors[70])
    which = "the higher threshold keeps more" if high > low else "the two keep the same number"
    return (
        f"Of these {candidates:,} candidates it keeps {high:,} at 0.7 and drops "
        f"{candidates - high:,}; at 0.3 it keeps {low:,} and drops {candidates - low:,}. So "
        f"{which}: a box goes only where it overlaps a better one by more than the threshold."
    )


def tell_equal_tops(candidates: int, survivors: int, threshold: float, cap: int) -> str:
    """What NMS does where the top-n before and after it are equal, in these numbers.

    Args:
        candidates: how many went in.
        survivors: how many it keeps, before the cap.
        threshold: the one in force.
        cap: the top-n after NMS in force.
    """
    went, cut = candidates - survivors, max(0, survivors - cap)
    does = "Yes" if went else "Not here"
    drops = f"NMS itself drops {went:,}" if went else "NMS drops none"
    return (
        f"{does}: {candidates:,} go in and {survivors:,} survive at {threshold:g}, so {drops}, "
        f"whatever the cap. A cap of {candidates:,}, as many as go in, could never cut; "
        f"the cap of {cap:,} set now cuts {f'{cut:,}' if cut else 'none'}."
    )
