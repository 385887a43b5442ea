"""One box's decoding, number by number: what `decode_boxes` does, with all that lies between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.core.coder import decode_boxes, encode_boxes
from explorer.core.filtering import clip_boxes

Four = tuple[float, float, float, float]


@dataclass(frozen=True)
class Arithmetic:
    """The steps from one anchor and its four deltas to a box, in float32 values."""

    anchor: Four  # xyxy, pixels
    anchor_centre: Four  # x, y, w, h
    deltas: Four  # as the head gives them
    weights: Four
    scaled: Four  # deltas over weights: dx, dy, dw, dh
    max_log_scale: float | None
    exponents: tuple[float, float]  # dw, dh after the clamp
    centre: Four  # x, y, w, h of the box
    corners: Four  # xyxy, pixels, before the clip
    clipped: Four  # xyxy, pixels, inside the picture


def decode_one(
    anchor: Tensor,
    deltas: Tensor,
    weights: Sequence[float],
    max_log_scale: float | None,
    image_size: tuple[int, int],
) -> Arithmetic:
    """Decode and clip one box, and keep every number on the way.

    Args:
        anchor: (4,) box, xyxy, pixels.
        deltas: (4,) dx, dy, dw, dh.
        weights: what the deltas are divided by, each > 0.
        max_log_scale: upper clamp on dw and dh; None for none.
        image_size: (height, width) of the picture that clips, pixels.

    Returns:
        The steps. A box past float32 has infinite corners; NaN stays NaN.

    Raises:
        ValueError: if a shape is not (4,), or as `decode_boxes` and `clip_boxes`.

    Source: Ren et al. 2015, eq. 2; Girshick et al. 2014 (R-CNN), appendix C.
    """
    for name, four in (("anchor", anchor), ("deltas", deltas)):
        if four.shape != (4,):
            raise ValueError(f"decode_one.{name} must have shape (4,), got {tuple(four.shape)}")
    anchor, deltas = anchor.detach().float().cpu(), deltas.detach().float().cpu()
    corners = decode_boxes(anchor, deltas, weights, max_log_scale)
    sides, scaled = anchor[2:] - anchor[:2], deltas / torch.tensor(weights)
    middle = anchor[:2] + 0.5 * sides
    exponents = scaled[2:] if max_log_scale is None else scaled[2:].clamp(max=max_log_scale)
    return Arithmetic(
        anchor=_numbers(anchor),
        anchor_centre=_numbers(torch.cat([middle, sides])),
        deltas=_numbers(deltas),
        weights=tuple(float(weight) for weight in weights),
        scaled=_numbers(scaled),
        max_log_scale=max_log_scale,
        exponents=_numbers(exponents),
        centre=_numbers(torch.cat([scaled[:2] * sides + middle, torch.exp(exponents) * sides])),
        corners=_numbers(corners),
        clipped=_numbers(clip_boxes(corners, image_size)),
    )


@dataclass(frozen=True)
class RoundTrip:
    """A target encoded against an anchor and decoded again."""

    deltas: Four
    back: Four  # xyxy, pixels
    error: float  # largest difference of a side's place, pixels


def encode_and_back(
    anchor: Tensor, target: Tensor, weights: Sequence[float], max_log_scale: float | None
) -> RoundTrip:
    """Encode a target against an anchor, and decode what comes out.

    Args:
        anchor: (4,) box, xyxy, pixels, sides > 0.
        target: (4,) box, xyxy, pixels, sides > 0.
        weights: of the deltas, each > 0.
        max_log_scale: upper clamp on dw and dh; None for none. A target larger than the clamp
            allows does not come back: that is the error.

    Raises:
        ValueError: if the target has no size, or as `encode_boxes` and `decode_boxes`.
    """
    if not bool((target[2:] > target[:2]).all()):
        raise ValueError(f"a target must have sides above 0, got {_numbers(target)}")
    deltas = encode_boxes(anchor, target, weights)
    back = decode_boxes(anchor, deltas, weights, max_log_scale)
    return RoundTrip(_numbers(deltas), _numbers(back), float((back - target).abs().max()))


def _numbers(tensor: Tensor) -> tuple[float, ...]:
    return tuple(tensor.tolist())
