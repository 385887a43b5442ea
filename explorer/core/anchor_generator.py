"""The notebook's generator: one set of sizes, ratios and strides, called with feature maps.

Source: the course notebook; torchvision's `AnchorGenerator`.
"""

from collections.abc import Sequence

from torch import Tensor

from explorer.core.anchor_shapes import (
    Numbers,
    Order,
    Ratio,
    Rounding,
    cell_anchors,
    check_choice,
    check_positive,
)
from explorer.core.anchors import StrideRule, all_level_anchors, level_strides


class AnchorGenerator:
    """Anchors for the feature maps of a pyramid, under one set of conventions.

    Args:
        anchor_sizes: one size a level, or one tuple of sizes a level; pixels.
        aspect_ratios: the ratios of every level, or one tuple of ratios a level.
        strides: one a level, pixels.
        ratio: see `cell_anchors`.
        offset: see `level_anchors`.
        rounding: see `cell_anchors`.
        stride_rule: see `level_strides`.
        order: see `cell_anchors`.

    Raises:
        ValueError: if the lengths differ or a value is not positive and finite.
    """

    def __init__(
        self,
        anchor_sizes: Sequence[float] | Sequence[Numbers] = (32, 64, 128, 256, 512),
        aspect_ratios: Sequence[float] | Sequence[Numbers] = (0.5, 1.0, 2.0),
        strides: Numbers = (4, 8, 16, 32, 64),
        *,
        ratio: Ratio = "w/h",
        offset: float = 0.5,
        rounding: Rounding = "none",
        stride_rule: StrideRule = "fixed",
        order: Order = "size outer",
    ):
        self.anchor_sizes = _tuples(anchor_sizes)
        self.aspect_ratios = _tuples(aspect_ratios)
        self.strides = tuple(strides)
        self.offset = offset
        self.stride_rule = stride_rule
        check_positive("strides", self.strides)
        check_choice("stride_rule", stride_rule, StrideRule)
        sizes = self.anchor_sizes if _nested(self.anchor_sizes) else [(s,) for s in anchor_sizes]
        ratios = self.aspect_ratios
        if not _nested(ratios):
            ratios = (ratios,) * len(sizes)
        if not len(sizes) == len(ratios) == len(self.strides):
            raise ValueError(
                "anchor_sizes, aspect_ratios and strides must agree on the number of levels, "
                f"got {len(sizes)}, {len(ratios)} and {len(self.strides)}"
            )
        self.cells = tuple(
            cell_anchors(s, r, ratio=ratio, rounding=rounding, order=order)
            for s, r in zip(sizes, ratios, strict=True)
        )

    def __call__(self, feature_maps: Sequence[Tensor], image_size: tuple[int, int]) -> Tensor:
        """Return the anchors of all levels, on the feature maps' device.

        Args:
            feature_maps: (N, C, H, W), one a level; only their grids and device matter.
            image_size: (height, width), pixels, of the picture behind the maps.

        Returns:
            (anchors, 4) float32 boxes, xyxy, pixels, in the order of `level_anchors`.

        Raises:
            ValueError: if the number of maps is not the number of levels.
        """
        grids = [tuple(f.shape[-2:]) for f in feature_maps]
        strides = level_strides(image_size, grids, self.strides, self.stride_rule)
        return all_level_anchors(self.cells, grids, strides, self.offset, feature_maps[0].device)

    def num_anchors_per_location(self) -> tuple[int, ...]:
        """Return the number of anchors of a cell, for each level."""
        return tuple(len(cell) for cell in self.cells)


def _nested(values: tuple) -> bool:
    return len(values) > 0 and all(isinstance(v, tuple) for v in values)


def _tuples(values: Sequence) -> tuple:
    return tuple(tuple(v) if isinstance(v, list | tuple) else v for v in values)
