"""The objects of a picture: what a perfect network would propose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.core.filtering import clip_boxes
from explorer.core.images import Picture
from explorer.core.samples import samples
from explorer.settings import Truth


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """Objects inside the network's input."""

    boxes: Tensor  # (G, 4) float32, xyxy, pixels of the input
    labels: tuple[str, ...]  # G words


def find_truth(
    picture: Picture,
    truth: Truth,
    name: str,
    uploads: Mapping[str, bytes],
    device: torch.device,
) -> GroundTruth:
    """The objects that a picture came with, or those that the reader brought for it.

    An object that the fit cut off is clipped to what is left of it; one that is gone is left out.

    Args:
        picture: the network's input.
        truth: names the reader's own boxes, if there are any.
        name: of the picture, among the samples or "upload:<sha256>".
        uploads: what this reader brought; boxes as float32 bytes from `pack_boxes`.
        device: where the boxes go.

    Returns:
        The objects; none for an upload without boxes.

    Raises:
        ValueError: if the reader's boxes are not there.
    """
    if truth.boxes is not None:
        if truth.boxes not in uploads:
            raise ValueError("the boxes of your own are gone: bring them again")
        numbers = np.frombuffer(uploads[truth.boxes], np.float32)
        boxes = torch.from_numpy(numbers.reshape(-1, 4).copy())
        labels = ("object",) * len(boxes)
    elif name in samples():
        boxes = torch.tensor(samples()[name].boxes, dtype=torch.float32).reshape(-1, 4)
        labels = samples()[name].labels
    else:
        boxes, labels = torch.zeros(0, 4), ()
    boxes = clip_boxes(picture.to_input(boxes), picture.image_size)
    inside = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(dim=1).tolist()
    kept = tuple(label for label, is_in in zip(labels, inside, strict=True) if is_in)
    return GroundTruth(boxes[inside].to(device), kept)


def pack_boxes(boxes: Tensor) -> bytes:
    """(G, 4) boxes in photo pixels as the bytes that `find_truth` reads."""
    return boxes.float().numpy().tobytes()
