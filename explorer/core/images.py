"""Photos: from a file's bytes to the network's input.

Padding has the mean colour of ImageNet, which normalisation turns into zeros, as detectors pad.
"""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

MAX_PIXELS = 50_000_000  # a 50-megapixel phone photo; 200 MB once decoded
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")

# torchvision's normalisation of ImageNet photos: https://pytorch.org/vision/stable/models.html
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
_MEAN_COLOUR = tuple(round(255 * value) for value in MEAN)


@dataclass(frozen=True, eq=False)
class Picture:
    """The network's input, and where the photo lies in it."""

    pixels: np.ndarray  # (H, W, 3) uint8
    content: tuple[float, float, float, float]  # the whole photo in input pixels, xyxy
    photo_size: tuple[int, int]  # (height, width) of the photo itself

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the network's input."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def scale(self) -> tuple[float, float]:
        """Input pixels a photo pixel, in x and in y."""
        x1, y1, x2, y2 = self.content
        return (x2 - x1) / self.photo_size[1], (y2 - y1) / self.photo_size[0]

    def to_input(self, boxes: Tensor) -> Tensor:
        """(N, 4) boxes in photo pixels -> the same boxes in input pixels."""
        scale = torch.tensor(self.scale * 2, dtype=torch.float32)
        return boxes * scale + torch.tensor(self.content[:2] * 2, dtype=torch.float32)

    def to_photo(self, boxes: Tensor) -> Tensor:
        """(N, 4) boxes in input pixels -> the same boxes in photo pixels."""
        scale = torch.tensor(self.scale * 2, dtype=torch.float32)
        return (boxes - torch.tensor(self.content[:2] * 2, dtype=torch.float32)) / scale


def open_photo(data: bytes) -> Image.Image:
    """The photo in a file, upright, as 8-bit RGB.

    The first frame of an animation counts; transparent parts turn white; 16 bits become 8.

    Args:
        data: bytes of a PNG, JPEG, WebP or GIF file.

    Raises:
        ValueError: one sentence: no image, cut off, or more than `MAX_PIXELS`.
    """
    try:
        photo = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError(_too_many_pixels("far more")) from None
    except Exception:  # Pillow's plugins raise whatever their parser met
        raise ValueError(
            "the file is not a picture that can be read: use PNG, JPEG or WebP"
        ) from None
    if photo.width * photo.height > MAX_PIXELS:
        raise ValueError(_too_many_pixels(f"{photo.width} x {photo.height}"))
    try:
        photo.load()
        with suppress(Exception):  # broken EXIF is common, and no reason to refuse whole pixels
            ImageOps.exif_transpose(photo, in_place=True)
        return _rgb(photo)
    except Exception:
        raise ValueError("the picture is cut off or damaged: save it again and retry") from None


def _too_many_pixels(got: str) -> str:
    return f"a picture must have at most {MAX_PIXELS:,} pixels, got {got}"


def _rgb(photo: Image.Image) -> Image.Image:
    if photo.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion clips at 255
        wide = np.asarray(photo).clip(0, 65535)
        photo = Image.fromarray((wide >> 8).astype(np.uint8))
    if photo.has_transparency_data:
        photo = photo.convert("RGBA")
        photo = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo)
    return photo if photo.mode == "RGB" else photo.convert("RGB")  # which would copy it


def fit_photo(photo: Image.Image, side: int, fit: str) -> Picture:
    """Resize a photo to the network's input.

    Args:
        photo: RGB.
        side: long side of the input, pixels.
        fit: "pad", "crop", "stretch" (all three give a square) or "keep" (the photo's shape).

    Raises:
        ValueError: if `fit` is none of the four.
    """
    width, height = photo.size
    if fit == "stretch":
        content = (0.0, 0.0, float(side), float(side))
        pixels = photo.resize((side, side), Image.Resampling.BILINEAR)
    elif fit == "crop":
        shown = min(width, height)  # photo pixels, in both directions
        left, top = (width - shown) / 2, (height - shown) / 2
        box = (left, top, left + shown, top + shown)
        pixels = photo.resize((side, side), Image.Resampling.BILINEAR, box=box)
        scale = side / shown
        content = (-left * scale, -top * scale, (width - left) * scale, (height - top) * scale)
    elif fit in {"pad", "keep"}:
        scale = side / max(width, height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = photo.resize(size, Image.Resampling.BILINEAR)
        left, top = ((side - size[0]) // 2, (side - size[1]) // 2) if fit == "pad" else (0, 0)
        content = (float(left), float(top), float(left + size[0]), float(top + size[1]))
        if fit == "pad":
            padded = Image.new("RGB", (side, side), _MEAN_COLOUR)
            padded.paste(pixels, (left, top))
            pixels = padded
    else:
        raise ValueError(f"fit must be pad, crop, stretch or keep, got {fit!r}")
    return Picture(np.asarray(pixels), content, (height, width))


def normalise(pixels: np.ndarray, device: torch.device) -> Tensor:
    """(H, W, 3) uint8 pixels -> (1, 3, H, W) float32, ImageNet's mean and deviation."""
    image = torch.from_numpy(pixels.copy()).to(device).permute(2, 0, 1)[None] / 255
    mean = torch.tensor(MEAN, device=device).view(1, 3, 1, 1)
    return (image - mean) / torch.tensor(STD, device=device).view(1, 3, 1, 1)
