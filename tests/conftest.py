"""For all tests: one thread for torch, as on the server (two stall where cores are shared), and no
time limit an example: a busy machine stops for half a second wherever it likes.
"""

import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list) -> None:
    """The longest test first: last, it would run on while the other workers have nothing to do."""
    items.sort(key=lambda item: "largest_picture" not in item.name)
