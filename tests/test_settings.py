"""The settings' defaults, limits and rules."""

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from explorer.core.layout import level_shapes
from explorer.editing import changed, field_of, get, paths
from explorer.settings import MAX_ANCHORS, MAX_CANDIDATES, Anchors, Match, Settings
from tests.any_settings import any_settings, bad, good


def refusal(values):
    """The sentence that refuses some changes of the defaults."""
    with pytest.raises(ValueError, match="must") as refused:
        changed(Settings(), values)
    return str(refused.value)


def test_the_defaults_are_the_course_notebooks():
    defaults = Settings()
    assert defaults.image.side == 800
    assert defaults.anchors.strides == (4, 8, 16, 32, 64)
    assert defaults.anchors.sizes == ((32,), (64,), (128,), (256,), (512,))
    assert defaults.anchors.ratios == (0.5, 1, 2)
    assert defaults.anchors.ratio == "w/h"
    assert defaults.anchors.offset == 0.5
    assert (defaults.filter.order, defaults.filter.pre_nms) == ("decode first", 2000)
    assert (defaults.filter.min_size, defaults.filter.top_n_by_level) == (16, False)
    assert (defaults.nms.iou_threshold, defaults.nms.post_nms) == (0.7, 1000)
    assert (defaults.match.high, defaults.match.low) == (0.7, 0.3)
    assert (defaults.match.batch_size, defaults.match.positive_fraction) == (256, 0.5)


def test_settings_are_values():
    assert Settings() == Settings()
    assert hash(Settings()) == hash(Settings())
    with pytest.raises(ValidationError):
        Settings().nms.iou_threshold = 0.5


def beside(path, value):
    """What must go with a value: settings that are possible only together."""
    if path == "anchors.strides":
        return {"image.side": 64, "anchors.sizes": ((64,),) * len(value)}
    if path in ("anchors.sizes", "anchors.pairs"):
        return {"anchors.strides": (64,) * len(value or "five ")}
    beside_it = {
        "match.low": {"match.high": 1},
        "match.high": {"match.low": 0},
        "scene.smallest": {"scene.largest": 560},
        "scene.largest": {"scene.smallest": 8},
    }
    return beside_it.get(path, {})


@pytest.mark.parametrize("path", paths())
@settings(max_examples=10)
@given(data=st.data())
def test_a_setting_takes_every_value_of_its_range(path, data):
    value = data.draw(good(path))
    found = get(changed(Settings(), beside(path, value) | {path: value}), path)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("path", paths())
@settings(max_examples=15)
@given(data=st.data())
def test_what_a_setting_cannot_be_is_refused_by_name_rule_and_value(path, data):
    sentence = refusal({path: data.draw(bad(path))})
    shape = re.escape(path) + r"(\[\d+\])* must (be|have) \S[^\n]+, got [^\n]{1,60}"
    assert re.fullmatch(shape, sentence), sentence


@pytest.mark.parametrize("path", paths())
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_are_refused_by_name(path, value):
    nested = field_of(path).json_schema_extra["nested"]
    for _ in range(nested):
        value = (value,)
    assert refusal({path: value}).startswith(path)


@settings(max_examples=60)
@given(any_settings())
def test_valid_settings_stay_within_what_a_server_holds(made):
    cells = [math.ceil(made.image.side / stride) ** 2 for stride in made.anchors.strides]
    levels = [a * b for a, b in zip(cells, made.anchors.per_cell, strict=True)]
    assert sum(levels) <= MAX_ANCHORS
    if made.filter.top_n_by_level:
        assert sum(min(level, made.filter.pre_nms) for level in levels) <= MAX_CANDIDATES
    assert made.filter.pre_nms <= MAX_CANDIDATES
    assert made.match.low <= made.match.high


def test_the_anchor_limit_itself_is_allowed_and_one_more_is_not():
    # 500 x 500 cells of stride 4 at 2000 px, eight shapes each: exactly two million
    fits = {"image.side": 2000, "anchors.strides": (4,), "anchors.sizes": (tuple(range(8, 16)),)}
    at_limit = changed(Settings(), fits | {"anchors.ratios": (1,)})
    assert at_limit.anchors.per_cell == (8,)
    sentence = refusal(fits | {"anchors.ratios": (1,), "image.side": 2002})
    assert sentence.startswith("image.side and anchors together must give at most 2,000,000")
    assert "got 2,008,008" in sentence


