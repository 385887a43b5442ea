"""Anchors: where they lie, what shapes they have, and why there are so many."""

import streamlit as st

from explorer.figures import theme
from explorer.figures.anchors import notebook_grid
from explorer.live.anchors import anchor_board, anchor_data, anchor_table
from explorer.live.plot import plot
from explorer.pages import _cell, _controls, _demo, _fold, _follow, _levels, _show, _state
from explorer.pages._demo import demo, results

COLOURS = {"levels": theme.LEVELS, "shapes": theme.SHAPES, "accent": theme.ACCENT}


@demo
def render() -> None:
    st.title("Anchors")
    st.markdown(
        "**Try this:** drag P3's stride from 8 to 16 and watch three quarters of its anchors go. "
        "Then click anywhere on the photo to see that cell's anchors."
    )
    with st.container(key="demo"):
        controls, right = st.columns([4, 14], gap="medium")
    with controls:
        _sliders()
    with right:
        _pictures()
    name = _state.current().anchors.level_names[_notebook_level()]
    _fold.folded(f"The notebook's figure: {name}, every 8th cell", _notebook, key="notebook")


def _sliders() -> None:
    _levels.tabs()
    _levels.as_text()


@results
def _pictures() -> None:
    picture, facts = _demo.beside(9, 5)
    grid, settings = _show.compute("grid"), _state.current()
    photo = _show.photo_url()
    data = anchor_data(grid.image_size, photo, settings.anchors, settings.view, COLOURS)
    with picture:
        _controls.level()
        anchor_board(data, key="anchor_grid", on_cell=_cell.choose, on_follow=_follow.choose)
        _show.badge("grid")
    with facts:
        anchor_table(data, key="anchor_table")
        _cell.numbers(grid)
        _controls.toggle("view.blank")
        _cell.follow(grid)


def _notebook_level() -> int:
    return min(1, len(_state.current().anchors.strides) - 1)


def _notebook() -> None:
    anchors, grid, level = _state.current().anchors, _show.compute("grid"), _notebook_level()
    name, (rows, columns) = anchors.level_names[level], grid.cells[level]
    figure, text = st.columns([3, 2])
    with figure:
        plot(notebook_grid(grid, level, name, anchors.offset), key="notebook_grid")
    text.metric(f"{name} total locations", f"{rows * columns:,}")
    text.metric(f"{name} total anchors", f"{grid.counts[level]:,}")
    text.caption("A dot is a cell. Each cell carries every size and ratio of its level.")


render()
