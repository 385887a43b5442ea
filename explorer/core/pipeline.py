"""The Region Proposal Network as a table of pure stages.

    image -> pyramid -> features -> head_output --.
      |                                |          +-> decoded -> candidates -> overlaps, survivors
      |-> grid -> anchors -------------+----------'                  |            :
      |    '-> drawn   :               |                             '------------'-> proposals
      '-> truth --> closest            '-> unfiltered                recall <- truth <---'
                       '-> matches; planted, which stands in for head_output

A slider turns one link: a stage runs again only when a setting that it, or a stage above it,
reads has changed. Results are kept under their recipe: the stage, the values of all those
settings and the device. An uploaded picture is named by its sha256, which is a setting, so no two
readers ever meet under one recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from operator import attrgetter
from typing import Any

import torch

from explorer.core import (
    candidates,
    images,
    layout,
    levels,
    network,
    proposals,
    report,
    survivors,
    truth,
)
from explorer.core.device import resolve_device
from explorer.core.matching import Closest, Matches, find_closest, match_boxes, match_closest
from explorer.core.memo import Memo
from explorer.core.planted import draw_noise, plant_scores
from explorer.core.recall import best_anchor_iou
from explorer.core.samples import sample_bytes
from explorer.settings import (
    TRAINED,
    Anchors,
    Codec,
    Filter,
    Image,
    Match,
    Planted,
    Scene,
    Settings,
)


@dataclass(frozen=True)
class Stage:
    """One link of the chain.

    `function` receives the results of the stages it `reads`, then of those it `uses`, then the
    `settings` it names (a group, or one value of a group where the rest of the group must not
    matter), then what it `needs` of the moment: "device", "uploads", "progress", "trained" or
    "keep", by keyword. What it uses never runs for it: it is taken where the memo holds it, else
    None, and must spare time alone, so that the result is the same. Of what it reads, it gets what
    it `asks` for as a function, which runs that stage.
    """

    function: Callable[..., Any]
    reads: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()


def _open_image(image: Image, scene: Scene, uploads: Mapping[str, bytes]) -> images.Picture:
    """The network's input: a sample, a scene painted now, or what this reader uploaded."""
    name = image.picture
    if name == truth.SCENE:
        return images.fit_photo(truth.paint(scene).photo, image.side, image.fit)
    data = uploads[name] if name.startswith("upload:") else sample_bytes(name)
    return images.fit_photo(images.open_photo(data), image.side, image.fit)


