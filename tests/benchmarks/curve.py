"""All thresholds at once, and moving one: `python -m tests.benchmarks curve`."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch

from explorer.core.curve import survivors_by_threshold
from explorer.core.memo import Memo
from explorer.core.nms import rank, suppress_ranked
from explorer.core.overlaps import find_overlaps, suppress_at
from explorer.core.pipeline import recipe, run
from explorer.core.survivors import THRESHOLDS
from explorer.editing import changed
from explorer.presets import PRESETS
from explorer.settings import Settings
from tests.benchmarks.clock import medians
from tests.benchmarks.inputs import KINDS, boxes_of
from tests.benchmarks.table import Table

MOVES = (0.3, 0.5, 0.7, 0.9)


def measure() -> list[Table]:
    """The curve beside as many runs of NMS, then one threshold after another."""
    return [_curve(), _moves()]


def _curve() -> Table:
    rows = []
    for count, levels in ((1000, 1), (2000, 1), (4507, 5), (5000, 1)):
        for make in KINDS:
            boxes, scores, level = boxes_of(make, count, levels)
            order = rank(scores)
            boxes, groups = boxes[order], level[order] if levels > 1 else None
            times = medians(
                3,
                {
                    "curve": lambda b=boxes, g=groups: survivors_by_threshold(b, THRESHOLDS, g),
                    "loop": lambda b=boxes, g=groups: [
                        suppress_ranked(b, threshold, g) for threshold in THRESHOLDS
                    ],
                },
            )
            name = f"{count:,} {make.__name__}" + (f" on {levels} levels" * (levels > 1))
            rows.append((name, times["curve"], times["loop"], times["curve"] / times["loop"], 0.6))
    return Table(
        "Survivors at 101 thresholds",
        "One walk that decides all thresholds, from the boxes on, beside 101 runs of our own NMS, "
        "0 to 1 in hundredths. Nothing is prepared beforehand.",
        ("boxes", "all at once, ms", "101 runs, ms", "ratio", "bar"),
        rows,
    )


def _moves() -> Table:
    """What the threshold's slider costs, with the list of overlaps and without it."""
    rows = []
    for count in (1000, 2000):
        for make in KINDS:
            boxes, scores, _ = boxes_of(make, count)
            boxes = boxes[rank(scores)]
            ranks = torch.arange(count, 0, -1).float()
            overlaps = find_overlaps(boxes, ranks)
            find = medians(5, {"": lambda b=boxes, r=ranks: find_overlaps(b, r)})[""]
            rows.append(
                _row(
                    f"{count:,} {make.__name__}",
                    len(overlaps.iou),
                    find,
                    lambda threshold, o=overlaps: suppress_at(o, threshold),
                    lambda threshold, b=boxes: suppress_ranked(b, threshold),
                )
            )
    rows += [_row(*_stage(source)) for source in ("noise", "planted")]
    return Table(
        "Moving the NMS threshold",
        f"The slowest of the thresholds {', '.join(map(str, MOVES))}, median of each: from the "
        "list of overlaps where a page has asked for it, and directly. The list is found once for "
        "its candidates. Bar: 5 ms.",
        ("candidates", "overlaps", "to list them, ms", "from the list, ms", "directly, ms"),
        rows,
    )


def _row(
    name: str,
    overlaps: int,
    find: float,
    from_list: Callable[[float], object],
    directly: Callable[[float], object],
) -> tuple[object, ...]:
    def slowest(call: Callable[[float], object]) -> float:
        calls = {str(threshold): lambda t=threshold: call(t) for threshold in MOVES}
        return max(medians(25, calls).values())

    return name, f"{overlaps:,}", find, slowest(from_list), slowest(directly)


def _stage(source: str) -> tuple[object, ...]:
    """The same through the stages, as a page moves the slider: the notebook's candidates."""
    settings = PRESETS["notebook"].apply(Settings())
    settings = changed(settings, {"scores.source": source, "compute.device": "cpu"})
    with_list, without = Memo(10**9), Memo(10**9)
    for memo in (with_list, without):
        run("candidates", settings, memo)
    overlaps = run("overlaps", settings, with_list)

    caps = itertools.count(500)  # another one each time, so that no turn meets the last one's

    def move(memo: Memo, threshold: float) -> None:
        moved = changed(settings, {"nms.iou_threshold": threshold, "nms.post_nms": next(caps)})
        run("proposals", moved, memo)

    found = with_list.peek(recipe("overlaps", settings)).milliseconds
    name = f"2,000 {source}, through `run`"
    calls = (lambda t: move(with_list, t)), (lambda t: move(without, t))
    return name, len(overlaps.iou), found, *calls
