"""Weights learned on COCO: torchvision's Faster R-CNN file in our backbone, pyramid and head.

Source: torchvision's `fasterrcnn_resnet50_fpn`. Its files come in two generations, the newer with
one more `.0` in the names of the pyramid's and the head's layers; both load.
"""

import os
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.core.backbone import ResNet50
from explorer.core.fpn import FPN
from explorer.core.head import RPNHead

_HEAD_NAMES = {
    "conv": ("rpn.head.conv.0.0", "rpn.head.conv"),
    "cls": ("rpn.head.cls_logits",),
    "box": ("rpn.head.bbox_pred",),
}


class CocoNetwork(nn.Module):
    """ResNet-50, pyramid and head with weights learned on COCO."""

    def __init__(self, backbone: ResNet50, fpn: FPN, head: RPNHead):
        super().__init__()
        self.backbone, self.fpn, self.head = backbone, fpn, head

    def pyramid(self, image: Tensor) -> list[Tensor]:
        """Compute P2 to P6 of (N, 3, H, W), normalised with ImageNet's mean and deviation."""
        return self.fpn(self.backbone(image))


def load_coco(path: str | os.PathLike[str]) -> tuple[ResNet50, FPN, RPNHead]:
    """Read a state file of torchvision's `fasterrcnn_resnet50_fpn`.

    The second half of the detector (`roi_heads`) is left out. The batch norms are frozen, with
    eps 0: torchvision learned these weights so. No code in the file is run.

    Args:
        path: of the file. It expects pictures normalised by ImageNet's mean and deviation, and 3
            anchors a cell, by torchvision's conventions.

    Returns:
        The three networks in evaluation mode, on the CPU.

    Raises:
        ValueError: if the file cannot be read or holds anything but tensors, or a tensor is
            missing, superfluous, of another shape or type, or not finite; it names the first.
    """
    state = _read(Path(path))
    backbone, fpn, head = ResNet50(norm="frozen", eps=0.0, seed=0), FPN(seed=0), RPNHead(seed=0)
    networks = nn.ModuleDict({"backbone": backbone, "fpn": fpn, "head": head})
    weights = {}
    for name, ours in networks.state_dict().items():
        if name.endswith("num_batches_tracked"):  # a count of training steps; files may lack it
            weights[name] = ours
            continue
        accepted = _file_keys(name)
        key = next((key for key in accepted if key in state), accepted[0])
        weights[name] = _checked(key, state.pop(key, None), ours.shape)
    for key in state:
        if str(key).startswith(("backbone.", "rpn.")) and not key.endswith("num_batches_tracked"):
            raise ValueError(f"weights must be fasterrcnn_resnet50_fpn's, got also {key}")
    networks.load_state_dict(weights, assign=True)
    networks.eval()
    return backbone, fpn, head


def _read(path: Path) -> dict[str, object]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise ValueError(f"weights must be a file, got {path.name}: {error.strerror}") from error
    with file:
        try:
            state = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a broken file fails wherever its parser stands, in any way
            raise ValueError(
                f"weights must be a whole file of tensors alone, got {path.name}, which holds code "
                "or other objects, is cut off, or is no PyTorch file"
            ) from error
    if not isinstance(state, dict):
        raise ValueError(f"weights must be a state dict, got a {type(state).__name__}")
    return dict(state)


def _file_keys(name: str) -> tuple[str, ...]:
    """Our name of a tensor -> the names that a file may have for it."""
    network, rest = name.split(".", 1)
    if network == "backbone":
        return (f"backbone.body.{rest}",)
    layer, kind = rest.rsplit(".", 1)
    if network == "fpn":
        return (f"backbone.fpn.{layer}.0.{kind}", f"backbone.fpn.{layer}.{kind}")
    return tuple(f"{prefix}.{kind}" for prefix in _HEAD_NAMES[layer])


def _checked(key: str, value: object, shape: torch.Size) -> Tensor:
    if value is None:
        raise ValueError(f"weights must be fasterrcnn_resnet50_fpn's, {key} is missing")
    dense = (
        isinstance(value, Tensor) and value.layout == torch.strided and value.device.type == "cpu"
    )
    if not (dense and value.is_floating_point()):
        raise ValueError(f"weights must be dense floating-point tensors, {key} is not")
    if value.shape != shape:
        raise ValueError(f"{key} must have shape {tuple(shape)}, got {tuple(value.shape)}")
    if not value.isfinite().all():
        raise ValueError(f"{key} must be finite, got NaN or infinity")
    return value.float().contiguous()
