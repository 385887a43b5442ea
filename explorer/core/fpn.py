"""The feature pyramid: what the deep layers know, on the grids of the shallow ones.

Source: Lin et al. 2017, "Feature Pyramid Networks", section 3; P6 from section 4.1. The names of
the layers are torchvision's, so that its files load.

Shapes: N images, C channels, H and W of a level's grid.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from explorer.core.seeds import Conv2d, Seed, as_generator


class FPN(nn.Module):
    """Merges C2 to C5 from the top down into P2 to P6.

    Args:
        in_channels: of C2 to C5.
        out_channels: of every level of the pyramid.
        seed: of the random weights, drawn as PyTorch initialises a convolution; see
            `as_generator`.

    Raises:
        ValueError: if there is no level.
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (256, 512, 1024, 2048),
        out_channels: int = 256,
        seed: Seed = None,
    ):
        super().__init__()
        if len(in_channels) == 0:
            raise ValueError(f"in_channels must name one level at least, got {tuple(in_channels)}")
        self.inner_blocks = nn.ModuleList(Conv2d(c, out_channels, 1) for c in in_channels)
        self.layer_blocks = nn.ModuleList(
            Conv2d(out_channels, out_channels, 3, padding=1) for _ in in_channels
        )
        generator = as_generator(seed)
        for layer in (*self.inner_blocks, *self.layer_blocks):
            # PyTorch's default: weight and bias uniform within 1 / sqrt(fan-in)
            limit = layer.weight[0].numel() ** -0.5
            nn.init.uniform_(layer.weight, -limit, limit, generator=generator)
            nn.init.uniform_(layer.bias, -limit, limit, generator=generator)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Build the pyramid.

        Args:
            features: (N, C, H, W), C2 to C5, finest first.

        Returns:
            (N, out_channels, H, W), P2 to P5 on the grids of C2 to C5, and P6, every second cell
            of P5.

        Raises:
            ValueError: if the number of maps is not the number of levels.
        """
        if len(features) != len(self.inner_blocks):
            raise ValueError(
                f"features must be {len(self.inner_blocks)} maps, got {len(features)} maps"
            )
        pyramid = []
        merged = None
        blocks = zip(features, self.inner_blocks, self.layer_blocks, strict=True)
        for feature, lateral, output in reversed(list(blocks)):
            finer = lateral(feature)
            if merged is not None:
                # by size, not by factor 2: on an odd grid the two differ
                finer += F.interpolate(merged, size=finer.shape[-2:], mode="nearest")
            merged = finer
            pyramid.insert(0, output(merged))
        pyramid.append(F.max_pool2d(pyramid[-1], kernel_size=1, stride=2))
        return pyramid
