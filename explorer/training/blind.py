"""The control that sees no picture: boxes chosen for recall on the training pictures."""

import json
from pathlib import Path

import numpy as np
import torch

from explorer.core.boxes import box_iou
from explorer.training.sources import Photo

COUNT = 300
IOU = 0.5
SCENE_BOXES = 2000  # of the painted scenes; together they weigh as much as the photos' boxes


def choose_blind(boxes: np.ndarray, weights: np.ndarray, count: int = COUNT) -> np.ndarray:
    """Choose, one after the other, the box that finds most of what no box before it found.

    Args:
        boxes: (M, 4) in shares of the picture's sides; they are the candidates too.
        weights: (M,) how much finding each is worth.
        count: how many to choose.

    Returns:
        (count, 4) boxes, best first; once all are found, the search begins anew.
    """
    found_by = box_iou(torch.from_numpy(boxes), torch.from_numpy(boxes)).numpy() >= IOU
    left, chosen = weights.copy(), []
    for _ in range(count):
        if left.sum() <= 0:
            left = weights.copy()
            left[chosen] = 0
        best = int((found_by @ left).argmax())
        chosen.append(best)
        left[found_by[best]] = 0
    return boxes[chosen]


def write_blind(photos: list[Photo], scenes: Path, side: int, path: Path) -> None:
    """Write the control's boxes.

    Args:
        photos: the labelled photos; each counts as it is and mirrored.
        scenes: the folder of painted scenes.
        side: height and width of a scene.
        path: the JSON file to write.
    """
    real = []
    for photo in photos:
        height, width = photo.pixels.shape[:2]
        share = photo.boxes / (width, height, width, height)
        real += [share, np.stack([1 - share[:, 2], share[:, 1], 1 - share[:, 0], share[:, 3]], 1)]
    painted = [
        np.array(json.loads(p.read_text())).reshape(-1, 4) for p in sorted(scenes.glob("*.json"))
    ]
    made = np.concatenate([np.zeros((0, 4)), *painted])[:SCENE_BOXES] / side
    taken = np.concatenate([np.zeros((0, 4)), *real])
    weights = np.concatenate(
        [np.full(len(taken), 1 / max(1, len(taken))), np.full(len(made), 1 / max(1, len(made)))]
    )
    boxes = choose_blind(np.concatenate([taken, made]).astype(np.float32), weights)
    about = (
        "Boxes in shares of a picture's sides, chosen greedily for recall at IoU .5 on the "
        "training photos and scenes; they see no picture."
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"about": about, "boxes": boxes.round(4).tolist()}) + "\n")
