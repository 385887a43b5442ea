"""The shapes of anchors: sizes in aspect ratios, or explicit sides.

Sources: Ren et al. 2015, section 3.1.1; Lin et al. 2017 (FPN), section 4.1. The conventions that
code bases disagree on are arguments.

Shapes: A anchors a cell.
"""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Ratio = Literal["w/h", "h/w"]
Rounding = Literal["none", "corners", "base16"]
Order = Literal["size outer", "ratio outer"]
Numbers = Sequence[float]


def cell_anchors(
    sizes: Numbers,
    ratios: Numbers,
    *,
    ratio: Ratio = "w/h",
    rounding: Rounding = "none",
    order: Order = "size outer",
) -> Tensor:
    """Anchors of one cell, around (0, 0): each size in each aspect ratio, of area size².

    Args:
        sizes: square roots of the areas, pixels, positive.
        ratios: aspect ratios, positive.
        ratio: what a ratio means, width over height or height over width.
        rounding: "none"; "corners" rounds the four corners, half to even (torchvision);
            "base16" rounds the sides of a 16-pixel anchor, then scales it (py-faster-rcnn).
        order: which of the two lists is the outer loop.

    Returns:
        (A, 4) float32 boxes, xyxy, pixels, A = len(sizes) * len(ratios).

    Raises:
        ValueError: if a size or ratio is not positive and finite, a list is empty, a convention is
            unknown, or rounding leaves an anchor without area.

    Source: torchvision `AnchorGenerator`, detectron2 `DefaultAnchorGenerator`, py-faster-rcnn
        `generate_anchors.py`.
    """
    check_positive("anchor_sizes", sizes)
    check_positive("aspect_ratios", ratios)
    check_choice("ratio", ratio, Ratio)
    check_choice("rounding", rounding, Rounding)
    check_choice("order", order, Order)
    # torchvision multiplies in float32 before it rounds, the others in double
    dtype = np.float32 if rounding == "corners" else np.float64
    size, height_over_width = np.array(sizes, dtype), np.array(ratios, dtype)
    if ratio == "w/h":
        height_over_width = 1 / height_over_width
    if order == "size outer":
        size, height_over_width = size[:, None], height_over_width[None, :]
    else:
        size, height_over_width = size[None, :], height_over_width[:, None]

    if rounding == "base16":
        base_width = np.sqrt(256 / height_over_width).round()
        base_height = (base_width * height_over_width).round()
        widths, heights = base_width * size / 16, base_height * size / 16
    else:
        root = np.sqrt(height_over_width)
        widths, heights = (1 / root) * size, root * size
    cell = _centred(widths.reshape(-1), heights.reshape(-1))  # (A, 4)
    cell = (cell.round() if rounding == "corners" else cell).astype(np.float32)
    if not (cell[:, 2:] > cell[:, :2]).all():
        raise ValueError(
            "anchors must have an area after rounding, "
            f"got none from sizes {tuple(sizes)} and ratios {tuple(ratios)}"
        )
    return torch.from_numpy(cell)


def pair_anchors(pairs: Sequence[tuple[float, float]]) -> Tensor:
    """Anchors of one cell, around (0, 0), from explicit sides.

    Args:
        pairs: (width, height) of each anchor, pixels, positive.

    Returns:
        (A, 4) float32 boxes, xyxy, pixels.

    Raises:
        ValueError: if there is no pair, or a side is not positive and finite.

    Source: YOLOv2 (Redmon & Farhadi 2016) clusters such pairs; SSD (Liu et al. 2015) lists them.
    """
    check_positive("anchor_pairs", [side for pair in pairs for side in pair])
    sides = np.array(pairs, np.float64)  # (A, 2)
    return torch.from_numpy(_centred(sides[:, 0], sides[:, 1]).astype(np.float32))


def check_positive(name: str, values: Numbers) -> None:
    """Refuse an empty list and any number that is not positive and finite.

    Args:
        name: what the caller calls the list, for the message.
        values: numbers.

    Raises:
        ValueError: with the values.
    """
    if len(values) == 0 or not all(math.isfinite(v) and v > 0 for v in values):
        raise ValueError(f"{name} must be positive and finite, got {tuple(values)}")


def check_choice(name: str, value: str, choices: object) -> None:
    """Refuse a word that a `Literal` type does not list.

    Args:
        name: what the caller calls the word, for the message.
        value: the word.
        choices: the `Literal` type.

    Raises:
        ValueError: with the word and the choices.
    """
    if value not in choices.__args__:
        raise ValueError(f"{name} must be one of {', '.join(choices.__args__)}, got {value!r}")


def _centred(widths: np.ndarray, heights: np.ndarray) -> np.ndarray:
    return np.stack([-widths, -heights, widths, heights], axis=1) / 2
