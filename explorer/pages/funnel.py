"""Funnel: where all the anchors go, by level or by ratio, and the boxes of each band."""

from __future__ import annotations

import numpy as np
import streamlit as st
from torch import Tensor

from explorer.core.candidates import Fate
from explorer.core.funnel import Flow
from explorer.core.parts import part_index
from explorer.figures.funnel import funnel
from explorer.figures.pieces import lay_out, piece_at
from explorer.figures.theme import Figure
from explorer.pages import (
    _ahead,
    _band,
    _controls,
    _demo,
    _fold,
    _follow,
    _funnel_idea,
    _show,
    _state,
)
from explorer.pages._demo import demo, results


@demo
def render() -> None:
    st.title("Funnel")
    st.markdown(
        "**Try this:** click the band that leaves at the top-n and look at what was thrown away. "
        "Then switch the widths to *linear*: that is how few go on."
    )
    with st.container(key="demo"):
        sliders, flows = st.columns([4, 17], gap="medium")
    with sliders:
        _sliders(_band.traced()[0])
    with flows:
        _flows()
    _fold.idea(_funnel_idea.show)


def _sliders(flow: Flow) -> None:
    chosen = _state.current().funnel
    _controls.choice("funnel.split")
    _controls.choice("funnel.scale")
    # what a link or an older split chose stays in the list, also where it means nothing now
    _controls.pick("funnel.band", list(dict.fromkeys([*flow.bands, chosen.band])))
    _controls.pick("funnel.part", list(dict.fromkeys(["all", *flow.parts, chosen.part])))
    _controls.slider("filter.pre_nms", high=6000)
    _controls.slider("filter.min_size", high=128)
    _controls.slider("nms.score_threshold", alone=False)  # from 0 on there is one band more
    _controls.slider("nms.iou_threshold")
    _controls.slider("nms.post_nms", high=2000)
    _controls.toggle("view.blank")


@results
def _flows() -> None:
    drawing, picture = _demo.beside(9, 8)
    with drawing:
        _drawing(*_band.traced())
        _show.badge("proposals")
    with picture:
        _band.show()


def _drawing(flow: Flow, fates: Tensor, part: np.ndarray) -> None:
    chosen, followed = _state.current().funnel, _follow.number()
    pieces = lay_out(flow, chosen.scale)

    def choose(x: float, y: float) -> None:
        piece = piece_at(pieces, x, y)
        if piece:
            _state.change({"funnel.band": piece.band, "funnel.part": flow.parts[piece.part]})

    _ahead.figure(_flow, key="funnel", on_click=_demo.with_controls(choose))
    names = zip(flow.parts, _band.colours(flow), strict=True)
    swatches = "".join(f'<i style="background:{colour}"></i>{name}' for name, colour in names)
    st.html(f'<div class="key">{swatches}{_unit()}</div>')
    if chosen.scale == "by step":
        st.caption("What enters a step is drawn at full width again: widths compare within a step.")
    else:
        st.caption("Every width is a share of all anchors: what is too thin to see is that few.")
    if followed is not None:
        way = " → ".join(flow.way(Fate(int(fates[followed]))))
        name = flow.parts[part[followed]]
        st.markdown(f"**The followed box** ({name}{_unit()}) went: {way}.")


def _flow() -> Figure:
    flow, fates, part = _band.traced()
    chosen, followed = _state.current().funnel, _follow.number()
    own = None if followed is None else (Fate(int(fates[followed])), int(part[followed]))
    return funnel(
        flow,
        lay_out(flow, chosen.scale),
        _band.colours(flow),
        title=f"Where {len(fates):,} anchors go",
        chosen=(chosen.band, part_index(flow.parts, chosen.part)),
        followed=own,
    )


def _unit() -> str:
    """What the parts' names mean where they are ratios; listed shapes are width over height."""
    settings = _state.current()
    if settings.funnel.split == "level":
        return ""
    return f" ({settings.anchors.ratio if settings.anchors.pairs is None else 'w/h'})"


render()