def _draw(grid: layout.Grid, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The noise of planted scores, before it is scaled."""
    return draw_noise(grid.starts[-1], seed)


def _plant(
    anchors: layout.AnchorSet,
    objects: truth.GroundTruth,
    closest: Closest | None,
    drawn: tuple[torch.Tensor, torch.Tensor],
    planted: Planted,
    seed: int,
    weights: tuple[float, ...],
) -> candidates.HeadOutput:
    """Scores and deltas from the ground truth, for any anchors and box coder."""
    strength = planted.noise, planted.regression
    return plant_scores(
        anchors.boxes, objects.boxes, *strength, seed, weights, closest=closest, drawn=drawn
    )


def _check_uploads(stages: tuple[str, ...], settings: Settings, uploads: Mapping) -> None:
    """Refuse what this reader did not bring, even where the memo knows it from another one."""
    picture, boxes = settings.image.picture, settings.truth.boxes
    if picture.startswith("upload:") and picture not in uploads:
        raise ValueError("the uploaded picture is gone: upload it again, or pick another")
    if "truth" in stages and boxes is not None and boxes not in uploads:
        raise ValueError("the boxes of your own are gone: bring them again")


def _select(
    picture: images.Picture,
    grid: layout.Grid,
    lay: Callable[[], layout.AnchorSet],
    head: candidates.HeadOutput,
    decoded: torch.Tensor | None,
    codec: Codec,
    rules: Filter,
    anchors: Anchors,
) -> candidates.Candidates:
    """The boxes that reach NMS, from the anchors of these alone."""
    unlaid = layout.Unlaid(grid, anchors, lay)
    return candidates.select_candidates(picture, grid, unlaid, head, decoded, codec, rules)


def _closest(anchors: layout.AnchorSet, objects: truth.GroundTruth) -> Closest | None:
    """Who overlaps whom most, whatever the thresholds."""
    return find_closest(anchors.boxes, objects.boxes)


def _match(
    anchors: layout.AnchorSet, objects: truth.GroundTruth, closest: Closest | None, match: Match
) -> Matches:
    """Which anchors the objects claim."""
    rules = match.high, match.low, match.low_quality
    if closest is None:
        return match_boxes(anchors.boxes, objects.boxes, *rules)
    return match_closest(closest, *rules)


def _best_anchors(
    anchors: layout.AnchorSet, objects: truth.GroundTruth
) -> tuple[torch.Tensor, torch.Tensor]:
    """What the anchors reach with each object before any head moves them."""
    return best_anchor_iou(anchors.boxes, objects.boxes)


_GRID_SETTINGS = ("anchors.strides", "anchors.stride_rule", "anchors.per_cell")

STAGES: dict[str, Stage] = {
    "image": Stage(_open_image, settings=("image", "scene"), needs=("uploads",)),
    "grid": Stage(layout.lay_grid, reads=("image",), settings=_GRID_SETTINGS),
    "anchors": Stage(layout.lay_anchors, ("grid",), ("anchors",), needs=("device",)),
    "pyramid": Stage(
        network.compute_pyramid, ("image",), ("scores",), ("device", "progress", "trained")
    ),
    "features": Stage(
        levels.fit_features, ("pyramid", "grid"), ("scores", "anchors.strides"), ("device",)
    ),
    "head_output": Stage(
        levels.run_head,
        ("features",),
        ("scores", "anchors.per_cell"),
        ("device", "trained", "keep"),
    ),
    "truth": Stage(
        truth.find_truth, ("image",), ("truth", "image.picture", "scene"), ("uploads", "device")
    ),
    "closest": Stage(_closest, ("anchors", "truth")),
    "drawn": Stage(_draw, ("grid",), ("scores.seed",)),
    "planted": Stage(
        _plant,
        ("anchors", "truth", "closest", "drawn"),
        ("planted", "scores.seed", "codec.weights"),
    ),
    "best_anchors": Stage(_best_anchors, ("anchors", "truth")),
    "matches": Stage(_match, ("anchors", "truth", "closest"), ("match",)),
    "decoded": Stage(
        candidates.decode_all,
        ("anchors", "head_output"),
        ("codec", "filter.order"),
        asks=("anchors",),
    ),
    "unfiltered": Stage(
        candidates.best_unfiltered, ("image", "anchors", "head_output"), ("codec",)
    ),
    "candidates": Stage(
        _select,
        ("image", "grid", "anchors", "head_output", "decoded"),
        ("codec", "filter", "anchors"),
        asks=("anchors",),
    ),
    "overlaps": Stage(proposals.candidate_overlaps, ("candidates",), ("filter",)),
    "proposals": Stage(proposals.propose, ("candidates",), ("filter", "nms"), uses=("overlaps",)),
    "survivors": Stage(
        survivors.count_survivors, ("candidates",), ("filter", "nms.score_threshold")
    ),
    "recall": Stage(
        report.report_recall,
        ("grid", "anchors", "truth", "best_anchors", "head_output", "candidates", "proposals"),
        ("codec", "filter", "recall"),
    ),
}


def _stand_in(name: str, source: str) -> str:
    """The stage that speaks for another: planted scores take the place of the head's output."""
    return "planted" if name == "head_output" and source == "planted" else name


@cache
def above(name: str, source: str = "random") -> tuple[str, ...]:
    """The stage and all that it needs under a score source, upstream first."""
    name = _stand_in(name, source)
    stages = [stage for read in STAGES[name].reads for stage in above(read, source)]
    return tuple(dict.fromkeys([*stages, name]))


@cache
def _all_settings(name: str, source: str) -> tuple[str, ...]:
    """The settings of a stage and of all above it."""
    stages = above(name, source)
    return tuple(dict.fromkeys(path for stage in stages for path in STAGES[stage].settings))


@cache
def _reader(name: str, source: str) -> Callable[[Settings], Hashable]:
    """Takes the values of these settings."""
    return attrgetter(*_all_settings(name, source))


def _as_it_counts(settings: Settings) -> Settings:
    """Trained scores have no seed: readers who differ in it alone share every result."""
    if settings.scores.source not in TRAINED or not settings.scores.seed:
        return settings
    return settings.model_copy(update={"scores": settings.scores.model_copy(update={"seed": 0})})


def recipe(name: str, settings: Settings) -> Hashable:
    """The key of a stage's result: equal recipes give equal results."""
    settings = _as_it_counts(settings)
    return _recipe(name, settings, resolve_device(settings.compute.device))


def _recipe(name: str, settings: Settings, device: torch.device) -> Hashable:
    source = settings.scores.source
    return _stand_in(name, source), str(device), _reader(name, source)(settings)


def run(
    name: str,
    settings: Settings,
    memo: Memo,
    *,
    uploads: Mapping[str, bytes] | None = None,
    progress: network.Progress = lambda share, text: None,
    trained: Mapping[str, network.Trained] = network.NETWORKS,
) -> Any:
    """The result of a stage, computed with every stage that it needs, or taken from the memo.

    Args:
        name: a row of `STAGES`.
        settings: the whole state; the stage sees only its own part.
        memo: where results are kept.
        uploads: "upload:<sha256>" to the bytes of a picture that this reader brought.
        progress: called during the network's forward pass.
        trained: score source to the network behind it; one process holds one set.

    Raises:
        KeyError: if there is no such stage.
        ValueError: one sentence, for a picture that cannot be read or a device that is not there.
    """
    uploads, settings = uploads or {}, _as_it_counts(settings)
    _check_uploads(above(name, settings.scores.source), settings, uploads)
    moment = {"uploads": uploads, "progress": progress, "trained": trained}
    moment["device"] = resolve_device(settings.compute.device)
    return _run(name, settings, memo, moment)


def _run(name: str, settings: Settings, memo: Memo, moment: dict[str, Any]) -> Any:
    """What `run` does once it knows that it may."""
    key = _recipe(name, settings, moment["device"])
    entry = memo.peek(key)
    if entry is not None:
        return entry.value
    stage = STAGES[_stand_in(name, settings.scores.source)]
    asked = {read: partial(_run, read, settings, memo, moment) for read in stage.reads}
    inputs = [ask if read in stage.asks else ask() for read, ask in asked.items()]
    found = [memo.peek(_recipe(use, settings, moment["device"])) for use in stage.uses]
    inputs += [None if entry is None else entry.value for entry in found]
    inputs += [attrgetter(path)(settings) for path in stage.settings]
    if "keep" in stage.needs:
        moment = moment | {"keep": _keep(settings, memo, moment["device"])}
    needed = {need: moment[need] for need in stage.needs}
    return memo.get(key, lambda: stage.function(*inputs, **needed)).value


def _keep(settings: Settings, memo: Memo, device: torch.device) -> levels.Keep:
    """Keeps levels of the head's output beside the stages: other grids may share some of them."""
    of = "level", _recipe("pyramid", settings, device)
    return lambda name, make: memo.get((of, name), make).value


def milliseconds(name: str, settings: Settings, memo: Memo) -> float:
    """What a stage and all above it cost when they ran; 0 for those the memo no longer holds."""
    entries = [memo.peek(recipe(stage, settings)) for stage in above(name, settings.scores.source)]
    return sum(entry.milliseconds for entry in entries if entry is not None)


def device_name(settings: Settings) -> str:
    """The device that the settings come to on this machine, in words."""
    device = resolve_device(settings.compute.device)
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()
