"""From the picture to the feature pyramid: the costly part of the network.

Weights are random, drawn from the seed, or trained ones that the program holds (`Trained`). The
pyramid depends on the picture and the seed alone; `levels.py` goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from explorer.core.backbone import Bottleneck, ResNet50
from explorer.core.fpn import FPN
from explorer.core.head import RPNHead
from explorer.core.images import Picture, normalise
from explorer.settings import Scores

Module = TypeVar("Module", bound=nn.Module)
Progress = Callable[[float, str], None]  # share done in [0, 1], what is being done

BACKBONE, PYRAMID, HEAD, NOISE = range(4)  # independent random streams of one seed


class Trained(Protocol):
    """A network with learned weights: a torch module in two halves."""

    head: RPNHead  # of three anchors a cell

    def pyramid(self, image: Tensor) -> list[Tensor]:
        """(1, 3, H, W), normalised, -> P2 to P6."""


NETWORKS: Mapping[str, Trained] = MappingProxyType({})  # by source; none unless a caller has some


def stream(seed: int, part: int) -> torch.Generator:
    """The random numbers of one part of the network."""
    return torch.Generator().manual_seed(seed + 2**30 * part)  # 32 bits of a seed count


@torch.inference_mode()
def compute_pyramid(
    picture: Picture,
    scores: Scores,
    device: torch.device,
    progress: Progress,
    trained: Mapping[str, Trained] = NETWORKS,
) -> tuple[Tensor, ...] | None:
    """P2 to P6 of the picture: ResNet-50 and FPN with seeded random weights, or a trained network.

    Returns:
        (1, C, H, W) of each level; None for the source "noise", which looks at no picture.

    Raises:
        ValueError: if the source is a trained network that is not there.
    """
    if scores.source == "noise":
        return None
    if scores.source != "random":
        progress(0.1, f"Looking at the picture with {scores.source} weights")
        detector = on_device(trained_one(scores.source, trained), device)
        pyramid = detector.pyramid(normalise(picture.pixels, device))
        progress(1.0, "Feature pyramid")
        return tuple(pyramid)
    progress(0.0, "Drawing random weights")
    backbone = ResNet50(norm="picture", seed=stream(scores.seed, BACKBONE)).to(device)
    fpn = FPN(seed=stream(scores.seed, PYRAMID)).to(device)
    _report_blocks(backbone, progress)
    levels = backbone(normalise(picture.pixels, device))
    del backbone
    pyramid = tuple(fpn(levels))
    progress(1.0, "Feature pyramid")
    return pyramid


def trained_one(source: str, trained: Mapping[str, Trained]) -> Trained:
    """The network behind a score source; a ValueError where it is not there."""
    if source not in trained:
        raise ValueError(f"scores.source {source} needs weights that this server does not have")
    return trained[source]


def on_device(module: Module, device: torch.device) -> Module:
    """A module on a device: a copy where it is elsewhere, since all readers share the original."""
    is_there = next(module.parameters()).device.type == device.type
    return module if is_there else deepcopy(module).to(device)


def _report_blocks(backbone: ResNet50, progress: Progress) -> None:
    """Tell `progress` after each of the sixteen residual blocks."""
    blocks = [module for module in backbone.modules() if isinstance(module, Bottleneck)]

    def report(number: int) -> None:
        progress(number / (len(blocks) + 2), f"ResNet-50, block {number} of {len(blocks)}")

    for number, block in enumerate(blocks, start=1):
        # A hook's return value would replace the block's output: `report` returns none.
        block.register_forward_hook(lambda *_, number=number: report(number))
