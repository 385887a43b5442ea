"""The things that lie about in a synthetic scene, from balls to houses.

Each kind is a function of a generator and two colours that returns parts in unit coordinates.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from explorer.core.scene_shapes import Part, ellipse, polygon, random_colour, rays, ring

TEXTURES = ("plain", "plain", "stripes", "dots", "checks", "grain")


def _ball(rng, a, b):
    half = ellipse(0.5, 0.5, 0.5, 0.5, rng.uniform(0, 1), rng.uniform(1.2, 1.6))
    return [Part(ellipse(0.5, 0.5, 0.5, 0.5), a, 1), Part(half, b, 0.3)][: rng.integers(1, 3)]


def _star(rng, a, b):
    return [Part(rays(0.5, 0.5, rng.integers(5, 9), 0.5, rng.uniform(0.2, 0.34)), a, 0.7)]


def _mug(rng, a, b):
    handle = ring(0.75, 0.55, 0.25, 0.27, 0.6)
    body = np.concatenate([ellipse(0.4, 0.85, 0.36, 0.13, 0, 0.5), polygon(0, 0.15, 0.8, 0.15)])
    rim, drink = ellipse(0.4, 0.15, 0.4, 0.12), ellipse(0.4, 0.17, 0.34, 0.085)
    brown = (0.32, 0.19, 0.1)
    return [Part(handle, a, 0.8), Part(body, a, 0.6), Part(rim, a, 0.1), Part(drink, brown, 0)]


def _apple(rng, a, b):
    cheeks = np.concatenate(
        [ellipse(0.32, 0.58, 0.32, 0.42, 0.2, 0.8), ellipse(0.68, 0.58, 0.32, 0.42, -0.3, 0.3)]
    )
    stem = polygon(0.47, 0.25, 0.52, 0.0, 0.58, 0.02, 0.53, 0.27)
    leaf = ellipse(0.68, 0.1, 0.15, 0.07)
    return [
        Part(cheeks, a, 1),
        Part(stem, (0.35, 0.22, 0.1), 0.2),
        Part(leaf, (0.25, 0.6, 0.2), 0.4),
    ]


def _mushroom(rng, a, b):
    stem = polygon(0.38, 0.4, 0.62, 0.4, 0.68, 0.95, 0.5, 1.0, 0.32, 0.95)
    cap = ellipse(0.5, 0.5, 0.5, 0.5, 0.5, 1.0)
    spots = [
        ellipse(x, y, r, r * 0.8)
        for x, y, r in ((0.3, 0.3, 0.08), (0.6, 0.2, 0.1), (0.78, 0.38, 0.06))
    ]
    pale = (0.95, 0.92, 0.85)
    return [Part(stem, pale, 0.5), Part(cap, a, 0.8), *(Part(spot, pale, 0.2) for spot in spots)]


def _box(rng, a, b):
    d = rng.uniform(0.15, 0.4)
    front = polygon(0, d, 1 - d, d, 1 - d, 1, 0, 1)
    top = polygon(0, d, d, 0, 1, 0, 1 - d, d)
    side = polygon(1 - d, d, 1, 0, 1, 1 - d, 1 - d, 1)
    band = polygon(0.42 * (1 - d), d, 0.58 * (1 - d), d, 0.58 * (1 - d), 1, 0.42 * (1 - d), 1)
    light = tuple(0.6 + 0.4 * c for c in a)
    dark = tuple(0.6 * c for c in a)
    return [Part(front, a, 0.1), Part(top, light, 0), Part(side, dark, 0), Part(band, b, 0)]


def _fish(rng, a, b):
    tail = polygon(0.2, 0.5, 0, 0.15, 0.06, 0.5, 0, 0.85)
    fin = polygon(0.4, 0.25, 0.55, 0.0, 0.72, 0.28)
    return [
        Part(tail, b, 0.4),
        Part(fin, b, 0.3),
        Part(ellipse(0.58, 0.52, 0.42, 0.32), a, 0.8),
        Part(ellipse(0.82, 0.45, 0.06, 0.06), (1, 1, 1), 0.2),
        Part(ellipse(0.835, 0.45, 0.03, 0.03), (0.05, 0.05, 0.1), 0),
    ]


def _leaf(rng, a, b):
    half = np.linspace(0, 1, 32)
    width = rng.uniform(0.25, 0.45) * np.sin(np.pi * half) ** rng.uniform(0.7, 1.4)
    x, y = np.concatenate([half, half[::-1]]), np.concatenate([0.5 - width, (0.5 + width)[::-1]])
    vein = polygon(0, 0.49, 0.95, 0.5, 0, 0.51)
    return [Part(np.stack([x, y], axis=1), a, 0.6), Part(vein, b, 0)]


def _flower(rng, a, b):
    count, parts = rng.integers(5, 9), []
    for petal in range(count):
        turn = 2 * np.pi * petal / count
        centre = 0.5 + 0.3 * np.cos(turn), 0.5 + 0.3 * np.sin(turn)
        parts.append(Part(ellipse(*centre, 0.2, 0.2), a, 0.7))
    return [*parts, Part(ellipse(0.5, 0.5, 0.18, 0.18), b, 0.8)]


def _ring(rng, a, b):
    return [Part(ring(0.5, 0.5, 0.5, 0.5, rng.uniform(0.3, 0.7)), a, 1)]


def _heart(rng, a, b):
    t = np.linspace(0, 2 * np.pi, 96)
    x = 0.5 + 0.5 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return [Part(np.stack([x, 0.41 - y / 29], axis=1), a, 0.9)]


def _pencil(rng, a, b):
    body = polygon(0.08, 0.42, 0.8, 0.42, 0.8, 0.58, 0.08, 0.58)
    tip = polygon(0.8, 0.42, 1, 0.5, 0.8, 0.58)
    return [
        Part(polygon(0, 0.42, 0.08, 0.42, 0.08, 0.58, 0, 0.58), b, 0.5),
        Part(body, a, 0.7),
        Part(tip, (0.93, 0.8, 0.6), 0.4),
        Part(polygon(0.93, 0.472, 1, 0.5, 0.93, 0.528), a, 0),
    ]


def _house(rng, a, b):
    return [
        Part(polygon(0.1, 0.42, 0.9, 0.42, 0.9, 1, 0.1, 1), a, 0.1),
        Part(polygon(0, 0.45, 0.5, 0, 1, 0.45), b, 0.2),
        Part(polygon(0.42, 0.68, 0.58, 0.68, 0.58, 1, 0.42, 1), (0.35, 0.22, 0.15), 0),
        Part(polygon(0.18, 0.55, 0.34, 0.55, 0.34, 0.72, 0.18, 0.72), (0.75, 0.88, 0.95), 0),
        Part(polygon(0.66, 0.55, 0.82, 0.55, 0.82, 0.72, 0.66, 0.72), (0.75, 0.88, 0.95), 0),
    ]


def _bottle(rng, a, b):
    neck = rng.uniform(0.1, 0.16)
    body = polygon(
        0.5 - neck, 0.08, 0.5 + neck, 0.08, 0.5 + neck, 0.28, 0.74, 0.42, 0.74, 0.96, 0.7, 1,
        0.3, 1, 0.26, 0.96, 0.26, 0.42, 0.5 - neck, 0.28,
    )  # fmt: skip
    cap = polygon(0.48 - neck, 0, 0.52 + neck, 0, 0.52 + neck, 0.1, 0.48 - neck, 0.1)
    label = polygon(0.26, 0.52, 0.74, 0.52, 0.74, 0.82, 0.26, 0.82)
    return [Part(body, a, 0.9), Part(cap, b, 0.5), Part(label, (0.95, 0.93, 0.86), 0.3)]


def _car(rng, a, b):
    cabin = polygon(0.2, 0.42, 0.32, 0.1, 0.68, 0.1, 0.84, 0.42)
    body = polygon(0, 0.48, 0.12, 0.4, 0.9, 0.4, 1, 0.52, 1, 0.8, 0, 0.8)
    glass = polygon(0.28, 0.4, 0.36, 0.17, 0.65, 0.17, 0.75, 0.4)
    wheels = [ellipse(x, 0.8, 0.12, 0.2) for x in (0.24, 0.76)]
    return [
        Part(cabin, a, 0.4),
        Part(body, a, 0.5),
        Part(glass, (0.7, 0.85, 0.95), 0.1),
        *(Part(wheel, (0.12, 0.12, 0.14), 0.4) for wheel in wheels),
    ]


def _blob(rng, a, b):
    turn = 2 * np.pi * np.arange(64) / 64
    radius = 0.35 + sum(
        rng.uniform(-0.08, 0.08) * np.cos(k * turn + rng.uniform(0, 6.3)) for k in range(1, 6)
    )
    return [
        Part(
            np.stack([radius * np.cos(turn), rng.uniform(0.5, 1) * radius * np.sin(turn)], 1),
            a,
            0.8,
        )
    ]


def _shards(rng, a, b):
    count = rng.integers(3, 8)
    turn = np.sort(rng.uniform(0, 2 * np.pi, count)) + 0.3 * np.arange(count)
    corner = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return [
        Part(np.stack([np.zeros(2), corner[i], corner[i - 1]]), c, 0.1)
        for i in range(count)
        for c in [tuple(rng.uniform(0.6, 1) * np.array(a))]
    ]


KINDS: dict[str, Callable] = {
    "ball": _ball,
    "star": _star,
    "mug": _mug,
    "apple": _apple,
    "mushroom": _mushroom,
    "box": _box,
    "fish": _fish,
    "leaf": _leaf,
    "flower": _flower,
    "ring": _ring,
    "heart": _heart,
    "pencil": _pencil,
    "house": _house,
    "bottle": _bottle,
    "car": _car,
    "blob": _blob,
    "gem": _shards,
}
UPRIGHT = {"mug", "mushroom", "house", "bottle", "car", "box"}  # they tilt, but never fall over


def draw_thing(rng: np.random.Generator) -> tuple[str, list[Part]]:
    """A thing of random kind, colours, texture, stretch and tilt, in coordinates of its own.

    Returns:
        Its kind, and its parts scaled so that the longer side of their extent is 1.
    """
    kind = str(rng.choice(list(KINDS)))
    parts = KINDS[kind](rng, random_colour(rng), random_colour(rng))
    texture = str(rng.choice(TEXTURES))
    tilt = rng.normal(0, 0.15) if kind in UPRIGHT else rng.uniform(0, 2 * np.pi)
    stretch = np.exp(rng.uniform(-0.35, 0.35))
    turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    outlines = [(part.outline * (stretch, 1)) @ turn for part in parts]
    low = np.min([outline.min(axis=0) for outline in outlines], axis=0)
    high = np.max([outline.max(axis=0) for outline in outlines], axis=0)
    scaled = [(outline - low) / (high - low).max() for outline in outlines]
    return kind, [
        replace(part, outline=outline, texture=texture if part.puff >= 0.5 else "plain")
        for part, outline in zip(parts, scaled, strict=True)
    ]
