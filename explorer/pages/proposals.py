"""Proposals: the best boxes before and after NMS, and how many each step leaves."""

import streamlit as st

from explorer.pages import _boxes, _controls, _show, _state


def render() -> None:
    st.title("Proposals")
    st.markdown(
        "**Try this:** drag the NMS threshold from 0.7 to 0.3 and watch the survivors. "
        "The number of proposals barely tells you, because the cap hides it."
    )
    with st.container(key="demo"):
        sliders, pictures = st.columns([1, 4], gap="medium")
    with sliders:
        _sliders()
    with pictures:
        candidates, proposals = _show.compute("candidates"), _show.compute("proposals")
        _counts(candidates, proposals)
        k = _state.current().view.top_k
        before, after = st.columns(2, gap="small")
        with before:
            drawn = _boxes.best(candidates, k)
            _boxes.show(drawn, f"Before NMS: the best {len(drawn.rank)}", "before_nms")
        with after:
            drawn = _boxes.best(proposals, k)
            _boxes.show(drawn, f"After NMS: the best {len(drawn.rank)}", "after_nms")
        _boxes.key()
        _show.badge("proposals")
    _notebook()


def _sliders() -> None:
    _controls.slider("nms.iou_threshold")
    _controls.slider("nms.post_nms", high=2000)
    _controls.slider("filter.pre_nms", high=6000)
    _controls.slider("filter.min_size", high=128)
    _controls.slider("view.top_k", high=300)
    _controls.choice("view.colour")
    _controls.toggle("view.blank")


def _counts(candidates, proposals) -> None:
    cap = _state.current().nms.post_nms
    cut = proposals.survivors - len(proposals.boxes)
    first, second, third = st.columns(3)
    first.metric("Candidates reach NMS", f"{int(candidates.valid.sum()):,}")
    second.metric("Survive NMS, before the cap", f"{proposals.survivors:,}")
    label = f"Proposals: the cap of {cap:,} cuts {cut:,}" if cut else "Proposals: the cap cuts none"
    third.metric(label, f"{len(proposals.boxes):,}")


def _notebook() -> None:
    with st.expander("The notebook's top-50: the best by score over all anchors, nothing filtered"):
        boxes, anchor_index = (part[:50] for part in _show.compute("unfiltered"))
        drawn = _boxes.drawn(boxes, _show.compute("head_output").scores[anchor_index], anchor_index)
        figure, text = st.columns([3, 2], gap="medium")
        with figure:
            _boxes.show(drawn, "Top-50 proposals (before NMS)", "notebook_top")
        finest = int((_show.compute("grid").level_of(anchor_index) == 0).sum())
        text.metric("From the finest level", f"{finest} of {len(boxes)}")
        text.caption(
            "Which anchors win under random weights is an accident of the head: often most are "
            "of the finest level, and of one ratio."
        )


render()
