"""The NMS page: the loop, its words, all thresholds and soft NMS, through AppTest."""

from __future__ import annotations

import json

import numpy as np
import pytest

from explorer.core.memo import Memo
from explorer.core.nms_steps import steps_of
from explorer.core.pipeline import run
from explorer.core.soft_nms import soft_nms
from explorer.figures.nms import BACK
from tests.figures.reading import array, boxes_in
from tests.live.test_steps import read
from tests.pages.test_pages import errors, open_page, settings

PLANTED = {"scores.source": "planted", "image.picture": "coffee", "filter.pre_nms": "300"}


def opened(**query):
    app = open_page("nms.py", **PLANTED | {name: str(value) for name, value in query.items()})
    assert not app.exception
    assert errors(app) == []
    return app


def parts(app):
    """The loop's payload, and the figures: the curve, and three kinds of NMS."""
    loop, *figures = [each.proto.bytes for each in app.get("bidi_component")]
    return read(loop), [json.loads(figure) for figure in figures]


def stage(app, name):
    return run(name, settings(app), Memo(10**9))


def words(app) -> str:
    return "\n".join(text.value for text in app.markdown)


def test_the_loop_and_the_curve_are_those_of_the_core():
    app = opened(**{"nms.iou_threshold": 0.4, "nms.score_threshold": 0.3, "nms.post_nms": 10})
    (head, (_, _, eighths, decided_at, _)), (curve, *_) = parts(app)
    candidates, proposals = stage(app, "candidates"), stage(app, "proposals")
    np.testing.assert_allclose(eighths.reshape(-1, 4) / 8, candidates.boxes, atol=1 / 16)
    walked = steps_of(candidates, proposals)
    np.testing.assert_array_equal(decided_at, walked.decided_at)
    assert 0 < (decided_at == 0).sum() < 300  # some score too low to enter
    assert (head["last"], head["cap"]) == (proposals.survivors, 10)
    survivors = array(curve["data"][0]["y"])
    assert survivors[40] == curve["data"][2]["y"][1] == proposals.survivors
    inside = len(walked.winner) + len(walked.loser)
    assert survivors[100] <= inside
    assert f"Of these {inside:,} candidates it keeps {survivors[70]:,} at 0.7" in words(app)
    assert f"at 0.3 it keeps {survivors[30]:,}" in words(app)
    assert f"Yes: {inside:,} go in and {proposals.survivors:,} survive at 0.4" in words(app)


def test_the_three_columns_differ_and_are_those_of_the_core():
    app = opened(**{"nms.iou_threshold": 0.5, "steps.sigma": 0.3, "steps.floor": 0.01})
    _, (_, *columns) = parts(app)
    candidates = stage(app, "candidates")
    drawn = []
    for method, column in zip(("hard", "linear", "gaussian"), columns, strict=True):
        soft = soft_nms(candidates.boxes, candidates.scores, 0.5, 0.3, 0.01, method, most=50)
        rows = np.array(
            [[row[4], row[6]] for row in column["data"][0]["customdata"]], dtype=float
        ).reshape(-1, 2)
        assert rows[:, 0].tolist() == (soft.keep + 1).tolist()
        np.testing.assert_allclose(rows[:, 1], soft.scores, atol=1e-4)
        drawn.append(rows.tolist())
        vermilion = [
            shape for shape in column["layout"]["shapes"] if shape["line"]["color"] == BACK
        ]
        count = sum(len(boxes_in(shape["path"])) for shape in vermilion)
        assert f"Hard NMS suppresses **{count:,}** of them" in words(app) or method == "hard"
        assert (count > 0) == (method != "hard")
    assert drawn[0] != drawn[1] != drawn[2] != drawn[0]


def test_soft_nms_by_level_lets_levels_alone():
    app = opened(**{"filter.nms_by_level": 1, "nms.iou_threshold": 0.3})
    _, (_, _, linear, _) = parts(app)
    candidates, values = stage(app, "candidates"), (0.3, 0.5, 0.05, "linear")
    apart = soft_nms(candidates.boxes, candidates.scores, *values, candidates.level, 50)
    together = soft_nms(candidates.boxes, candidates.scores, *values, None, 50)
    assert apart.keep.tolist() != together.keep.tolist()
    assert [row[4] - 1 for row in linear["data"][0]["customdata"]] == apart.keep.tolist()


def test_no_candidates_are_a_page_without_complaints():
    app = opened(**{"filter.min_size": 512})
    (head, _), (curve, *columns) = parts(app)
    assert (head["count"], head["last"]) == (0, 0)
    assert set(array(curve["data"][0]["y"]).tolist()) == {0}
    assert all(column["layout"]["shapes"] == [] for column in columns)


def test_one_candidate_wins_alone():
    app = opened(**{"filter.pre_nms": 1})
    (head, (_, _, _, decided_at, _)), _ = parts(app)
    assert (head["count"], head["last"], decided_at.tolist()) == (1, 1, [1])
    assert "Not here: 1 go in and 1 survive" in words(app)


def test_a_step_past_the_end_is_kept_in_the_link_and_left_to_the_browser():
    app = opened(**{"steps.step": 9999})
    (head, _), _ = parts(app)
    assert head["step"] == 9999 > head["last"] > 0


def test_the_browser_takes_pythons_step_only_when_python_sets_it():
    app = opened(**{"steps.step": 4})
    (head, _), _ = parts(app)
    assert head["step"] == 4
    app.slider(key="nms.iou_threshold").set_value(0.5).run()
    (later, _), _ = parts(app)
    assert later["threshold"] == 0.5
    assert later["given"] == head["given"]
    app.query_params["steps.step"] = "2"  # a link that is pasted
    app.run()
    (linked, _), _ = parts(app)
    assert linked["step"] == 2
    assert linked["given"] > head["given"]


@pytest.mark.parametrize("kind", ["kept", "suppressed"])
def test_a_followed_box_is_marked_and_its_step_told(kind):
    app = opened()
    candidates, proposals = stage(app, "candidates"), stage(app, "proposals")
    walked = steps_of(candidates, proposals)
    rank = int(walked.winner[2] if kind == "kept" else walked.loser[-1])
    app = opened(**{"view.follow": int(candidates.anchor_index[rank])})
    (head, _), _ = parts(app)
    step = int(walked.decided_at[rank])
    assert head["follow"] == rank
    assert f"candidate #{rank + 1:,}, is decided at step {step:,}" in words(app)
    by = f"Suppressed by candidate #{walked.winner[step - 1] + 1:,}"
    assert (by in words(app)) == (kind == "suppressed")
    app.button(key="to_step").click().run()
    assert settings(app).steps.step == step
    assert parts(app)[0][0]["step"] == step
    assert app.query_params["steps.step"] == str(step)


def test_a_followed_box_that_reached_no_nms_is_told_so():
    app = opened(**{"filter.pre_nms": 5})
    candidates = stage(app, "candidates")
    outside = next(i for i in range(10) if i not in candidates.anchor_index)
    app = opened(**{"filter.pre_nms": 5, "view.follow": outside})
    assert parts(app)[0][0]["follow"] == -1
    assert "The followed box never enters the loop" in words(app)
    assert "Dropped" in words(app)
    assert not [button for button in app.button if button.key == "to_step"]


def test_a_followed_anchor_that_is_not_in_the_grid_breaks_nothing():
    app = opened(**{"view.follow": 1_999_999})
    assert parts(app)[0][0]["follow"] == -1
