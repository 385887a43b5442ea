import math

import pytest

from explorer.core.evaluation import average_recall, find_hits
from explorer.core.memo import Memo
from explorer.core.pipeline import run
from explorer.core.report import COUNTS
from explorer.editing import changed
from explorer.settings import Settings

SMALL = {"image.picture": "coffee", "image.side": 256, "scores.source": "planted"}


@pytest.fixture(scope="module")
def memo():
    return Memo(max_bytes=10**8)


def report(memo, **changes):
    settings = changed(Settings(), SMALL | {k.replace("__", "."): v for k, v in changes.items()})
    return (
        run("recall", settings, memo),
        run("proposals", settings, memo),
        run("truth", settings, memo),
    )


def test_the_numbers_are_those_of_the_evaluation(memo):
    found, proposals, truth = report(memo)
    expected = average_recall(find_hits(proposals.boxes, truth.boxes), (10, 100, 1000))
    assert found.average == pytest.approx(expected.tolist())
    hits = (found.hits.found_by >= 0).double().mean()
    assert found.curve[-1] == pytest.approx(float(hits))
    assert (found.curve[1:] >= found.curve[:-1]).all()
    assert len(found.curve) == len(COUNTS)


def test_perfect_planted_scores_find_every_object_that_an_anchor_reaches(memo):
    found, _, _ = report(memo, planted__noise=0.0, planted__regression=1.0)
    assert found.curve[-1] == 1
    assert found.misses == ()


def test_a_miss_has_a_reason_and_a_hit_has_none(memo):
    found, _, truth = report(memo, recall__iou=0.95, planted__regression=0.0)
    missed = [number for number, rank in enumerate(found.hits.found_by.tolist()) if rank < 0]
    assert [miss.object for miss in found.misses] == missed
    assert missed
    assert all(miss.sentence for miss in found.misses)
    assert len(found.best_anchor) == len(truth.boxes)
    assert found.ceiling == float((found.best_anchor >= 0.95).double().mean())


def test_a_picture_without_objects_has_no_rates(memo):
    empty = "boxes:" + "1" * 64
    settings = changed(Settings(), SMALL | {"truth.boxes": empty})
    found = run("recall", settings, memo, uploads={empty: b""})
    assert math.isnan(found.ceiling)
    assert all(math.isnan(value) for value in found.average)
    assert found.misses == ()
