"""Proposals: the best boxes before and after NMS, and how many each step leaves."""

import streamlit as st

from explorer.core import pipeline
from explorer.figures import theme
from explorer.live.boxes import Look, encode, live_boxes
from explorer.live.plot import plot
from explorer.pages import _ahead, _biography, _boxes, _controls, _fold, _follow, _show, _state
from explorer.pages._demo import demo, results

NOTEBOOK = "The notebook's top-50: the best by score over all anchors, nothing filtered"


@demo
def render() -> None:
    st.title("Proposals")
    st.markdown(
        "**Try this:** pin a box with a click, then drag the NMS threshold slowly from 0.7 to 0.3. "
        "When yours goes, a white outline shows which box won."
    )
    with st.container(key="demo"):
        sliders, pictures = st.columns([1, 4], gap="medium")
    with sliders:
        _sliders()
    with pictures:
        _boards()
    _below()


def _sliders() -> None:
    _controls.slider("nms.iou_threshold")
    _controls.slider("nms.score_threshold")
    _controls.slider("view.top_k", high=1000)
    _controls.slider("nms.post_nms", high=2000)
    _controls.slider("filter.pre_nms", high=6000)
    _controls.slider("filter.min_size", high=128)
    _controls.choice("view.colour")
    _controls.toggle("view.blank")


@results
def _boards() -> None:
    payload = _ahead.shown("live_boxes", _payload)
    live_boxes(payload, key="live_boxes", on_pick=_follow.choose)
    _boxes.key()
    _show.badge("proposals")


@results
def _below() -> None:
    _biography.render()
    _fold.folded(NOTEBOOK, _notebook, key="notebook")


def _payload() -> bytes:
    settings = _state.current()
    levels = range(len(settings.anchors.strides))
    return encode(
        _show.compute("candidates"),
        _show.compute("proposals"),
        _show.compute("grid"),
        settings,
        recipe=pipeline.recipe("candidates", settings),
        photo_url=_show.photo_url(),
        look=Look(
            levels=tuple(theme.level_colour(level) for level in levels),
            scores=theme.SCORE_SCALE,
            canvas=theme.CANVAS,
            accent=theme.ACCENT,
        ),
    )


def _notebook() -> None:
    boxes, anchor_index = (part[:50] for part in _show.compute("unfiltered"))
    drawn = _boxes.drawn(boxes, _show.compute("head_output").scores[anchor_index], anchor_index)
    figure, text = st.columns([3, 2], gap="medium")
    with figure:
        plot(_boxes.figure(drawn, "Top-50 proposals (before NMS)"), key="notebook_top")
    finest = int((_show.compute("grid").level_of(anchor_index) == 0).sum())
    text.metric("From the finest level", f"{finest} of {len(boxes)}")
    text.caption(
        "Which anchors win under random weights is an accident of the head: often most are "
        "of the finest level, and of one ratio."
    )


render()
