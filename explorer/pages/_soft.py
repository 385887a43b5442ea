"""Hard, linear and gaussian NMS side by side: what each leaves of the best candidates."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.core.candidates import Fate
from explorer.core.soft_nms import soft_nms
from explorer.figures.nms import Rescored, rescored_boxes
from explorer.figures.theme import Figure
from explorer.pages import _ahead, _controls, _show, _state

RULES = {
    "hard": "score × 0 where IoU > {threshold:g}",
    "linear": "score × (1 − IoU) where IoU > {threshold:g}",
    "gaussian": "score × exp(−IoU² / {sigma:g})",
}


def render() -> None:
    st.subheader("Hard and soft NMS")
    st.markdown(
        "In soft NMS a box that overlaps a winner does not go, it **sinks**: its score is lowered. "
        "Blue boxes are kept by hard NMS too; :orange[vermilion ones it suppresses], and soft NMS "
        "brings them back. The numbers are the scores afterwards."
    )
    sliders, *pictures = st.columns([2, 3, 3, 3], gap="medium")
    with sliders:
        _controls.slider("steps.sigma")
        _controls.slider("steps.floor")
        _controls.slider("view.top_k", high=300)
    for method, picture in zip(RULES, pictures, strict=True):
        with picture:
            _picture(method)


def _picture(method: str) -> None:
    settings = _state.current()
    threshold, sigma = settings.nms.iou_threshold, settings.steps.sigma
    try:
        taken = _rescored(method)
    except ValueError as error:  # scores that are no numbers
        st.info(f"{method}: {error}")
        return
    span = f", {taken.after[0]:.2f} to {taken.after[-1]:.2f}" if len(taken.after) else ""
    st.markdown(f"**{method.capitalize()}**: best {len(taken.after)}{span}")
    _ahead.figure(partial(_boxes, method), key=f"soft_{method}")
    back = int(taken.back.sum())
    told = "" if method == "hard" else f". Hard NMS suppresses **{back:,}** of them"
    st.markdown(RULES[method].format(threshold=threshold, sigma=sigma) + told)


def _boxes(method: str) -> Figure:
    taken = _rescored(method)
    alt = f"The best {len(taken.after)} boxes after {method} NMS"
    return rescored_boxes(taken, _show.compute("grid").image_size, _show.photo_url(), alt)


def _rescored(method: str) -> Rescored:
    """The best k after one kind of NMS."""
    settings = _state.current()
    rules = settings.steps.sigma, settings.steps.floor, settings.view.top_k
    return _show.kept("proposals", lambda: _rescore(method), "soft NMS", method, *rules)


def _rescore(method: str) -> Rescored:
    """It stops once it has the best k, so thousands cost little."""
    settings = _state.current()
    candidates, proposals = _show.compute("candidates"), _show.compute("proposals")
    inside = (candidates.valid & (proposals.fate != Fate.LOW_SCORE)).nonzero()[:, 0]
    boxes, before = candidates.boxes[inside], candidates.scores[inside]
    soft = soft_nms(
        boxes,
        before,
        settings.nms.iou_threshold,
        settings.steps.sigma,
        settings.steps.floor,
        method,
        groups=candidates.level[inside] if settings.filter.nms_by_level else None,
        most=settings.view.top_k,
    )
    suppressed = proposals.fate[inside] == Fate.SUPPRESSED
    parts = (boxes[soft.keep], before[soft.keep], soft.scores, inside[soft.keep] + 1)
    return Rescored(*(part.cpu().numpy() for part in (*parts, suppressed[soft.keep])))
