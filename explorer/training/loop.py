"""The training loop: one recipe, on as many processes as the CPU has cores, or on one accelerator.

Every step draws its batch from (seed, step, process), so a run that was stopped goes on as if it
had not been. The parts of the backbone up to stride 8 keep their ImageNet weights.
"""

import json
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from explorer.core.anchor_generator import AnchorGenerator
from explorer.core.images import MEAN, STD
from explorer.core.learned import LearnedNetwork
from explorer.training.dataset import Dataset
from explorer.training.targets import detection_loss

FROZEN_STAGES = 3  # blocks 0 to 4, strides 2 to 8: edges and colours need no retraining
KEEP = 0.998  # of the running mean of the weights, which is what ships
LOG_EVERY, SAVE_EVERY = 10, 50
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Recipe:
    """The numbers of a training run."""

    steps: int = 1000
    pixels: int = 8 * 320 * 320  # a step, over all processes
    sides: tuple[int, ...] = (256, 320, 320, 384, 448, 512, 640, 800)
    head_rate: float = 1e-3
    backbone_rate: float = 3e-4
    weight_decay: float = 1e-4
    warm_up: int = 60
    last_rate: float = 0.03  # share of the rate at the end of the cosine
    clip: float = 5.0
    seed: int = 0


def learning_rate(step: int, recipe: Recipe) -> float:
    """The share of the full rate at a step: a linear start, then a cosine."""
    if step < recipe.warm_up:
        return (step + 1) / recipe.warm_up
    done = (step - recipe.warm_up) / max(1, recipe.steps - recipe.warm_up)
    return recipe.last_rate + (1 - recipe.last_rate) * (1 + math.cos(math.pi * done)) / 2


def flatten(logits: list[Tensor], deltas: list[Tensor]) -> tuple[Tensor, Tensor]:
    """(B, N) logits and (B, N, 4) deltas in the order of the anchors."""
    count = len(logits[0])
    flat = [level.permute(0, 2, 3, 1).reshape(count, -1) for level in logits]
    moves = [level.permute(0, 2, 3, 1).reshape(count, -1, 4) for level in deltas]
    return torch.cat(flat, 1), torch.cat(moves, 1)


class Trainer:
    """Network, optimiser and running mean of one process."""

    def __init__(self, recipe: Recipe, weights: dict[str, Tensor], device: torch.device):
        self.recipe, self.device = recipe, device
        self.network = LearnedNetwork(recipe.seed)
        self.network.backbone.load_state_dict(weights)
        self.network.to(device, memory_format=torch.channels_last)
        backbone = self.network.backbone
        for frozen in (backbone.stem, *backbone.stages[:FROZEN_STAGES]):
            frozen.requires_grad_(False)
        learning = [p for p in backbone.parameters() if p.requires_grad]
        rest = [*self.network.fpn.parameters(), *self.network.head.parameters()]
        self.rates = (recipe.backbone_rate, recipe.head_rate)
        self.optimiser = torch.optim.AdamW(
            [{"params": learning}, {"params": rest}], weight_decay=recipe.weight_decay
        )
        self.parameters = learning + rest
        self.mean = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.generator = AnchorGenerator()
        self.step = 0

    def state(self) -> dict:
        """Everything that a stopped run needs to go on."""
        return {
            "recipe": asdict(self.recipe),
            "step": self.step,
            "network": self.network.state_dict(),
            "mean": self.mean,
            "optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: dict) -> None:
        """Go on from `state`."""
        self.step, self.mean = state["step"], state["mean"]
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])

    def learn(self, pixels: Tensor, objects: list[Tensor]) -> tuple[float, float]:
        """One step on a (B, 3, H, W) uint8 batch; returns the two losses."""
        for group, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
            group["lr"] = rate * learning_rate(self.step, self.recipe)
        pixels = pixels.to(self.device).float() / 255
        mean, std = (torch.tensor(v, device=self.device).view(1, 3, 1, 1) for v in (MEAN, STD))
        image = ((pixels - mean) / std).contiguous(memory_format=torch.channels_last)
        outputs = self.network(image)
        anchors = self.generator(outputs[0], tuple(image.shape[-2:]))
        score, box = detection_loss(
            anchors, *flatten(*outputs), [boxes.to(self.device) for boxes in objects]
        )
        self.optimiser.zero_grad(set_to_none=True)
        (score + box).backward()
        self._share_gradients()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
        self.optimiser.step()
        self.step += 1
        keep = min(KEEP, (1 + self.step) / (10 + self.step))  # the first steps soon fade
        with torch.no_grad():
            for name, value in self.network.state_dict().items():
                self.mean[name].lerp_(value, 1 - keep)
        return score.item(), box.item()

    def _share_gradients(self) -> None:
        if not dist.is_initialized():
            return
        for parameter in self.parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = torch.cat([p.grad.reshape(-1) for p in self.parameters])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        parts = flat.split([p.numel() for p in self.parameters])
        for parameter, part in zip(self.parameters, parts, strict=True):
            parameter.grad.copy_(part.view_as(parameter))


def _side(recipe: Recipe, step: int) -> int:
    """The side of a step's pictures, the same in every process."""
    return int(np.random.default_rng((recipe.seed, step)).choice(recipe.sides))


def train(
    trainer: Trainer, dataset: Dataset, folder: Path, rank: int, processes: int, progress: Progress
) -> None:
    """Train to the recipe's last step, writing `checkpoint.pt` and `log.jsonl` on the way.

    Args:
        trainer: as built, or as loaded from a checkpoint.
        dataset: what to draw from.
        folder: receives the checkpoint and the log.
        rank: this process's number.
        processes: how many train together.
        progress: called with step, steps and a short text, by process 0 alone.
    """
    recipe = trainer.recipe

    def draw(step: int):
        side = _side(recipe, step)
        count = max(1, round(recipe.pixels / processes / side**2))
        return dataset.batch(count, side, np.random.default_rng((recipe.seed, step, rank)))

    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool, (folder / "log.jsonl").open("a") as log:
        coming = pool.submit(draw, trainer.step) if trainer.step < recipe.steps else None
        recent = []
        while trainer.step < recipe.steps:
            batch = coming.result()
            coming = pool.submit(draw, trainer.step + 1)
            recent.append(trainer.learn(*batch))
            if rank > 0:
                continue
            if trainer.step % LOG_EVERY == 0:
                score, box = (round(float(value), 4) for value in np.mean(recent, axis=0))
                seconds = round(time.monotonic() - began, 1)
                line = {"step": trainer.step, "score": score, "box": box, "seconds": seconds}
                log.write(json.dumps(line) + "\n")
                log.flush()
                recent.clear()
                progress(trainer.step, recipe.steps, f"score {score:.3f} box {box:.3f}")
            if trainer.step % SAVE_EVERY == 0 or trainer.step == recipe.steps:
                save(trainer, folder / "checkpoint.pt")


def save(trainer: Trainer, path: Path) -> None:
    """Write a checkpoint; a run that dies while writing leaves the last one whole."""
    draft = path.with_suffix(".tmp")
    torch.save(trainer.state(), draft)
    draft.replace(path)
