"""The box that every page marks: which anchor it is, and how to let go of it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.core.arithmetic import decode_one
from explorer.pages import _show, _state


def render() -> None:
    """One line above every page where a box is followed; its place is there in every run.

    An element that comes and goes would shift those below, and Streamlit would mount the plots
    anew.
    """
    line = st.container(key="following", horizontal=True, vertical_alignment="center")
    if _state.current().view.follow < 0:
        return
    with line:
        text = f"**Following {name()}**" if number() is not None else absent()
        st.markdown(text, width="content")
        icon = ":material/close:"
        st.button("Stop", key="stop_following", type="tertiary", icon=icon, on_click=stop)


def number() -> int | None:
    """The followed anchor's number; None where none is followed, or the grid has no such anchor."""
    followed = _state.current().view.follow
    return followed if 0 <= followed < _show.compute("grid").starts[-1] else None


def place() -> dict[str, int] | None:
    """Level, row, column and number within the cell of the followed anchor, if there is one."""
    followed = number()
    if followed is None:
        return None
    found = _show.compute("grid").place_of(np.array(followed))
    return {part: int(value) for part, value in found.items()}


def box() -> np.ndarray | None:
    """(4,) the followed anchor's box, decoded and clipped, if there is one."""
    followed = number()
    if followed is None:
        return None
    anchor, deltas = _show.anchor(followed), _show.compute("head_output").deltas[followed]
    codec, size = _state.current().codec, _show.compute("grid").image_size
    return np.array(decode_one(anchor, deltas, codec.weights, codec.max_log_scale, size).clipped)


def name() -> str:
    """The followed anchor in words; only where `number` is not None."""
    at = place()
    level = _state.current().anchors.level_names[at["level"]]
    return f"anchor {number():,} ({level}, row {at['row']}, column {at['column']})"


def absent() -> str:
    """The sentence for a followed number that the settings in force do not contain."""
    total = _show.compute("grid").starts[-1]
    return (
        f"Anchor {_state.current().view.follow:,} is followed, but these settings have only "
        f"{total:,} anchors: choose another box."
    )


def choose(anchor_index: int) -> None:
    """Follow an anchor."""
    _state.change({"view.follow": int(anchor_index)})


def stop() -> None:
    """Follow none."""
    _state.change({"view.follow": -1})
