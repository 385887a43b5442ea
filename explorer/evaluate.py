"""Measure the learned score source: `python -m explorer.evaluate`.

Prints one table: recall at IoU .5 for the first k proposals, with 95% bootstrap intervals over
pictures, beside two controls: proposals of another picture, and boxes that see no picture at all.
The proposals are the product's own, with its default settings.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorer.core import evaluation
from explorer.core.anchor_generator import AnchorGenerator
from explorer.core.images import fit_photo, normalise
from explorer.core.learned import WEIGHTS, LearnedNetwork, load_learned
from explorer.core.rpn import RegionProposalNetwork
from explorer.core.samples import ASSETS, samples
from explorer.core.scenes import make_scene

COUNTS = (10, 50, 100, 300)
SCENES = 100  # seeds 0 to 99, none of which training uses
PHOTO_SIDE = 448
BLIND = ASSETS / "training" / "blind.json"
IOU = 0.5


@dataclass(frozen=True, eq=False)
class Case:
    """A picture with its objects."""

    pixels: np.ndarray  # (H, W, 3) uint8
    truths: Tensor  # (G, 4) boxes, pixels


def scene_cases(count: int = SCENES) -> list[Case]:
    """The painted scenes that training never saw, 512 x 512."""
    scenes = (make_scene(seed) for seed in range(count))
    return [Case(scene.pixels, torch.from_numpy(scene.boxes)) for scene in scenes]


def photo_cases(side: int = PHOTO_SIDE, fit: str = "keep") -> list[Case]:
    """The held-out photos, resized to a long side."""
    cases = []
    for sample in samples().values():
        if sample.role == "held-out" and sample.boxes:
            with Image.open(sample.path) as photo:
                picture = fit_photo(photo.convert("RGB"), side, fit)
            cases.append(Case(picture.pixels, picture.to_input(torch.tensor(sample.boxes))))
    return cases


@torch.inference_mode()
def propose(network: LearnedNetwork, pixels: np.ndarray) -> Tensor:
    """(K, 4) proposals of a picture, best first, at the product's defaults."""
    chain = RegionProposalNetwork(network.head, AnchorGenerator())
    image = normalise(pixels, torch.device("cpu")).contiguous(memory_format=torch.channels_last)
    proposals, _ = chain(network.pyramid(image), pixels.shape[:2])
    return proposals[0]


def rescale(boxes: Tensor, source: tuple[int, int], target: tuple[int, int]) -> Tensor:
    """Boxes of a picture of (height, width) `source`, stretched to one of `target`."""
    factors = torch.tensor([target[1] / source[1], target[0] / source[0]] * 2)
    return boxes * factors


def shuffled(proposals: list[Tensor], cases: list[Case]) -> list[Tensor]:
    """Give every picture the proposals of the one before it, stretched to its size."""
    return [
        rescale(proposals[i - 1], cases[i - 1].pixels.shape[:2], cases[i].pixels.shape[:2])
        for i in range(len(cases))
    ]


def blind(cases: list[Case]) -> list[Tensor]:
    """The committed boxes, chosen for recall on the training pictures, stretched to each size."""
    boxes = torch.tensor(json.loads(BLIND.read_text())["boxes"])
    return [rescale(boxes, (1, 1), case.pixels.shape[:2]) for case in cases]


def row(name: str, proposals: list[Tensor], cases: list[Case], counts=COUNTS) -> dict:
    """Recall with its intervals, and AR, of one set of proposals."""
    hits = [
        evaluation.find_hits(boxes, case.truths)
        for boxes, case in zip(proposals, cases, strict=True)
    ]
    half = evaluation.COCO_THRESHOLDS.index(IOU)
    objects = torch.tensor([len(case.truths) for case in cases])
    result = {"name": name, "recall": [], "interval": []}
    for count in counts:
        found = [((h[half] >= 0) & (h[half] < count)).sum().item() for h in hits]
        generator = torch.Generator().manual_seed(0)
        result["recall"].append(sum(found) / max(1, int(objects.sum())))
        result["interval"].append(
            evaluation.bootstrap_interval(torch.tensor(found), objects, generator)
        )
    result["ar"] = evaluation.average_recall(torch.cat(hits, dim=1)).tolist()
    return result


def by_size(proposals: list[Tensor], cases: list[Case], count: int) -> dict[str, tuple[float, int]]:
    """Recall of the first `count` proposals and the number of objects, small to large."""
    groups = [
        evaluation.find_hits_by_size(boxes, case.truths, (IOU,))
        for boxes, case in zip(proposals, cases, strict=True)
    ]
    result = {}
    for name in evaluation.SIZES:
        hits = torch.cat([group[name] for group in groups], dim=1)
        result[name] = (evaluation.recall_at(hits, (count,)).item(), hits.shape[1])
    return result


def measure(network: LearnedNetwork, cases: list[Case], tick: Callable[[], None]) -> list[dict]:
    """The learned proposals and both controls on one set of pictures."""
    proposals = []
    for case in cases:
        proposals.append(propose(network, case.pixels))
        tick()
    rows = [
        row("learned", proposals, cases),
        row("control: another picture's", shuffled(proposals, cases), cases),
        row("control: blind boxes", blind(cases), cases),
    ]
    rows[0]["by_size"] = by_size(proposals, cases, 100)
    return rows


def table(title: str, cases: list[Case], rows: Iterable[dict]) -> str:
    """One set of pictures as lines of text."""
    objects = sum(len(case.truths) for case in cases)
    lines = [f"{title}: {len(cases)} pictures, {objects} objects, recall at IoU {IOU}"]
    head = "".join(f"{'@' + str(count):>18}" for count in COUNTS)
    lines.append(f"{'':28}{head}{'AR@10':>8}{'AR@100':>8}{'AR@1000':>8}")
    for each in rows:
        cells = "".join(
            f"{recall:>6.2f} ({low:.2f}-{high:.2f})"
            for recall, (low, high) in zip(each["recall"], each["interval"], strict=True)
        )
        lines.append(f"{each['name']:28}{cells}" + "".join(f"{ar:>8.2f}" for ar in each["ar"]))
        if "by_size" in each:
            sizes = (f"{n} {r:.2f} of {g}" for n, (r, g) in each["by_size"].items() if g)
            lines.append(f"{'  @100 by size':28}  " + ", ".join(sizes))
    return "\n".join(lines)


def rounded(value):
    """The same tree of dictionaries and lists with every number to four places."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(each) for each in value]
    return round(value, 4) if isinstance(value, float) else value


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m explorer.evaluate", description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of weights and card")
    parser.add_argument("--record", action="store_true", help="write the numbers into the card")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # beside other work on the machine, two threads wait for each other
    network = load_learned(options.weights)
    sets = {
        "Painted scenes, 512 px": scene_cases(),
        f"Held-out photos, {PHOTO_SIDE} px": photo_cases(),
        "Held-out photos, padded to 800 px": photo_cases(800, "pad"),
    }
    total, done = sum(map(len, sets.values())), 0

    def tick() -> None:
        nonlocal done
        done += 1
        print(f"\r{done}/{total} pictures", end="", file=sys.stderr, flush=True)

    results = {title: measure(network, cases, tick) for title, cases in sets.items()}
    print(file=sys.stderr)
    print("\n\n".join(table(title, sets[title], rows) for title, rows in results.items()))
    if options.record:
        path = options.weights / "card.json"
        card = json.loads(path.read_text()) | {"results": results}
        path.write_text(json.dumps(rounded(card), indent=1) + "\n")


if __name__ == "__main__":
    main()
