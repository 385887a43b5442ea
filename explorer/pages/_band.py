"""The boxes of the chosen band of the funnel: how many, and the best of them on the photo."""

from __future__ import annotations

import numpy as np
import streamlit as st
from torch import Tensor

from explorer.core.candidates import Fate
from explorer.core.funnel import Flow, best_of, boxes_of, final_fates, steps_of, trace_flow
from explorer.core.layout import shape_names
from explorer.core.parts import part_index, parts_of
from explorer.figures import theme
from explorer.figures.band import band_boxes
from explorer.figures.biography import followed_shapes
from explorer.figures.theme import Figure
from explorer.pages import _ahead, _follow, _show, _state

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


def traced() -> tuple[Flow, Tensor, np.ndarray]:
    """The flow of all anchors, and the fate and the part of each, (N,)."""
    settings = _state.current()

    def trace() -> tuple[Flow, Tensor, np.ndarray]:
        fates = final_fates(_show.compute("candidates"), _show.compute("proposals"))
        names, part = parts_of(_show.compute("grid"), settings.anchors, settings.funnel.split)
        steps = steps_of(settings.filter.order, settings.nms.score_threshold)
        return trace_flow(fates, part, names, steps), fates, part

    return _show.kept("proposals", trace, "flow", settings.funnel.split)


def show() -> None:
    """The count of the chosen band and its boxes; a click on a box follows it."""
    band, name = _state.current().funnel.band, _state.current().funnel.part
    number, ends = _choice()
    whose = "" if name == "all" else f" of {name}"
    index, boxes, total = _best()
    st.metric(f"{band[0].upper()}{band[1:]}{whose}", f"{total:,}")
    place = st.container()  # there in every run, so that the plot below keeps its place
    if number is None or not ends:
        what = f"part {name}" if number is None else f"step with a band called {band}"
        place.info(f"There is no {what} under these settings: choose another.")

    def follow(x: float, y: float) -> None:
        under = (boxes[:, :2] <= [x, y]).all(axis=1) & (boxes[:, 2:] >= [x, y]).all(axis=1)
        if under.any():
            areas = np.where(under, np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), np.inf)
            _follow.choose(index[areas.argmin()])

    _ahead.figure(_drawn, key="band_boxes", on_click=follow)
    st.caption("Click a box to follow it: the smallest one under the pointer is meant.")


def _best() -> tuple[np.ndarray, np.ndarray, int]:
    """Numbers and boxes of the best anchors that went through the chosen band, and how many did."""
    head, settings = _show.compute("head_output"), _state.current()
    grid, anchors = _show.compute("grid"), _show.compute("anchors")

    def find() -> tuple[np.ndarray, np.ndarray, int]:
        chosen = _chosen()
        index = best_of(chosen, head.scores.cpu(), MOST)
        return index, boxes_of(index, grid, anchors, head, settings.codec), int(chosen.sum())

    return _show.kept("proposals", find, "band", settings.funnel)


def _drawn() -> Figure:
    flow, fates, part = traced()
    index, boxes, total = _best()
    followed, scores = _follow.box(), _show.compute("head_output").scores
    return band_boxes(
        boxes,
        part[index],
        colours(flow),
        _facts(index, scores, fates),
        _show.compute("grid"),
        title=f"The best {MOST} of {total:,} by score" if total > MOST else f"All {total:,}",
        photo_url=_show.photo_url(),
        marks=[] if followed is None else followed_shapes(followed),
    )


def _choice() -> tuple[int | None, list[Fate]]:
    """The chosen part's number and the fates of the chosen band, where there are such."""
    chosen, (flow, _, _) = _state.current().funnel, traced()
    return part_index(flow.parts, chosen.part), flow.fates(chosen.band)


def _chosen() -> np.ndarray:
    """(N,) which anchors went through the chosen band."""
    _, fates, part = traced()
    number, ends = _choice()
    chosen = np.isin(fates.numpy(), ends)
    if number != -1:
        chosen &= part == (-1 if number is None else number)
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
