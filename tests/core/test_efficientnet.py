"""The reference numbers in lite0_reference.json are of the published ImageNet weights.

They were recorded with `tests.reference.plain_lite0`, batch norms unfolded. The shipped network
keeps those weights up to stride 8, so it must still give them, within half precision.
"""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.efficientnet import (
    FEATURE_CHANNELS,
    EfficientNetLite0,
    SameConv,
    convert_imagenet_weights,
    fold_batch_norm,
)
from explorer.core.learned import load_learned
from tests.reference import plain_lite0

REFERENCE = json.loads((Path(__file__).parent / "lite0_reference.json").read_text())


def pattern(height, width):
    """A (1, 3, H, W) picture that needs no file."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    waves = ((3 * x + 5 * y) % 17) / 8 - 1, ((x * y) % 23) / 11 - 1, ((x - 2 * y) % 29) / 14 - 1
    return torch.stack(waves)[None].float()


def published_state(seed):
    """Random weights under the names and in the shapes of the published file."""
    generator = torch.Generator().manual_seed(seed)
    state = {}

    def add(conv, norm, *shape):
        fan = shape[1] * shape[2] * shape[3]
        state[f"{conv}.weight"] = torch.randn(shape, generator=generator) * (2 / fan) ** 0.5
        for part in ("weight", "running_var"):
            state[f"{norm}.{part}"] = 0.5 + torch.rand(shape[0], generator=generator)
        for part in ("bias", "running_mean"):
            state[f"{norm}.{part}"] = 0.2 * torch.randn(shape[0], generator=generator)

    add("_conv_stem", "_bn0", 32, 3, 3, 3)
    widths = [32, 16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320]
    kernels = [3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 3]
    for block, kernel in enumerate(kernels):
        name, width = f"_blocks.{block}.", widths[block] * (6 if block else 1)
        if block:
            add(name + "_expand_conv", name + "_bn0", width, widths[block], 1, 1)
        add(name + "_depthwise_conv", name + "_bn1", width, 1, kernel, kernel)
        add(name + "_project_conv", name + "_bn2", widths[block + 1], width, 1, 1)
    return state


@pytest.mark.parametrize("size", [(64, 64), (65, 90), (33, 31)])
def test_features_are_those_of_the_unfolded_network(size):
    original, picture = published_state(0), pattern(*size)
    network = EfficientNetLite0()
    network.load_state_dict(convert_imagenet_weights(original))
    for ours, theirs in zip(network(picture), plain_lite0(original, picture), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3 * theirs.abs().max().item())


@pytest.mark.parametrize(("level", "name"), [(0, "C2"), (1, "C3")])
def test_shipped_features_up_to_stride_8_are_those_of_the_imagenet_weights(level, name):
    features = load_learned().backbone(pattern(72, 90))[level]
    expected = REFERENCE[name]
    assert list(features.shape) == expected["shape"]
    middle = features[0, :, features.shape[2] // 2, features.shape[3] // 2]
    # half precision keeps 11 bits, and a dozen layers add their rounding
    torch.testing.assert_close(middle, torch.tensor(expected["middle"]), rtol=0.01, atol=0.15)
    assert features.mean().item() == pytest.approx(expected["mean"], abs=0.05)
    assert features.std().item() == pytest.approx(expected["std"], rel=0.005)


@settings(max_examples=8)
@given(st.integers(1, 70), st.integers(1, 70))
def test_every_grid_is_the_side_over_the_stride_rounded_up(height, width):
    features = NETWORK(torch.zeros(1, 3, height, width))
    for feature, channels, stride in zip(features, FEATURE_CHANNELS, (4, 8, 16, 32), strict=True):
        assert feature.shape == (1, channels, -(-height // stride), -(-width // stride))


NETWORK = EfficientNetLite0(seed=0)


def test_folding_one_channel_by_hand():
    one = torch.ones(1)
    weight, bias = fold_batch_norm(
        3 * torch.ones(1, 1, 1, 1), 2 * one, 5 * one, 4 * one, one - 0.001
    )
    assert weight.item() == pytest.approx(6)  # 3 * 2 / sqrt(1 - .001 + .001)
    assert bias.item() == pytest.approx(-3)  # 5 - 4 * 2


def test_stride_two_pads_the_odd_pixel_last():
    conv = SameConv(1, 1, 3, 2, bias=False)
    conv.weight.data = torch.arange(9.0).reshape(1, 1, 3, 3)
    # on 2 x 2 pixels of one, the kernel's left upper 2 x 2 lies on the picture: 0 + 1 + 3 + 4
    assert conv(torch.ones(1, 1, 2, 2)).item() == 8


def test_random_weights_come_from_the_seed_alone():
    again = EfficientNetLite0(seed=0)
    assert all(
        torch.equal(a, b) for a, b in zip(NETWORK.parameters(), again.parameters(), strict=True)
    )


def test_a_missing_block_is_named():
    state = published_state(0)
    del state["_blocks.3._bn1.bias"]
    with pytest.raises(ValueError, match=r"ImageNet weights must hold _blocks.3._bn1.bias"):
        convert_imagenet_weights(state)
