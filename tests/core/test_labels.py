"""What matching made of each anchor, and the positives' targets."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.coder import decode_boxes
from explorer.core.labels import Kind, anchor_kinds, encode_targets, positive_anchors
from explorer.core.layout import AnchorSet
from explorer.core.matching import match_anchors, match_boxes

# A clear match, one ignored, one of the first object at the rule's mercy, one of the second, none.
TABLE = torch.tensor([[0.8, 0.0], [0.5, 0.1], [0.4, 0.35], [0.0, 0.35], [0.0, 0.0]])


def test_kinds_by_hand():
    kinds = anchor_kinds(match_anchors(TABLE, 0.7, 0.3, "all"))
    assert kinds.tolist() == [
        Kind.POSITIVE,
        Kind.IGNORED,
        Kind.LOW_QUALITY,
        Kind.LOW_QUALITY,
        Kind.NEGATIVE,
    ]
    kinds = anchor_kinds(match_anchors(TABLE, 0.7, 0.3, "none"))
    assert kinds.tolist() == [
        Kind.POSITIVE,
        Kind.IGNORED,
        Kind.IGNORED,
        Kind.IGNORED,
        Kind.NEGATIVE,
    ]


def test_an_iou_on_a_threshold_reaches_it():
    kinds = anchor_kinds(match_anchors(torch.tensor([[0.7], [0.3]]), 0.7, 0.3, "none"))
    assert kinds.tolist() == [Kind.POSITIVE, Kind.IGNORED]


def test_no_anchors_and_no_objects_have_kinds():
    assert anchor_kinds(match_anchors(torch.zeros(0, 2), 0.7, 0.3, "first")).tolist() == []
    assert anchor_kinds(match_anchors(torch.zeros(3, 0), 0.7, 0.3, "first")).tolist() == [0, 0, 0]


@settings(max_examples=50)
@given(
    st.lists(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=2), min_size=1, max_size=12),
    st.sampled_from(["first", "all", "none"]),
)
def test_kinds_say_what_labels_and_flags_say(rows, rule):
    matches = match_anchors(torch.tensor(rows), 0.6, 0.3, rule)
    for kind, label, low in zip(
        anchor_kinds(matches).tolist(),
        matches.labels.tolist(),
        matches.low_quality.tolist(),
        strict=True,
    ):
        expected = {
            1: Kind.LOW_QUALITY if low else Kind.POSITIVE,
            0: Kind.NEGATIVE,
            -1: Kind.IGNORED,
        }
        assert kind == expected[label]


def test_positives_come_best_first_and_equals_by_number():
    table = torch.tensor([[0.8, 0.0], [0.0, 0.9], [0.9, 0.0], [0.9, 0.1], [0.2, 0.2]])
    matches = match_anchors(table, 0.7, 0.3, "none")
    assert positive_anchors(matches).tolist() == [1, 2, 3, 0]
    assert positive_anchors(matches, 0).tolist() == [2, 3, 0]
    assert positive_anchors(matches, 1).tolist() == [1]


def test_an_object_may_have_no_positive():
    matches = match_anchors(TABLE, 0.7, 0.3, "none")
    assert positive_anchors(matches, 1).tolist() == []
    assert positive_anchors(match_anchors(torch.zeros(0, 1), 0.7, 0.3, "none")).tolist() == []


ANCHORS = torch.tensor([[0, 0, 10, 20], [100, 100, 140, 120], [0, 0, 12, 20.0]])
OBJECTS = torch.tensor([[101, 100, 141, 121], [0, 0, 10, 20.0]])


def encoded(positive, weights=(1, 1, 1, 1)):
    matches = match_boxes(ANCHORS, OBJECTS, 0.5, 0.3, "none")
    return encode_targets(AnchorSet(ANCHORS, ()), OBJECTS, matches, np.array(positive), weights)


def test_targets_by_hand():
    # anchor 1's centre moves from (120, 110) to (121, 110.5); its height grows from 20 to 21
    expected = [[1 / 40, 0.5 / 20, 0, np.log(21 / 20)], [0, 0, 0, 0]]
    np.testing.assert_allclose(encoded([1, 0]), expected, atol=1e-6)
    expected = [[10 / 40, 5 / 20, 0, 5 * np.log(21 / 20)]]
    np.testing.assert_allclose(encoded([1], (10, 10, 5, 5)), expected, atol=1e-6)


def test_targets_decode_to_the_objects():
    positive, weights = [2, 1], (10, 10, 5, 5)
    boxes = decode_boxes(ANCHORS[positive], torch.from_numpy(encoded(positive, weights)), weights)
    np.testing.assert_allclose(boxes, OBJECTS[[1, 0]], atol=1e-4)


def test_no_positives_have_no_targets():
    targets = encoded([])
    assert targets.shape == (0, 4)
    assert targets.dtype == np.float32


def test_bad_weights_are_refused():
    with pytest.raises(ValueError, match="weights must be four numbers above 0"):
        encoded([0], (1, 1, 0, 1))
