"""The greedy loop over the live candidates, and when it decided the followed box."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.core.endings import tell_end
from explorer.core.nms_steps import NmsSteps
from explorer.figures.nms import STROKES
from explorer.live.steps import Scene, give, pack, steps
from explorer.pages import _ahead, _biography, _follow, _show, _state, _survivors


def loop() -> None:
    """The loop, to play and to step through."""
    given = give("steps", _state.current().steps.step)
    data = _ahead.shown("steps", lambda: pack(_scene(), *given), {"given": given})
    steps(data, key="steps", on_step=_rest_at, on_pick=_take_or_leave)


def _scene() -> Scene:
    settings, candidates = _state.current(), _show.compute("candidates")
    marked = _ranks_of(_follow.number())
    return Scene(
        *(part.cpu().numpy() for part in (candidates.boxes, candidates.scores, candidates.level)),
        _survivors.walk(),
        settings.anchors.level_names,
        _show.compute("grid").image_size,
        _show.photo_url(),
        settings.nms.iou_threshold,
        settings.nms.post_nms,
        STROKES,
        int(marked[0]) if len(marked) else -1,
    )


def _rest_at(step: int) -> None:
    _state.change({"steps.step": step})


def _take_or_leave(rank: int) -> None:
    """Follow a clicked box, or let go of the one that is followed."""
    anchor = int(_show.compute("candidates").anchor_index[rank])
    if anchor == _follow.number():
        _follow.stop()
    else:
        _follow.choose(anchor)


def _ranks_of(anchor: int | None) -> np.ndarray:
    """Where the followed anchor's box stands among the candidates: nowhere or at one place."""
    candidates = _show.compute("candidates")
    index = candidates.anchor_index.masked_fill(~candidates.valid, -1).cpu().numpy()
    return np.flatnonzero(index == anchor) if anchor is not None else np.empty(0, np.int64)


def followed(walked: NmsSteps) -> None:
    """When and by whom the followed box was decided."""
    if _follow.number() is None:
        hint = "Click a box, on the photo or in the list, to follow it."
        st.markdown(hint if len(walked.winner) else "There is no box to follow.")
        return
    settings, ranks = _state.current(), _ranks_of(_follow.number())
    end = tell_end(_biography.trace_followed(), settings.filter, settings.nms)
    step = int(walked.decided_at[ranks[0]]) if len(ranks) else 0
    who = f"The followed box, candidate #{ranks[0] + 1:,}," if len(ranks) else "The followed box"
    when = f"is decided at step {step:,}" if step else "never enters the loop"
    words, way = st.columns([4, 1], vertical_alignment="center")
    words.markdown(f"**★ {who} {when}.** {end}")
    if step:
        go = {"steps.step": step}
        way.button(f"To step {step:,}", key="to_step", on_click=_state.change, args=(go,))
