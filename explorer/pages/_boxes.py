"""Candidates, proposals and the notebook's top boxes as a picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from torch import Tensor

from explorer.core.candidates import Candidates
from explorer.core.layout import shape_names
from explorer.core.proposals import Proposals
from explorer.figures import theme
from explorer.figures.biography import followed_shapes
from explorer.figures.objects import object_shapes
from explorer.figures.proposals import DrawnBoxes, top_boxes
from explorer.figures.theme import Figure
from explorer.pages import _follow, _show, _state


def drawn(boxes: Tensor, scores: Tensor, anchor_index: Tensor) -> DrawnBoxes:
    """Boxes that stand best first, ready for a figure."""
    parts = [part.cpu().numpy() for part in (boxes, scores, anchor_index)]
    return DrawnBoxes(*parts, rank=np.arange(1, len(boxes) + 1))


def best(found: Candidates | Proposals, k: int, kind: Tensor | None = None) -> DrawnBoxes:
    """The best k, with the kind of each where it is known."""
    boxes = drawn(found.boxes[:k], found.scores[:k], found.anchor_index[:k])
    return boxes if kind is None else replace(boxes, kind=kind[:k].numpy())


def figure(
    boxes: DrawnBoxes, title: str, objects: tuple[np.ndarray, np.ndarray] | None = None
) -> Figure:
    """The boxes over the photo, as the reader chose to colour them.

    `objects` are (G, 4) boxes of the ground truth and (G,) which of them were missed. A followed
    box is outlined above all.
    """
    settings, followed = _state.current(), _follow.box()
    shapes = object_shapes(*objects) if objects else []
    if followed is not None:
        shapes += followed_shapes(followed)
    return top_boxes(
        boxes,
        _show.compute("grid"),
        settings.anchors.level_names,
        shape_names(settings.anchors),
        colour=settings.view.colour,
        title=title,
        photo_url=_show.photo_url(),
        objects=shapes,
    )


def key() -> None:
    """What the colours of the boxes mean."""
    settings = _state.current()
    if settings.view.colour == "level":
        names = settings.anchors.level_names
        parts = [(name, theme.level_colour(level)) for level, name in enumerate(names)]
    else:
        ends = {0: "worst drawn score", len(theme.SCORE_SCALE) - 1: "best"}
        parts = [(ends.get(i, ""), colour) for i, colour in enumerate(theme.SCORE_SCALE)]
    swatches = "".join(f'<i style="background:{colour}"></i>{name}' for name, colour in parts)
    st.html(f'<div class="key">{swatches}</div>')
