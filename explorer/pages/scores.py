"""Scores: how objectness is distributed, and where on the photo it is high."""

import numpy as np
import streamlit as st

from explorer.core.layout import shape_names
from explorer.figures import theme
from explorer.figures.scores import heat_map, histogram
from explorer.figures.theme import Figure
from explorer.pages import _ahead, _controls, _follow, _show, _state
from explorer.pages._demo import demo, results
from explorer.pages._sources import SOURCES

MATCHES = (  # label, name and colour, the many first
    (0, "background", theme.level_colour(0)),
    (-1, "ignored", theme.level_colour(7)),
    (1, "claimed by an object", theme.level_colour(3)),
)


@demo
def render() -> None:
    st.title("Scores")
    st.markdown(f"**Try this:** {SOURCES[_state.current().scores.source].scores}")
    left, right = st.columns(2, gap="large")
    with left:
        _histogram()
    with right:
        _heat_map()
    _cost()


@results
def _cost() -> None:
    _show.badge("head_output")


@results
def _histogram() -> None:
    scores = _scores()
    first, second = st.columns([3, 2], vertical_alignment="bottom")
    with first:
        _controls.choice("view.split")
    with second:
        st.button(
            "Draw new weights",
            icon=":material/casino:",
            on_click=_reseed,
            disabled=not SOURCES[_state.current().scores.source].seeded,
        )
    _ahead.figure(_counts, key="histogram")
    first, second = st.columns(2)
    with first:
        _controls.toggle("view.full_axis")
    with second:
        _controls.toggle("view.log_counts")
    st.caption(
        f"{len(scores):,} scores between {scores.min():.3f} and {scores.max():.3f}, "
        f"standard deviation {scores.std():.4f}."
    )


def _counts() -> Figure:
    view, grid, scores = _state.current().view, _show.compute("grid"), _scores()
    parts = _parts(grid, scores, view.split)
    axes = {"full_axis": view.full_axis, "log_counts": view.log_counts}
    followed = _follow.number()
    own = None if followed is None else float(scores[followed])
    return histogram(scores, parts, **axes, followed=own)


def _scores() -> np.ndarray:
    return _show.compute("head_output").scores.cpu().numpy()


@results
def _heat_map() -> None:
    _controls.level()
    _ahead.figure(_map, key="heat_map")
    _controls.toggle("view.blank")


def _map() -> Figure:
    level, grid, scores = _controls.shown_level(), _show.compute("grid"), _scores()
    start, end = grid.starts[level : level + 2]
    name = _state.current().anchors.level_names[level]
    at = _follow.place()
    cell = (at["level"], at["row"], at["column"]) if at else None
    return heat_map(grid, scores[start:end], level, name, _show.photo_url(), cell)


def _parts(grid, scores, split: str) -> list[tuple[str, str, np.ndarray]]:
    """Name, colour and scores of each part of the histogram."""
    anchors = _state.current().anchors
    levels = np.split(scores, grid.starts[1:-1])
    if split == "match":
        labels = _show.compute("matches").labels.cpu().numpy()
        return [(name, colour, scores[labels == label]) for label, name, colour in MATCHES]
    if split == "level":
        names = anchors.level_names
        return [(names[i], theme.level_colour(i), part) for i, part in enumerate(levels)]
    if split == "ratio" and len(set(grid.per_cell)) == 1:
        names = shape_names(anchors)
        same = all(level == names[0] for level in names)
        names = names[0] if same else [f"shape {i + 1}" for i in range(grid.per_cell[0])]
        shapes = scores.reshape(-1, grid.per_cell[0])
        return [
            (f"ratio {name}" if same else name, theme.level_colour(i), shapes[:, i])
            for i, name in enumerate(names)
        ]
    return [("all anchors", theme.level_colour(0), scores)]


def _reseed() -> None:
    _state.change({"scores.seed": (_state.current().scores.seed + 1) % 2**31})


render()
