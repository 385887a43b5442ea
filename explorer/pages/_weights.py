"""The trained networks that this server holds: the shipped one, and COCO's where it is named."""

from __future__ import annotations

import os
from functools import cache

from explorer.core.coco import CocoNetwork, load_coco
from explorer.core.learned import load_learned
from explorer.core.network import Trained
from explorer.presets import PRESETS, Preset
from explorer.settings import TRAINED, Anchors, Settings

COCO_VARIABLE = "RPN_EXPLORER_COCO"  # path of torchvision's fasterrcnn_resnet50_fpn state file


@cache
def held() -> tuple[dict[str, Trained], tuple[str, ...]]:
    """Score source to network, and a sentence for each one that could not be loaded."""
    networks, problems = {}, []
    try:
        networks["learned"] = load_learned()
    except ValueError as error:
        problems.append(f"Learned scores are off: {error}.")
    path = os.environ.get(COCO_VARIABLE)
    if path:
        try:
            networks["coco"] = CocoNetwork(*load_coco(path))
        except ValueError as error:
            problems.append(f"COCO scores are off: {error}.")
    return networks, tuple(problems)


def sources() -> list[str]:
    """The score sources that work here."""
    return ["random", "noise", "planted", *held()[0]]


def fits(settings: Settings, preset: Preset) -> bool:
    """Whether the scores in force can be had for a preset's anchors: trained heads need 3."""
    return settings.scores.source not in TRAINED or set(preset.anchors.per_cell) == {3}


def misfit(settings: Settings) -> tuple[str, ...]:
    """Why a trained head's boxes are off under these anchors, where they are not its own."""
    own = {"learned": PRESETS["notebook"].anchors, "coco": PRESETS["torchvision"].anchors}
    trained_for = own.get(settings.scores.source)
    if trained_for is None or settings.anchors == trained_for:
        return ()
    differing = [
        name
        for name in Anchors.model_fields
        if getattr(settings.anchors, name) != getattr(trained_for, name)
    ]
    return (
        f"The {settings.scores.source} head was trained for other anchors ({', '.join(differing)} "
        "differ): it scores and moves each anchor as if it were its own, so boxes miss.",
    )
