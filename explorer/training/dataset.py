"""Batches: scenes and photos, cropped, scaled, joined, mirrored, recoloured and compressed."""

import io
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter
from torch import Tensor

from explorer.core.images import MEAN
from explorer.training.sources import Photo

GREY = tuple(round(255 * value) for value in MEAN)  # what the app pads with
PHOTO_SHARE = 0.45
LEAST_SIDE = 8  # smaller objects are none, pixels
LEAST_SEEN = 0.25  # share of an object that a crop must show

Sample = tuple[Image.Image, np.ndarray]  # picture and (G, 4) boxes


class Dataset:
    """Draws training pictures; a draw depends on its generator alone.

    Args:
        scenes: the folder that `paint_scenes` filled.
        photos: labelled photos; may be empty.
    """

    def __init__(self, scenes: Path, photos: list[Photo]):
        self.scenes = sorted(scenes.glob("*.json"))
        if not self.scenes:
            raise ValueError(f"{scenes} must hold scenes, got none")
        self.photos = photos

    def batch(self, count: int, side: int, rng: np.random.Generator) -> tuple[Tensor, list[Tensor]]:
        """Draw a batch.

        Args:
            count: how many pictures.
            side: height and width of each.
            rng: all chance.

        Returns:
            (count, 3, side, side) uint8 and (G, 4) float32 boxes of each picture.
        """
        pictures, objects = [], []
        for _ in range(count):
            picture, boxes = self.draw(side, rng)
            pictures.append(torch.from_numpy(np.array(picture)).permute(2, 0, 1))
            objects.append(torch.from_numpy(boxes.astype(np.float32)))
        return torch.stack(pictures), objects

    def draw(self, side: int, rng: np.random.Generator) -> Sample:
        """One picture of `side` x `side` pixels with its boxes."""
        if side >= 256 and rng.random() < 0.2:
            sample = self._four(side, rng)
        else:
            sample = self._one(side, rng)
        picture, boxes = _mirror(*sample, rng)
        return _disturb(picture, rng), boxes

    def _one(self, side: int, rng: np.random.Generator) -> Sample:
        if self.photos and rng.random() < PHOTO_SHARE:
            photo = self.photos[rng.integers(len(self.photos))]
            return _view(Image.fromarray(photo.pixels), photo.boxes, side, rng)
        path = self.scenes[rng.integers(len(self.scenes))]
        boxes = np.array(json.loads(path.read_text())).reshape(-1, 4)
        with Image.open(path.with_suffix(".jpg")) as picture:
            return _view(picture.convert("RGB"), boxes, side, rng)

    def _four(self, side: int, rng: np.random.Generator) -> Sample:
        """Four pictures in one: real photos rarely show many objects, so we make them."""
        canvas, boxes = Image.new("RGB", (side, side)), []
        x, y = (int(rng.uniform(0.35, 0.65) * side) for _ in range(2))
        for left, top, right, bottom in (
            (0, 0, x, y), (x, 0, side, y), (0, y, x, side), (x, y, side, side),
        ):  # fmt: skip
            cell = max(right - left, bottom - top)
            picture, own = self._one(cell, rng)
            canvas.paste(picture.crop((0, 0, right - left, bottom - top)), (left, top))
            boxes.append(_clip(own, (right - left, bottom - top)) + np.array([left, top] * 2))
        return canvas, np.concatenate(boxes)


def _clip(boxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Boxes cut to (width, height); those that show too little are left out."""
    cut = boxes.clip(0, (*size, *size))
    sides = cut[:, 2:] - cut[:, :2]
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    seen = sides.prod(1) >= LEAST_SEEN * whole
    return cut[seen & (sides.min(axis=1, initial=np.inf) >= LEAST_SIDE)]


def _view(picture: Image.Image, boxes: np.ndarray, side: int, rng: np.random.Generator) -> Sample:
    """The whole picture, letterboxed and perhaps smaller, or a crop of it."""
    width, height = picture.size
    # spoons and masts are rarer in the data than in the world: stretch some pictures far
    most = 0.5 if rng.random() < 0.3 else 0.12
    stretch = np.exp(rng.uniform(-most, most, 2))
    if rng.random() < 0.5:
        scale = side / max(width, height) * (1 if rng.random() < 0.6 else rng.uniform(0.4, 1))
        x, y = ((side - scale * length) * rng.random() for length in picture.size)
        scales = scale * stretch
    else:
        # from a zoom on one object to nearly the whole
        reach = max(width, height) * np.exp(rng.uniform(np.log(0.35), 0))
        middle = np.array([width, height]) * rng.random(2)
        if len(boxes):
            box = boxes[rng.integers(len(boxes))]
            middle = (box[:2] + box[2:]) / 2 + rng.uniform(-0.3, 0.3, 2) * reach
            reach = max(reach, 1.05 * (box[2:] - box[:2]).max())
        scales = side / reach * stretch
        corner = (middle - reach / 2).clip(0, np.maximum((width - reach, height - reach), 0))
        x, y = -corner * scales
    # what of the source falls on the canvas, in source pixels
    low = np.maximum((-x / scales[0], -y / scales[1]), 0)
    high = np.minimum(((side - x) / scales[0], (side - y) / scales[1]), (width, height))
    start = np.round((x + low[0] * scales[0], y + low[1] * scales[1])).astype(int)
    size = np.maximum(np.round((high - low) * scales).astype(int), 1)
    view = picture.resize(tuple(size.tolist()), Image.Resampling.BILINEAR, box=(*low, *high))
    canvas = Image.new("RGB", (side, side), GREY)
    canvas.paste(view, tuple(start.tolist()))
    moved = boxes * np.tile(scales, 2) + (x, y, x, y)
    return canvas, _clip(moved, (side, side))


def _mirror(picture: Image.Image, boxes: np.ndarray, rng: np.random.Generator) -> Sample:
    if rng.random() < 0.5:
        return picture, boxes
    flipped = boxes.copy()
    flipped[:, [0, 2]] = picture.width - boxes[:, [2, 0]]
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), flipped


def _disturb(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Colours, blur and compression as cameras and web pages have them."""
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        if rng.random() < 0.5:
            picture = enhance(picture).enhance(rng.uniform(0.6, 1.4))
    if rng.random() < 0.15:
        hue = picture.convert("HSV").split()
        turn = int(rng.integers(256))
        turned = hue[0].point(lambda value: (value + turn) % 256)
        picture = Image.merge("HSV", (turned, *hue[1:])).convert("RGB")
    if rng.random() < 0.1:
        picture = picture.convert("L").convert("RGB")
    if rng.random() < 0.15:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
    if rng.random() < 0.25:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=int(rng.integers(30, 90)))
        picture = Image.open(buffer).convert("RGB")
    return picture
