"""The same chain on a GPU, stage by stage: `python -m tests.benchmarks device`.

A watch proves that nothing goes by way of the host: under CUDA's sync debug mode every wait and
every copy from or to the host raises. It is on from the picture's pixels on the device to the
decided boxes; then the host reads how many they are.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from time import perf_counter

import torch
from torch import Tensor

from explorer.core.candidates import decode_all, select_candidates
from explorer.core.device_nms import settle
from explorer.core.learned import LearnedNetwork, load_learned
from explorer.core.levels import fit_features, run_head
from explorer.core.memo import Memo
from explorer.core.network import normalise
from explorer.core.pipeline import device_name, run
from explorer.editing import changed
from explorer.presets import PRESETS
from explorer.settings import Settings
from tests.benchmarks.table import Table

TITLE = "The chain on a GPU"
STAGES = ("pyramid", "features", "head_output", "anchors", "decoded", "candidates", "proposals")
REPEATS = 11


def measure() -> list[Table]:
    """Each stage on CPU and GPU; one sentence where there is no GPU."""
    if not torch.cuda.is_available():
        note = (
            "This machine has no CUDA device, so nothing was measured here. Where there is one, "
            "`python -m tests.benchmarks device` prints the milliseconds of each stage and of the "
            "whole on both devices, and fails if anything between picture and proposals goes by "
            "way of the host."
        )
        return [Table(TITLE, note, (), [])]
    return [_table(preset) for preset in ("notebook", "torchvision")]


def _table(preset: str) -> Table:
    here, there = (settings_of(preset, device) for device in ("cpu", "cuda"))
    watch(there)
    cpu, gpu = (stage_times(settings) for settings in (here, there))
    rows = [(name, cpu[name], gpu[name], gpu[name] / cpu[name]) for name in (*STAGES, "whole")]
    note = (
        f"Picture to proposals at 800 x 800 with the {preset} preset and the learned network. GPU: "
        f"{device_name(there)}, by CUDA events; CPU: {torch.get_num_threads()} threads. Medians of "
        f"{REPEATS}. Between the picture's pixels on the device and the decided boxes nothing "
        "waited for the host or was copied from or to it: CUDA's sync debug mode was on."
    )
    return Table(f"{TITLE}: {preset}", note, ("stage", "CPU, ms", "GPU, ms", "GPU / CPU"), rows)


def settings_of(preset: str, device: str, side: int = 800) -> Settings:
    """The preset's anchors and rules over the learned network's scores."""
    changes = {"scores.source": "learned", "compute.device": device, "image.side": side}
    return changed(PRESETS[preset].apply(Settings()), changes)


def network_on(settings: Settings) -> LearnedNetwork:
    """The shipped network where the settings want it."""
    return load_learned().to(settings.compute.device)


def stage_times(settings: Settings, repeats: int = REPEATS) -> dict[str, float]:
    """Median milliseconds of each stage and of all together."""
    trained, turns, device = {"learned": network_on(settings)}, [], settings.compute.device
    for _ in range(repeats + 2):
        memo = Memo(10**10)
        for name in ("image", "grid"):
            run(name, settings, memo)
        marks = [_Mark(device)]
        for name in STAGES:
            run(name, settings, memo, trained=trained)
            marks.append(_Mark(device))
        if device == "cuda":
            torch.cuda.synchronize()
        pairs = [*pairwise(marks), (marks[0], marks[-1])]
        turns.append([end.since(start) for start, end in pairs])
    columns = zip(*turns[2:], strict=True)
    return dict(zip((*STAGES, "whole"), map(median, columns), strict=True))


class _Mark:
    """A moment of the clock, or on the device's own queue."""

    def __init__(self, device: str):
        self.at = perf_counter()
        self.event = torch.cuda.Event(enable_timing=True) if device == "cuda" else None
        if self.event:
            self.event.record()

    def since(self, earlier: _Mark) -> float:
        """Milliseconds."""
        if self.event:
            return earlier.event.elapsed_time(self.event)
        return 1000 * (self.at - earlier.at)


def watch(settings: Settings) -> None:
    """Run the chain from pixels to decided boxes where every wait for the host raises."""
    memo, network = Memo(10**10), network_on(settings)
    image, grid, anchors = (run(name, settings, memo) for name in ("image", "grid", "anchors"))
    device = anchors.boxes.device
    pixels = normalise(image.pixels, device)
    for errors in (False, True):  # the first turn lets the libraries set themselves up
        if device.type == "cuda":
            torch.cuda.synchronize()
            torch.cuda.set_sync_debug_mode("error" if errors else "default")
        try:
            _decide(settings, image, grid, anchors, pixels, network, device)
        finally:
            if device.type == "cuda":
                torch.cuda.set_sync_debug_mode("default")


@torch.inference_mode()
def _decide(settings, image, grid, anchors, pixels, network, device) -> tuple[Tensor, Tensor]:
    scores, strides = settings.scores, settings.anchors.strides
    features = fit_features(tuple(network.pyramid(pixels)), grid, scores, strides, device)
    per_cell, trained = settings.anchors.per_cell, {"learned": network}
    head = run_head(features, scores, per_cell, device, trained)
    decoded = decode_all(lambda: anchors, head, settings.codec, settings.filter.order)
    candidates = select_candidates(
        image, grid, anchors, head, decoded, settings.codec, settings.filter
    )
    groups = candidates.level if settings.filter.nms_by_level else None
    return settle(candidates.boxes, settings.nms.iou_threshold, groups)
