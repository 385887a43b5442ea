"""Synthetic scenes: pictures whose every box is known, because the program painted them.

Things are placed largest first, so that small ones lie on top. A box is the extent of what can be
seen of its object: pixels that the object covers by half at least, and nothing later hides.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from explorer.core.scene_grounds import draw_ground
from explorer.core.scene_kinds import draw_thing
from explorer.core.scene_shapes import render_thing

VISIBLE = 0.5  # share of an object that others may not hide
TRIES = 60
SHADOW = 0.45  # share of the light that the darkest shadow takes


@dataclass(frozen=True, eq=False)
class Scene:
    """A painted picture with its ground truth."""

    pixels: np.ndarray  # (H, W, 3) uint8
    boxes: np.ndarray  # (G, 4) float32, the visible extent of each object
    labels: tuple[str, ...]  # (G,) what each object is
    seed: int


def make_scene(
    seed: int,
    size: tuple[int, int] = (512, 512),
    objects: int = 8,
    scale: tuple[float, float] = (16, 320),
    overlap: float = 1 / 3,
) -> Scene:
    """Paint a scene; the same arguments give the same picture.

    Args:
        seed: any integer >= 0.
        size: height and width in pixels, 64 to 2048 each.
        objects: how many to place, 0 to 100; fewer are placed where the picture is too full.
        scale: least and greatest side of an object in pixels; sizes are uniform in the logarithm.
        overlap: share of the objects that overlap another, in [0, 1].

    Raises:
        ValueError: if an argument is out of its range.
    """
    _check(seed, size, objects, scale, overlap)
    rng = np.random.default_rng(seed)
    low, high = scale[0], min(scale[1], 0.9 * min(size))
    sprites, labels = [], []
    for _ in range(objects):
        label, parts = draw_thing(rng)
        extent = np.max([part.outline.max(axis=0) for part in parts], axis=0)
        least = low * 1.15 / extent.min()  # the shorter side counts too, and hiding shortens it
        side = max(np.exp(rng.uniform(np.log(low), np.log(high))), least)
        sprites.append(render_thing(parts, round(min(side, high)), rng))
        labels.append(label)
    pixels, boxes, placed = assemble(draw_ground(size, rng), sprites, overlap, low, rng)
    return Scene(pixels, boxes, tuple(labels[index] for index in placed), seed)


def _check(seed, size, objects, scale, overlap) -> None:
    if seed < 0:
        raise ValueError(f"scene.seed must be at least 0, got {seed}")
    if not all(64 <= side <= 2048 for side in size):
        raise ValueError(f"scene.size must be 64 to 2048 a side, got {size[0]} x {size[1]}")
    if not 0 <= objects <= 100:
        raise ValueError(f"scene.objects must be in [0, 100], got {objects}")
    if not 4 <= scale[0] <= scale[1] or scale[0] > min(size) / 2:
        raise ValueError(
            f"scene.scale must rise from at least 4 to at most half the picture, got {scale}"
        )
    if not 0 <= overlap <= 1:
        raise ValueError(f"scene.overlap must be in [0, 1], got {overlap}")


def assemble(
    ground: np.ndarray,
    sprites: list[np.ndarray],
    overlap: float,
    least: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Place cut-outs on a ground, with shadows.

    Args:
        ground: (H, W, 3) uint8.
        sprites: (h, w, 4) uint8 each, colours and coverage.
        overlap: share of the objects that overlap another, in [0, 1].
        least: no side of a visible box is shorter, pixels.
        rng: all chance.

    Returns:
        The (H, W, 3) uint8 picture, (G, 4) float32 boxes, and the index of each box's sprite.
        A sprite that finds no room, even shrunk, is left out.
    """
    canvas = ground.astype(np.float32)
    owner = np.full(ground.shape[:2], -1, dtype=np.int16)  # the topmost object of each pixel
    order = sorted(range(len(sprites)), key=lambda i: -sprites[i].shape[0] * sprites[i].shape[1])
    boxes, full, placed = np.zeros((0, 4)), [], []
    # each object laid upon another makes two that overlap;
    # by 1.7 and not 2, since now and then two meet the same third
    pairs = int(np.floor(len(sprites) * overlap / 1.7 + rng.random()))
    upon = set(rng.permutation(order[1:])[:pairs].tolist())
    for index in order:
        sprite = sprites[index]
        for attempt in range(TRIES):
            if attempt and attempt % 15 == 0 and min(sprite.shape[:2]) * 0.7 >= least:
                sprite = _shrink(sprite, 0.7)
            onto = index in upon and attempt < TRIES // 2  # rather alone than not at all
            x, y = _spot(sprite, owner.shape, boxes if onto else None, rng)
            updated = _try(sprite, x, y, owner, boxes, full, onto, least)
            if updated is None:
                continue
            owner, boxes, area = updated
            full.append(area)
            placed.append(index)
            _paste(canvas, sprite, x, y, rng)
            break
    pixels = np.round(canvas).clip(0, 255).astype(np.uint8)
    return pixels, boxes.astype(np.float32), placed


