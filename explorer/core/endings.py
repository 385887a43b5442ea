"""How a box ended, in one sentence: which step decided, at which number against which limit.

Places count from 1 here, as people count.
"""

from __future__ import annotations

import math

from explorer.core.biography import Biography
from explorer.core.candidates import Fate
from explorer.settings import Filter, Nms


def tell_end(life: Biography, rules: Filter, nms: Nms) -> str:
    """The step that kept or dropped a box, as a sentence.

    Args:
        life: from `trace_box`.
        rules: those that `life` was traced under.
        nms: threshold, cap and score threshold of the same run.
    """
    if life.fate == Fate.BELOW_TOP_N:
        return _below_top_n(life, rules)
    if life.fate == Fate.TOO_SMALL:
        return _too_small(life.shorter_side, rules)
    if life.fate == Fate.LOW_SCORE:
        return (
            f"Dropped by the score threshold: it scores {apart(life.score, nms.score_threshold)}, "
            f"and boxes from {nms.score_threshold:g} on take part in NMS."
        )
    limit, its = nms.iou_threshold, " of its level" if rules.nms_by_level else ""
    if life.fate == Fate.SUPPRESSED:
        return (
            f"Suppressed by candidate #{life.winner.candidate + 1:,}, which ranks higher and "
            f"overlaps it by IoU {apart(life.winner.iou, limit)}, more than {limit:g}."
        )
    place, of = life.in_survivors.rank + 1, life.in_survivors.of
    if life.fate == Fate.OVER_CAP:
        return (
            f"Cut by the cap: it survives NMS as number {place:,} of {of:,}, "
            f"and the first {nms.post_nms:,} become proposals."
        )
    return (
        f"Kept: proposal {place:,} of {min(of, nms.post_nms):,}. No kept box{its} that ranks "
        f"higher overlaps it by more than {limit:g}."
    )


def _below_top_n(life: Biography, rules: Filter) -> str:
    place, its = life.in_top_n, " of its level" if rules.top_n_by_level else ""
    large = " that are large enough" if rules.order == "decode first" else ""
    return (
        f"Dropped by the top-n: it is number {place.rank + 1:,} of the {place.of:,} boxes{its}"
        f"{large}, and the first {rules.pre_nms:,} go on."
    )


def _too_small(side: float, rules: Filter) -> str:
    if math.isnan(side):
        return "Dropped as too small: its deltas are no numbers, so it has no size."
    pixels = "px" if rules.min_size_at == "input" else "px of the photo"
    rule = "at least" if rules.keep_equal else "more than"
    return (
        f"Dropped as too small: inside the picture its shorter side is "
        f"{apart(side, rules.min_size)} {pixels}, and it takes {rule} {rules.min_size:g} to go on."
    )


def apart(value: float, limit: float) -> str:
    """The value in two decimals, or in as many more as show on which side of the limit it lies."""
    for digits in range(2, 10):
        text = f"{value:.{digits}f}"
        if (float(text) > limit, float(text) < limit) == (value > limit, value < limit):
            return text
    return repr(value)
