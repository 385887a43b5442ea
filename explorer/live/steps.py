"""NMS played step by step in the browser, and its Python face.

All boxes go to the browser once, with the step that decides each; it steps, plays and slides by
itself, and tells Python where it is once it rests.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer.core.nms_steps import NmsSteps
from explorer.live import board

_FILES = ("ahead", "step_scene", "step_tree", "step_picture", "steps")

_mount = st.components.v2.component(
    "rpn_explorer_steps",
    html='<div class="rpn-plot rpn-steps"></div>',
    css=board.style("steps"),
    js=board.script(*_FILES),
    isolate_styles=False,
)


@dataclass(frozen=True, eq=False)
class Scene:
    """The candidates, best first, and the picture that they lie on."""

    boxes: np.ndarray  # (N, 4) xyxy, pixels
    scores: np.ndarray  # (N,)
    level: np.ndarray  # (N,)
    steps: NmsSteps
    level_names: tuple[str, ...]
    image_size: tuple[int, int]  # height, width
    photo_url: str | None
    threshold: float  # of NMS
    cap: int  # how many survivors are kept
    strokes: dict[str, tuple[str, float]]  # what became of a box -> colour and opacity
    follow: int = -1  # rank of the box to mark; -1 is none


def give(key: str, step: int) -> tuple[int, int]:
    """How often Python has set the step of the loop under `key`, and to which, for `pack`.

    Where the page was opened, or a link moved the step, it does so; else the reader's own holds.
    """
    told, given = f"{key} told", f"{key} given"
    if key not in st.session_state or st.session_state.get(told) != step:
        st.session_state[told] = step
        st.session_state[given] = (st.session_state.get(given, (0, 0))[0] + 1, step)
    return st.session_state[given]


def steps(
    data: bytes, *, key: str, on_step: Callable[[int], None], on_pick: Callable[[int], None]
) -> None:
    """Show the loop.

    Args:
        data: from `pack`.
        key: unique on the page.
        on_step: called with the step that the reader came to rest at.
        on_pick: called with the rank of a box, from 0, that the reader clicked.
    """

    def report_step() -> None:
        at = st.session_state[key]["step"]
        if at is not None:
            st.session_state[f"{key} told"] = at
            on_step(at)

    def report_pick() -> None:
        rank = st.session_state[key]["pick"]
        if rank is not None:
            on_pick(rank)

    _mount(key=key, data=data, on_step_change=report_step, on_pick_change=report_pick)


def pack(scene: Scene, given: int, step: int) -> bytes:
    """The scene as the browser reads it: a JSON head and its length, then one array after another.

    Args:
        scene: N boxes.
        given: how often Python has set the step; the browser takes `step` when this is new.
        step: the step to start from; past the last one counts as the last.
    """
    height, width = scene.image_size
    head = {
        "count": len(scene.boxes),
        "last": len(scene.steps.winner),
        "levels": scene.level_names,
        "size": (width, height),
        "photo": scene.photo_url,
        "threshold": scene.threshold,
        "cap": scene.cap,
        "strokes": scene.strokes,
        "follow": scene.follow,
        "given": given,
        "step": step,
    }
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 4)  # the arrays stand on whole words
    iou = np.zeros(len(scene.boxes), np.float32)
    iou[scene.steps.loser] = scene.steps.iou
    parts = [
        scene.scores.astype(np.float32),
        iou,
        _eighths(scene.boxes),
        scene.steps.decided_at.astype(np.uint16),  # at most 12,000 steps
        scene.level.astype(np.uint8),
    ]
    return struct.pack("<I", len(text)) + text + b"".join(part.tobytes() for part in parts)


def _eighths(boxes: np.ndarray) -> np.ndarray:
    """Boxes in eighths of a pixel: half the bytes, and nobody sees the rest.

    What lies farther out than 4096 pixels is drawn at 4096, which no picture shows.
    """
    return (8 * boxes).round().clip(-(2**15), 2**15 - 1).astype(np.int16)
