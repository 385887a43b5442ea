"""The chosen cell of the shown level, and which of its anchors every page marks."""

from __future__ import annotations

import streamlit as st

from explorer.core.layout import Grid, shape_names
from explorer.pages import _controls, _follow, _state

FEW = 12  # anchors a cell that fit in a few rows of buttons


def chosen(grid: Grid) -> tuple[int, int]:
    """Row and column of the chosen cell, or of the middle one, inside the shown level's grid."""
    view, (rows, columns) = _state.current().view, grid.cells[_controls.shown_level()]
    row = view.row if view.row >= 0 else rows // 2
    column = view.column if view.column >= 0 else columns // 2
    return min(row, rows - 1), min(column, columns - 1)


def choose(row: int, column: int) -> None:
    """Choose a cell of the shown level."""
    _state.change({"view.row": row, "view.column": column})


def numbers(grid: Grid) -> None:
    """The cell's row and column, to type."""
    cell = chosen(grid)
    row, column = st.columns(2)
    with row:
        _controls.number("view.row", shown=cell[0])
    with column:
        _controls.number("view.column", shown=cell[1])


def follow(grid: Grid) -> None:
    """The cell's anchors as buttons: the pressed one is followed, and pressed again no more.

    Where another cell's anchor is followed, a button leads there.
    """
    level, (row, column) = _controls.shown_level(), chosen(grid)
    names = shape_names(_state.current().anchors)[level]
    first = grid.starts[level] + (row * grid.cells[level][1] + column) * len(names)
    place = _follow.place()
    here = place and (place["level"], place["row"], place["column"]) == (level, row, column)
    shape = place["shape"] if here else None
    few = len(names) <= FEW
    buttons = st.pills if few else st.selectbox
    buttons(
        "Follow an anchor of this cell",
        range(len(names)),
        **{"default" if few else "index": shape},
        **_controls.shows("follow_one", shape),
        format_func=lambda each: names[each],
        on_change=_take,
        args=(first,),
        help="Every page marks its box. A shift-click on its edge in the picture does the same.",
    )
    if place and not here:
        cell = {f"view.{part}": place[part] for part in ("level", "row", "column")}
        st.button("Go to the followed anchor", on_click=_state.change, args=(cell,))


def _take(first: int) -> None:
    shape = st.session_state["follow_one"]
    if shape is None:
        _follow.stop()
    else:
        _follow.choose(first + shape)
