"""From the picture to logits and deltas: the network's stages.

Weights are random, drawn from the seed, or trained ones that the program holds (`Trained`).

The pyramid is the costly one: it depends on the picture and the seed alone. `features` brings it
to the grids that the strides ask for, and the head looks at those, level by level: who moves one
stride waits for one level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.core.backbone import Bottleneck, ResNet50
from explorer.core.candidates import HeadOutput
from explorer.core.fpn import FPN
from explorer.core.head import RPNHead, flatten_head_output
from explorer.core.images import Picture, normalise
from explorer.core.layout import Grid
from explorer.settings import Scores

Module = TypeVar("Module", bound=nn.Module)
Progress = Callable[[float, str], None]  # share done in [0, 1], what is being done
Keep = Callable[[Hashable, Callable[[], "Level"]], "Level"]  # a name, and what makes it if need be

FPN_STRIDES = (4, 8, 16, 32, 64)  # P2 to P6
CHANNELS = 256
_BACKBONE, _PYRAMID, _HEAD, _NOISE = range(4)  # independent random streams of one seed


class Trained(Protocol):
    """A network with learned weights: a torch module in two halves."""

    head: RPNHead  # of three anchors a cell

    def pyramid(self, image: Tensor) -> list[Tensor]:
        """(1, 3, H, W), normalised, -> P2 to P6."""


NETWORKS: Mapping[str, Trained] = MappingProxyType({})  # by source; none unless a caller has some


@dataclass(frozen=True, eq=False)
class Features:
    """Where each level of the grid has its feature map from; it is drawn as the head looks at it.

    Noise is drawn at the grid's own size from one stream, level by level, as the notebook's
    `torch.randn` does: what a level gets depends on the levels before it.
    """

    pyramid: tuple[Tensor, ...] | None  # (1, C, H, W) of each of the network's levels; None: noise
    nearest: tuple[int, ...]  # the network's level, for each level of the grid
    resampled: tuple[bool, ...]  # True where no network has a map of this stride
    cells: tuple[tuple[int, int], ...]  # rows and columns of each level of the grid
    noise: Tensor  # state of the generator before the first level
    device: torch.device

    def name(self, number: int) -> Hashable:
        """What a level's map depends on, beside the pyramid or the seed."""
        if self.pyramid is None:
            return self.cells[: number + 1]
        return self.nearest[number], self.resampled[number], self.cells[number]

    def draw(self, number: int, noise: Tensor) -> tuple[Tensor, Tensor]:
        """(1, C, rows, columns) map of a level, and the generator's state after it."""
        cells = self.cells[number]
        if self.pyramid is None:
            generator = torch.Generator().set_state(noise)
            drawn = torch.randn(1, CHANNELS, *cells, generator=generator).to(self.device)
            return drawn, generator.get_state()
        level = self.pyramid[self.nearest[number]]
        if self.resampled[number]:
            level = F.interpolate(level, size=cells, mode="bilinear", align_corners=False)
        return level, noise


@dataclass(frozen=True, eq=False)
class Level:
    """What a head says of one level of the grid."""

    logits: Tensor  # (n,)
    deltas: Tensor  # (n, 4)
    noise: Tensor  # the generator's state after this level


def _stream(seed: int, part: int) -> torch.Generator:
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
        detector = _on(_trained(scores.source, trained), device)
        pyramid = detector.pyramid(normalise(picture.pixels, device))
        progress(1.0, "Feature pyramid")
        return tuple(pyramid)
    progress(0.0, "Drawing random weights")
    backbone = ResNet50(norm="picture", seed=_stream(scores.seed, _BACKBONE)).to(device)
    fpn = FPN(seed=_stream(scores.seed, _PYRAMID)).to(device)
    _report_blocks(backbone, progress)
    levels = backbone(normalise(picture.pixels, device))
    del backbone
    pyramid = tuple(fpn(levels))
    progress(1.0, "Feature pyramid")
    return pyramid


def _trained(source: str, trained: Mapping[str, Trained]) -> Trained:
    if source not in trained:
        raise ValueError(f"scores.source {source} needs weights that this server does not have")
    return trained[source]


def _on(module: Module, device: torch.device) -> Module:
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


def fit_features(
    pyramid: tuple[Tensor, ...] | None,
    grid: Grid,
    scores: Scores,
    strides: tuple[int, ...],
    device: torch.device,
) -> Features:
    """A feature map for every level of the grid.

    A stride that the pyramid has is taken as it is; another is resampled, bilinearly, from the
    level whose stride is nearest in the logarithm.
    """
    nearest = tuple(
        min(range(len(FPN_STRIDES)), key=lambda i: abs(math.log2(stride / FPN_STRIDES[i])))
        for stride in strides
    )
    fits = (stride == FPN_STRIDES[i] for stride, i in zip(strides, nearest, strict=True))
    resampled = tuple(pyramid is not None and not fit for fit in fits)
    noise = _stream(scores.seed, _NOISE).get_state()
    return Features(pyramid, nearest, resampled, grid.cells, noise, device)


@torch.inference_mode()
def run_head(
    features: Features,
    scores: Scores,
    per_cell: tuple[int, ...],
    device: torch.device,
    trained: Mapping[str, Trained] = NETWORKS,
    keep: Keep = lambda name, make: make(),
) -> HeadOutput:
    """Logits, scores and deltas of every anchor, by a random head or a trained one.

    Levels with different numbers of anchors a cell get random heads of their own, which share the
    3 x 3: it is drawn first from the same stream. A trained head has three anchors a cell, which
    the settings hold for its sources. `keep` may know levels from other grids.

    Raises:
        ValueError: if the source is a trained network that is not there.
    """
    if scores.source not in ("random", "noise"):
        _trained(scores.source, trained)

    @cache
    def head(k: int) -> RPNHead:
        if scores.source in ("random", "noise"):
            return RPNHead(CHANNELS, k, _stream(scores.seed, _HEAD)).to(device)
        return _on(_trained(scores.source, trained).head, device)

    def look(number: int, noise: Tensor) -> Level:
        drawn, noise = features.draw(number, noise)
        return Level(*flatten_head_output(*head(per_cell[number])([drawn])), noise)

    levels, noise = [], features.noise
    for number, k in enumerate(per_cell):
        levels.append(keep((features.name(number), k), partial(look, number, noise)))
        noise = levels[-1].noise
    logits = torch.cat([level.logits for level in levels])
    deltas = torch.cat([level.deltas for level in levels])
    return HeadOutput(logits, logits.sigmoid(), deltas)
