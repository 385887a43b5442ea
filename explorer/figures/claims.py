"""How many anchors of each level claim each object, and what the positive ones must learn."""

from __future__ import annotations

import numpy as np

from explorer.core.claims import Claim, Verdict
from explorer.figures import theme
from explorer.figures.objects import MISSED

ROWS = 20  # objects that a figure of readable height holds
BINS = 41  # odd: zero has a bar of its own
ROW = 0.7  # of a histogram's row is for its bars, the rest for words
DELTAS = ("dx", "dy", "dw", "dh")


def claim_table(
    claims: list[Claim],
    labels: tuple[str, ...],
    level_names: tuple[str, ...],
    selected: int | None,
) -> theme.Figure:
    """Objects by levels: how many positive anchors each has; an unreached object is crossed.

    Where there are more objects than rows, the first ones are shown, or those up to the selected.

    Args:
        claims: one for each of G objects.
        labels: a word for each object.
        level_names: such as P3, for each level.
        selected: the object to outline.
    """
    first = max(0, (selected or 0) - ROWS + 1)
    part = claims[first : first + ROWS]
    counts = np.array([claim.by_level for claim in part]).reshape(-1, len(level_names))
    most = max(4, int(counts.max(initial=0)))  # a single anchor is few
    rows = [claim.object for claim in part]
    heat = theme.trace(
        "heatmap",
        x=list(range(len(level_names))),
        y=rows,
        z=np.where(counts > 0, counts, np.nan).astype(np.float32),
        texttemplate="<b>%{z}</b>",
        textfont={"size": 17, "color": "#000000"},
        zmin=0,
        zmax=most,
        colorscale=theme.stops(theme.SCORE_SCALE),
        showscale=False,
        xgap=2,
        ygap=2,
        hoverongaps=False,
        hovertemplate="%{z} anchors of %{x} claim object %{y}<extra></extra>",
    )
    fixed = {"fixedrange": True, "zeroline": False, "ticks": "", "automargin": True}
    outline = {"type": "rect", "x0": -0.5, "x1": len(level_names) - 0.5, "line": {"width": 4}}
    outline["line"]["color"] = theme.LEVELS[6]
    shapes = [] if selected is None else [outline | {"y0": selected - 0.5, "y1": selected + 0.5}]
    title = "Positive anchors"
    if len(part) < len(claims):
        title += f": objects {first + 1} to {first + len(part)} of {len(claims)}"
    words = [_row(claim, labels[claim.object], claim.object == selected) for claim in part]
    return theme.figure(
        [heat],
        xaxis=fixed
        | {
            "tickvals": list(range(len(level_names))),
            "ticktext": list(level_names),
            "side": "top",
            "range": [-0.5, len(level_names) - 0.5],
            "showgrid": False,
        },
        yaxis=fixed
        | {
            "tickvals": rows,
            "ticktext": words,
            "range": [first + max(1, len(part)) - 0.5, first - 0.5],
            "showgrid": False,
        },
        shapes=shapes,
        title={"text": title, "x": 0, "xref": "paper", "y": 0.99, "yanchor": "top"},
        margin={"l": 8, "r": 8, "t": 64, "b": 8},
        dragmode=False,
        uirevision=f"{first} {len(part)} {len(level_names)}",
        meta={"height": 72 + 32 * max(1, len(part)), "alt": "Positive anchors by object and level"},
    )


def _row(claim: Claim, label: str, chosen: bool) -> str:
    """The name of a row: crossed and vermilion where no anchor reaches the object."""
    name = f"{claim.object + 1} {label[:14]}"
    name = f"<b>{name}</b>" if chosen else name
    if claim.verdict == Verdict.MATCHED:
        return f"{name} "
    return f'<span style="color:{MISSED}">✗ {name} </span>'


def target_histograms(targets: np.ndarray) -> theme.Figure:
    """Four histograms of the encoded deltas of the positive anchors, one above the other.

    They share the axis of values; each fills its row, whose words tell what its highest bar counts.

    Args:
        targets: (P, 4) dx, dy, dw, dh.
    """
    reach = max(1e-3, float(np.abs(targets).max(initial=0))) * 1.05
    edges = np.linspace(-reach, reach, BINS + 1)
    middles = ((edges[:-1] + edges[1:]) / 2).astype(np.float32)
    counts = np.stack([np.histogram(values, BINS, (-reach, reach))[0] for values in targets.T])
    most = counts.max(axis=1)
    tops = np.arange(len(DELTAS), 0, -1)  # of the rows: dx stands highest
    rows, bins = counts.nonzero()
    drawn = counts[rows, bins]
    bars = theme.trace(
        "bar",
        x=middles[bins],
        y=(ROW * drawn / most[rows]).astype(np.float32),
        base=tops[rows] - 1,
        width=0.95 * (edges[1] - edges[0]),
        marker={"color": [theme.LEVELS[row] for row in rows], "line": {"width": 0}},
        customdata=[[DELTAS[row], count] for row, count in zip(rows, drawn.tolist(), strict=True)],
        hovertemplate="%{customdata[0]} %{x:.3f}: %{customdata[1]:,} anchors<extra></extra>",
    )
    fixed = {"fixedrange": True, "zeroline": False}
    return theme.figure(
        [bars, _notes(tops - 1 + ROW, -reach, targets, most)],
        xaxis=fixed | {"range": [-reach, reach], "automargin": True},
        yaxis=fixed | {"range": [0, len(DELTAS)], "dtick": 1, "showticklabels": False},
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        dragmode=False,
        showlegend=False,
        uirevision=f"{reach:g}",
        meta={"height": 480, "alt": f"Histograms of the targets of {len(targets):,} anchors"},
    )


def _notes(tops: np.ndarray, left: float, targets: np.ndarray, most: np.ndarray) -> theme.Trace:
    """Mean and spread of each delta, above its histogram."""
    words = [f"<b>{name}</b>" for name in DELTAS]
    if len(targets):
        told = zip(words, targets.mean(axis=0), targets.std(axis=0), most, strict=True)
        words = [
            f"{word}  mean {mean:+.3f}, spread {std:.3f}".replace("-", "−")
            + f", highest bar {highest:,}"
            for word, mean, std, highest in told
        ]
    return theme.trace(  # Plotly draws annotations twice where bars change
        "scatter",
        x=[left] * len(words),
        y=tops,
        mode="text",
        text=words,
        textposition="top right",
        hoverinfo="skip",
    )
