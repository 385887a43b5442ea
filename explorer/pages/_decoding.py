"""The anchor that the Decoding page shows, and the four deltas on its sliders."""

from __future__ import annotations

import math

import torch

from explorer.core.arithmetic import Arithmetic, decode_one
from explorer.core.layout import shape_names
from explorer.editing import get, limits
from explorer.pages import _cell, _controls, _follow, _show, _state

DELTAS = ("decoding.dx", "decoding.dy", "decoding.dw", "decoding.dh")
CLAMPS = {"none": None, "4": 4.0, "log(1000/16)": math.log(1000 / 16)}


def place() -> dict[str, int]:
    """Level, row, column and number within the cell: of the followed anchor, or of the chosen."""
    followed = _follow.place()
    if followed is not None:
        return followed
    grid, level = _show.compute("grid"), _controls.shown_level()
    row, column = _cell.chosen(grid)
    shape = min(_state.current().view.shape, grid.per_cell[level] - 1)
    return {"level": level, "row": row, "column": column, "shape": shape}


def name() -> str:
    """The shown anchor in words."""
    anchors, at = _state.current().anchors, place()
    shape = shape_names(anchors)[at["level"]][at["shape"]]
    level = anchors.level_names[at["level"]]
    return f"{level}, row {at['row']}, column {at['column']}, shape {shape}"


def anchor_index() -> int:
    """The shown anchor's number."""
    grid, at = _show.compute("grid"), place()
    cell = at["row"] * grid.cells[at["level"]][1] + at["column"]
    return grid.starts[at["level"]] + cell * grid.per_cell[at["level"]] + at["shape"]


def choose_cell(x: float, y: float) -> None:
    """Take the anchor of the cell under a point of the picture; a followed anchor stays."""
    if _follow.number() is not None:
        _state.complain("An anchor is followed: stop following it to choose another cell.")
        return
    stride_y, stride_x = _show.compute("grid").strides[_controls.shown_level()]
    _cell.choose(int(max(y, 0) // stride_y), int(max(x, 0) // stride_x))


def clamp() -> float | None:
    """The clamp that the page has chosen."""
    return CLAMPS[_state.current().decoding.clamp]


def clamp_name(name: str) -> str:
    """A choice of the clamp as the arithmetic beside it writes it."""
    return name if CLAMPS[name] is None else f"{CLAMPS[name]:.4g}"


def decode() -> Arithmetic:
    """The shown anchor moved by the sliders."""
    settings = _state.current()
    return decode_one(
        _show.anchor(anchor_index()),
        torch.tensor([get(settings, path) for path in DELTAS]),
        settings.codec.weights,
        clamp(),
        _show.compute("grid").image_size,
    )


def head_deltas() -> list[float]:
    """What the head says of the shown anchor."""
    return _show.compute("head_output").deltas[anchor_index()].tolist()


def beyond(deltas: list[float]) -> str:
    """Which deltas the sliders cannot reach, in a sentence; empty where they reach all."""
    past = [
        f"{path[-2:]} {delta:.2f}".replace("-", "−")
        for path, delta in zip(DELTAS, deltas, strict=True)
        if not limits(path)[0] <= delta <= limits(path)[1]
    ]
    if not past:
        return ""
    verb = "lies" if len(past) == 1 else "lie"
    return f"{' and '.join(past)} {verb} beyond the sliders, which stop at their ends."


def set_sliders(deltas: list[float]) -> None:
    """Put the sliders on four deltas, as far as they reach."""
    _state.change(as_settings(deltas))


def as_settings(deltas: list[float]) -> dict[str, float]:
    """Four deltas as settings, inside the sliders' ends and short in links; NaN is 0."""
    ends = {path: limits(path) for path in DELTAS}
    return {
        path: 0.0 if math.isnan(delta) else round(min(max(delta, ends[path][0]), ends[path][1]), 6)
        for path, delta in zip(DELTAS, deltas, strict=True)
    }
