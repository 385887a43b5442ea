"""The box that the Decoding page's anchor is to reach: drawn, encoded, and decoded again."""

from __future__ import annotations

import streamlit as st
import torch
from torch import Tensor

from explorer.core.arithmetic import RoundTrip, encode_and_back
from explorer.core.boxes import box_iou
from explorer.core.filtering import clip_boxes
from explorer.pages import _arithmetic, _decoding, _show, _state


def take(box: list[float]) -> None:
    """Make a drawn rectangle the target, and put the sliders on its deltas."""
    drawn = _inside(box)
    if drawn is None:
        _state.complain("A target must have a size inside the picture: drag a larger rectangle.")
        return
    sides = tuple(round(side, 2) for side in drawn.tolist())  # short in links
    deltas = _decoding.as_settings(list(_encode(torch.tensor(sides)).deltas))
    _state.change({"decoding.target": sides} | deltas)


def _take_object() -> None:
    """A target without drawing, as on a phone, where a finger scrolls the page."""
    objects = _show.compute("truth").boxes.cpu()
    anchor = _show.anchor(_decoding.anchor_index())
    take(objects[int(box_iou(anchor[None], objects).argmax())].tolist())


def current() -> Tensor | None:
    """(4,) the target inside this picture; None where there is none."""
    box = _state.current().decoding.target
    return None if box is None else _inside(list(box))


def show() -> None:
    """The target's four deltas with their arithmetic, and how far off they lead back."""
    st.subheader("And back: encode a target")
    target, settings = current(), _state.current()
    if target is None:
        if settings.decoding.target is not None:
            st.info("The target that is set has no size inside this picture: draw another.")
        st.markdown("Drag a rectangle on the picture: its four deltas appear here.")
        objects = len(_show.compute("truth").boxes)
        label = "Or take the object that this anchor overlaps most"
        st.button(label, key="take_object", on_click=_take_object, disabled=not objects)
        return
    found = _encode(target)
    table, words = st.columns([3, 2], gap="medium")
    with table:
        centre = _decoding.decode().anchor_centre
        numbers = target.tolist(), found.deltas, settings.codec.weights
        st.html(_arithmetic.encoding(centre, *numbers))
    with words:
        st.metric("Decoded again, it is off by", f"{found.error:.6f} px")
        st.markdown(_reach(found))
        again, forget = st.columns(2)
        sides = {"on_click": _decoding.set_sliders, "args": (list(found.deltas),)}
        again.button("Set the sliders to it", key="reach_target", **sides)
        forget.button("Forget it", key="forget_target", on_click=_forget)


def _reach(found: RoundTrip) -> str:
    """What stands between the anchor and the target, if anything does."""
    clamp, weights = _decoding.clamp(), _state.current().codec.weights
    scales = [delta / weight for delta, weight in zip(found.deltas, weights, strict=True)][2:]
    if clamp is not None and max(scales) > clamp:
        return f"The clamp stops at {clamp:.4g}: from this anchor, the target is out of reach."
    beyond = _decoding.beyond(list(found.deltas))
    return beyond or "What is left is the rounding of float32."


def _encode(box: Tensor) -> RoundTrip:
    anchor = _show.anchor(_decoding.anchor_index())
    return encode_and_back(anchor, box, _state.current().codec.weights, _decoding.clamp())


def _inside(box: list[float]) -> Tensor | None:
    """(4,) what of a box lies in the picture; None where that is under a pixel wide or high."""
    clipped = clip_boxes(torch.tensor(box), _show.compute("grid").image_size)
    return clipped if bool((clipped[2:] - clipped[:2] >= 1).all()) else None


def _forget() -> None:
    _state.change({"decoding.target": None})
