"""For all tests: one thread for torch, as on the server; two stall where the cores are shared."""

import torch

torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list) -> None:
    """The longest test first: last, it would run on while the other workers have nothing to do."""
    items.sort(key=lambda item: "largest_picture" not in item.name)
