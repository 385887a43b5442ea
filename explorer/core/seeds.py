"""Random weights from one seed, with PyTorch's global generator untouched."""

import torch
from torch import nn

Seed = int | torch.Generator | None


def as_generator(seed: Seed) -> torch.Generator | None:
    """Turn a seed into the CPU generator that random draws take.

    Args:
        seed: an integer starts a new generator; a generator is passed through, so that several
            networks can draw from one; None leaves the choice to PyTorch's global generator.

    Returns:
        The generator, or None for PyTorch's global one.
    """
    if seed is None or isinstance(seed, torch.Generator):
        return seed
    return torch.Generator().manual_seed(seed)


class Conv2d(nn.Conv2d):
    """A convolution whose weights are not set yet: the network that holds it draws them."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are; PyTorch's own draw would be thrown away."""
