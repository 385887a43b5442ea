"""Thousands of scenes on disk, painted once before training begins.

Three kinds: the app's own painted scenes (other seeds than any it shows by default), cut-outs on
painted grounds or landscapes, and a few grounds with nothing on them.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from explorer.core.scene_grounds import clouds, draw_ground
from explorer.core.scenes import assemble, make_scene

SIDE = 512
FIRST_SEED = 1_000_000  # painted scenes to learn from; evaluation takes 0 to 99
Progress = Callable[[int, int], None]


def paint_scenes(
    folder: Path,
    count: int,
    seed: int,
    cuts: list[np.ndarray],
    landscapes: list[np.ndarray],
    progress: Progress,
) -> None:
    """Write scenes as JPEG files with their boxes beside them; those already there stay.

    Args:
        folder: receives `00000.jpg` and `00000.json` and so on.
        count: how many scenes.
        seed: with its number, the seed of a scene.
        cuts: (H, W, 4) uint8 cut-outs.
        landscapes: (H, W, 3) uint8 grounds.
        progress: called with the number done and the number wanted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        target = folder / f"{number:05}.json"
        if not target.exists():
            rng = np.random.default_rng((seed, number))
            pixels, boxes = _scene(number, rng, cuts, landscapes)
            Image.fromarray(pixels).save(
                target.with_suffix(".jpg"), quality=int(rng.integers(70, 97))
            )
            target.write_text(json.dumps(np.asarray(boxes).tolist()))
        progress(number + 1, count)


def _scene(number, rng, cuts, landscapes):
    if number % 2 == 0:
        count = int(rng.integers(3, 14))
        scene = make_scene(FIRST_SEED + number, (SIDE, SIDE), count, (14, rng.uniform(160, 440)))
        return scene.pixels, scene.boxes
    ground = _ground(rng, landscapes)
    if rng.random() < 0.06:
        return ground, np.zeros((0, 4))
    if rng.random() < 0.35:  # few and large, as in most photos
        sides = np.exp(rng.uniform(np.log(0.25), np.log(0.95), rng.integers(1, 4))) * SIDE
    else:
        sides = np.exp(rng.uniform(np.log(18), np.log(300), rng.integers(2, 11)))
    alike = rng.random() < 0.2  # several of one kind, as fruit and tools often lie
    picks = rng.integers(len(cuts), size=1 if alike else len(sides)).tolist() * len(sides)
    sprites = [_sprite(cuts[picks[i]], float(side), ground, rng) for i, side in enumerate(sides)]
    pixels, boxes, _ = assemble(ground, sprites, float(rng.choice([0.2, 0.5, 0.8])), 12, rng)
    return pixels, boxes


def _ground(rng, landscapes) -> np.ndarray:
    if not landscapes or rng.random() < 0.5:
        return draw_ground((SIDE, SIDE), rng)
    picture = landscapes[rng.integers(len(landscapes))]
    side = int(rng.integers(200, min(picture.shape[:2]) + 1))
    y = rng.integers(picture.shape[0] - side + 1)
    x = rng.integers(picture.shape[1] - side + 1)
    crop = Image.fromarray(picture[y : y + side, x : x + side])
    return np.asarray(crop.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _sprite(cut: np.ndarray, side: float, ground: np.ndarray, rng) -> np.ndarray:
    """A cut-out at its size, turned, mirrored, recoloured."""
    image = Image.fromarray(cut)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    long = rng.random() < 0.2  # spoons, masts, brushes: along one side, many times as long as wide
    if not long and rng.random() < 0.4:
        image = image.rotate(rng.uniform(-180, 180), Image.Resampling.BICUBIC, expand=True)
        image = image.crop(image.getchannel("A").point(lambda a: 255 * (a >= 128)).getbbox())
    reach = rng.uniform(0.5, 0.9) * rng.choice([-1, 1]) if long else rng.uniform(-0.25, 0.25)
    stretch = np.exp(reach)
    width, height = image.width * stretch, image.height / stretch
    scale = max(side / max(width, height), 14 / min(width, height))
    size = round(width * scale), round(height * scale)
    pixels = np.asarray(image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2)).copy()
    chance = rng.random()
    shape = pixels.shape[:2]
    colour = pixels[..., :3].astype(np.float32)
    if chance < 0.15:  # a silhouette of another stuff: shape alone tells the object
        colour = draw_ground(shape, rng).astype(np.float32)
    elif chance < 0.3:  # grown out of the ground's own colours: little contrast
        colour = 0.55 * colour + 0.45 * ground.reshape(-1, 3).mean(axis=0)
    elif chance < 0.5:
        colour = colour.mean(axis=2, keepdims=True) * rng.uniform(0.5, 1.3, 3)
    if chance > 0.8:
        colour = colour * (0.6 + 0.8 * clouds(shape, rng, 3, 4))[..., None]
    pixels[..., :3] = colour.clip(0, 255)
    return pixels
