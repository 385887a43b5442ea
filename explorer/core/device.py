"""Where tensors live, and the side of the picture that the network sees."""

import torch

IMG_SIZE = 800  # pixels; our choice: the course notebook's feature maps are those of 800 x 800


def resolve_device(name: str) -> torch.device:
    """Turn a device setting into a device of this machine.

    Args:
        name: "auto" (CUDA, then MPS, then CPU), "cuda", "mps" or "cpu".

    Returns:
        The device.

    Raises:
        ValueError: if the name is unknown or this machine lacks the device.
    """
    available = ["cpu"]
    if torch.backends.mps.is_available():
        available.insert(0, "mps")
    if torch.cuda.is_available():
        available.insert(0, "cuda")
    if name == "auto":
        return torch.device(available[0])
    if name not in available:
        raise ValueError(f"device must be auto or one of {', '.join(available)}, got {name!r}")
    return torch.device(name)


DEVICE = resolve_device("auto")
