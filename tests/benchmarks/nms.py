"""How fast NMS and its overlaps are: `python -m tests.benchmarks.nms` prints a Markdown table.

torchvision is no dependency. The yardstick in the same process is the usual numpy sweep per kept
box; the last column multiplies by what such a sweep took of torchvision 0.29.1's time on the same
kind of inputs, on another machine: an estimate. Calls of a row take turns, on one thread, and the
times are the processor's, since the clock also counts what neighbours on the same cores do.
"""

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch

from explorer.core.nms import batched_nms, nms
from explorer.core.overlaps import find_overlaps, suppress_at, survivors_by_threshold

THRESHOLD = 0.7
THRESHOLDS = [i / 100 for i in range(101)]
# (uniform, clustered): the sweep's time over torchvision's
SWEEP_OVER_TORCHVISION = {
    1000: (4.5, 2.3),
    2000: (2.9, 1.6),
    5000: (1.7, 0.94),
    12000: (1.2, 0.65),
}
LEVELS = {4507: 5}  # five levels of an 800 x 800 picture, at most 1,000 boxes each


def uniform(count: int, rng: np.random.Generator) -> np.ndarray:
    centre, side = rng.uniform(0, 800, (count, 2)), rng.uniform(8, 128, (count, 2))
    return np.concatenate([centre - side / 2, centre + side / 2], axis=1).astype(np.float32)


def clustered(count: int, rng: np.random.Generator) -> np.ndarray:
    """Boxes around 25 objects."""
    which = rng.integers(0, 25, count)
    centre = rng.uniform(0, 800, (25, 2))[which] + rng.normal(0, 8, (count, 2))
    side = rng.uniform(24, 224, (25, 2))[which] * np.exp(rng.normal(0, 0.12, (count, 2)))
    return np.concatenate([centre - side / 2, centre + side / 2], axis=1).astype(np.float32)


def sweep_per_kept_box(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """The yardstick: keep the best, measure all that are left against it, drop what overlaps."""
    x1, y1, x2, y2 = boxes.T
    areas = (x2 - x1) * (y2 - y1)
    left, keep = np.argsort(-scores, kind="stable"), []
    while len(left):
        best, left = left[0], left[1:]
        keep.append(best)
        width = np.minimum(x2[best], x2[left]) - np.maximum(x1[best], x1[left])
        height = np.minimum(y2[best], y2[left]) - np.maximum(y1[best], y1[left])
        inter = np.maximum(width, 0) * np.maximum(height, 0)
        left = left[inter / (areas[best] + areas[left] - inter) <= threshold]
    return np.array(keep, dtype=np.int64)


def sweep_level_by_level(boxes: np.ndarray, scores: np.ndarray, levels: np.ndarray) -> None:
    for level in range(levels.max() + 1):
        here = levels == level
        sweep_per_kept_box(boxes[here], scores[here], THRESHOLD)


def medians(repeats: int, *calls: Callable[[], object]) -> list[float]:
    """The median processor milliseconds of each call, all taking turns."""
    times = [[] for _ in calls]
    for _ in range(repeats + 1):  # the first turn warms up
        for call, taken in zip(calls, times, strict=True):
            start = time.process_time()
            call()
            taken.append((time.process_time() - start) * 1000)
    return [median(taken[1:]) for taken in times]


def row(*cells: object) -> None:
    print("|", " | ".join(f"{c:.2f}" if isinstance(c, float) else str(c) for c in cells), "|")


def measure(kind: int, make: Callable[..., np.ndarray], count: int) -> None:
    """Print the rows of one input; `kind` is its column in `SWEEP_OVER_TORCHVISION`."""
    rng = np.random.default_rng(count)
    boxes, scores = make(count, rng), rng.permutation(count).astype(np.float32)
    levels = rng.integers(0, LEVELS.get(count, 1), count)
    ours = [torch.from_numpy(part) for part in (boxes, scores, levels)]
    overlaps = find_overlaps(*ours)
    name = f"{count:,} {make.__name__}" + (" on 5 levels" if count in LEVELS else "")

    def run(threshold: float = THRESHOLD) -> object:
        return batched_nms(*ours, threshold) if count in LEVELS else nms(*ours[:2], threshold)

    calls = [run, lambda: sweep_level_by_level(boxes, scores, levels)]
    if overlaps.complete:
        calls.append(lambda: suppress_at(overlaps, THRESHOLD))
    direct, sweep, *at = medians(max(7, 30_000 // count), *calls)
    factors = SWEEP_OVER_TORCHVISION.get(count)
    rival = direct / sweep * factors[kind] if factors else ""
    row(name, "NMS / numpy sweep", direct, sweep, direct / sweep, rival)
    if not at:
        row("", "too many overlaps to list", *[""] * 4)
        return
    row("", "NMS from overlaps / NMS", at[0], direct, at[0] / direct, "")
    find, curve, loop = medians(
        3,
        lambda: find_overlaps(*ours),
        lambda: survivors_by_threshold(overlaps, THRESHOLDS),
        lambda: [run(threshold) for threshold in THRESHOLDS],
    )
    row("", f"find {len(overlaps.iou):,} overlaps / 101 NMS", find, loop, find / loop, "")
    row("", "101 counts from overlaps / 101 NMS", curve, loop, curve / loop, "")
    row("", "both / 101 NMS", find + curve, loop, (find + curve) / loop, "")


if __name__ == "__main__":
    torch.set_num_threads(1)
    row("boxes", "a / b", "a, ms", "b, ms", "ratio", "a / torchvision")
    row(*["---"] * 6)
    for count in (1000, 2000, 4507, 5000, 12000):
        for kind, make in enumerate((uniform, clustered)):
            measure(kind, make, count)
