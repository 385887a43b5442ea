"""For all tests: one thread for torch, as on the server; two stall where the cores are shared."""

import torch

torch.set_num_threads(1)
