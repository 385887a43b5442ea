"""From a checkpoint to what ships: calibrated half-precision weights and their card."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save as save_safetensors

from explorer.core.learned import CHANNELS, LearnedNetwork
from explorer.training.calibrate import calibrate
from explorer.training.dataset import Dataset

FILE = "learned.safetensors"


def export(checkpoint: Path, log: Path, dataset: Dataset, folder: Path) -> Path:
    """Write the running mean of a checkpoint's weights in float16, and the facts of its card.

    Args:
        checkpoint: of `loop.save`.
        log: the run's `log.jsonl`.
        dataset: the training pictures, to calibrate the scores on.
        folder: receives the weights; a card that lies there keeps what was written by hand.

    Returns:
        The path of the weights.

    Raises:
        ValueError: if there is no checkpoint.
    """
    if not checkpoint.exists():
        raise ValueError(f"{checkpoint} must hold a checkpoint: train first")
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = LearnedNetwork()
    network.load_state_dict(state["mean"])
    scale, shift = calibrate(network, dataset, state["recipe"]["seed"])
    halves = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    data = save_safetensors(halves)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(data)
    path = folder / "card.json"
    card = json.loads(path.read_text()) if path.exists() else {}
    lines = log.read_text().splitlines() if log.exists() else []
    card |= {
        "file": FILE,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "parameters": sum(value.numel() for value in halves.values()),
        "channels": CHANNELS,
        "steps": state["step"],
        "recipe": dict(state["recipe"]),
        "calibration": {"scale": round(scale, 4), "shift": round(shift, 4)},
        "last_log_line": json.loads(lines[-1]) if lines else None,
    }
    path.write_text(json.dumps(card, indent=1) + "\n")
    return folder / FILE
