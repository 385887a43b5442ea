"""For all tests: one thread for torch, as on the server, and no time limit for an example.

Two threads stall where the cores are shared, and a busy machine may stop for half a second.
"""

import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list) -> None:
    """The longest test first: last, it would run on while the other workers have nothing to do."""
    items.sort(key=lambda item: "largest_picture" not in item.name)
