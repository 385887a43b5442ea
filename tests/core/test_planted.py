import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.anchor_generator import AnchorGenerator
from explorer.core.coder import decode_boxes
from explorer.core.matching import find_closest
from explorer.core.planted import draw_noise, full_deltas, plant_scores
from tests.devices import DEVICES
from tests.reference import plain_planted

EMPTY = torch.zeros(0, 4)
# IoU 1, 1/2, 1/3 and 0 with the object; the last only touches its border
OBJECT = torch.tensor([[0.0, 0, 20, 20]])
ANCHORS = torch.tensor([[0.0, 0, 20, 20], [0, 0, 20, 10], [10, 0, 30, 20], [20, 0, 40, 20]])


def random_boxes(count, seed):
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator) * 80
    return torch.cat([corner, corner + 1 + 60 * torch.rand(count, 2, generator=generator)], 1)


def parts(head):
    return head.logits, head.scores, head.deltas


def test_logits_rise_by_20_from_no_overlap_to_a_perfect_fit():
    head = plant_scores(ANCHORS, OBJECT, 0, 1, 0)
    assert head.logits.tolist() == pytest.approx([10, 0, -10 / 3, -10])
    assert head.scores.tolist() == pytest.approx([0.9999546, 0.5, 0.0344452, 4.54e-5], rel=1e-4)


def test_full_regression_turns_every_anchor_that_touches_into_the_object():
    head = plant_scores(ANCHORS, OBJECT, 0, 1, 0)
    decoded = decode_boxes(ANCHORS, head.deltas)
    torch.testing.assert_close(decoded, torch.cat([OBJECT.expand(3, 4), ANCHORS[3:]]))


def test_no_regression_leaves_the_anchors_where_they_are():
    head = plant_scores(ANCHORS, OBJECT, 0, 0, 0)
    assert torch.equal(head.deltas, torch.zeros(4, 4))


def test_half_the_regression_goes_half_the_way():
    deltas = plant_scores(ANCHORS, OBJECT, 0, 0.5, 0).deltas
    torch.testing.assert_close(deltas, plant_scores(ANCHORS, OBJECT, 0, 1, 0).deltas / 2)
    assert deltas[2].tolist() == pytest.approx([-0.25, 0, 0, 0])


def test_an_anchor_goes_to_the_object_it_overlaps_most():
    objects = torch.tensor([[0.0, 0, 10, 20], [5, 0, 25, 20]])
    anchor = torch.tensor([[4.0, 0, 24, 20]])
    deltas = plant_scores(anchor, objects, 0, 1, 0).deltas
    torch.testing.assert_close(decode_boxes(anchor, deltas), objects[1:])


def test_the_coders_weights_come_out_again_when_decoded():
    weights = (10, 10, 5, 5)
    head = plant_scores(ANCHORS, OBJECT, 0, 1, 0, weights)
    decoded = decode_boxes(ANCHORS, head.deltas, weights)
    torch.testing.assert_close(decoded[:3], OBJECT.expand(3, 4))
    noisy = [plant_scores(ANCHORS, EMPTY, 1, 1, 3, each).deltas for each in (weights, (1,) * 4)]
    torch.testing.assert_close(noisy[0] / torch.tensor(weights), noisy[1])


