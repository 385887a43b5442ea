"""The chosen object of the Matching page moves: by the mouse on the picture, or by sliders."""

from __future__ import annotations

import streamlit as st

from explorer.pages import _claims, _controls, _fold, _objects, _show

PARTS = ("left", "top", "width", "height")


def move(box: list[float]) -> None:
    """Take a new place or size of the chosen object."""
    number = _claims.chosen()
    if number is not None:
        _objects.move(number, box)


def render() -> None:
    """The chosen object's place and size as sliders."""
    place = st.container()  # there in every run, see `_claims.notes`
    if _claims.chosen() is not None:
        with place:
            _fold.folded("Move or resize it", _place_sliders, key="mover")


def _place() -> dict[str, float]:
    x1, y1, x2, y2 = _show.compute("truth").boxes[_claims.chosen()].tolist()
    return dict(zip(PARTS, (x1, y1, x2 - x1, y2 - y1), strict=True))


def _place_sliders() -> None:
    height, width = _show.compute("grid").image_size
    for (part, value), most in zip(_place().items(), (width, height) * 2, strict=True):
        key, least = f"object {part}", 0.0 if part in ("left", "top") else 1.0
        value = min(max(float(round(value)), least), float(most))
        st.slider(
            f"{part.capitalize()}, px",
            least,
            float(most),
            value,
            step=1.0,
            format="%.0f",
            **_controls.shows(key, value),
            on_change=_take_place,
            args=(part,),
            help=f"In pixels of the network's input. Range: {least:.0f} to {most:,.0f} px. "
            "The mouse drags it on the picture too, and its corners.",
        )


def _take_place(part: str) -> None:
    """The other three stay as they are, to a fraction of a pixel."""
    if _claims.chosen() is None:
        return
    changed = _place() | {part: st.session_state[f"object {part}"]}
    left, top, width, height = changed.values()
    move([left, top, left + width, top + height])
