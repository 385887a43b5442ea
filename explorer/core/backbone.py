"""ResNet-50: from a picture to feature maps at strides 4, 8, 16 and 32.

Source: He et al. 2015, "Deep Residual Learning", table 1; in the form of torchvision (v1.5: a
block's stride sits on its 3 x 3), whose state-dict names are ours, so that its files load.

Shapes: N images, C channels, H and W of the picture.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from explorer.core.seeds import Conv2d, Seed, as_generator

Norm = Literal["picture", "frozen"]


class PictureNorm(nn.BatchNorm2d):
    """Normalises each channel by its mean and variance in this very picture.

    That is batch norm in training mode over a batch of one, at inference too: random weights have
    no statistics of a training set to fall back on. In a batch each picture stays alone.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W); a 1 x 1 map gives the bias."""
        # one group a channel is the same sum as batch norm over one picture, 1.7 times as fast on a
        # CPU; F.group_norm would refuse a 1 x 1 map
        return torch.group_norm(x, self.num_features, self.weight, self.bias, self.eps)


class FrozenNorm(nn.BatchNorm2d):
    """Normalises each channel by the stored mean and variance, whatever the module's mode."""

    def __init__(self, channels: int, eps: float = 1e-5):
        super().__init__(channels, eps=eps)
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W)."""
        return nn.functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )


class Bottleneck(nn.Module):
    """A residual block: 1 x 1 to fewer channels, 3 x 3, 1 x 1 to four times as many.

    Args:
        in_channels: of the block's input.
        channels: of the 3 x 3; the output has four times as many.
        stride: of the 3 x 3.
        norm: makes a normalisation layer for a number of channels.
        seed: of the random weights, Kaiming normal by fan-out; see `as_generator`.
    """

    expansion = 4

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        norm: Callable[[int], nn.Module] = PictureNorm,
        seed: Seed = None,
    ):
        super().__init__()
        out_channels = channels * self.expansion
        self.conv1 = Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = norm(channels)
        self.conv2 = Conv2d(channels, channels, 3, stride, padding=1, bias=False)
        self.bn2 = norm(channels)
        self.conv3 = Conv2d(channels, out_channels, 1, bias=False)
        self.bn3 = norm(out_channels)
        self.downsample = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                Conv2d(in_channels, out_channels, 1, stride, bias=False), norm(out_channels)
            )
        _draw_weights(self, as_generator(seed))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, 4 * channels, H / stride, W / stride)."""
        out = self.bn1(self.conv1(x)).relu_()
        out = self.bn2(self.conv2(out)).relu_()
        out = self.bn3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        return out.relu_()


class ResNet50(nn.Module):
    """ResNet-50 without its classifier.

    Args:
        norm: "picture" normalises by this picture's own statistics, which random weights need;
            "frozen" by those of a weight file.
        eps: added to the variance; 0 for torchvision's COCO weights.
        seed: of the random weights, Kaiming normal by fan-out; see `as_generator`.

    Raises:
        ValueError: if the norm is unknown.
    """

    def __init__(self, norm: Norm = "picture", eps: float = 1e-5, seed: Seed = None):
        super().__init__()
        if norm not in Norm.__args__:
            raise ValueError(f"norm must be one of {', '.join(Norm.__args__)}, got {norm!r}")
        kind = PictureNorm if norm == "picture" else FrozenNorm

        norm_of = partial(kind, eps=eps)
        generator = as_generator(seed)

        def stage(in_channels: int, channels: int, blocks: int, stride: int) -> nn.Sequential:
            out_channels = channels * Bottleneck.expansion
            first = Bottleneck(in_channels, channels, stride, norm_of, generator)
            rest = (
                Bottleneck(out_channels, channels, 1, norm_of, generator) for _ in range(1, blocks)
            )
            return nn.Sequential(first, *rest)

        self.conv1 = Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        _draw_weights(self, generator)
        self.bn1 = norm_of(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = stage(64, 64, blocks=3, stride=1)
        self.layer2 = stage(256, 128, blocks=4, stride=2)
        self.layer3 = stage(512, 256, blocks=6, stride=2)
        self.layer4 = stage(1024, 512, blocks=3, stride=2)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Compute the feature maps C2 to C5.

        Args:
            images: (N, 3, H, W), normalised as the weights expect.

        Returns:
            (N, C, ceil(H / s), ceil(W / s)) with C = 256, 512, 1024, 2048 at s = 4, 8, 16, 32.

        Raises:
            ValueError: if the input is not (N, 3, H, W) with a pixel at least.
        """
        if images.ndim != 4 or images.shape[1] != 3 or images.numel() == 0:
            raise ValueError(f"images must be (N, 3, H, W), got {tuple(images.shape)}")
        x = self.maxpool(self.bn1(self.conv1(images)).relu_())  # (N, 64, H / 4, W / 4)
        levels = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            levels.append(x)
        return levels


def _draw_weights(module: nn.Module, generator: torch.Generator | None) -> None:
    for layer in module.modules():
        if isinstance(layer, Conv2d):
            nn.init.kaiming_normal_(
                layer.weight, mode="fan_out", nonlinearity="relu", generator=generator
            )
