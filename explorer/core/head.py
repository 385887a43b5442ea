"""The RPN head: a small network that slides over every level of the pyramid.

Source: Ren et al. 2015, section 3.1; shared between levels as in Lin et al. 2017 (FPN), 4.1.

Shapes: N images, A anchors a cell, H and W of a level's grid.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from explorer.core.seeds import Conv2d, Seed, as_generator


class RPNHead(nn.Module):
    """Scores every anchor and says how to move it.

    Args:
        in_ch: channels of a feature map.
        k: anchors a cell, A.
        seed: of the random weights, N(0, 0.01) as in Ren et al. 2015; see `as_generator`.

    Raises:
        ValueError: if `in_ch` or `k` is below 1.
    """

    def __init__(self, in_ch: int = 256, k: int = 3, seed: Seed = None):
        super().__init__()
        if in_ch < 1 or k < 1:
            raise ValueError(f"in_ch and k must be at least 1, got {in_ch} and {k}")
        self.conv = Conv2d(in_ch, in_ch, 3, padding=1)
        self.cls = Conv2d(in_ch, k, 1)
        self.box = Conv2d(in_ch, 4 * k, 1)
        generator = as_generator(seed)
        for layer in self.children():
            nn.init.normal_(layer.weight, std=0.01, generator=generator)
            nn.init.zeros_(layer.bias)

    def forward(self, feature_maps: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Run the head over all levels.

        Args:
            feature_maps: (N, in_ch, H, W), one a level.

        Returns:
            Objectness logits, (N, A, H, W) a level, and deltas, (N, 4 * A, H, W) a level; two
            empty lists for no levels.
        """
        logits, deltas = [], []
        for feature_map in feature_maps:
            hidden = self.conv(feature_map).relu_()  # (N, in_ch, H, W)
            logits.append(self.cls(hidden))
            deltas.append(self.box(hidden))
        return logits, deltas


def flatten_head_output(
    logits: Sequence[Tensor], deltas: Sequence[Tensor]
) -> tuple[Tensor, Tensor]:
    """Put one image's head output in the order of the anchors.

    Args:
        logits: (1, A, H, W), one a level.
        deltas: (1, 4 * A, H, W), one a level.

    Returns:
        (anchors,) logits and (anchors, 4) deltas: level by level, then row, column, and anchor of
        the cell.

    Raises:
        ValueError: if there is not exactly one image, or the two lists do not fit each other.
    """
    for one, four in zip(logits, deltas, strict=True):
        images, anchors, *grid = one.shape
        if images != 1 or four.shape != (1, 4 * anchors, *grid):
            raise ValueError(
                "head output must be (1, A, H, W) logits and (1, 4A, H, W) deltas, "
                f"got {tuple(one.shape)} and {tuple(four.shape)}"
            )
    return (
        torch.cat([level.permute(0, 2, 3, 1).reshape(-1) for level in logits]),
        torch.cat([level.permute(0, 2, 3, 1).reshape(-1, 4) for level in deltas]),
    )
