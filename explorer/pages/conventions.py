"""Conventions: four code bases on the same scores, and the step that made each difference."""

from collections import Counter

import numpy as np
import streamlit as st

from explorer.core.layout import level_shapes
from explorer.editing import field_of, get
from explorer.figures import theme
from explorer.figures.compare import Side, apart, ghosts
from explorer.figures.theme import Figure
from explorer.pages import _ahead, _controls, _other, _show, _state
from explorer.pages._demo import demo, results
from explorer.pages._weights import fits
from explorer.presets import PRESETS, Preset, name_of
from explorer.settings import Settings

BASES = ("notebook", "torchvision", "detectron2", "py-faster-rcnn")
STEPS = {
    "decode first": ("decode all", "clip", "drop small", "top-n"),
    "top-n first": ("top-n", "decode", "clip", "drop small"),
}


@demo
def render() -> None:
    st.title("Conventions")
    st.markdown(
        "**Try this:** put the course notebook against torchvision and look at one cell: the same "
        "ratio, 2, is wide in one and tall in the other. Then read which boxes that costs."
    )
    one, two = st.columns(2)
    with one:
        _controls.choice("compare.base", format_func=_title)
    with two:
        _controls.choice("compare.against", format_func=_title)
    views = _views()
    for base in views:
        if not fits(_state.current(), PRESETS[base]):
            st.info(_without_scores(PRESETS[base]))
    if len(views) == 1:
        st.info("Both are the same code base: choose another to see what differs.")
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _one_cell()
    with right:
        _lacking()
    _orders(views)
    _table(views)


def _title(base: str) -> str:
    return PRESETS[base].title


def _views() -> dict[str, Settings]:
    """The code bases' conventions on this picture, with scores that fit their anchors."""
    compare = _state.current().compare
    return {base: _view(PRESETS[base]) for base in (compare.base, compare.against)}


def _view(preset: Preset) -> Settings:
    settings = _state.current()
    if fits(settings, preset):
        return preset.apply(settings)
    planted = settings.scores.model_copy(update={"source": "planted"})
    return preset.apply(settings.model_copy(update={"scores": planted}))


def _without_scores(preset: Preset) -> str:
    return (
        f"{preset.title} has {preset.anchors.per_cell[0]} anchors a cell, and the trained head "
        "scores 3: its scores are planted on the ground truth."
    )


@results
def _one_cell() -> None:
    st.subheader("One cell, laid twice")
    _controls.level()
    _ahead.figure(_ghosts, key="ghosts")
    swatches = "".join(
        f'<i style="background:{theme.level_colour(i)}"></i>{name}'
        for i, (name, _, _) in enumerate(_cells())
    )
    st.html(f'<div class="key">{swatches}</div>')


def _ghosts() -> Figure:
    return ghosts(_show.compute("image").image_size, _show.photo_url(), _cells())


def _cells() -> list[tuple[str, np.ndarray, tuple[float, float]]]:
    """The cell in the middle of the shown level, in each code base: name, anchors and centre."""
    cells = []
    for base, view in _views().items():
        grid = _show.compute("grid", view)
        level = min(_controls.shown_level(), len(grid.cells) - 1)
        (rows, columns), (down, across) = grid.cells[level], grid.strides[level]
        row, column = rows // 2, columns // 2
        centre = (column + view.anchors.offset) * across, (row + view.anchors.offset) * down
        boxes = level_shapes(view.anchors)[level].numpy() + np.tile(centre, 2)
        cells.append((f"{_title(base)}, {view.anchors.level_names[level]}", boxes, centre))
    return cells


@results
def _lacking() -> None:
    st.subheader("Proposals that one has and the other lacks")
    _controls.slider("view.top_k", high=300)
    _ahead.figure(_apart, key="apart")
    for side in _sides():
        reasons = Counter(side.reasons).most_common()
        told = "; ".join(f"{count} {words}" for words, count in reasons) or "none"
        st.markdown(f"**{side.name}** alone: {told}.")
    _show.badge("proposals")


def _apart() -> Figure:
    return apart(_show.compute("image").image_size, _show.photo_url(), _sides())


def _sides() -> list[Side]:
    """What each code base has among its best proposals that the other lacks."""
    settings, views = _state.current(), _views()
    twice = 2 if len(views) == 1 else 1
    names = [_title(base) for base in views] * twice
    chains = [_other.chain(view) for view in views.values()] * twice
    return _show.kept(
        "proposals",
        lambda: _other.sides(names, chains, settings.view.top_k),
        *("apart", *views, settings.view.top_k, settings.planted),
    )


def _orders(views) -> None:
    st.subheader("The order of steps")
    rows = []
    for base, view in views.items():
        rules = view.filter
        scope = "of each level" if rules.top_n_by_level else "of all levels"
        steps = [
            f"{step} {scope}, by {rules.top_n_by}" if step == "top-n" else step
            for step in STEPS[rules.order]
        ]
        nms = f"NMS {'level by level' if rules.nms_by_level else 'over all'}, by {rules.nms_by}"
        chips = " → ".join(
            f"<b>{step}</b>" for step in [*steps, nms, f"best {view.nms.post_nms:,}"]
        )
        rows.append(f"<tr><td>{_title(base)}</td><td>{chips}</td></tr>")
    st.html(f'<table class="levels orders">{"".join(rows)}</table>')


def _table(views) -> None:
    st.subheader("Where the four differ")
    presets = {base: PRESETS[base] for base in BASES}
    paths = [
        path
        for path in [*_other.own_paths(), "match.low_quality"]
        if path.split(".")[0] in ("anchors", "codec", "filter", "nms", "match")
        and len({str(get(preset, path)) for preset in presets.values()}) > 1
    ]
    at_work = name_of(_state.current())
    head = "".join(
        f"<th{_mark(base in views)}>{_title(base)}{' (at work)' if base == at_work else ''}</th>"
        for base in BASES
    )
    rows = []
    for path in paths:
        cells = "".join(
            f"<td{_mark(base in views)}>{_words(get(preset, path))}</td>"
            for base, preset in presets.items()
        )
        rows.append(f"<tr><td>{field_of(path).title}</td>{cells}</tr>")
    st.html(
        f'<table class="levels conventions"><tr><th>setting</th>{head}</tr>{"".join(rows)}</table>'
    )


def _mark(chosen: bool) -> str:
    return ' class="chosen"' if chosen else ""


def _words(value) -> str:
    if isinstance(value, tuple):
        return ", ".join(_words(each) for each in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


render()
