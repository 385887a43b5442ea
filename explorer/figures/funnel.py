"""The funnel: a Sankey from top to bottom, one bar a step, one colour a level or ratio.

From every bar bands lead to what goes on, on the left, and to what leaves, on the right. By step,
what goes on is drawn anew at full width, so that a thousand of 159,882 can be seen; the pale necks
between show by how much. Linear, every width is a share of all anchors.

Shapes: T steps, P parts (levels or ratios).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer.core.candidates import Fate
from explorer.core.funnel import ALL, Flow
from explorer.figures import theme
from explorer.figures.canvas import path_shape
from explorer.figures.pieces import BANDS, BAR, NECK, OPACITY, Piece, followed_path

WORDS, RIGHT = 1.1, 1.68  # where the numbers stand and end, in widths of the bars
ROW, FOOT = 118, 60  # pixels of a step, and of the last bar


def funnel(
    flow: Flow,
    pieces: Sequence[Piece],
    colours: Sequence[str],
    *,
    title: str,
    chosen: tuple[str, int | None],
    followed: tuple[Fate, int] | None = None,
) -> theme.Figure:
    """The drawing with its numbers.

    Args:
        flow: what enters and leaves each step.
        pieces: from `lay_out`.
        colours: one a part.
        title: one line above.
        chosen: name of the band whose boxes are shown, and its part; -1 is every part, None is one
            that is not there.
        followed: fate and part of the followed box.
    """
    shapes = []
    for look, opacity in [*OPACITY.items()][::-1]:
        for part, colour in enumerate(colours):
            path = "".join(p.path() for p in pieces if (p.look, p.part) == (look, part) and p.count)
            if path:
                fill = {"fillcolor": colour, "opacity": opacity}
                shapes.append(path_shape(path, colour, 0, **fill))
    band, wanted = chosen
    outlines = [
        p.path()
        for p in pieces
        # of all parts together the bars are enough: around every band it would be a lattice
        if p.band == band and p.count and (p.part == wanted or (wanted == -1 and p.look == "bar"))
    ]
    if outlines:
        shapes += [path_shape("".join(outlines), c, w) for c, w in (("#000", 5), (theme.ACCENT, 2))]
    if followed is not None:
        path = followed_path(flow, pieces, *followed)
        shapes += [path_shape(path, c, w) for c, w in (("#000", 8), (theme.ACCENT, 4))]
    end = len(flow.steps) + BAR
    return theme.figure(
        [_told(pieces, flow)],
        title={"text": title, "x": 0, "xref": "paper", "y": 0.99, "yanchor": "top"},
        xaxis={"range": [0, RIGHT], "visible": False, "fixedrange": True},
        yaxis={"range": [end + 0.05, -0.02], "visible": False, "fixedrange": True},
        shapes=shapes,
        annotations=_numbers(flow),
        hovermode="closest",
        hoverdistance=30,
        dragmode=False,
        showlegend=False,
        margin={"l": 2, "r": 2, "t": 36, "b": 4},
        meta={"height": ROW * len(flow.steps) + FOOT + 40, "alt": title},
    )


def _numbers(flow: Flow) -> list[dict[str, Any]]:
    """What enters and leaves each step, as a column of sums beside the bars."""
    names = [ALL, *(step.kept for step in flow.steps)]
    entering, lost = (each.sum(axis=1).tolist() for each in (flow.entering, flow.lost))
    rows = [
        (number + BAR / 2, f"<b>{total:,}</b>", name)
        for number, (name, total) in enumerate(zip(names, entering, strict=True))
    ]
    rows += [
        (number + (BANDS + NECK) / 2, f"−{left:,}" if left else "0", step.lost)
        for number, (step, left) in enumerate(zip(flow.steps, lost, strict=True))
    ]
    place = {"x": WORDS, "xanchor": "left", "yanchor": "middle", "showarrow": False}
    return [
        place | {"y": y, "text": f"{count}<br>{_in_two_lines(name)}", "align": "left"}
        for y, count, name in rows
    ]


def _in_two_lines(name: str) -> str:
    """A long name breaks before its last word, so that it fits a phone."""
    return name if len(name) < 15 else "<br>".join(name.rsplit(" ", 1))


def _told(pieces: Sequence[Piece], flow: Flow) -> theme.Trace:
    """Invisible points at the pieces' middles, which tell their true counts."""
    told = [piece for piece in pieces if piece.count and piece.look != "neck"]
    middles = [(p.top + p.bottom) / 2 for p in told]
    return theme.trace(
        "scatter",
        x=[sum(p.ends_at(y)) / 2 for p, y in zip(told, middles, strict=True)],
        y=middles,
        customdata=[[f"<b>{flow.parts[p.part]}</b>: {p.count:,} {p.band}"] for p in told],
        mode="markers",
        marker={"opacity": 0, "size": 14},
        hovertemplate="%{customdata[0]}<extra></extra>",
        meta=theme.TOLD,
    )
