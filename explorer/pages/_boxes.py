"""Candidates, proposals and the notebook's top boxes as a picture."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from explorer.core.candidates import Candidates
from explorer.core.layout import shape_names
from explorer.core.proposals import Proposals
from explorer.figures.proposals import DrawnBoxes, top_boxes
from explorer.pages import _show, _state


def drawn(boxes: Tensor, scores: Tensor, anchor_index: Tensor) -> DrawnBoxes:
    """Boxes that stand best first, ready for a figure."""
    parts = [part.cpu().numpy() for part in (boxes, scores, anchor_index)]
    return DrawnBoxes(*parts, rank=np.arange(1, len(boxes) + 1))


def best(found: Candidates | Proposals, k: int) -> DrawnBoxes:
    """The best k."""
    return drawn(found.boxes[:k], found.scores[:k], found.anchor_index[:k])


def show(boxes: DrawnBoxes, title: str, key: str) -> None:
    """The boxes over the photo, as the reader chose to colour them."""
    settings = _state.current()
    made = top_boxes(
        boxes,
        _show.compute("grid"),
        settings.anchors.level_names,
        shape_names(settings.anchors),
        colour=settings.view.colour,
        title=title,
        photo_url=_show.photo_url(),
    )
    _show.figure(made, key=key)
