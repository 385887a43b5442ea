"""Anchors: where they lie, what shapes they have, and why there are so many."""

import streamlit as st

from explorer.core.layout import shape_names
from explorer.figures.anchors import anchor_grid, notebook_grid
from explorer.live.plot import plot
from explorer.pages import _controls, _levels, _show, _state


def render() -> None:
    st.title("Anchors")
    st.markdown(
        "**Try this:** drag P3's stride from 8 to 16 and watch three quarters of its anchors go. "
        "Then click anywhere on the photo to see that cell's anchors."
    )
    with st.container(key="demo"):
        controls, picture, facts = st.columns([4, 9, 5], gap="medium")
    with controls:
        sizes, strides, shapes = st.tabs(["Sizes", "Strides", "Ratios"])
        with sizes:
            _levels.sizes()
        with strides:
            _levels.strides()
        with shapes:
            _levels.ratios()
            _controls.slider("anchors.offset")
            _controls.choice("anchors.ratio")
        _levels.as_text()
    grid, level = _show.compute("grid"), _controls.shown_level()
    cell = _cell(grid, level)
    with picture:
        _controls.level()
        _picture(grid, level, cell)
        _show.badge("anchors")
    with facts:
        _facts(grid, cell)
    _notebook(grid)


def _cell(grid, level: int) -> tuple[int, int]:
    """Row and column of the chosen cell, or of the middle one, inside this level's grid."""
    view, (rows, columns) = _state.current().view, grid.cells[level]
    row = view.row if view.row >= 0 else rows // 2
    column = view.column if view.column >= 0 else columns // 2
    return min(row, rows - 1), min(column, columns - 1)


def _picture(grid, level: int, cell: tuple[int, int]) -> None:
    anchors = _state.current().anchors

    def choose(x: float, y: float) -> None:
        stride_y, stride_x = grid.strides[level]
        row, column = int(max(y, 0) // stride_y), int(max(x, 0) // stride_x)
        _state.change({"view.row": row, "view.column": column})

    made = anchor_grid(
        grid,
        _show.compute("anchors"),
        shape_names(anchors),
        level=level,
        level_name=anchors.level_names[level],
        cell=cell,
        offset=anchors.offset,
        photo_url=_show.photo_url(),
    )
    plot(made, key="anchor_grid", on_click=choose)


def _facts(grid, cell: tuple[int, int]) -> None:
    st.metric("Anchors in all", f"{grid.starts[-1]:,}")
    st.html(_levels.table(_state.current().anchors, grid.cells, grid.counts))
    row, column = st.columns(2)
    with row:
        _controls.number("view.row", shown=cell[0])
    with column:
        _controls.number("view.column", shown=cell[1])
    _controls.toggle("view.blank")


def _notebook(grid) -> None:
    anchors = _state.current().anchors
    level = min(1, len(grid.cells) - 1)
    name, (rows, columns) = anchors.level_names[level], grid.cells[level]
    with st.expander(f"The notebook's figure: {name}, every 8th cell"):
        figure, text = st.columns([3, 2])
        with figure:
            plot(notebook_grid(grid, level, name, anchors.offset), key="notebook_grid")
        text.metric(f"{name} total locations", f"{rows * columns:,}")
        text.metric(f"{name} total anchors", f"{grid.counts[level]:,}")
        text.caption("A dot is a cell. Each cell carries every size and ratio of its level.")


render()
