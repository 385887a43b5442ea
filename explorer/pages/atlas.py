"""Blind spots: which sizes of objects the anchors fit, and which no anchor can meet."""

from __future__ import annotations

import streamlit as st

from explorer.figures.atlas import object_dots, size_map
from explorer.figures.theme import Figure
from explorer.pages import (
    _ahead,
    _atlas_idea,
    _controls,
    _demo,
    _fold,
    _follow,
    _levels,
    _limits,
    _show,
    _size,
    _state,
)
from explorer.pages._demo import demo, results

READINGS = {"mean": "in the mean over places", "worst": "at the worst place"}


@demo
def render() -> None:
    st.title("Blind spots")
    st.markdown(
        "**Try this:** look at an object of 18 x 9 px, where the ring stands at first: the map is "
        "dark, no anchor fits it. Pull the finest size down until it lights up, and see which "
        "sizes pay for it."
    )
    with st.container(key="demo"):
        controls, offers = st.columns([4, 18], gap="medium")
    with controls:
        _sliders()
    with offers:
        _offers()
    _fold.idea(_atlas_idea.show)


def _sliders() -> None:
    _controls.choice("atlas.reading")
    _levels.tabs()
    _controls.slider("match.high")


@results
def _offers() -> None:
    picture, facts = _demo.beside(11, 7)
    with picture:
        _limits.control()
        _map()
    with facts:
        _size.show()


def _map() -> None:
    _ahead.figure(_sizes, key="size_map", on_click=_size.choose)
    _limits.key()
    st.caption(
        f"White lines: IoU 0.5, and {_state.current().match.high:g}, from which an anchor is "
        "positive. White dots: this picture's objects. Click anywhere to look at a size. The "
        "picture's borders do not count."
        + (" Diamond: the followed anchor." if _followed() else "")
    )
    _limits.words()


def _sizes() -> Figure:
    settings, grid = _state.current(), _show.compute("grid")
    reading, high = settings.atlas.reading, settings.match.high
    return size_map(
        _limits.chart_of(settings.anchors, grid.strides, 1),
        (0.5, high),
        title=f"Best IoU on offer, {READINGS[reading]}",
        pin=(settings.atlas.width, settings.atlas.height),
        followed=_followed(),
        limits=_limits.lines(),
        objects=[_dots()],
    )


def _dots():
    """The picture's objects, each with what its real anchors and the endless grid offer."""
    found, _ = _show.compute("best_anchors")
    worst, mean = (each[:-1].tolist() for each in _size.offers())
    stories = [
        f"its best anchor here: IoU {best:.2f}<br>the grid offers {least:.2f} at the worst place, "
        f"{usual:.2f} in the mean"
        for best, least, usual in zip(found.tolist(), worst, mean, strict=True)
    ]
    return object_dots(_size.of_objects(), _show.compute("truth").labels, stories)


def _followed() -> tuple[float, float] | None:
    """Width and height of the followed anchor, if there is one."""
    number = _follow.number()
    if number is None:
        return None
    x1, y1, x2, y2 = _show.anchor(number).tolist()
    return x2 - x1, y2 - y1


render()
