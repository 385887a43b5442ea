"""Every colour and axis default of the figures.

The palette is Okabe and Ito's (2008), which the colour-blind tell apart, with a light grey in the
place of its black. Text and lines of a figure take the page's colours in the browser (see
`explorer/live/plot.js`), so that one figure serves light and dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Trace = dict[str, Any]  # as Plotly's JavaScript takes it, with arrays of numpy
Figure = dict[str, Any]  # `data`, a list of traces, and `layout`

LEVELS = (  # P2 to P6 and what a larger pyramid adds
    "#56B4E9",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#F0E442",
    "#0072B2",
    "#CCCCCC",
)
SHAPES = LEVELS  # ratios and shapes of a cell, in the order of the cell
CANVAS = "#1a1a2e"  # the notebook's blank canvas
ACCENT = "#FFD400"  # what the reader picked
SCORE_SCALE = ("#5B7FD6", "#2FA3C7", "#3FC08F", "#A6DB4E", "#FDE725")  # dark is low, yet visible
HEAT_SCALE = ("#000004", "#51127c", "#b73779", "#fc8961", "#fcfdbf")  # magma
TOLD = "told"  # meta of a trace of invisible points, which the browser reads by itself
FONT_SIZE = 15  # pixels; readable from the last row


def level_colour(level: int) -> str:
    """The colour of a level, from 0; they repeat after eight."""
    return LEVELS[level % len(LEVELS)]


def stops(scale: tuple[str, ...]) -> list[list]:
    """A colour scale as Plotly wants it: each colour with its place in [0, 1]."""
    return [[place / (len(scale) - 1), colour] for place, colour in enumerate(scale)]


def layout(**changes: Any) -> dict[str, Any]:
    """The layout that all figures share, with changes."""
    base = {
        "margin": {"l": 8, "r": 8, "t": 36, "b": 8},
        "font": {"size": FONT_SIZE},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {"font": {"size": FONT_SIZE}, "align": "left"},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        "uirevision": "kept",  # zoom stays while a slider moves
    }
    return base | changes


def trace(kind: str, **parts: Any) -> Trace:
    """A trace of a kind, such as "scatter"; parts that are None are left out."""
    return {"type": kind} | {name: part for name, part in parts.items() if part is not None}


def line(
    x: Sequence[float],
    y: Sequence[float],
    name: str,
    colour: str,
    hover: str,
    width: float = 4,
    **look: Any,
) -> Trace:
    """A line of a chart; `hover` tells of a point, `look` goes to Plotly's line (dash, shape)."""
    return trace(
        "scatter",
        x=x,
        y=y,
        mode="lines",
        line={"color": colour, "width": width} | look,
        name=name,
        hovertemplate=f"{hover}<extra></extra>",
    )


def figure(traces: list[Trace], **changes: Any) -> Figure:
    """A figure, its layout changed.

    Plotly's own objects would take six times as long or more to make and to encode; the tests have
    them check what these dictionaries say.
    """
    return {"data": traces, "layout": layout(**changes)}
