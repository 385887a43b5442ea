"""From the picture to logits and deltas: the network's stages.

Weights are random, drawn from the seed, or trained ones that the program holds (`Trained`).

The pyramid is the costly one: it depends on the picture and the seed alone. `features` brings it
to the grids that the strides ask for, and the head looks at those.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
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
    """One feature map a level of the grid."""

    maps: tuple[Tensor, ...]  # (1, 256, rows, columns) of each level
    resampled: tuple[bool, ...]  # True where no network has a map of this stride


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


@torch.inference_mode()
def fit_features(
    pyramid: tuple[Tensor, ...] | None,
    grid: Grid,
    scores: Scores,
    strides: tuple[int, ...],
    device: torch.device,
) -> Features:
    """A feature map for every level of the grid.

    A stride that the pyramid has is taken as it is; another is resampled, bilinearly, from the
    level whose stride is nearest in the logarithm. Noise is drawn at the grid's own size, level by
    level, as the notebook's `torch.randn` does.
    """
    if pyramid is None:
        noise = _stream(scores.seed, _NOISE)
        maps = [torch.randn(1, CHANNELS, *cells, generator=noise) for cells in grid.cells]
        return Features(tuple(each.to(device) for each in maps), (False,) * len(maps))
    maps, resampled = [], []
    for stride, cells in zip(strides, grid.cells, strict=True):
        nearest = min(
            range(len(FPN_STRIDES)), key=lambda i: abs(math.log2(stride / FPN_STRIDES[i]))
        )
        level = pyramid[nearest]
        resampled.append(FPN_STRIDES[nearest] != stride)
        maps.append(
            F.interpolate(level, size=cells, mode="bilinear", align_corners=False)
            if resampled[-1]
            else level
        )
    return Features(tuple(maps), tuple(resampled))


@torch.inference_mode()
def run_head(
    features: Features,
    scores: Scores,
    per_cell: tuple[int, ...],
    device: torch.device,
    trained: Mapping[str, Trained] = NETWORKS,
) -> HeadOutput:
    """Logits, scores and deltas of every anchor, by a random head or a trained one.

    Levels with different numbers of anchors a cell get random heads of their own, which share the
    3 x 3: it is drawn first from the same stream. A trained head has three anchors a cell, which
    the settings hold for its sources.

    Raises:
        ValueError: if the source is a trained network that is not there.
    """
    if scores.source in ("random", "noise"):
        stream = {k: _stream(scores.seed, _HEAD) for k in set(per_cell)}
        heads = {k: RPNHead(CHANNELS, k, seed).to(device) for k, seed in stream.items()}
    else:
        heads = dict.fromkeys(per_cell, _on(_trained(scores.source, trained).head, device))
    logits, deltas = [], []
    for level, k in zip(features.maps, per_cell, strict=True):
        (level_logits,), (level_deltas,) = heads[k]([level])
        logits.append(level_logits)
        deltas.append(level_deltas)
    logits, deltas = flatten_head_output(logits, deltas)
    return HeadOutput(logits, logits.sigmoid(), deltas)