@pytest.mark.parametrize("seed", range(4))
def test_planting_is_that_of_the_plain_loop(seed):
    anchors, objects = random_boxes(60, seed), random_boxes(5, 100 + seed)
    head = plant_scores(anchors, objects, 0, 0.7, seed)
    logits, deltas = plain_planted(anchors.tolist(), objects.tolist(), 0.7)
    torch.testing.assert_close(head.logits, torch.tensor(logits), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(head.deltas, torch.tensor(deltas), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("weights", [(1, 1, 1, 1), (10, 10, 5, 5)])
def test_what_is_known_beforehand_changes_nothing(weights):
    anchors, objects = random_boxes(60, 0), random_boxes(5, 100)
    known = {
        "closest": find_closest(anchors, objects),
        "drawn": draw_noise(60, 3),
        "full": full_deltas(anchors, objects, weights),
    }
    made = plant_scores(anchors, objects, 0.6, 0.7, 3, weights)
    again = plant_scores(anchors, objects, 0.6, 0.7, 3, weights, **known)
    for one, other in zip(parts(made), parts(again), strict=True):
        assert torch.equal(one, other)


def test_noise_has_the_spread_it_names_and_is_small_on_deltas():
    anchors = random_boxes(20_000, 1)
    head = plant_scores(anchors, EMPTY, 2, 1, 0)
    assert head.logits.mean().item() == pytest.approx(-10, abs=0.06)
    assert head.logits.std().item() == pytest.approx(2, rel=0.03)
    assert head.deltas.std().item() == pytest.approx(0.04, rel=0.03)
    assert head.deltas.mean(dim=0).abs().max() < 0.002


def test_a_seed_gives_the_same_planting_and_another_seed_another():
    first, again, other = (plant_scores(ANCHORS, OBJECT, 1, 0.5, seed) for seed in (4, 4, 5))
    for one, two, three in zip(parts(first), parts(again), parts(other), strict=True):
        assert torch.equal(one, two)
        assert not torch.equal(one, three)


def test_more_noise_is_the_same_noise_scaled():
    silent, some, more = (plant_scores(ANCHORS, OBJECT, noise, 0.5, 0) for noise in (0, 1, 3))
    torch.testing.assert_close(more.logits - silent.logits, 3 * (some.logits - silent.logits))


def test_planting_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    plant_scores(ANCHORS, OBJECT, 1, 0.5, 0)
    assert torch.equal(before, torch.get_rng_state())


def test_without_objects_every_anchor_is_background():
    head = plant_scores(ANCHORS, EMPTY, 0, 1, 0)
    assert head.logits.tolist() == [-10] * 4
    assert torch.equal(head.deltas, torch.zeros(4, 4))


def test_without_anchors_nothing_is_planted():
    head = plant_scores(EMPTY, OBJECT, 1, 1, 0)
    assert [tuple(part.shape) for part in parts(head)] == [(0,), (0,), (0, 4)]


def test_an_object_of_no_size_counts_as_none():
    flat = torch.tensor([[5.0, 5, 5, 9], [float("nan"), 0, 10, 10]])
    head = plant_scores(ANCHORS, flat, 0, 1, 0)
    assert head.logits.tolist() == [-10] * 4
    assert torch.equal(head.deltas, torch.zeros(4, 4))


@pytest.mark.parametrize("device", DEVICES)
def test_every_device_plants_the_same(device):
    anchors, objects = random_boxes(200, 1), random_boxes(4, 2)
    expected = plant_scores(anchors, objects, 1, 0.7, 3)
    head = plant_scores(anchors.to(device), objects.to(device), 1, 0.7, 3)
    for one, two in zip(parts(expected), parts(head), strict=True):
        assert two.device.type == device
        torch.testing.assert_close(one, two.cpu())


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(0, 6), st.floats(0, 10), st.floats(0, 1))
def test_planted_numbers_are_finite_and_better_anchors_win_without_noise(seed, g, noise, strength):
    anchors, objects = random_boxes(30, seed), random_boxes(g, seed + 1)
    head = plant_scores(anchors, objects, noise, strength, seed)
    assert all(part.isfinite().all() for part in parts(head))
    assert torch.equal(head.scores, head.logits.sigmoid())
    silent = plant_scores(anchors, objects, 0, strength, seed)
    assert ((silent.logits >= -10) & (silent.logits <= 10.00001)).all()
    assert ((head.logits - silent.logits).abs() <= 8 * noise + 1e-4).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((ANCHORS, OBJECT, -1, 0.5, 0), "planted.noise must be finite and >= 0, got -1"),
        ((ANCHORS, OBJECT, float("nan"), 0.5, 0), "planted.noise must be .*, got nan"),
        ((ANCHORS, OBJECT, 1, 1.5, 0), r"planted.regression must be in \[0, 1\], got 1.5"),
        ((ANCHORS, OBJECT, 1, float("nan"), 0), r"planted.regression must be .*, got nan"),
        ((ANCHORS[0], OBJECT, 1, 1, 0), r"anchors must have shape \(N, 4\), got \(4,\)"),
        ((ANCHORS, OBJECT[0], 1, 1, 0), r"ground_truth must have shape \(N, 4\), got \(4,\)"),
    ],
)
def test_wrong_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        plant_scores(*arguments)


@pytest.fixture
def one_thread():
    """Threads that wait for each other on a busy machine count as work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_the_default_view_is_planted_in_a_tenth_of_a_second():
    maps = [torch.zeros(1, 1, side, side) for side in (200, 100, 50, 25, 13)]
    anchors = AnchorGenerator()(maps, (800, 800))
    assert anchors.shape == (159_882, 4)
    objects = 8 * random_boxes(20, 0)
    times = []
    for _ in range(8):
        start = time.process_time()
        plant_scores(anchors, objects, 1, 0.7, 0)
        times.append(time.process_time() - start)
    assert min(times) < 0.1
