"""How a thing in a synthetic scene is painted: flat outlines, shaded as if round and lit.

A thing is a list of parts in unit coordinates, back to front. It is painted at its final size, so
that its edges stay sharp at 16 pixels as at 320. Numpy and Pillow alone, all chance from `rng`.
"""

import colorsys
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

LIGHT = np.array([-0.6, -0.8])  # from the upper left, as in most drawings

Colour = tuple[float, float, float]  # red, green and blue in [0, 1]


@dataclass(frozen=True, eq=False)
class Part:
    """One painted outline of a thing."""

    outline: np.ndarray  # (P, 2) x and y
    colour: Colour
    puff: float = 0.5  # 0 flat, 1 round as a ball
    texture: str = "plain"


def random_colour(rng: np.random.Generator, vivid: float = 0.5) -> Colour:
    """A colour of any hue whose saturation and value are at least about `vivid`."""
    hue, saturation, value = rng.uniform(0, 1), rng.uniform(vivid, 1), rng.uniform(vivid, 1)
    return colorsys.hsv_to_rgb(hue, saturation, value)


def ellipse(x: float, y: float, rx: float, ry: float, start=0.0, end=1.0) -> np.ndarray:
    """(64, 2) points of an ellipse, or of an arc from `start` to `end` in turns."""
    turn = 2 * np.pi * np.linspace(start, end, 64)
    return np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], axis=1)


def polygon(*points: float) -> np.ndarray:
    """(P, 2) points from x and y in turn."""
    return np.array(points, dtype=float).reshape(-1, 2)


def rays(x: float, y: float, count: int, outer: float, inner: float) -> np.ndarray:
    """(2 * count, 2) points of a star."""
    turn = np.pi * np.arange(2 * count) / count - np.pi / 2
    radius = np.where(np.arange(2 * count) % 2 == 0, outer, inner)
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], axis=1)


def ring(x: float, y: float, rx: float, ry: float, hole: float) -> np.ndarray:
    """(128, 2) points of an ellipse with a hole: out along the rim, back along the hole."""
    return np.concatenate([ellipse(x, y, rx, ry), ellipse(x, y, hole * rx, hole * ry)[::-1]])


def _pattern(texture: str, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(H, W) brightness around 1."""
    y, x = np.mgrid[: shape[0], : shape[1]] / max(shape)
    angle, pitch = rng.uniform(0, np.pi), rng.uniform(0.12, 0.3)
    u = (x * np.cos(angle) + y * np.sin(angle)) / pitch
    v = (y * np.cos(angle) - x * np.sin(angle)) / pitch
    if texture == "stripes":
        return np.where(u % 1 < 0.5, 1.0, 0.68)
    if texture == "dots":
        return np.where((u % 1 - 0.5) ** 2 + (v % 1 - 0.5) ** 2 < 0.08, 0.62, 1.0)
    if texture == "checks":
        return np.where((u % 1 < 0.5) ^ (v % 1 < 0.5), 1.0, 0.7)
    if texture == "grain":
        return 1 + rng.normal(0, 0.09, shape)
    return np.ones(shape)


def _paint(part: Part, shape: tuple[int, int], scale: float, rng) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3) colours of a part and its (H, W) coverage, both in [0, 1]."""
    height, width = shape
    fine = 4 if max(shape) < 96 else 2  # supersampling for smooth edges
    stencil = Image.new("L", (width * fine, height * fine))
    ImageDraw.Draw(stencil).polygon([tuple(p) for p in part.outline * scale * fine], fill=255)
    stencil = stencil.resize((width, height), Image.Resampling.BOX)
    alpha = np.asarray(stencil, dtype=np.float32) / 255
    light = _pattern(part.texture, shape, rng)
    if part.puff > 0 and min(shape) > 2:
        reach = float(0.1 * np.ptp(part.outline, axis=0).min() * scale + 0.5)
        hill = np.asarray(stencil.filter(ImageFilter.GaussianBlur(reach)), dtype=np.float32) / 255
        slope = np.stack(np.gradient(hill)[::-1], axis=-1) * reach  # (H, W, 2) as x, y
        facing = -slope @ LIGHT * part.puff
        light = light * (1 + 1.1 * facing) + np.maximum(facing - 0.18, 0)
    return np.clip(light[..., None] * np.array(part.colour), 0, 1), alpha


def render_thing(parts: list[Part], side: int, rng: np.random.Generator) -> np.ndarray:
    """Paint a thing.

    Args:
        parts: of `scene_kinds.draw_thing`.
        side: its longer side in pixels, at least 1.
        rng: for textures.

    Returns:
        (H, W, 4) uint8, red, green, blue and coverage; no margin.
    """
    extent = np.max([part.outline.max(axis=0) for part in parts], axis=0)
    width, height = (max(1, round(float(value) * side)) for value in extent)
    colour, alpha = np.zeros((height, width, 3)), np.zeros((height, width))
    for part in parts:
        paint, cover = _paint(part, (height, width), side, rng)
        colour += (paint - colour) * cover[..., None]
        alpha += (1 - alpha) * cover
    # colours were blended with black where coverage is partial: take that back out
    colour = colour / np.maximum(alpha, 1e-3)[..., None]
    return np.round(np.dstack([colour.clip(0, 1), alpha]) * 255).astype(np.uint8)
