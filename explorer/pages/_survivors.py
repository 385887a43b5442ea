"""What survives NMS at every threshold, and what the numbers say to two old questions."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.core.nms_steps import NmsSteps, steps_of
from explorer.core.survivors import THRESHOLDS, tell_equal_tops, tell_thresholds
from explorer.figures.nms import survivors_curve
from explorer.figures.theme import Figure
from explorer.pages import _ahead, _demo, _show, _state


def walk() -> NmsSteps:
    """The greedy loop over the candidates, step by step."""
    return _show.kept(
        "proposals",
        lambda: steps_of(_show.compute("candidates"), _show.compute("proposals")),
        "NMS steps",
    )


def render(walked: NmsSteps) -> None:
    st.subheader("All thresholds at once")
    nms, survivors = _state.current().nms, _show.compute("survivors")
    candidates = len(walked.winner) + len(walked.loser)
    equal = tell_equal_tops(candidates, len(walked.winner), nms.iou_threshold, nms.post_nms)
    curve, words = st.columns([3, 2], gap="medium")
    with words:
        st.markdown("**Does NMS at 0.7 keep or drop more than at 0.3?**")
        st.markdown(tell_thresholds(survivors, candidates))
        st.markdown("**When pre- and post-NMS top-n are equal, does NMS do anything?**")
        st.markdown(equal)
    with curve:
        _ahead.figure(_curve, key="survivors", on_click=_demo.with_controls(_take_threshold))
        st.caption("Click into the plot to set the threshold.")


def _curve() -> Figure:
    walked, nms = walk(), _state.current().nms
    return survivors_curve(
        np.array(THRESHOLDS),
        _show.compute("survivors").numpy(),
        threshold=nms.iou_threshold,
        survive=len(walked.winner),
        cap=nms.post_nms,
        candidates=len(walked.winner) + len(walked.loser),
    )


def _take_threshold(x: float, _: float) -> None:
    _state.change({"nms.iou_threshold": round(min(max(x, 0), 1), 2)})
