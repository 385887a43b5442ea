"""The objects of a picture: what a perfect network would propose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorer.core.filtering import clip_boxes
from explorer.core.images import Picture
from explorer.core.samples import samples
from explorer.core.scenes import make_scene
from explorer.settings import Scene, Truth

SCENE = "scene"  # the picture's name where it is painted on the spot
SCENE_SIDE = 640  # pixels


@dataclass(frozen=True, eq=False)
class Painted:
    """A scene as a photo with its objects."""

    photo: Image.Image
    boxes: np.ndarray  # (G, 4) float32, xyxy, pixels of the photo
    labels: tuple[str, ...]


@lru_cache(maxsize=16)
def paint(scene: Scene) -> Painted:
    """Paint a scene of the settings' seed, number of objects and range of sides."""
    scale = (scene.smallest, scene.largest)
    made = make_scene(scene.seed, (SCENE_SIDE, SCENE_SIDE), scene.objects, scale)
    return Painted(Image.fromarray(made.pixels), made.boxes, made.labels)


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """Objects inside the network's input."""

    boxes: Tensor  # (G, 4) float32, xyxy, pixels of the input
    labels: tuple[str, ...]  # G words


def find_truth(
    picture: Picture,
    truth: Truth,
    name: str,
    scene: Scene,
    uploads: Mapping[str, bytes],
    device: torch.device,
) -> GroundTruth:
    """The objects that a picture came with, or those that the reader brought for it.

    An object that the fit cut off is clipped to what is left of it; one that is gone is left out.

    Args:
        picture: the network's input.
        truth: names the reader's own boxes, if there are any.
        name: of the picture: a sample, "scene" or "upload:<sha256>".
        scene: what a scene is painted from.
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
        boxes = unpack_boxes(uploads[truth.boxes])
        labels = ("object",) * len(boxes)
    elif name in samples():
        boxes = torch.tensor(samples()[name].boxes, dtype=torch.float32).reshape(-1, 4)
        labels = samples()[name].labels
    elif name == SCENE:
        boxes, labels = torch.from_numpy(paint(scene).boxes), paint(scene).labels
    else:
        boxes, labels = torch.zeros(0, 4), ()
    boxes = clip_boxes(picture.to_input(boxes), picture.image_size)
    inside = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(dim=1).tolist()
    kept = tuple(label for label, is_in in zip(labels, inside, strict=True) if is_in)
    return GroundTruth(boxes[inside].to(device), kept)


def pack_boxes(boxes: Tensor) -> bytes:
    """(G, 4) boxes in photo pixels as the bytes that `find_truth` reads."""
    return boxes.float().numpy().tobytes()


def unpack_boxes(data: bytes) -> Tensor:
    """The (G, 4) boxes of `pack_boxes`."""
    return torch.from_numpy(np.frombuffer(data, np.float32).reshape(-1, 4).copy())
