"""Plotly on a page, mounted once: `st.plotly_chart` mounts anew at every change and loses the zoom.

The JavaScript beside this file draws; this face sends it the figure as JSON bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import plotly
import streamlit as st

from explorer.live import scripts

PLOTLY_FOLDER = Path(plotly.__file__).parent / "package_data"  # app.py serves it as /vendor
TYPES = {"i1", "i2", "i4", "u1", "u2", "u4", "f4", "f8"}  # arrays that Plotly's JavaScript has
FILES = ("save", "ahead", "plot_news", "plot_told", "plot_drag", "plot")

_mount = st.components.v2.component(
    "rpn_explorer_plot",
    html='<div class="rpn-plot"></div>',
    css=".rpn-plot { width: 100%; overflow: hidden; }",
    js=scripts.fetched(
        scripts.joined("js", "save", "ahead", "plot_news", "plot_told", "plot_drag", "plot")
    ),
    isolate_styles=False,  # Plotly's own style sheet lies in the document
)


def wishes(
    key: str, *, on_click: object = None, on_draw: object = None, on_move: object = None
) -> dict[str, int]:
    """What `plot` adds to a figure's `meta` where it is to call back."""
    calls = {"clicks": on_click, "draws": on_draw, "moves": on_move}
    wished: dict[str, int] = {name: call is not None for name, call in calls.items()}
    return wished | {"drawn": st.session_state.get(f"{key} drawn", 0)}


def encode(figure: dict[str, Any], meta: dict[str, int] | None = None) -> bytes:
    """A figure as `plot` sends it, with `wishes` where it is to call back."""
    wished = {"meta": figure["layout"].get("meta", {}) | (meta or {})}
    if meta and meta["draws"]:
        wished["dragmode"] = "drawrect"
    return orjson.dumps(figure | {"layout": figure["layout"] | wished}, default=_of_numpy)


def _of_numpy(value: np.generic | np.ndarray) -> Any:
    """Numbers as Plotly's JavaScript takes them: an array in base64, in its own or a short type."""
    if isinstance(value, np.generic):
        return value.item()
    if value.dtype.itemsize == 8 and value.dtype.kind in "iu" and value.size:
        ends = map(np.min_scalar_type, (value.min(), value.max()))
        value = value.astype(np.result_type(*ends))
    name = f"{value.dtype.kind}{value.dtype.itemsize}"
    if name not in TYPES:
        return value.tolist()
    sent = {"dtype": name, "bdata": base64.b64encode(np.ascontiguousarray(value)).decode()}
    return sent | ({"shape": ", ".join(map(str, value.shape))} if value.ndim > 1 else {})


def plot(
    figure: dict[str, Any] | bytes,
    *,
    key: str,
    on_click: Callable[[float, float], None] | None = None,
    on_draw: Callable[[list[float]], None] | None = None,
    on_move: Callable[[list[float]], None] | None = None,
) -> None:
    """Show a figure; its zoom stays when the next one comes under the same key.

    Args:
        figure: from `explorer.figures`; its `meta` holds `height` in pixels or `aspect`, and `alt`.
            Or what `encode` made of one, with the same calls in its `wishes`.
        key: unique on the page.
        on_click: called with (x, y) in the axes' units when the reader clicks inside the axes.
        on_draw: called with [x1, y1, x2, y2] in the axes' units when the reader drags a rectangle;
            without it, dragging zooms.
        on_move: called with [x1, y1, x2, y2] when the reader drags the box of `meta["movable"]`, or
            one of its corners.
    """
    drawn = f"{key} drawn"  # a refused rectangle too must bring a new figure, which drops it
    calls = {"on_click": on_click, "on_draw": on_draw, "on_move": on_move}
    if not isinstance(figure, bytes):
        figure = encode(figure, wishes(key, **calls))

    def report_click() -> None:
        click = st.session_state[key]["click"]
        if click and on_click:
            on_click(click["x"], click["y"])

    def report_box(name: str, take: Callable[[list[float]], None] | None) -> None:
        box = st.session_state[key][name]
        if box and take:
            st.session_state[drawn] = st.session_state.get(drawn, 0) + 1
            take(box)

    _mount(
        key=key,
        data=figure,
        on_click_change=report_click,
        on_draw_change=partial(report_box, "draw", on_draw),
        on_move_change=partial(report_box, "move", on_move),
    )
