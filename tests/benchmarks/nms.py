"""NMS of all boxes and level by level: `python -m tests.benchmarks nms`."""

from __future__ import annotations

from explorer.core.nms import batched_nms, nms
from tests.benchmarks import rival
from tests.benchmarks.clock import against
from tests.benchmarks.inputs import KINDS, boxes_of
from tests.benchmarks.table import Plot, Table

THRESHOLD = 0.7
COUNTS = (1000, 2000, 5000, 12000)
BARS = {
    ("uniform", None): 0.4,
    ("clustered", 1000): 1.1,
    ("clustered", 5000): 0.6,
    ("clustered", 12000): 0.6,
}


def measure() -> list[Table]:
    """Ours beside the rival, uniform and clustered."""
    rows, lines = [], {}
    for count, levels in ((1000, 1), (2000, 1), (4507, 5), (5000, 1), (12000, 1)):
        for kind, make in enumerate(KINDS):
            boxes, scores, level = boxes_of(make, count, levels)
            if levels > 1:
                calls = [
                    lambda run=run, some=(boxes, scores, level): run(*some, THRESHOLD)
                    for run in (batched_nms, rival.nms_by_level)
                ]
            else:
                calls = [
                    lambda run=run, some=(boxes, scores): run(*some, THRESHOLD)
                    for run in (nms, rival.nms)
                ]
            ours, theirs = against(max(7, 60_000 // count), *calls)
            name = f"{count:,} {make.__name__}" + (f" on {levels} levels" * (levels > 1))
            bar = BARS.get((make.__name__, count), BARS.get((make.__name__, None), ""))
            rows.append((name, ours, theirs, *_ratios(ours / theirs, count, kind), bar))
            if levels == 1:
                lines.setdefault(f"{make.__name__}, ours", []).append((count, ours))
                lines.setdefault(f"{make.__name__}, {rival.NAME}", []).append((count, theirs))
    plot = Plot("nms", f"NMS at IoU {THRESHOLD}", "boxes", "ms", lines, log_x=True, log_y=True)
    note = f"Exact greedy NMS at IoU {THRESHOLD}. {rival.words()}"
    if not rival.HERE:
        note += (
            " The estimate multiplies by what such a sweep took of torchvision's time on another "
            "machine."
        )
    header = ("boxes", "ours, ms", f"{rival.NAME}, ms", "ratio", *_EXTRA, "bar")
    return [Table("NMS", note, header, rows, (plot,))]


_EXTRA = () if rival.HERE else ("of torchvision's time, estimated",)


def _ratios(ratio: float, count: int, kind: int) -> tuple[float | str, ...]:
    if rival.HERE:
        return (ratio,)
    factors = rival.SWEEP_OVER_TORCHVISION.get(count)
    return ratio, ratio * factors[kind] if factors else ""