def test_the_cell_limit_itself_is_allowed_and_one_more_is_not():
    # 632 x 632 cells of stride 3 at 1896 px are 399,424; 633 x 633 are 400,689
    fits = {"image.side": 1896, "anchors.strides": (3,), "anchors.sizes": ((8,),)}
    assert changed(Settings(), fits)
    sentence = refusal(fits | {"image.side": 1897})
    assert sentence.startswith("image.side and anchors.strides must give at most 400,000 cells")
    assert "got 400,689" in sentence


def test_the_candidate_limit_counts_levels_that_are_smaller_than_top_n():
    # 10,000 + 2,500 x 3 anchors on two levels at 800 px: the second has only 7,500
    levels = {"anchors.strides": (8, 16), "anchors.sizes": ((64,), (128,))}
    by_level = levels | {"filter.top_n_by_level": True}
    assert changed(Settings(), by_level | {"filter.pre_nms": 6000})
    sentence = refusal(by_level | {"filter.pre_nms": 6001})
    assert sentence == (
        "filter.pre_nms must give at most 12,000 candidates over all levels where "
        "filter.top_n_by_level is on, got 12,002"
    )
    small = by_level | {"anchors.strides": (64, 128), "filter.pre_nms": 12_000}
    assert changed(Settings(), small)  # 507 + 147 anchors in all


def test_low_may_equal_high_but_not_pass_it():
    assert Match(low=0.7, high=0.7)
    assert refusal({"match.low": 0.71}) == "match.low must be at most match.high (0.7), got 0.71"
    assert refusal({"match.high": 0.2}) == "match.low must be at most match.high (0.2), got 0.3"


def test_levels_need_one_entry_each():
    expected = "anchors.sizes must have as many entries as anchors.strides (2), got 5"
    assert refusal({"anchors.strides": (8, 16)}) == expected
    expected = "anchors.pairs must have as many entries as anchors.strides (5), got 1"
    assert refusal({"anchors.pairs": (((8, 8),),)}) == expected


def test_explicit_shapes_stand_in_place_of_sizes_and_ratios():
    anchors = Anchors(strides=(8, 16), pairs=(((8, 4), (4, 8)), ((16, 16),)))
    assert anchors.per_cell == (2, 1)  # whatever sizes and ratios say
    assert [shape.tolist() for shape in level_shapes(anchors)][1] == [[-8, -8, 8, 8]]


@pytest.mark.parametrize(
    ("strides", "names"),
    [
        ((8, 16, 32), ("P3", "P4", "P5")),
        ((16,), ("P4",)),
        ((8, 16, 16), ("P3", "P4", "P5")),
        ((8, 12), ("P3", "P4")),
        ((512, 2), ("P9", "P10")),
    ],
)
def test_levels_are_named_by_place_from_the_first_stride(strides, names):
    anchors = Anchors(strides=strides, sizes=((32,),) * len(strides))
    assert anchors.level_names == names


@settings(max_examples=100)
@given(
    st.lists(st.floats(1, 40), min_size=1, max_size=3),
    st.lists(st.floats(0.05, 20), min_size=1, max_size=3),
    st.sampled_from(["none", "corners", "base16"]),
    st.sampled_from(["w/h", "h/w"]),
)
def test_valid_anchors_keep_an_area_whatever_the_rounding(sizes, ratios, rounding, ratio):
    chosen = {"sizes": (tuple(sizes),), "ratios": tuple(ratios), "strides": (16,)}
    try:
        anchors = Anchors(**chosen, rounding=rounding, ratio=ratio)
    except ValidationError:
        assert rounding == "corners"
        return
    (shape,) = level_shapes(anchors)  # raises where an anchor has no area
    assert (shape[:, 2:] > shape[:, :2]).all()


def test_corners_that_would_round_to_nothing_are_refused():
    assert Anchors(sizes=((1.1,),) * 5, ratios=(1,), rounding="corners")
    sentence = refusal(
        {
            "anchors.sizes": ((2,),) * 5,
            "anchors.ratios": (0.25, 1),
            "anchors.rounding": "corners",
        }
    )
    assert sentence == (
        "anchors.sizes must give sides of more than 1 px where anchors.rounding is corners, "
        "got 1 px from size 2 at ratio 0.25"
    )


def test_a_default_is_of_the_type_that_a_given_value_gets():
    given = Settings.model_validate(Settings().model_dump())
    for path in paths():
        assert repr(get(Settings(), path)) == repr(get(given, path)), path
