"""How many boxes are left after each step of the chain."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.core.candidates import Candidates, Fate
from explorer.core.proposals import Proposals


@dataclass(frozen=True)
class Step:
    """One step of the chain and what is left after it."""

    name: str
    left: int
    page: str  # where this step can be looked at: "anchors", "scores" or "proposals"


def count_steps(
    candidates: Candidates, proposals: Proposals, order: str, score_threshold: float = 0
) -> list[Step]:
    """The chain's counts in the order in which the settings run its steps.

    Args:
        candidates: with the fate of every anchor.
        proposals: with the survivors before the cap.
        order: "decode first" or "top-n first".
        score_threshold: under which candidates went before NMS; 0 is no step.

    Returns:
        All anchors first, proposals last.
    """
    fates = candidates.fate.long().bincount(minlength=len(Fate)).tolist()
    anchors = len(candidates.fate)
    if order == "decode first":
        filters = [
            Step("large enough", anchors - fates[Fate.TOO_SMALL], "proposals"),
            Step("pre-NMS top-n", fates[Fate.KEPT], "proposals"),
        ]
    else:
        filters = [
            Step("pre-NMS top-n", anchors - fates[Fate.BELOW_TOP_N], "proposals"),
            Step("large enough", fates[Fate.KEPT], "proposals"),
        ]
    if score_threshold > 0:
        low = int((proposals.fate == Fate.LOW_SCORE).sum())
        filters.append(Step("over score threshold", fates[Fate.KEPT] - low, "proposals"))
    return [
        Step("anchors", anchors, "anchors"),
        *filters,
        Step("survive NMS", proposals.survivors, "proposals"),
        Step("proposals", len(proposals.boxes), "proposals"),
    ]
