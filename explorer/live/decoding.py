"""The Decoding page's box and numbers follow the sliders: the Python face of that.

It shows nothing itself: `decoding.js` moves what the plot and the table beside it show.
"""

from __future__ import annotations

import streamlit as st

from explorer.core.arithmetic import Arithmetic
from explorer.live import board

DELTAS = ("dx", "dy", "dw", "dh")

_mount = st.components.v2.component(
    "rpn_explorer_deltas",
    html='<div class="rpn-deltas" hidden></div>',
    js=board.script("decoding"),
    isolate_styles=False,
)


def follow_deltas(
    done: Arithmetic, image_size: tuple[int, int], *, key: str, plot: str, table: str
) -> None:
    """Let a plot and a table follow the sliders `decoding.dx`, `dy`, `dw` and `dh`.

    Args:
        done: what both show now.
        image_size: (height, width) that clips, pixels.
        key: unique on the page.
        plot: key of the plot, a figure from `explorer.figures.biography.decoded_box`.
        table: key of the container that holds the table from `explorer.pages._arithmetic`.
    """
    data = {
        "anchor": done.anchor_centre,
        "anchorBox": done.anchor,
        "deltas": dict(zip(DELTAS, done.deltas, strict=True)),
        "weights": done.weights,
        "clamp": done.max_log_scale,
        "image": image_size,
        "sliders": {name: f"decoding-{name}" for name in DELTAS},
        "plot": plot,
        "table": table,
    }
    _mount(key=key, data=data)
