"""The learned score source: a small network that the project trained itself.

EfficientNet-Lite0, an FPN of 96 channels and the RPN head, for the course notebook's anchors:
32 to 512 at strides 4 to 64, ratios 0.5, 1 and 2 as w / h, centres at (i + 0.5) * stride. How it
was trained, on what, and how well it does stands in its card, assets/weights/card.json.
"""

import hashlib
import json
import math
from pathlib import Path

import torch
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn

from explorer.core.efficientnet import FEATURE_CHANNELS, EfficientNetLite0
from explorer.core.fpn import FPN
from explorer.core.head import RPNHead
from explorer.core.images import MEAN, STD

CHANNELS = 96
ANCHORS_PER_CELL = 3
WEIGHTS = Path(__file__).parents[2] / "assets" / "weights"
PRIOR = 0.01  # every anchor's score before training; Lin et al. 2017 (focal loss), section 4.1


class LearnedNetwork(nn.Module):
    """From a picture to logits and deltas.

    Args:
        seed: of the untrained weights.
    """

    def __init__(self, seed: int = 0):
        super().__init__()
        self.backbone = EfficientNetLite0(seed)
        self.fpn = FPN(FEATURE_CHANNELS, CHANNELS, seed)
        self.head = RPNHead(CHANNELS, ANCHORS_PER_CELL, seed)
        nn.init.constant_(self.head.cls.bias, math.log(PRIOR / (1 - PRIOR)))
        # the product normalises as PyTorch's networks want it, this backbone wants another scale
        scale, shift = 255 * torch.tensor(STD) / 128, (255 * torch.tensor(MEAN) - 127) / 128
        self.register_buffer("scale", scale.view(1, 3, 1, 1), persistent=False)
        self.register_buffer("shift", shift.view(1, 3, 1, 1), persistent=False)

    def pyramid(self, image: Tensor) -> list[Tensor]:
        """Compute the feature maps that the head looks at.

        Args:
            image: (N, 3, H, W) normalised with ImageNet's mean and deviation.

        Returns:
            P2 to P6, (N, 96, ceil(H / stride), ceil(W / stride)) each.
        """
        return self.fpn(self.backbone(image * self.scale + self.shift))

    def forward(self, image: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Score the anchors of a picture of any size.

        Args:
            image: (N, 3, H, W) normalised with ImageNet's mean and deviation.

        Returns:
            Logits (N, 3, rows, columns) and deltas (N, 12, rows, columns), one a level.
        """
        return self.head(self.pyramid(image))


def read_card(folder: Path = WEIGHTS) -> dict:
    """What the weights were made from, how, and how good they are.

    Raises:
        OSError: if there is no card.
        ValueError: if it is no JSON.
    """
    return json.loads((folder / "card.json").read_text(encoding="utf-8"))


def load_learned(folder: Path = WEIGHTS) -> LearnedNetwork:
    """Load the shipped network.

    Args:
        folder: holds `card.json` and the weights that it names.

    Returns:
        The network in float32, for evaluation.

    Raises:
        ValueError: if a file is missing, or the weights are not those of the card.
    """
    try:
        card = read_card(folder)
        data = (folder / card["file"]).read_bytes()
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"the learned weights cannot be read from {folder}: {error}") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != card["sha256"]:
        raise ValueError(
            f"{card['file']} must have the sha256 of its card, {card['sha256'][:12]}..., "
            f"got {digest[:12]}...: restore the file, or train anew"
        )
    network = LearnedNetwork()
    network.load_state_dict({name: value.float() for name, value in load_safetensors(data).items()})
    return network.eval().requires_grad_(False)
