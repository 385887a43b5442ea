"""The boxes of the chosen band of the funnel: how many, and the best of them on the photo."""

from __future__ import annotations

import numpy as np
import streamlit as st
from torch import Tensor

from explorer.core.candidates import Fate
from explorer.core.funnel import Flow, best_of, boxes_of
from explorer.core.layout import shape_names
from explorer.core.parts import part_index
from explorer.figures import theme
from explorer.figures.band import band_boxes
from explorer.figures.biography import followed_shapes
from explorer.live.plot import plot
from explorer.pages import _follow, _show, _state

MOST = 300  # boxes that are drawn; more hide each other
ENDS = {
    Fate.KEPT: "a proposal",
    Fate.BELOW_TOP_N: "below the top-n",
    Fate.TOO_SMALL: "too small",
    Fate.SUPPRESSED: "suppressed",
    Fate.OVER_CAP: "over the cap",
    Fate.LOW_SCORE: "low score",
}


def colours(flow: Flow) -> list[str]:
    """One a part."""
    return [theme.level_colour(number) for number in range(len(flow.parts))]


def show(flow: Flow, fates: Tensor, part: np.ndarray) -> None:
    """The count of the chosen band and its boxes; a click on a box follows it.

    `fates` and `part` are (N,), of every anchor.
    """
    head, settings = _show.compute("head_output"), _state.current()
    chosen = _chosen(flow, fates, part)
    total = int(chosen.sum())
    index = best_of(chosen, head.scores.cpu(), MOST)
    grid, anchors = _show.compute("grid"), _show.compute("anchors")
    boxes = boxes_of(index, grid, anchors, head, settings.codec)

    def follow(x: float, y: float) -> None:
        under = (boxes[:, :2] <= [x, y]).all(axis=1) & (boxes[:, 2:] >= [x, y]).all(axis=1)
        if under.any():
            areas = np.where(under, np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), np.inf)
            _follow.choose(index[areas.argmin()])

    followed = _follow.box()
    made = band_boxes(
        boxes,
        part[index],
        colours(flow),
        _facts(index, head.scores, fates),
        grid,
        title=f"The best {MOST} of {total:,} by score" if total > MOST else f"All {total:,}",
        photo_url=_show.photo_url(),
        marks=[] if followed is None else followed_shapes(followed),
    )
    plot(made, key="band_boxes", on_click=follow)
    st.caption("Click a box to follow it: the smallest one under the pointer is meant.")


def _chosen(flow: Flow, fates: Tensor, part: np.ndarray) -> np.ndarray:
    """(N,) which anchors went through the chosen band; says so where there is no such band."""
    band, name = _state.current().funnel.band, _state.current().funnel.part
    number, ends = part_index(flow.parts, name), flow.fates(band)
    chosen = np.isin(fates.numpy(), ends)
    if number != -1:
        chosen &= part == (-1 if number is None else number)
    whose = "" if name == "all" else f" of {name}"
    st.metric(f"{band[0].upper()}{band[1:]}{whose}", f"{int(chosen.sum()):,}")
    place = st.container()  # there in every run, so that the plot below keeps its place
    if number is None or not ends:
        what = f"part {name}" if number is None else f"step with a band called {band}"
        place.info(f"There is no {what} under these settings: choose another.")
    return chosen


def _facts(index: np.ndarray, scores: Tensor, fates: Tensor) -> list[list]:
    """What the hover tells of each box."""
    anchors = _state.current().anchors
    levels, shapes = anchors.level_names, shape_names(anchors)
    place = [part.tolist() for part in _show.compute("grid").place_of(index).values()]
    columns = zip(scores[index].tolist(), fates[index].tolist(), *place, strict=True)
    return [
        [rank, round(score, 4), levels[level], row, column, shapes[level][shape], ENDS[Fate(fate)]]
        for rank, (score, fate, level, row, column, shape) in enumerate(columns, start=1)
    ]
