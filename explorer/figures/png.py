"""Small images inside of a figure, as data URIs."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from explorer.figures import theme


def heat(values: np.ndarray) -> Image.Image:
    """(rows, columns) in [0, 1], from the top, in the colours of `HEAT_SCALE`, a pixel each."""
    image = Image.fromarray((values * 255).astype(np.uint8)).convert("P")
    stops = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in theme.HEAT_SCALE])
    at = np.linspace(0, len(stops) - 1, 256)
    ramp = [np.interp(at, np.arange(len(stops)), stops[:, channel]) for channel in range(3)]
    image.putpalette(np.stack(ramp, axis=1).astype(np.uint8).tobytes())
    return image


def uri(image: Image.Image, **options: Any) -> str:
    """An image as a PNG's data URI; the options are Pillow's for a PNG.

    Zlib's second level takes a third of the time of its sixth, and a tenth more bytes.
    """
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=2, **options)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
