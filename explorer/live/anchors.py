"""The Anchors page's picture and table, which follow the finger: their Python face.

The browser computes anchors from their formula (`anchor_formula.js`), so what is sent is the
settings: a kilobyte, however many anchors there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from explorer.core.levels import FPN_STRIDES
from explorer.live import board, scripts
from explorer.settings import Anchors, View

_PLACE = '<div class="rpn-anchors"></div>'
_FORMULA = ("anchor_formula", "anchor_hand")

# Two components: Streamlit sends a component's script with its data, and the table needs little.
_board = st.components.v2.component(
    "rpn_explorer_anchors",
    html=_PLACE,
    css=board.style("anchors"),
    js=board.script(*_FORMULA, "anchors"),
    isolate_styles=False,
)
_table = st.components.v2.component(
    "rpn_explorer_anchor_table",
    html=_PLACE,
    css=scripts.joined("css", "anchor_table"),
    js=scripts.fetched(scripts.joined("js", "sliders", *_FORMULA, "anchor_table")),
    isolate_styles=False,  # it looks like the page's other tables
)


def anchor_data(
    image_size: tuple[int, int],
    photo_url: str | None,
    anchors: Anchors,
    view: View,
    colours: dict[str, str | Sequence[str]],
) -> dict[str, Any]:
    """What the browser needs to draw any anchors of a picture.

    Args:
        image_size: (height, width) of the network's input, pixels.
        photo_url: where the browser finds the input's pixels; None for the blank canvas.
        anchors: their settings.
        view: which level, cell and followed anchor are shown.
        colours: `levels` and `shapes`, lists of hex colours, and `accent`, one.
    """
    return {
        "image": image_size,
        "photo": photo_url,
        "anchors": anchors.model_dump(mode="json"),
        "level": min(view.level, len(anchors.strides) - 1),
        "cell": (view.row, view.column),
        "follow": view.follow,
        "strides": FPN_STRIDES,  # those at which a network has a feature map
        "colours": colours,
    }


def anchor_board(
    data: dict[str, Any],
    *,
    key: str,
    on_cell: Callable[[int, int], None],
    on_follow: Callable[[int], None],
) -> None:
    """The centres of a level's cells over the photo, and all anchors of one cell.

    Args:
        data: from `anchor_data`.
        key: unique on the page.
        on_cell: called with (row, column) when the reader chooses a cell of the shown level.
        on_follow: called with the number of an anchor that the reader shift-clicks.
    """

    def report_cell() -> None:
        cell = st.session_state[key]["cell"]
        if cell:
            on_cell(*cell)

    def report_follow() -> None:
        number = st.session_state[key]["follow"]
        if number is not None:
            on_follow(number)

    _board(key=key, data=data, on_cell_change=report_cell, on_follow_change=report_follow)


def anchor_table(data: dict[str, Any], *, key: str) -> None:
    """How many anchors there are: in all, and level by level.

    Args:
        data: from `anchor_data`.
        key: unique on the page.
    """
    table = {name: data[name] for name in ("image", "anchors", "level", "strides", "colours")}
    _table(key=key, data=table)
