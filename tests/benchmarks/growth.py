"""How time and memory grow: `python -m tests.benchmarks growth`.

Each point is a process of its own. Its peak is the most resident memory during a run, less what was
resident when the head's output, or the boxes, lay ready.
"""

from __future__ import annotations

import ctypes
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from math import log
from pathlib import Path
from statistics import median
from time import perf_counter

import torch

from explorer.core.nms import nms
from explorer.editing import changed
from explorer.settings import Settings
from tests.benchmarks.chain import Run
from tests.benchmarks.clock import settle_in
from tests.benchmarks.inputs import boxes_of, random_output, uniform
from tests.benchmarks.rival import ROOT
from tests.benchmarks.table import Plot, Table

SIDES = (400, 560, 800, 1120, 1600, 2048)
RATIOS = (  # anchors a cell at 800 x 800
    (1.0,),
    (0.5, 1.0, 2.0),
    (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0),
    tuple(0.2 * 1.15**power for power in range(16)),
)
BOXES = (1_000, 4_000, 16_000, 64_000)
REPEATS = 5


def measure() -> list[Table]:
    """The chain against the picture's side and the anchors a cell, and NMS against the boxes."""
    by_side = [_point("side", side) for side in SIDES]
    by_ratios = [_point("ratios", place) for place in range(len(RATIOS))]
    by_boxes = [_point("boxes", count) for count in BOXES]
    chain = (
        "From the head's output, at random, to the proposals: the notebook's settings, in which "
        "every anchor is decoded, clipped and filtered, and 2,000 reach NMS."
    )
    return [
        _table("Growth with the picture", chain, "image side, px", SIDES, by_side, "anchors"),
        _table(
            "Growth with the anchors of a cell",
            f"{chain} 800 x 800, and more aspect ratios.",
            "anchors a cell",
            [len(ratios) for ratios in RATIOS],
            by_ratios,
            "anchors",
        ),
        _table(
            "Growth of NMS",
            "Uniform boxes, 8 to 128 px at every size of the set, over a picture that grows with "
            "it: as many overlap each box. IoU 0.7.",
            "boxes",
            BOXES,
            by_boxes,
            "boxes",
        ),
    ]


def _table(
    title: str, note: str, first: str, values: Sequence[int], points: list[dict], unit: str
) -> Table:
    name = title.lower().replace(" ", "-")
    counts, times, peaks = ([point[key] for point in points] for key in ("count", "ms", "mb"))
    rows = [
        (f"{value:,}", f"{count:,}", ms, mb, 1e6 * ms / count, 1e6 * mb / count)
        for value, count, ms, mb in zip(values, counts, times, peaks, strict=True)
    ]
    note += (
        f" Time grows with {unit} to the power of {_exponent(counts, times):.2f}, memory to the "
        f"power of {_exponent(counts, peaks):.2f} (least squares on logarithms); a matrix of "
        f"{unit} by {unit} would be 2."
    )
    plots = (
        Plot(f"{name}-time", title, unit, "ms", {"time": list(zip(counts, times, strict=True))}),
        Plot(f"{name}-memory", title, unit, "MB", {"peak": list(zip(counts, peaks, strict=True))}),
    )
    header = (first, unit, "ms", "peak, MB", f"ns for each of the {unit}", "bytes for each")
    return Table(title, note, header, rows, plots)


def _exponent(counts: list[float], values: list[float]) -> float:
    x, y = ([log(value) for value in some] for some in (counts, values))
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    along = sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True))
    return along / sum((a - x_mean) ** 2 for a in x)


def _point(kind: str, value: int) -> dict:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.growth", kind, str(value)]
    out = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out)


def _call(kind: str, value: int) -> tuple[Callable[[], object], int]:
    """What a point runs, and how many anchors or boxes it has."""
    if kind == "boxes":
        boxes, scores, _ = boxes_of(uniform, value)
        shift = torch.rand(value, 2, generator=torch.Generator().manual_seed(0)) * 25 * value**0.5
        boxes = boxes - boxes[:, :2].repeat(1, 2) + shift.repeat(1, 2)
        return (lambda: nms(boxes, scores, 0.7)), value
    changes = {"image.side": value} if kind == "side" else {"anchors.ratios": RATIOS[value]}
    changes |= {"scores.source": "noise", "compute.device": "cpu", "image.fit": "stretch"}
    settings = changed(Settings(), changes)
    count = Run(settings, random_output(1)).grid().starts[-1]
    return Run(settings, random_output(count)), count


def _main(kind: str, value: int) -> None:
    torch.set_num_threads(1)
    call, count = _call(kind, value)
    _call(kind, {"side": 96, "ratios": 0, "boxes": 100}[kind])[0]()  # lazy set-up is no growth
    peak = _peak(call)
    settle_in()
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        call()
        times.append(1000 * (perf_counter() - start))
    print(json.dumps({"count": count, "ms": median(times), "mb": peak}))


def _peak(call: Callable[[], object]) -> float:
    """MB that a call needs at most at once, over what is there already."""
    if not Path("/proc/self/clear_refs").exists():  # not Linux
        call()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    ctypes.CDLL(None).malloc_trim(0)  # else what was freed would be used again, unseen
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _resident("VmRSS")
    call()
    return (_resident("VmHWM") - before) / 1024


def _resident(name: str) -> int:
    """kB of a line in this process's status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
