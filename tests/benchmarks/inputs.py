"""The boxes and head outputs that the benchmarks share.

uniform: centres over 800 x 800 pixels, sides 8 to 128. clustered: around 25 objects of sides 24 to
224, centres off by 8 px (sigma), sides by a factor of e^0.12. Scores are a random permutation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from explorer.core.candidates import HeadOutput
from explorer.core.layout import Grid
from explorer.core.memo import Memo
from explorer.core.pipeline import run
from explorer.editing import changed
from explorer.settings import Settings


def uniform(count: int, rng: np.random.Generator) -> np.ndarray:
    """(N, 4) boxes anywhere."""
    centre, side = rng.uniform(0, 800, (count, 2)), rng.uniform(8, 128, (count, 2))
    return np.concatenate([centre - side / 2, centre + side / 2], axis=1).astype(np.float32)


def clustered(count: int, rng: np.random.Generator) -> np.ndarray:
    """(N, 4) boxes around 25 objects."""
    which = rng.integers(0, 25, count)
    centre = rng.uniform(0, 800, (25, 2))[which] + rng.normal(0, 8, (count, 2))
    side = rng.uniform(24, 224, (25, 2))[which] * np.exp(rng.normal(0, 0.12, (count, 2)))
    return np.concatenate([centre - side / 2, centre + side / 2], axis=1).astype(np.float32)


KINDS: tuple[Callable[..., np.ndarray], ...] = (uniform, clustered)


def boxes_of(
    make: Callable[..., np.ndarray], count: int, levels: int = 1
) -> tuple[Tensor, Tensor, Tensor]:
    """(N, 4) boxes, (N,) scores and (N,) levels, the same in every run."""
    rng = np.random.default_rng(count)
    boxes, scores = make(count, rng), rng.permutation(count).astype(np.float32)
    return tuple(map(torch.from_numpy, (boxes, scores, rng.integers(0, levels, count))))


def head_outputs(settings: Settings, grid: Grid) -> Iterator[tuple[str, HeadOutput]]:
    """Head outputs of every anchor under some settings: at random, then as of trained heads."""
    yield "random", random_output(grid.starts[-1])
    planted = changed(settings, {"scores.source": "planted"})
    yield "object-like: planted on the objects", run("head_output", planted, Memo(10**9))
    yield "object-like: the learned network's", _learned(settings)


def random_output(anchors: int) -> HeadOutput:
    """Logits and deltas as weights drawn at random give them."""
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(anchors, generator=rng)
    return HeadOutput(logits, logits.sigmoid(), torch.randn(anchors, 4, generator=rng) * 0.2)


def _learned(settings: Settings) -> HeadOutput:
    """The shipped network's output, with the ratios of a cell in the order of h / w."""
    from explorer.core.learned import load_learned

    learned = changed(settings, {"scores.source": "learned"})
    memo, networks = Memo(10**10), {"learned": load_learned()}
    output = run("head_output", learned, memo, trained=networks)
    if settings.anchors.ratio == "w/h":
        return output
    turned = (part.unflatten(0, (-1, 3)).flip(1).flatten(0, 1) for part in vars(output).values())
    return HeadOutput(*(part.contiguous() for part in turned))
