"""The devices of this machine: tests of the core run on each."""

import torch

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
