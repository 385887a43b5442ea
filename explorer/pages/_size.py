"""The size of object that the atlas looks at: what the grid does for it, and how it is chosen."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from explorer.core.atlas import Lattice, Service, lattice_of, offered_iou, serve
from explorer.editing import field_of, get, limits
from explorer.figures.beside import beside_its_anchor
from explorer.figures.theme import Figure
from explorer.pages import _ahead, _controls, _limits, _show, _state

NEAR = 0.05  # decades from a dot at which a click still means it
SIDES = ("atlas.width", "atlas.height")
READINGS = ("worst", "mean")


def lattice() -> Lattice:
    """The endless grid of the settings in force."""
    return lattice_of(_state.current().anchors, _show.compute("grid").strides)


def of_objects() -> np.ndarray:
    """(G, 2) widths and heights of the picture's objects, to a tenth of a pixel."""
    boxes = _show.compute("truth").boxes.cpu().numpy()
    return (boxes[:, 2:] - boxes[:, :2]).astype(np.float64).round(1)


def offers() -> tuple[np.ndarray, ...]:
    """In each of the readings the IoU on offer to the picture's objects and, last, to the size."""
    atlas = _state.current().atlas
    chosen = atlas.width, atlas.height
    sides = np.vstack([of_objects(), chosen]).T

    def measure() -> tuple[np.ndarray, ...]:
        return tuple(offered_iou(*sides, lattice(), reading) for reading in READINGS)

    return _show.kept("best_anchors", measure, "offers", *chosen)


def choose(x: float, y: float) -> None:
    """Look at the object near a click on the map, else at the size there; its axes are log10."""
    objects = of_objects()
    distances = np.hypot(*(np.log10(objects.clip(*limits(SIDES[0]))) - [x, y]).T)
    near = len(objects) and distances.min() < NEAR
    chosen = objects[distances.argmin()] if near else np.round(10.0 ** np.array([x, y]), 1)
    sides = zip(SIDES, chosen.tolist(), strict=True)
    _state.change({path: float(np.clip(side, *limits(path))) for path, side in sides})


def show() -> None:
    """Both readings at the chosen size, its best anchor in words, and both on the photo."""
    iou = {reading: float(each[-1]) for reading, each in zip(READINGS, offers(), strict=True)}
    for column, (reading, value) in zip(st.columns(2), iou.items(), strict=True):
        column.metric(f"Best IoU, {reading}", f"{value:.3f}")
    st.markdown(_words(_served(), iou[_state.current().atlas.reading]))
    for column, path in zip(st.columns(2), SIDES, strict=True):
        with column:
            _side(path)
    _ahead.figure(_picture, key="to_scale")
    _show.badge("grid")


def _served() -> Service:
    """What the grid does for the chosen size."""
    atlas = _state.current().atlas
    chosen = atlas.width, atlas.height
    serving = partial(serve, *chosen, lattice(), atlas.reading)
    return _show.kept("grid", serving, "service", *chosen, atlas.reading, _state.current().anchors)


def _words(served: Service, iou: float) -> str:
    atlas, names = _state.current().atlas, _state.current().anchors.level_names
    size = f"an object of **{atlas.width:.0f} x {atlas.height:.0f} px**"
    if iou == 0:
        return f"At the worst place no anchor touches {size}."
    also = f", {served.alike} other shapes as well" if served.alike else ""
    anchor = f"{names[served.level]}'s {served.sides[0]:.0f} x {served.sides[1]:.0f} px"
    return f"{size[0].upper()}{size[1:]} is served best by **{anchor}**{also}."


def _side(path: str) -> None:
    """A side to type: on a slider from 4 to 1024, 18 and 9 would be one place."""
    value = get(_state.current(), path)
    st.number_input(
        f"{field_of(path).title}, px",
        *map(float, limits(path)),
        value,
        step=1.0,
        format="%.0f",
        **_controls.shows(path, value),
        help=_controls.help_of(path),
        on_change=lambda: _state.change({path: st.session_state[path]}),
    )


def _picture() -> Figure:
    """The picture's own object of that size and its anchor, else one in the photo's middle."""
    settings, grid, truth = _state.current(), _show.compute("grid"), _show.compute("truth")
    sides = np.array([settings.atlas.width, settings.atlas.height])
    same = np.flatnonzero((of_objects() == sides.round(1)).all(axis=1))
    if len(same):
        box = truth.boxes[same[0]].cpu().numpy()
        iou, number = (found[same[0]].item() for found in _show.compute("best_anchors"))
        title = f"{truth.labels[same[0]]}: its best anchor has IoU {iou:.2f}"
        level = int(grid.place_of(np.array(max(number, 0)))["level"])
        anchor = _show.anchor(number).numpy() if number >= 0 else None
    else:
        served = _served()
        stride, level = np.array(grid.strides[served.level][::-1], dtype=float), served.level
        cell = np.floor(np.array(grid.image_size[::-1]) / 2 / stride)
        centre = (cell + settings.anchors.offset) * stride
        anchor = _box_around(centre, np.array(served.sides))
        box = _box_around(centre + served.away, sides)
        title = f"The object in white, {settings.anchors.level_names[level]}'s anchor"
    return beside_its_anchor(
        grid.image_size,
        box,
        anchor,
        level,
        title=title,
        photo_url=_show.photo_url(),
        cells=_limits.cells(),
    )


def _box_around(centre: np.ndarray, sides: np.ndarray) -> np.ndarray:
    return np.concatenate([centre - sides / 2, centre + sides / 2])
