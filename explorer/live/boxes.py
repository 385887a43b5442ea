"""The boxes before and after NMS on two live boards, whose thresholds follow the finger.

The browser gets the candidates and runs NMS itself at every frame (`nms.js`), exactly as the core
does; a rerun sends other candidates, or other values under the same ones.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from torch import Tensor

from explorer.core.candidates import Candidates, Fate
from explorer.core.layout import Grid, shape_names
from explorer.core.proposals import Proposals
from explorer.live import board
from explorer.settings import Settings

# What the boards follow: its name in `boxes.js`, and the setting whose slider moves it.
FOLLOWED = {
    "iou": "nms.iou_threshold",
    "score": "nms.score_threshold",
    "topK": "view.top_k",
    "cap": "nms.post_nms",
}


@dataclass(frozen=True)
class Look:
    """The colours of the boards."""

    levels: tuple[str, ...]  # one a level
    scores: tuple[str, ...]  # from the worst to the best
    canvas: str  # where there is no photo
    accent: str  # what the reader picked


_mount = st.components.v2.component(
    "rpn_explorer_boxes",
    html='<div class="rpn-plot rpn-live"></div>',
    css=board.style("boxes"),
    js=board.script("ahead", "nms", "boxes_payload", "boxes_words", "boxes"),
    isolate_styles=False,
)


def live_boxes(payload: bytes, *, key: str, on_pick: Callable[[int], None]) -> None:
    """Show the boards; zoom and pinned box stay when the next payload comes under the same key.

    Args:
        payload: from `encode`.
        key: unique on the page.
        on_pick: called with the anchor number of the box that the reader pinned; -1 for none.
    """

    def report() -> None:
        anchor = st.session_state[key]["pick"]
        if anchor is not None:
            on_pick(int(anchor))

    _mount(key=key, data=payload, on_pick_change=report)


def encode(
    candidates: Candidates,
    proposals: Proposals,
    grid: Grid,
    settings: Settings,
    *,
    recipe: Hashable,
    photo_url: str | None,
    look: Look,
) -> bytes:
    """What the browser needs to run NMS at any threshold.

    Args:
        candidates: K boxes, best first; fillers are left out.
        proposals: what NMS made of them under the settings in force.
        grid: where each level's anchors start.
        settings: the values in force, and the names of levels and shapes.
        recipe: what made the candidates; while it stays, the browser keeps what it found in them.
        photo_url: where the browser finds the network's input; None for a blank canvas.
        look: the colours.

    Returns:
        [u32 size of the head][head, JSON][K bits: it survives][boxes, scores and anchor numbers],
        little-endian, the last part zlib of byte planes: under 20 bytes a candidate.
    """
    real = candidates.valid.cpu().numpy()
    values = {name: _value(settings, path) for name, path in FOLLOWED.items()}
    head = {
        "key": hashlib.sha256(repr(recipe).encode()).hexdigest(),
        "count": int(real.sum()),
        "values": values,
        "sliders": {name: path.replace(".", "-") for name, path in FOLLOWED.items()},
        "pick": settings.view.follow,
        "colour": settings.view.colour,
        "byLevel": settings.filter.nms_by_level,
        **_places(grid, settings),
        "photo": photo_url,
        "levelColours": look.levels,
        "scoreColours": look.scores,
        "canvas": look.canvas,
        "accent": look.accent,
    }
    text = json.dumps(head).encode()
    fate = proposals.fate.cpu().numpy()[real]
    survives = np.packbits((fate == Fate.KEPT) | (fate == Fate.OVER_CAP), bitorder="little")
    arrays = (candidates.boxes, "<f4"), (candidates.scores, "<f4"), (candidates.anchor_index, "<u4")
    planes = b"".join(_planes(part, real, kind) for part, kind in arrays)
    return struct.pack("<I", len(text)) + text + survives.tobytes() + zlib.compress(planes, 1)


def _value(settings: Settings, path: str) -> float:
    group, _, name = path.partition(".")
    return getattr(getattr(settings, group), name)


def _places(grid: Grid, settings: Settings) -> Mapping[str, Any]:
    """What tells level, row, column and shape of an anchor number."""
    height, width = grid.image_size
    return {
        "width": width,
        "height": height,
        "starts": grid.starts[:-1],
        "columns": [columns for _, columns in grid.cells],
        "perCell": grid.per_cell,
        "levelNames": settings.anchors.level_names,
        "shapeNames": shape_names(settings.anchors),
    }


def _planes(part: Tensor, real: np.ndarray, kind: str) -> bytes:
    """4-byte numbers as four runs of equally significant bytes: zlib finds more in them so."""
    numbers = np.ascontiguousarray(part.cpu().numpy()[real], dtype=kind)
    return numbers.reshape(-1, 1).view(np.uint8).T.tobytes()
