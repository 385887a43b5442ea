"""The pictures that ship with the program: what `assets/manifest.json` says about each."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).resolve().parents[2] / "assets"

Box = tuple[float, float, float, float]

# Creative Commons asks for a link to the licence beside each picture.
LICENCE_URLS = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-2.0": "https://creativecommons.org/licenses/by/2.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
}


@dataclass(frozen=True)
class Sample:
    """One shipped picture with its ground truth, its origin and its terms."""

    name: str  # the key, a slug
    path: Path
    title: str
    author: str
    licence: str  # an SPDX identifier, or words where there is none
    source: str  # the package and the file in it
    sha256: str  # of the shipped file
    width: int
    height: int
    role: str  # "held-out": a photo, never trained on; "synthetic": a painted scene
    boxes: tuple[Box, ...]  # xyxy, pixels of the shipped file
    labels: tuple[str, ...]  # one word a box
    changes: str  # what was done to the source's picture
    url: str = ""  # where the source says that it is from
    credit: str = ""  # the line to show beside the picture where the licence asks for one


def load_manifest(manifest: Path) -> dict[str, Sample]:
    """Read a manifest.

    Args:
        manifest: a JSON file; the files that it names lie beside it.

    Returns:
        The samples by name, in the manifest's order; empty where it lists none.
    """
    entries = json.loads(manifest.read_text(encoding="utf-8"))["pictures"]
    return {entry["name"]: _sample(entry, manifest.parent) for entry in entries}


@cache
def samples() -> dict[str, Sample]:
    """The shipped pictures by name, in the manifest's order."""
    return load_manifest(ASSETS / "manifest.json")


def sample_bytes(name: str) -> bytes:
    """The encoded picture, checked against the manifest.

    Args:
        name: a key of `samples()`.

    Returns:
        The file's content, a JPEG.

    Raises:
        ValueError: if there is no such sample or its file is missing or was changed.
    """
    if name not in samples():
        raise ValueError(f"sample must be one of {', '.join(samples())}, got {name!r}")
    return verified_bytes(samples()[name])


def verified_bytes(sample: Sample) -> bytes:
    """The content of a sample's file.

    Args:
        sample: whose `path` is read.

    Returns:
        The bytes, whose sha256 is the sample's.

    Raises:
        ValueError: if the file is missing or its sha256 is another.
    """
    if not sample.path.is_file():
        raise ValueError(f"sample {sample.name} must be the file {sample.path.name}, got none")
    content = sample.path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sample.sha256:
        raise ValueError(
            f"sample {sample.name} must have the sha256 {sample.sha256[:12]} of the manifest, "
            f"got {found[:12]}: the file was changed"
        )
    return content


def attribution() -> str:
    """The text of `assets/ATTRIBUTION.md`: each picture with author, licence and origin."""
    about = json.loads((ASSETS / "manifest.json").read_text(encoding="utf-8"))["about"]
    head = f"# Pictures: authors, licences, sources\n\n{about}\n"
    return "\n".join([head, *map(_attribution_entry, samples().values())])


def _sample(entry: dict, folder: Path) -> Sample:
    own = {
        "path": folder / entry["file"],
        "boxes": tuple(tuple(map(float, box)) for box in entry["boxes"]),
        "labels": tuple(entry["labels"]),
    }
    return Sample(**{key: value for key, value in entry.items() if key != "file"} | own)


def _attribution_entry(sample: Sample) -> str:
    url = LICENCE_URLS.get(sample.licence)
    lines = [
        f"## {sample.title}\n",
        f"- file: `{sample.path.relative_to(ASSETS).as_posix()}`",
        f"- author: {sample.author}",
        f"- licence: [{sample.licence}]({url})" if url else f"- licence: {sample.licence}",
        f"- source: {sample.source}" + (f" (<{sample.url}>)" if sample.url else ""),
        f"- changes: {sample.changes}",
    ]
    if sample.credit:
        lines.append(f"- credit: {sample.credit}")
    return "\n".join(lines) + "\n"
