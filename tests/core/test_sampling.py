import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.sampling import sample_anchors
from tests.devices import DEVICES


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def labels_of(positives, negatives, ignored):
    labels = torch.tensor([1] * positives + [0] * negatives + [-1] * ignored, dtype=torch.int8)
    return labels[torch.randperm(len(labels), generator=generator())]


def counts(*arguments):
    positives, negatives = sample_anchors(*arguments, generator())
    return len(positives), len(negatives)


def test_everything_is_drawn_where_it_fits():
    labels = torch.tensor([1, 0, -1, 0, 1], dtype=torch.int8)
    positives, negatives = sample_anchors(labels, 4, 0.5, generator())
    assert positives.tolist() == [0, 4]
    assert negatives.tolist() == [1, 3]
    assert positives.dtype == negatives.dtype == torch.int64


def test_positives_stop_exactly_at_their_share():
    assert counts(labels_of(128, 1000, 50), 256, 0.5) == (128, 128)
    assert counts(labels_of(129, 1000, 50), 256, 0.5) == (128, 128)
    assert counts(labels_of(127, 1000, 50), 256, 0.5) == (127, 129)


def test_the_share_of_positives_is_rounded_down():
    assert counts(labels_of(9, 9, 0), 5, 0.5) == (2, 3)


def test_negatives_fill_up_and_positives_never_fill_in_for_them():
    assert counts(labels_of(3, 1000, 0), 256, 0.5) == (3, 253)
    assert counts(labels_of(1000, 3, 0), 256, 0.5) == (128, 3)


@pytest.mark.parametrize(
    ("labels", "batch_size", "expected"),
    [
        (torch.empty(0, dtype=torch.int8), 256, (0, 0)),
        (labels_of(5, 5, 0), 0, (0, 0)),
        (labels_of(0, 300, 0), 256, (0, 256)),
        (labels_of(0, 0, 7), 256, (0, 0)),
    ],
)
def test_what_is_not_there_is_not_drawn(labels, batch_size, expected):
    assert counts(labels, batch_size, 0.5) == expected


@pytest.mark.parametrize(("fraction", "expected"), [(0.0, (0, 20)), (1.0, (20, 0))])
def test_the_fraction_may_be_nothing_or_all(fraction, expected):
    assert counts(labels_of(50, 50, 0), 20, fraction) == expected


def test_the_same_seed_draws_the_same_and_another_does_not():
    labels = labels_of(400, 4000, 100)
    first, again, other = (sample_anchors(labels, 256, 0.5, generator(s)) for s in (7, 7, 8))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[1], other[1])


def test_every_anchor_is_drawn_about_equally_often():
    labels, source = labels_of(10, 20, 0), generator()
    times = torch.zeros(30)
    for _ in range(2000):
        for drawn in sample_anchors(labels, 10, 0.5, source):
            times[drawn] += 1
    assert (times[labels == 1] / 2000 - 5 / 10).abs().max() < 0.06  # 5 standard deviations
    assert (times[labels == 0] / 2000 - 5 / 20).abs().max() < 0.05


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([1, 0, -1]), max_size=40),
    st.integers(0, 30),
    st.floats(0, 1),
    st.integers(0, 1000),
)
def test_a_draw_is_distinct_ascending_rightly_labelled_and_as_large_as_allowed(
    labels, batch_size, fraction, seed
):
    drawn = sample_anchors(
        torch.tensor(labels, dtype=torch.int8), batch_size, fraction, generator(seed)
    )
    for indices, label in zip(drawn, (1, 0), strict=True):
        assert indices.tolist() == sorted(set(indices.tolist()))
        assert all(labels[i] == label for i in indices)
    positives, negatives = map(len, drawn)
    assert positives == min(labels.count(1), int(batch_size * fraction))
    assert negatives == min(labels.count(0), batch_size - positives)


@pytest.mark.parametrize("device", DEVICES)
def test_labels_on_any_device_are_drawn_with_a_generator_of_the_host(device):
    labels = labels_of(400, 4000, 100)
    there = sample_anchors(labels.to(device), 256, 0.5, generator(3))
    here = sample_anchors(labels, 256, 0.5, generator(3))
    assert all(torch.equal(a.cpu(), b) for a, b in zip(there, here, strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(2, 2), 4, 0.5), r"labels must have shape \(N,\), got \(2, 2\)"),
        ((torch.zeros(2), -1, 0.5), "sample_anchors.batch_size must be >= 0, got -1"),
        ((torch.zeros(2), 4, 1.5), r"positive_fraction must be in \[0, 1\], got 1.5"),
        ((torch.zeros(2), 4, float("nan")), r"positive_fraction must be in \[0, 1\], got nan"),
    ],
)
def test_a_bad_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        sample_anchors(*arguments, generator())
