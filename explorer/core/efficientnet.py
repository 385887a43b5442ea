"""EfficientNet-Lite0, the small backbone of the learned score source.

Lite is EfficientNet without squeeze-and-excitation and with ReLU6. Every batch norm is folded into
the convolution before it, so the network is convolutions with biases and nothing else, and its
weights can be trained further and shipped in the same form.

Sources: Tan and Le 2019 (1905.11946), table 1; tensorflow/tpu, models/official/efficientnet/lite.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.core.seeds import Conv2d, Seed, as_generator

# Blocks, expansion, kernel, stride, channels: B0's table, which Lite0 does not scale.
STAGES = (
    (1, 1, 3, 1, 16),
    (2, 6, 3, 2, 24),
    (2, 6, 5, 2, 40),
    (3, 6, 3, 2, 80),
    (3, 6, 5, 1, 112),
    (4, 6, 5, 2, 192),
    (1, 6, 3, 1, 320),
)
FEATURE_STAGES = (1, 2, 4, 6)  # the last stage at strides 4, 8, 16 and 32
FEATURE_CHANNELS = tuple(STAGES[stage][-1] for stage in FEATURE_STAGES)
BATCH_NORM_EPS = 1e-3  # TensorFlow's default, not PyTorch's 1e-5


class SameConv(Conv2d):
    """A convolution padded as TensorFlow does: ceil(side / stride) outputs, the odd pixel last."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (N, C, H, W) to (N, C', ceil(H / stride), ceil(W / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:  # symmetric: PyTorch's own padding does the same without a copy
            return F.conv2d(x, self.weight, self.bias, 1, kernel // 2, 1, self.groups)
        pads = []
        for side in (x.shape[-1], x.shape[-2]):
            total = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), self.weight, self.bias, stride, 0, 1, self.groups)


class InvertedResidual(nn.Module):
    """Expand by a 1x1, look around by a depthwise convolution, project back by a linear 1x1."""

    def __init__(
        self, in_channels: int, out_channels: int, expansion: int, kernel: int, stride: int
    ):
        super().__init__()
        width = in_channels * expansion
        self.expand = SameConv(in_channels, width, 1) if expansion > 1 else None
        self.depthwise = SameConv(width, width, kernel, stride, groups=width)
        self.project = SameConv(width, out_channels, 1)
        self.skips = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in, H, W) to (N, out, ceil(H / stride), ceil(W / stride))."""
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.skips else y


class EfficientNetLite0(nn.Module):
    """The feature maps of EfficientNet-Lite0 at strides 4, 8, 16 and 32.

    Args:
        seed: of the random weights, Kaiming fan-out; see `as_generator`.
    """

    def __init__(self, seed: Seed = None):
        super().__init__()
        self.stem = SameConv(3, 32, 3, 2)
        stages, channels = [], 32
        for repeats, expansion, kernel, stride, out in STAGES:
            blocks = []
            for repeat in range(repeats):
                blocks.append(
                    InvertedResidual(channels, out, expansion, kernel, stride if repeat == 0 else 1)
                )
                channels = out
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        generator = as_generator(seed)
        for layer in self.modules():
            if isinstance(layer, SameConv):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", generator=generator)
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Compute the features of a batch of pictures.

        Args:
            x: (N, 3, H, W) pixels scaled as the weights expect: (value - 127) / 128.

        Returns:
            Four maps with 24, 40, 112 and 320 channels and ceil(side / stride) cells a side.
        """
        x = F.relu6(self.stem(x))
        features = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in FEATURE_STAGES:
                features.append(x)
        return features


def fold_batch_norm(
    weight: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor
) -> tuple[Tensor, Tensor]:
    """Turn a bias-free convolution and the batch norm after it into one convolution.

    Args:
        weight: (out, in, k, k) of the convolution.
        gamma: (out,) scale of the batch norm.
        beta: (out,) shift of the batch norm.
        mean: (out,) running mean.
        variance: (out,) running variance.

    Returns:
        The (out, in, k, k) weight and the (out,) bias that give the same output.
    """
    scale = gamma / torch.sqrt(variance + BATCH_NORM_EPS)
    return weight * scale[:, None, None, None], beta - mean * scale


def convert_imagenet_weights(original: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename and fold the published ImageNet weights into the state of `EfficientNetLite0`.

    Args:
        original: the state of `efficientnet-lite0-57934424.pth`; its classifier is left out.

    Returns:
        A state dict that `EfficientNetLite0.load_state_dict` takes.

    Raises:
        ValueError: if a block is missing, naming its key.
    """
    state = {}

    def move(source: str, norm: str, target: str) -> None:
        keys = [f"{source}.weight"]
        keys += [f"{norm}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
        for key in keys:
            if key not in original:
                raise ValueError(f"ImageNet weights must hold {key}, got {len(original)} others")
        weight, bias = fold_batch_norm(*(original[key] for key in keys))
        state[f"{target}.weight"], state[f"{target}.bias"] = weight, bias

    move("_conv_stem", "_bn0", "stem")
    number = 0
    for stage, (repeats, expansion, *_) in enumerate(STAGES):
        for repeat in range(repeats):
            source, target = f"_blocks.{number}.", f"stages.{stage}.{repeat}."
            if expansion > 1:
                move(source + "_expand_conv", source + "_bn0", target + "expand")
            move(source + "_depthwise_conv", source + "_bn1", target + "depthwise")
            move(source + "_project_conv", source + "_bn2", target + "project")
            number += 1
    return state
