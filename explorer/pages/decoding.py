"""From delta to box: one anchor, four numbers, and the box that they make of it."""

import streamlit as st

from explorer.core.arithmetic import Arithmetic
from explorer.core.layout import shape_names
from explorer.figures.biography import Rival, close_up, decoded_box
from explorer.live.decoding import follow_deltas
from explorer.live.plot import plot
from explorer.pages import (
    _arithmetic,
    _cell,
    _controls,
    _decoding,
    _decoding_idea,
    _deltas,
    _fold,
    _follow,
    _show,
    _state,
    _target,
)
from explorer.pages._demo import demo


@demo
def render() -> None:
    st.title("From delta to box")
    st.markdown(
        "**Try this:** drag dw to the right: the box grows e-fold with every 1, until the clamp "
        "stops it. Then drag a rectangle on the photo and read which deltas reach it."
    )
    with st.container(key="demo"):
        sliders, picture, numbers = st.columns([10, 19, 22], gap="medium")
    with sliders:
        _sliders()
    done, size = _decoding.decode(), _show.compute("grid").image_size
    with picture:
        _picture(done, size)
    with numbers:
        with st.container(key="arithmetic"):
            st.html(_arithmetic.table(done, size))
        _anchor()
        follow_deltas(done, size, key="deltas", plot="decoding", table="arithmetic")
    _target.show()
    _deltas.show()
    _fold.idea(_decoding_idea.show)


def _sliders() -> None:
    for path in _decoding.DELTAS:
        _controls.slider(path)
    _controls.choice("decoding.clamp", format_func=_decoding.clamp_name)
    deltas = _decoding.head_deltas()
    st.button(
        "Take the head's deltas",
        key="take_deltas",
        icon=":material/neurology:",
        on_click=_decoding.set_sliders,
        args=(deltas,),
        help="Puts the sliders on what the head says of this anchor.",
    )
    st.caption(_decoding.beyond(deltas))


def _picture(done: Arithmetic, size: tuple[int, int]) -> None:
    (height, width), target = size, _target.current()
    rival = None if target is None else Rival(tuple(target.tolist()), "target")
    view = close_up(size, [(-width, -height, 2 * width, 2 * height)])  # with all its margin
    if not _state.current().decoding.whole:
        x, y, w, h = done.anchor_centre
        around = (x - 2.5 * w, y - 2.5 * h, x + 2.5 * w, y + 2.5 * h)  # as far as dx, dy reach
        view = close_up(size, [around, *([rival.box] if rival else [])], air=0.05)
    made = decoded_box(
        done,
        size,
        title=f"Anchor {_decoding.anchor_index():,} and its box",
        photo_url=_show.photo_url(),
        rival=rival,
        view=view,
    )
    plot(made, key="decoding", on_click=_decoding.choose_cell, on_draw=_target.take)
    _controls.toggle("decoding.whole")
    _show.badge("grid")


def _anchor() -> None:
    """Which anchor is meant."""
    if _follow.number() is not None:
        st.markdown(f"This is the followed anchor: {_decoding.name()}.")
        return
    names = shape_names(_state.current().anchors)[_controls.level()]
    _controls.choice("view.shape", list(range(len(names))), format_func=names.__getitem__)
    _cell.numbers(_show.compute("grid"))


render()
