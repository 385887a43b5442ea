import pytest
import torch

from explorer.core import device
from explorer.core.device import DEVICE, IMG_SIZE, resolve_device


@pytest.fixture
def machine(monkeypatch):
    """Pretend that this machine has these accelerators."""

    def having(*names):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in names)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in names)

    return having


@pytest.mark.parametrize(
    ("accelerators", "expected"),
    [((), "cpu"), (("mps",), "mps"), (("cuda",), "cuda"), (("cuda", "mps"), "cuda")],
)
def test_auto_takes_cuda_before_mps_before_the_cpu(machine, accelerators, expected):
    machine(*accelerators)
    assert resolve_device("auto") == torch.device(expected)
    assert resolve_device("cpu") == torch.device("cpu")


def test_a_device_that_the_machine_lacks_is_refused_with_what_there_is(machine):
    machine("mps")
    assert resolve_device("mps") == torch.device("mps")
    with pytest.raises(ValueError, match="device must be auto or one of mps, cpu, got 'cuda'"):
        resolve_device("cuda")
    machine()
    with pytest.raises(ValueError, match="device must be auto or one of cpu, got 'mps'"):
        resolve_device("mps")


@pytest.mark.parametrize("name", ["gpu", "", "CPU", "cuda:7"])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(ValueError, match="device must be auto or one of"):
        resolve_device(name)


def test_the_notebooks_device_is_the_automatic_one():
    assert device.DEVICE == DEVICE == resolve_device("auto")
    assert str(DEVICE) in ("cuda", "mps", "cpu")
    assert IMG_SIZE == 800
