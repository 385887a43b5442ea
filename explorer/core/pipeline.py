"""The Region Proposal Network as a table of pure stages.

    image -> pyramid -> features -> head_output --.
      |                                |          +-> decoded -> candidates -> overlaps, survivors
      |-> grid -> anchors -------------+----------'                  |            :
      |    '-> drawn   :               |                             '------------'-> proposals
      '-> truth --> closest            '-> unfiltered                recall <- truth <---'
                       |-> matches
                       '-> full_deltas -> planted, which stands in for head_output

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
from time import perf_counter
from typing import Any

import torch

from explorer.core import (
    candidates,
    layout,
    levels,
    links,
    network,
    proposals,
    report,
    survivors,
    truth,
)
from explorer.core.device import resolve_device
from explorer.core.memo import Entry, Memo
from explorer.settings import TRAINED, Settings


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


def _check_uploads(stages: tuple[str, ...], settings: Settings, uploads: Mapping) -> None:
    """Refuse what this reader did not bring, even where the memo knows it from another one."""
    picture, boxes = settings.image.picture, settings.truth.boxes
    if picture.startswith("upload:") and picture not in uploads:
        raise ValueError("the uploaded picture is gone: upload it again, or pick another")
    if "truth" in stages and boxes is not None and boxes not in uploads:
        raise ValueError("the boxes of your own are gone: bring them again")


_GRID_SETTINGS = ("anchors.strides", "anchors.stride_rule", "anchors.per_cell")

STAGES: dict[str, Stage] = {
    "image": Stage(links.open_image, settings=("image", "scene"), needs=("uploads",)),
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
    "closest": Stage(links.closest, ("anchors", "truth")),
    "drawn": Stage(links.draw, ("grid",), ("scores.seed",)),
    "full_deltas": Stage(links.regress, ("anchors", "truth", "closest"), ("codec.weights",)),
    "planted": Stage(
        links.plant,
        ("anchors", "truth", "closest", "drawn", "full_deltas"),
        ("planted", "scores.seed", "codec.weights"),
    ),
    "best_anchors": Stage(links.best_anchors, ("grid", "truth"), ("anchors",)),
    "matches": Stage(links.match, ("anchors", "truth", "closest"), ("match",)),
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
        links.select,
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


class Recipe(tuple):
    """The key of a stage's result. It hashes its settings once: a memo asks eight times."""

    def __init__(self, _: tuple[Hashable, ...]) -> None:
        self._hash = super().__hash__()

    def __hash__(self) -> int:
        return self._hash


def recipe(name: str, settings: Settings) -> Recipe:
    """The key of a stage's result: equal recipes give equal results."""
    settings = _as_it_counts(settings)
    return _recipe(name, settings, resolve_device(settings.compute.device))


def _recipe(name: str, settings: Settings, device: torch.device) -> Recipe:
    source = settings.scores.source
    return Recipe((_stand_in(name, source), str(device), _reader(name, source)(settings)))


def find(name: str, settings: Settings, memo: Memo, uploads: Mapping[str, bytes]) -> Entry | None:
    """The memo's entry of a stage, where `run` would compute nothing.

    Raises:
        ValueError: as `run`.
    """
    _check_uploads(above(name, settings.scores.source), settings, uploads)
    return memo.peek(recipe(name, settings))


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
    aside: list[float] = []  # seconds of the stages that this one asks for, which have entries too

    def ask(read: str) -> Any:
        start = perf_counter()
        result = _run(read, settings, memo, moment)
        aside.append(perf_counter() - start)
        return result

    inputs = [
        partial(ask, read) if read in stage.asks else _run(read, settings, memo, moment)
        for read in stage.reads
    ]
    found = [memo.peek(_recipe(use, settings, moment["device"])) for use in stage.uses]
    inputs += [None if entry is None else entry.value for entry in found]
    inputs += [attrgetter(path)(settings) for path in stage.settings]
    if "keep" in stage.needs:
        moment = moment | {"keep": _keep(settings, memo, moment["device"])}
    needed = {need: moment[need] for need in stage.needs}
    entry = memo.get(key, lambda: stage.function(*inputs, **needed))
    entry.milliseconds -= 1e3 * sum(aside)
    return entry.value


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
