"""From a head's output to proposals, and its parts: `python -m tests.benchmarks chain`."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from explorer.core.candidates import HeadOutput
from explorer.core.layout import Grid, lay_anchors
from explorer.core.matching import match_boxes
from explorer.core.memo import Memo
from explorer.core.pipeline import recipe, run
from explorer.core.proposals import Proposals
from explorer.core.recall import find_hits
from explorer.editing import changed
from explorer.presets import PRESETS
from explorer.settings import Settings
from tests.benchmarks import rival
from tests.benchmarks.clock import against, medians
from tests.benchmarks.inputs import head_outputs
from tests.benchmarks.table import Table

REPEATS = 25
OBJECTS = 20
STAGES = ("candidates", "proposals")  # the anchors that reach the top-n are laid in the first


class Run:
    """`run("proposals", ...)` as a page calls it, with all above the anchors in the memo.

    `prepare` puts it there; a call does so itself where it has not been done.
    """

    def __init__(self, settings: Settings, head: HeadOutput):
        self.settings, self.head = settings, head
        self.image = run("image", settings, Memo(10**9))
        self.memo = self.ready = None

    def prepare(self) -> None:
        """Make the memo of the next call."""
        if self.ready is None:
            self.ready = Memo(10**9)
            for name, result in (("image", self.image), ("head_output", self.head)):
                self.ready.get(recipe(name, self.settings), lambda result=result: result)

    def __call__(self) -> Proposals:
        self.prepare()
        self.memo, self.ready = self.ready, None
        return run("proposals", self.settings, self.memo)

    def grid(self) -> Grid:
        """The cells of every level."""
        return run("grid", self.settings, Memo(10**9))

    def stages(self) -> dict[str, float]:
        """Milliseconds of each stage in the last call."""
        entries = {name: self.memo.peek(recipe(name, self.settings)) for name in STAGES}
        return {name: entry.milliseconds for name, entry in entries.items()}


def measure() -> list[Table]:
    """The chain, then anchors, matching and recall by themselves."""
    settings = PRESETS["torchvision"].apply(Settings())
    settings = changed(settings, {"scores.source": "noise", "compute.device": "cpu"})
    return [_chain(settings), _parts(settings)]


def _chain(settings: Settings) -> Table:
    grid = run("grid", settings, Memo(10**9))
    theirs, rows = rival.Chain(grid), []
    for name, head in head_outputs(settings, grid):
        ours, logits, deltas = Run(settings, head), head.logits, head.deltas
        rivals = partial(theirs.flat, logits, deltas)
        times = against(REPEATS, ours, rivals, before=ours.prepare)
        bar = 0.45 if name == "random" else 0.55
        stages = " + ".join(f"{ms:.1f}" for ms in ours.stages().values())
        row = (name, times[0], stages, times[1], times[0] / times[1])
        if rival.HERE:
            rivals = partial(theirs.from_maps, *rival.as_maps(logits, deltas, grid))
            whole = against(REPEATS, ours, rivals, before=ours.prepare)
            row += (whole[1], whole[0] / whole[1])
        rows.append((*row, bar))
    header = ("scores", "ours, ms", " + ".join(STAGES), f"{rival.NAME}, ms", "ratio")
    more = ("with its concatenation, ms", "ratio") if rival.HERE else ()
    note = (
        f"{grid.starts[-1]:,} anchors at 800 x 800, 1,000 a level before NMS at IoU 0.7, 1,000 "
        'kept. Ours is `run("proposals", ...)` as the pages call it, with picture and head output '
        "in the memo and everything below them made anew: of the anchors those that reach the "
        "top-n, where the rival lays them all. It starts from the same flat logits and deltas. "
        f"{rival.words()}"
    )
    if rival.HERE:
        note += " Its concatenation turns the head's maps into flat ones; ours is in another stage."
    return Table("Head output to proposals", note, (*header, *more, "bar"), rows)


def _parts(settings: Settings) -> Table:
    grid = run("grid", settings, Memo(10**9))
    theirs, device = rival.Chain(grid), torch.device("cpu")
    anchors = lay_anchors(grid, settings.anchors, device).boxes
    objects, proposals = _objects()
    rows = []
    for name, ours, rivals, bar in (
        (
            f"{len(anchors):,} anchors",
            lambda: lay_anchors(grid, settings.anchors, device),
            theirs.anchors,
            1.0,
        ),
        (
            f"matching them with {OBJECTS} objects",
            lambda: match_boxes(anchors, objects, 0.7, 0.3, "all"),
            lambda: rival.match(anchors, objects),
            0.5,
        ),
    ):
        times = against(REPEATS, ours, rivals)
        rows.append((name, *times, times[0] / times[1], f"{bar}"))
    recall = medians(100, {"": lambda: find_hits(proposals, objects, 0.5)})[""]
    rows.append(
        (f"recall of {len(proposals):,} proposals, {OBJECTS} objects", recall, "", "", "2 ms")
    )
    name = rival.NAME if rival.HERE else "plain torch"
    header = ("what", "ours, ms", f"{name}, ms", "ratio", "bar")
    return Table("Anchors, matching, recall", rival.words(), header, rows)


def _objects() -> tuple[Tensor, Tensor]:
    """(20, 4) objects, and (1000, 4) proposals around them."""
    rng = torch.Generator().manual_seed(0)
    corner = torch.rand(OBJECTS, 2, generator=rng) * 600
    side = 24 + torch.rand(OBJECTS, 2, generator=rng) * 176
    objects = torch.cat([corner, corner + side], dim=1)
    near = objects.repeat(50, 1) + torch.randn(50 * OBJECTS, 4, generator=rng) * 8
    return objects, near
