"""Grounds for synthetic scenes: a table, a meadow, a beach, made of noise and stripes alone."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from explorer.core.scene_shapes import random_colour


def clouds(shape: tuple[int, int], rng: np.random.Generator, cells: int = 3, octaves: int = 5):
    """(H, W) smooth noise in about [0, 1]: random grids, each twice as fine and half as strong."""
    height, width = shape
    total, weight = np.zeros(shape, dtype=np.float32), 0.0
    for octave in range(octaves):
        count = cells * 2**octave
        grid = Image.fromarray(rng.random((count, count), dtype=np.float32))
        total += np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC)) / 2**octave
        weight += 1 / 2**octave
    return np.clip(0.5 + 1.6 * (total / weight - 0.5), 0, 1)


def blend(share: np.ndarray, low, high) -> np.ndarray:
    """(H, W, 3) colours between `low` and `high`."""
    return np.asarray(low) + share[..., None] * (np.asarray(high) - np.asarray(low))


def _axes(shape):
    return np.mgrid[: shape[0], : shape[1]].astype(np.float32) / max(shape)


def _paper(shape, rng):
    y, x = _axes(shape)
    tone = np.array(random_colour(rng, 0.1)) * 0.4 + 0.55
    return blend(clouds(shape, rng) * 0.5 + 0.5 * (x + y) / 2, tone, tone * 0.75)


def _planks(shape, rng):
    y, x = _axes(shape)
    width = rng.uniform(0.12, 0.3)
    number = np.floor(y / width).astype(int)
    shift = rng.random(64)[number % 64]
    grain = clouds(shape, rng, 4, 6)
    rings = 0.5 + 0.5 * np.sin(40 * (y + 0.25 * grain) + 6 * shift + 3 * x)
    wood = np.array(rng.choice([(0.72, 0.52, 0.32), (0.5, 0.33, 0.2), (0.82, 0.7, 0.52)]))
    plank = blend(0.6 * rings * grain + 0.4 * shift, wood, wood * 0.6)
    return np.where(((y % width) < 0.006)[..., None], plank * 0.45, plank)


def _tiles(shape, rng):
    y, x = _axes(shape)
    pitch = rng.uniform(0.08, 0.25)
    first, second = random_colour(rng, 0.25), random_colour(rng, 0.1)
    odd = (np.floor(x / pitch) + np.floor(y / pitch)) % 2
    ground = (
        blend(odd * rng.uniform(0.2, 1), first, second)
        * (0.85 + 0.3 * clouds(shape, rng))[..., None]
    )
    joint = ((x % pitch) < 0.008) | ((y % pitch) < 0.008)
    return np.where(joint[..., None], 0.75, ground)


def _meadow(shape, rng):
    y, x = _axes(shape)
    horizon = rng.uniform(0.15, 0.45) + 0.06 * np.sin(5 * x + rng.uniform(0, 6))
    sky = blend(clouds(shape, rng) * y * 2, (0.36, 0.6, 0.9), (0.93, 0.95, 0.98))
    blades = clouds(shape, rng, 24, 4)
    grass = blend(0.7 * blades + 0.3 * (1 - y), (0.13, 0.33, 0.08), (0.58, 0.74, 0.3))
    return np.where((y < horizon)[..., None], sky, grass)


def _beach(shape, rng):
    y, _ = _axes(shape)
    ripple = 0.5 + 0.5 * np.sin(60 * y + 12 * clouds(shape, rng))
    sand = blend(
        0.35 * ripple + 0.65 * clouds(shape, rng, 40, 3), (0.72, 0.58, 0.4), (0.95, 0.86, 0.68)
    )
    shore = 0.25 + 0.15 * clouds(shape, rng, 2, 3)
    waves = 0.5 + 0.5 * np.sin(90 * y + 20 * clouds(shape, rng))
    sea = blend(waves * 0.5, (0.1, 0.42, 0.55), (0.5, 0.8, 0.82))
    return np.where((y < shore)[..., None], sea, sand)


def _cloth(shape, rng):
    y, x = _axes(shape)
    pitch = rng.uniform(0.05, 0.2)
    red, pale = random_colour(rng, 0.4), (0.95, 0.93, 0.9)
    share = 0.5 * ((x % pitch) < pitch / 2) + 0.5 * ((y % pitch) < pitch / 2)
    fold = 0.75 + 0.4 * clouds(shape, rng, 2, 3)
    weave = 1 + 0.05 * np.sin(400 * x) * np.sin(400 * y)
    return blend(share, pale, red) * (fold * weave)[..., None]


def _room(shape, rng):
    y, x = _axes(shape)
    wall = np.array(random_colour(rng, 0.15)) * 0.5 + 0.4
    stripe = 0.06 * (np.sin(2 * np.pi * x / rng.uniform(0.05, 0.2)) > 0)
    back = wall * (1 - stripe - 0.25 * (1 - y))[..., None]
    return np.where((y < rng.uniform(0.3, 0.55))[..., None], back, _planks(shape, rng))


def _lights(shape, rng):
    y, x = _axes(shape)
    ground = blend(
        clouds(shape, rng, 2, 3), np.array(random_colour(rng, 0.2)) * 0.3, (0.1, 0.1, 0.2)
    )
    for _ in range(rng.integers(8, 24)):
        radius = rng.uniform(0.02, 0.09)
        distance = np.hypot(x - rng.random(), y - rng.random())
        glow = 0.35 * np.clip((radius - distance) / 0.02, 0, 1)
        ground = ground + glow[..., None] * np.array(random_colour(rng, 0.4))
    return ground


def _stones(shape, rng):
    rough = clouds(shape, rng, 12, 5)
    cracks = np.abs(clouds(shape, rng, 6, 5) - 0.5) < 0.02
    tone = np.array(random_colour(rng, 0.05)) * 0.25 + 0.35
    return np.where(cracks[..., None], tone * 0.5, blend(rough, tone * 0.6, tone * 1.35))


GROUNDS: dict[str, Callable] = {
    "paper": _paper,
    "planks": _planks,
    "tiles": _tiles,
    "meadow": _meadow,
    "beach": _beach,
    "cloth": _cloth,
    "room": _room,
    "lights": _lights,
    "stones": _stones,
}


def draw_ground(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Paint a ground of a random kind.

    Args:
        shape: height and width in pixels.
        rng: all its chance.

    Returns:
        (H, W, 3) uint8, darker towards the corners.
    """
    kind = str(rng.choice(list(GROUNDS)))
    y, x = _axes(shape)
    vignette = 1 - 0.35 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    ground = GROUNDS[kind](shape, rng) * vignette[..., None]
    return np.round(255 * np.clip(ground, 0, 1)).astype(np.uint8)
