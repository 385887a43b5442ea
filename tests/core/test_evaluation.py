import contextlib
import io
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from explorer.core.evaluation import (
    COCO_THRESHOLDS,
    SIZES,
    average_recall,
    bootstrap_interval,
    find_hits,
    find_hits_by_size,
    recall_at,
)
from tests.reference import plain_hits


def boxes(*rows):
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, 4)


def random_picture(seed, proposals=60, truths=7, spread=120.0):
    """Objects, and proposals scattered around them."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(truths, 2, generator=generator) * spread
    objects = torch.cat([corner, corner + 8 + 150 * torch.rand(truths, 2, generator=generator)], 1)
    owner = torch.randint(truths, (proposals,), generator=generator)
    noise = torch.randn(proposals, 4, generator=generator) * 8
    moved = objects[owner] + noise
    return torch.cat([torch.minimum(moved[:, :2], moved[:, 2:] - 1), moved[:, 2:]], 1), objects


def coco_recall(pictures, counts):
    """(thresholds, areas, counts) recall as pycocotools computes it, all in one class."""
    to_xywh = lambda b: [float(b[0]), float(b[1]), float(b[2] - b[0]), float(b[3] - b[1])]  # noqa: E731
    annotations, detections = [], []
    for image, (proposals, truths) in enumerate(pictures, start=1):
        for box in truths.double():
            x, y, w, h = to_xywh(box)
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image, "category_id": 1, "iscrowd": 0,
                 "bbox": [x, y, w, h], "area": w * h}
            )  # fmt: skip
        for rank, box in enumerate(proposals.double()):
            detections.append(
                {
                    "image_id": image,
                    "category_id": 1,
                    "bbox": to_xywh(box),
                    "score": 1 - rank * 1e-4,
                }
            )
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "info": {},
            "images": [{"id": i + 1} for i in range(len(pictures))],
            "categories": [{"id": 1}],
            "annotations": annotations,
        }
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(detections), "bbox")
        run.params.useCats, run.params.maxDets = 0, list(counts)
        run.evaluate()
        run.accumulate()
    return run.eval["recall"][:, 0]


def test_a_proposal_finds_one_object_at_most():
    truths = boxes([0, 0, 10, 10], [0, 0, 10, 11])
    assert find_hits(boxes([0, 0, 10, 10]), truths, [0.5]).tolist() == [[0, -1]]


def test_the_first_proposal_that_overlaps_enough_finds_the_object():
    proposals = boxes([50, 50, 60, 60], [0, 0, 10, 6], [0, 0, 10, 10])
    truths = boxes([0, 0, 10, 10])
    assert find_hits(proposals, truths, [0.5, 0.7]).tolist() == [[1], [2]]


def test_a_proposal_takes_the_object_it_overlaps_most_and_leaves_the_other_to_the_next():
    truths = boxes([0, 0, 10, 10], [2, 0, 12, 10])
    proposals = boxes([1.5, 0, 11.5, 10], [1, 0, 11, 10])
    assert find_hits(proposals, truths, [0.5]).tolist() == [[1, 0]]


def test_an_iou_exactly_on_the_threshold_counts():
    proposals, truths = boxes([0, 0, 10, 5]), boxes([0, 0, 10, 10])
    assert find_hits(proposals, truths, [0.5]).tolist() == [[0]]
    assert find_hits(proposals, truths, [0.5000001]).tolist() == [[-1]]


def test_identical_boxes_count_at_threshold_one():
    box = boxes([0.1, 0.2, 10.7, 33.3])
    assert find_hits(box, box, [1.0]).tolist() == [[0]]


def test_nothing_finds_nothing():
    some = boxes([0, 0, 1, 1])
    assert find_hits(boxes(), some, [0.5]).tolist() == [[-1]]
    assert find_hits(some, boxes(), [0.5]).shape == (1, 0)
    assert torch.isnan(recall_at(find_hits(some, boxes()), (10,))).all()


def test_boxes_without_area_and_nan_find_nothing():
    nan = float("nan")
    proposals = boxes([5, 5, 5, 5], [nan, 0, 10, 10], [0, 0, 10, 10])
    assert find_hits(proposals, boxes([0, 0, 10, 10], [5, 5, 5, 5]), [0.5]).tolist() == [[2, -1]]


def test_recall_counts_the_first_proposals_only():
    hits = torch.tensor([[0, 9, 10, -1]])
    assert recall_at(hits, (1, 10, 11, 1000)).tolist() == [[0.25, 0.5, 0.75, 0.75]]


@pytest.mark.parametrize("seed", range(6))
def test_hits_are_those_of_the_plain_loop(seed):
    proposals, truths = random_picture(seed)
    for threshold in (0.3, 0.5, 0.75):
        expected = plain_hits(proposals.tolist(), truths.tolist(), threshold)
        assert find_hits(proposals, truths, [threshold])[0].tolist() == expected


def test_average_recall_is_that_of_pycocotools():
    pictures = [random_picture(seed, 40 + seed, 3 + seed % 9) for seed in range(12)]
    expected = coco_recall(pictures, (1, 10, 100))[:, 0]  # all areas
    hits = torch.cat([find_hits(*picture) for picture in pictures], dim=1)
    np.testing.assert_allclose(recall_at(hits, (1, 10, 100)), expected, atol=1e-12)
    np.testing.assert_allclose(average_recall(hits, (1, 10, 100)), expected.mean(0), atol=1e-12)


def test_recall_by_size_is_that_of_pycocotools():
    pictures = [random_picture(seed, 50, 8) for seed in range(20, 32)]
    expected = coco_recall(pictures, (10, 100))
    for area, name in enumerate(SIZES, start=1):  # pycocotools' first area is all
        groups = [find_hits_by_size(*picture)[name] for picture in pictures]
        found = recall_at(torch.cat(groups, dim=1), (10, 100))
        np.testing.assert_allclose(found, expected[:, area], atol=1e-12)


def test_an_object_on_the_border_of_two_sizes_belongs_to_both():
    groups = find_hits_by_size(boxes(), boxes([0, 0, 32, 32], [0, 0, 96, 96]))
    assert [groups[name].shape[1] for name in SIZES] == [1, 2, 1]


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.05, 0.95))
def test_no_proposal_finds_two_objects_and_recall_grows_with_proposals(seed, threshold):
    proposals, truths = random_picture(seed, 25, 6, spread=20)
    loose, strict = find_hits(proposals, truths, [threshold, min(1, threshold + 0.05)])
    found = loose[loose >= 0].tolist()
    assert len(set(found)) == len(found)
    # greedy matches are maximal, so never fewer than half of the most that there could be
    assert (strict >= 0).sum() <= 2 * (loose >= 0).sum()
    assert recall_at(loose[None], range(26)).diff().ge(0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(3), boxes()), r"evaluation.proposals must be \(N, 4\), got \(3,\)"),
        ((boxes(), torch.zeros(2, 5)), r"evaluation.truths must be \(N, 4\), got \(2, 5\)"),
        ((boxes(), boxes(), [1.5]), r"evaluation.iou_threshold must be in \(0, 1\], got 1.5"),
    ],
)
def test_wrong_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        find_hits(*arguments)


def test_a_thousand_proposals_and_twenty_objects_take_two_milliseconds():
    proposals, truths = random_picture(5, 1000, 20, spread=600)
    times = []
    for _ in range(30):
        start = time.process_time()
        find_hits(proposals, truths, COCO_THRESHOLDS)
        times.append(time.process_time() - start)
    assert min(times) < 2e-3


def test_the_bootstrap_interval_holds_the_recall_and_repeats():
    found, objects = torch.tensor([1, 2, 3, 0, 2]), torch.tensor([2, 2, 4, 3, 2])
    first = bootstrap_interval(found, objects, torch.Generator().manual_seed(1))
    again = bootstrap_interval(found, objects, torch.Generator().manual_seed(1))
    assert first == again
    assert 0 < first[0] < 8 / 13 < first[1] < 1


def test_the_bootstrap_of_equal_pictures_has_no_width():
    one = torch.ones(5)
    assert bootstrap_interval(one, 2 * one, torch.Generator().manual_seed(0)) == (0.5, 0.5)


def test_the_bootstrap_of_nothing_is_nan():
    low, high = bootstrap_interval(torch.zeros(0), torch.zeros(0), torch.Generator())
    assert np.isnan(low)
    assert np.isnan(high)
