import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from explorer.core.backbone import ResNet50
from explorer.core.fpn import FPN
from explorer.core.head import RPNHead, flatten_head_output
from explorer.core.images import Picture, normalise
from explorer.core.layout import lay_grid
from explorer.core.levels import fit_features, run_head
from explorer.core.network import compute_pyramid
from explorer.settings import Scores
from tests.devices import DEVICES

CPU = torch.device("cpu")
STRIDES = (4, 8, 16, 32, 64)


def photo(height=64, width=96, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Picture(pixels, (0, 0, width, height), (height, width))


def pyramid_of(picture=None, seed=0, progress=lambda share, text: None, device=CPU):
    return compute_pyramid(picture or photo(), Scores(seed=seed), device, progress)


def maps_of(features):
    """The map of every level."""
    maps, noise = [], features.noise
    for number in range(len(features.cells)):
        drawn, noise = features.draw(number, noise)
        maps.append(drawn)
    return maps


def same(a, b):
    return all(torch.equal(one, other) for one, other in zip(a, b, strict=True))


@pytest.fixture(scope="module")
def reports():
    """What the forward pass of the fixture `pyramid` reported."""
    return []


@pytest.fixture(scope="module")
def pyramid(reports):
    """P2 to P6 of the photo under seed 0, computed once."""
    return pyramid_of(progress=lambda share, text: reports.append((share, text)))


def grid_of(picture, strides, per_cell=None):
    return lay_grid(picture, strides, "fixed", per_cell or (3,) * len(strides))


# The pyramid


def test_the_pyramid_has_a_map_for_every_stride(pyramid):
    shapes = [tuple(level.shape) for level in pyramid]
    assert shapes == [(1, 256, math.ceil(64 / s), math.ceil(96 / s)) for s in STRIDES]
    assert all(level.isfinite().all() for level in pyramid)
    assert all(level.std() > 0 for level in pyramid)


def test_progress_grows_from_0_to_1_block_by_block(pyramid, reports):
    shares, texts = zip(*reports, strict=True)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert list(shares) == sorted(set(shares))
    assert [text for text in texts if "block" in text] == [
        f"ResNet-50, block {number} of 16" for number in range(1, 17)
    ]


@torch.inference_mode()
def test_the_same_seed_gives_the_networks_own_output_and_reports_change_nothing(pyramid):
    reporting = pyramid_of(progress=lambda share, text: torch.zeros(1))
    assert same(reporting, pyramid)
    plain = FPN(seed=torch.Generator().manual_seed(2**30))(
        ResNet50(seed=torch.Generator().manual_seed(0))(normalise(photo().pixels, CPU))
    )
    assert same(plain, pyramid)


def test_another_seed_and_another_picture_give_other_features(pyramid):
    assert not same(pyramid_of(seed=1), pyramid)
    assert not same(pyramid_of(photo(seed=1)), pyramid)


@pytest.mark.parametrize("size", [(1, 64), (64, 1), (67, 45)])
def test_pictures_of_any_shape_have_maps_that_fit_their_grid(size):
    picture = photo(*size)
    features = fit_features(pyramid_of(picture), grid_of(picture, STRIDES), Scores(), STRIDES, CPU)
    assert [level.shape[-2:] for level in maps_of(features)] == [
        (math.ceil(size[0] / s), math.ceil(size[1] / s)) for s in STRIDES
    ]
    assert features.resampled == (False,) * 5


def test_noise_looks_at_no_picture_and_reports_nothing():
    def progress(share, text):
        raise AssertionError("there is nothing to wait for")

    assert compute_pyramid(photo(), Scores(source="noise"), CPU, progress) is None


# Features on the grid


def test_the_pyramids_own_strides_are_taken_as_they_are(pyramid):
    features = fit_features(pyramid, grid_of(photo(), STRIDES), Scores(), STRIDES, CPU)
    assert all(one is other for one, other in zip(maps_of(features), pyramid, strict=True))
    assert features.resampled == (False,) * 5


def test_other_strides_are_resampled_from_the_nearest_level(pyramid):
    strides = (5, 6, 8, 11, 12, 23, 2, 512)  # 5.66 and 11.3 lie halfway, in the logarithm
    nearest = (0, 1, 1, 1, 2, 3, 0, 4)
    grid = grid_of(photo(), strides)
    features = fit_features(pyramid, grid, Scores(), strides, CPU)
    assert features.resampled == (True, True, False, True, True, True, True, True)
    for level, cells, source in zip(maps_of(features), grid.cells, nearest, strict=True):
        assert level.shape == (1, 256, *cells)
        expected = F.interpolate(pyramid[source], size=cells, mode="bilinear")
        assert torch.equal(level, expected)


def test_strides_in_any_order_and_twice(pyramid):
    strides = (64, 4, 4)
    features = fit_features(pyramid, grid_of(photo(), strides), Scores(), strides, CPU)
    assert [level.shape[-2:] for level in maps_of(features)] == [(1, 2), (16, 24), (16, 24)]
    assert features.resampled == (False,) * 3


def noise_of(seed, strides=STRIDES, device=CPU):
    return fit_features(None, grid_of(photo(), strides), Scores(seed=seed), strides, device)


def test_noise_is_drawn_for_every_cell_as_the_notebook_draws_it():
    features = noise_of(3, (5, 16))
    assert [tuple(level.shape) for level in maps_of(features)] == [(1, 256, 13, 20), (1, 256, 4, 6)]
    assert features.resampled == (False, False)
    drawn = torch.cat([level.flatten() for level in maps_of(features)])
    assert drawn.mean().abs() < 0.02
    assert drawn.std() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("other", [1, 2**30, 2**31 - 1])
def test_the_seed_decides_the_noise_and_no_two_seeds_give_the_same(other):
    assert same(maps_of(noise_of(0)), maps_of(noise_of(0)))
    assert not same(maps_of(noise_of(0)), maps_of(noise_of(other)))


def test_the_global_generator_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    run_head(noise_of(0), Scores(), (3,) * 5, CPU)
    assert torch.equal(torch.rand(1), expected)


# The head


def head_of(features, seed=0, per_cell=(3,) * 5):
    return run_head(features, Scores(seed=seed), per_cell, CPU)


def test_the_head_says_logits_scores_and_deltas_of_every_anchor():
    features = noise_of(0)
    grid = grid_of(photo(), STRIDES)
    head = head_of(features)
    assert head.logits.shape == head.scores.shape == (grid.starts[-1],)
    assert head.deltas.shape == (grid.starts[-1], 4)
    assert torch.equal(head.scores, head.logits.sigmoid())


@torch.inference_mode()
def test_the_output_is_in_the_order_of_the_anchors():
    features = noise_of(0, (16, 32))
    head = head_of(features, per_cell=(3, 3))
    network = RPNHead(256, 3, seed=torch.Generator().manual_seed(2 * 2**30))
    logits, deltas = network(maps_of(features))
    grid = grid_of(photo(), (16, 32))
    place = grid.place_of(np.arange(grid.starts[-1]))
    for number, (level, row, column, shape) in enumerate(
        zip(*(each.tolist() for each in place.values()), strict=True)
    ):
        assert head.logits[number] == logits[level][0, shape, row, column]
        of_cell = deltas[level][0, 4 * shape : 4 * shape + 4, row, column]
        assert torch.equal(head.deltas[number], of_cell)


def test_the_seed_decides_the_head():
    features = noise_of(0)
    assert torch.equal(head_of(features).logits, head_of(features).logits)
    assert not torch.equal(head_of(features, seed=1).logits, head_of(features).logits)
    assert not torch.equal(head_of(features, seed=2**30).logits, head_of(features).logits)


@torch.inference_mode()
def test_levels_of_different_numbers_of_anchors_share_the_3_x_3():
    features = noise_of(0, (16, 32, 64))
    mixed = run_head(features, Scores(), (1, 3, 1), CPU)
    assert mixed.logits.shape == (4 * 6 + 3 * 2 * 3 + 1 * 2,)
    seeds = [torch.Generator().manual_seed(2 * 2**30) for _ in range(2)]
    one, three = (RPNHead(256, k, seed) for k, seed in zip((1, 3), seeds, strict=True))
    assert torch.equal(one.conv.weight, three.conv.weight)
    (alone,), _ = three([maps_of(features)[1]])
    assert torch.allclose(mixed.logits[24:42], alone.permute(0, 2, 3, 1).flatten(), atol=1e-6)


# Trained networks


class Detector(nn.Module):
    """What a trained network looks like from outside, with few channels."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.head = RPNHead(3, 3, seed=0)

    def pyramid(self, image):
        return [self.scale * image[..., ::stride, ::stride] for stride in STRIDES]


@torch.inference_mode()
def test_a_trained_network_looks_at_the_picture_and_its_head_at_the_features():
    detector, shares = Detector(), []
    scores, trained = Scores(source="learned"), {"learned": detector}
    maps = compute_pyramid(photo(), scores, CPU, lambda share, text: shares.append(share), trained)
    assert same(maps, detector.pyramid(normalise(photo().pixels, CPU)))
    assert shares[-1] == 1
    assert shares == sorted(shares)
    features = fit_features(maps, grid_of(photo(), STRIDES), scores, STRIDES, CPU)
    head = run_head(features, scores, (3,) * 5, CPU, trained)
    logits, deltas = flatten_head_output(*detector.head(maps))
    assert torch.equal(head.logits, logits)
    assert torch.equal(head.deltas, deltas)


@pytest.mark.parametrize("source", ["learned", "coco"])
def test_a_trained_network_that_is_not_there_is_a_sentence(source):
    scores = Scores(source=source)
    sentence = f"scores.source {source} needs weights that this server does not have"
    with pytest.raises(ValueError, match=sentence):
        compute_pyramid(photo(), scores, CPU, lambda share, text: None)
    with pytest.raises(ValueError, match=sentence):
        run_head(noise_of(0), scores, (3,) * 5, CPU)


@pytest.mark.parametrize("device", ["meta", *DEVICES])
def test_a_trained_network_that_readers_share_stays_where_it_is(device):
    detector, device = Detector(), torch.device(device)
    scores, trained = Scores(source="learned"), {"learned": detector}
    maps = compute_pyramid(photo(), scores, device, lambda share, text: None, trained)
    features = fit_features(maps, grid_of(photo(), STRIDES), scores, STRIDES, device)
    head = run_head(features, scores, (3,) * 5, device, trained)
    assert {each.device.type for each in (*maps, head.logits)} == {device.type}
    assert {each.device.type for each in detector.parameters()} == {"cpu"}


@pytest.mark.parametrize("device", DEVICES)
def test_the_whole_network_stays_on_its_device(device):
    device = torch.device(device)
    picture = photo(32, 32)
    maps = pyramid_of(picture, device=device)
    grid = grid_of(picture, STRIDES)
    features = fit_features(maps, grid, Scores(), STRIDES, device)
    head = run_head(features, Scores(), grid.per_cell, device)
    noise = fit_features(None, grid, Scores(), STRIDES, device)
    tensors = [*maps, *maps_of(features), *maps_of(noise), head.logits, head.scores, head.deltas]
    assert {each.device.type for each in tensors} == {device.type}
