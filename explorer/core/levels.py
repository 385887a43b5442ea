"""From the feature pyramid to logits and deltas, level by level of the grid.

`features` brings the pyramid to the grids that the strides ask for, and the head looks at each:
who moves one stride waits for one level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.core.candidates import HeadOutput
from explorer.core.head import RPNHead, flatten_head_output
from explorer.core.layout import Grid
from explorer.core.network import HEAD, NETWORKS, NOISE, Trained, on_device, stream, trained_one
from explorer.settings import Scores

FPN_STRIDES = (4, 8, 16, 32, 64)  # P2 to P6
CHANNELS = 256  # of noise, and of the random network's own maps
Keep = Callable[[Hashable, Callable[[], "Level"]], "Level"]  # a name, and what makes it if need be


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
    noise = stream(scores.seed, NOISE).get_state()
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

    @cache
    def head(k: int) -> RPNHead:
        if scores.source in ("random", "noise"):
            return RPNHead(CHANNELS, k, stream(scores.seed, HEAD)).to(device)
        return on_device(trained_one(scores.source, trained).head, device)

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