def _shrink(sprite: np.ndarray, factor: float) -> np.ndarray:
    height, width = sprite.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(Image.fromarray(sprite).resize(size, Image.Resampling.BOX))


def _spot(sprite, shape, boxes, rng) -> tuple[int, int]:
    """The left upper corner to try: anywhere, or with the centre near the rim of an object."""
    height, width = sprite.shape[:2]
    out = 0.25 if rng.random() < 0.1 else 0.0  # some objects leave the picture
    x = rng.uniform(-out * width, shape[1] - (1 - out) * width)
    y = rng.uniform(-out * height, shape[0] - (1 - out) * height)
    if boxes is not None:
        x1, y1, x2, y2 = boxes[rng.integers(len(boxes))]
        turn, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 1.1)
        x = (x1 + x2 - width) / 2 + reach * np.cos(turn) * (x2 - x1) / 2
        y = (y1 + y2 - height) / 2 + reach * np.sin(turn) * (y2 - y1) / 2
    return round(x), round(y)


def _window(sprite, x, y, shape):
    """The part of a sprite inside the picture, and where it lies there."""
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + sprite.shape[1], shape[1]), min(y + sprite.shape[0], shape[0])
    inside = sprite[max(top - y, 0) : max(bottom - y, 0), max(left - x, 0) : max(right - x, 0)]
    return inside, (slice(top, max(bottom, top)), slice(left, max(right, left)))


def _extent(mask: np.ndarray, x: int, y: int) -> np.ndarray:
    """(4,) box of the True pixels, of no size where there are none."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if len(columns) == 0:
        return np.zeros(4)
    return np.array([x + columns[0], y + rows[0], x + columns[-1] + 1, y + rows[-1] + 1])


def _try(sprite, x, y, owner, boxes, full, onto, least):
    """The owner map and boxes with the sprite in place, and its area; None if it must not be."""
    inside, place = _window(sprite, x, y, owner.shape)
    mask = inside[..., 3] >= 128
    area = np.count_nonzero(sprite[..., 3] >= 128)
    box = _extent(mask, place[1].start, place[0].start)
    if np.count_nonzero(mask) < VISIBLE * area or min(box[2:] - box[:2]) < least:
        return None
    meets = (boxes[:, :2] < box[2:]).all(axis=1) & (box[:2] < boxes[:, 2:]).all(axis=1)
    if meets.any() != onto or meets.sum() > 2:
        return None
    owner, boxes = owner.copy(), boxes.copy()
    owner[place][mask] = len(boxes)
    for other in np.flatnonzero(meets):
        seen = owner == other
        boxes[other] = _extent(seen, 0, 0)
        shown = np.count_nonzero(seen) >= VISIBLE * full[other]
        if not shown or min(boxes[other, 2:] - boxes[other, :2]) < least:
            return None
    return owner, np.concatenate([boxes, box[None]]), area


def _paste(canvas: np.ndarray, sprite: np.ndarray, x: int, y: int, rng) -> None:
    """Paint a sprite and its shadow into the canvas."""
    height, width = sprite.shape[:2]
    reach = max(1, round(0.06 * max(height, width)))
    margin = 4 * reach
    cast = Image.new("L", (width + 2 * margin, height + 2 * margin))
    cast.paste(
        Image.fromarray(np.ascontiguousarray(sprite[..., 3])), (margin + reach, margin + reach)
    )
    cast = np.asarray(cast.filter(ImageFilter.GaussianBlur(reach)))[..., None]
    shade, place = _window(cast, x - margin, y - margin, canvas.shape)
    canvas[place] *= 1 - rng.uniform(0.3, 1) * SHADOW / 255 * shade
    inside, place = _window(sprite, x, y, canvas.shape)
    canvas[place] += (inside[..., :3] - canvas[place]) * (inside[..., 3:] / np.float32(255))
