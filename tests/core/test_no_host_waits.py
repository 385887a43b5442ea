"""Between features and proposals an accelerator never waits for the host, proven without one.

The `meta` device takes the accelerator's branches and has no values: whatever needs one on the
host fails. A dispatch mode names the other ways to wait. On CUDA its own sync debug mode watches.
"""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.core import device_nms, proposals
from explorer.core.candidates import HeadOutput, decode_all, select_candidates
from explorer.core.images import Picture
from explorer.core.layout import lay_anchors, lay_grid
from explorer.presets import PRESETS
from explorer.settings import Filter, Nms
from tests.devices import DEVICES

WAITS = {"nonzero", "nonzero_static", "_local_scalar_dense", "item", "masked_select", "equal"}
ACCELERATORS = ["meta", *DEVICES[1:]]


class NoHostWaits(TorchDispatchMode):
    """Fails on every operator that makes the host wait, or moves a tensor between devices."""

    def __init__(self, device):
        super().__init__()
        self.device = device

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name().split("::")[1].split(".")[0]
        if name in WAITS or "unique" in name:
            raise AssertionError(f"{name} waits for the device")
        if name in {"index", "index_put", "index_put_", "_index_put_impl_"}:
            for index in args[1]:
                if index is not None and index.dtype in (torch.bool, torch.uint8):
                    raise AssertionError(f"{name} by a mask waits for the device")
        result = func(*args, **(kwargs or {}))
        for tensor in (*tensors_of(args), *tensors_of(kwargs), *tensors_of(result)):
            if tensor.device.type != self.device and tensor.ndim > 0:
                raise AssertionError(f"{name} moves a tensor from or to the {tensor.device.type}")
        return result


class NoHostTensors(TorchFunctionMode):
    """Fails where Python numbers become a tensor: on a device that is a copy from the host."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func in (torch.tensor, torch.as_tensor, torch.asarray, torch.from_numpy):
            raise AssertionError(f"{func.__name__} copies from the host")
        return func(*args, **(kwargs or {}))


def tensors_of(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        yield from tensors_of(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors_of(each)


@contextmanager
def no_host_waits(device):
    """Fail on waits; on CUDA let the driver's own watch tell too."""
    if device == "cuda":
        torch.cuda.set_sync_debug_mode("error")
    try:
        with NoHostTensors(), NoHostWaits(device):
            yield
    finally:
        if device == "cuda":
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize(
    "wait",
    [
        lambda x: x.nonzero(),
        lambda x: x.sum().item(),
        lambda x: bool(x.any()),
        lambda x: x[x > 0],
        lambda x: x.clone().masked_select(x > 0),
        lambda x: torch.where(x > 0),
        lambda x: x.clone().index_put_((x > 0,), torch.ones(())),
        lambda x: x.to("cpu" if x.device.type == "meta" else "meta"),
        lambda x: x + torch.ones(3, device="meta" if x.device.type == "cpu" else "cpu"),
        lambda x: torch.unique(x),
        lambda x: torch.tensor([1.0], device=x.device),
    ],
)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_watch_sees_every_way_to_wait(wait, device):
    x = torch.ones(3, device=device)
    with pytest.raises((AssertionError, RuntimeError, NotImplementedError)), no_host_waits(device):
        wait(x)


def inputs(preset, device, **rules):
    """What `select_candidates` takes, at random, and the rules."""
    rules = PRESETS[preset].filter.model_dump() | {"pre_nms": 50} | rules
    anchors = PRESETS[preset].anchors
    picture = Picture(np.zeros((64, 96, 3), np.uint8), (0, 0, 96, 64), (32, 48))
    grid = lay_grid(picture, anchors.strides, anchors.stride_rule, anchors.per_cell)
    anchor_set = lay_anchors(grid, anchors, torch.device(device))
    count = grid.starts[-1]
    rng = torch.Generator().manual_seed(1)
    logits, deltas = (torch.randn(shape, generator=rng).to(device) for shape in (count, (count, 4)))
    head = HeadOutput(logits, logits.sigmoid(), deltas)
    return (picture, grid, anchor_set, head), Filter.model_validate(rules)


def select(given, codec, rules):
    *_, anchor_set, head = given
    decoded = decode_all(lambda: anchor_set, head, codec, rules.order)
    return select_candidates(*given, decoded, codec, rules)


@pytest.mark.parametrize("device", ACCELERATORS)
@pytest.mark.parametrize("min_size_at", ["input", "photo"])
@pytest.mark.parametrize("preset", PRESETS)
def test_selecting_candidates_forces_no_wait(preset, min_size_at, device):
    given, rules = inputs(preset, device, min_size_at=min_size_at)
    with no_host_waits(device):
        candidates = select(given, PRESETS[preset].codec, rules)
    counts = given[1].counts
    levels = counts if rules.top_n_by_level else [sum(counts)]
    fixed = sum(min(50, each) for each in levels)
    shapes = {name: tuple(part.shape) for name, part in vars(candidates).items()}
    assert shapes.pop("fate") == (sum(counts),)
    assert shapes.pop("boxes") == shapes.pop("deltas") == (fixed, 4)
    assert set(shapes.values()) == {(fixed,)}
    assert {part.device.type for part in vars(candidates).values()} == {device}


@pytest.mark.parametrize("device", ACCELERATORS)
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("count", [0, 1, 70, 1100])
def test_suppressing_forces_no_wait_before_the_last_gather(count, grouped, device):
    corners = torch.rand(count, 2, device=device) * 100
    boxes = torch.cat([corners, corners + 20], dim=1)
    groups = torch.arange(count, device=device) % 3 if grouped else None
    with no_host_waits(device):
        lost_to, settled = device_nms.settle(boxes, 0.5, groups)
    assert lost_to.shape == (count,)
    assert settled.shape == ()
    assert {lost_to.device.type, settled.device.type} == {device}


@pytest.mark.parametrize("threshold", [0, 0.3, 0.7, 1])
@pytest.mark.parametrize("preset", sorted(PRESETS)[:4])
def test_the_device_path_gives_the_proposals_of_the_cpu(preset, threshold, monkeypatch):
    codec, nms = PRESETS[preset].codec, Nms(iou_threshold=threshold, post_nms=30)
    given, rules = inputs(preset, "cpu", min_size=20)
    candidates = select(given, codec, rules)
    overlaps = proposals.candidate_overlaps(candidates, rules)
    expected = proposals.propose(candidates, overlaps, rules, nms)
    monkeypatch.setattr("explorer.core.candidates._may_wait", lambda tensor: False)
    monkeypatch.setattr(proposals, "suppress_ranked", device_nms.suppress_ranked)
    padded = select(given, codec, rules)
    assert not padded.valid.all()
    got = proposals.propose(padded, None, rules, nms)
    count = len(candidates.boxes)
    assert got.survivors == expected.survivors
    assert torch.equal(got.fate[:count], expected.fate)
    assert torch.equal(got.suppressed_by[:count], expected.suppressed_by)
    for name in ("boxes", "scores", "candidate_index", "anchor_index", "level"):
        assert torch.equal(getattr(got, name), getattr(expected, name)), name
