"""Settings by name, and the sentences that refuse a change."""

import math

import pytest
from hypothesis import given, settings

from explorer.editing import changed, field_of, get, limits, paths, shown
from explorer.settings import Settings
from tests.any_settings import any_settings


def test_every_setting_has_a_path_and_a_default():
    assert len(paths()) == len(set(paths())) > 40
    for path in paths():
        assert get(Settings(), path) == field_of(path).default


def test_a_change_leaves_the_rest_and_the_original_as_they_are():
    before = Settings()
    after = changed(before, {"nms.iou_threshold": 0.5, "view.blank": True})
    assert (after.nms.iou_threshold, after.view.blank) == (0.5, True)
    assert before == Settings()
    assert after.anchors == before.anchors
    assert changed(before, {}) == before


def test_settings_that_are_possible_only_together_change_together():
    values = {"anchors.strides": (8, 16), "anchors.sizes": ((64,), (128,))}
    assert changed(Settings(), values).anchors.level_names == ("P3", "P4")


def test_text_from_a_link_or_a_form_becomes_numbers():
    values = {
        "anchors.strides": ("8", "16"),
        "anchors.sizes": (("64",), ("128", "161.3")),
        "filter.keep_equal": "0",
    }
    made = changed(Settings(), values)
    assert made.anchors.strides == (8, 16)
    assert made.anchors.sizes == ((64,), (128, 161.3))
    assert made.filter.keep_equal is False


@settings(max_examples=50)
@given(any_settings())
def test_changing_every_setting_to_what_it_is_changes_nothing(made):
    assert changed(Settings(), {path: get(made, path) for path in paths()}) == made


@pytest.mark.parametrize(
    ("path", "bounds"),
    [
        ("nms.iou_threshold", (0, 1)),
        ("image.side", (64, 2048)),
        ("anchors.strides", (2, 512)),
        ("anchors.sizes", (1, 4096)),
        ("anchors.pairs", (1, 4096)),
        ("anchors.ratios", (0.05, 20)),
        ("codec.weights", (0.01, 100)),
        ("codec.max_log_scale", (0.1, 20)),
    ],
)
def test_limits_are_those_of_the_numbers_however_deep_they_lie(path, bounds):
    assert limits(path) == bounds


@pytest.mark.parametrize("path", ["image.fit", "filter.keep_equal", "image.picture"])
def test_what_holds_no_numbers_has_no_limits(path):
    with pytest.raises(KeyError):
        limits(path)


SENTENCES = [
    ("nms.iou_threshold", 1.7, "in [0, 1], got 1.7"),
    ("nms.iou_threshold", "1.7", "in [0, 1], got '1.7'"),
    ("nms.iou_threshold", -1e-9, "in [0, 1], got -1e-09"),
    ("nms.iou_threshold", math.nan, "a finite number, got nan"),
    ("nms.iou_threshold", "", "a number, got ''"),
    ("nms.iou_threshold", None, "a number, got None"),
    ("image.side", 2049, "in [64, 2,048], got 2049"),
    ("image.side", 800.5, "a whole number, got 800.5"),
    ("image.side", "large", "a whole number, got 'large'"),
    ("image.fit", "squash", "one of 'pad', 'crop', 'stretch' or 'keep', got 'squash'"),
    ("image.picture", "My photo.png", "a valid name, got 'My photo.png'"),
    ("image.picture", 3, "a text, got 3"),
    ("filter.keep_equal", "maybe", "on or off (1 or 0), got 'maybe'"),
    ("filter.keep_equal", None, "on or off (1 or 0), got None"),
    ("anchors.ratios", (), "a list of at least 1, got ()"),
    ("anchors.ratios", "1", "a list, got '1'"),
    ("anchors.strides", (4,) * 9, "a list of at most 8, got (4, 4, 4, 4, 4, 4, 4, 4, 4)"),
    ("codec.weights", (1, 1, 1), "a list of at least 4, got (1, 1, 1)"),
    ("codec.weights", (1,) * 5, "a list of at most 4, got (1, 1, 1, 1, 1)"),
    ("codec.max_log_scale", 0, "in [0.1, 20], got 0"),
]


@pytest.mark.parametrize(("path", "value", "rest"), SENTENCES)
def test_a_refusal_is_a_sentence(path, value, rest):
    with pytest.raises(ValueError, match="must be") as refused:
        changed(Settings(), {path: value})
    assert str(refused.value) == f"{path} must be {rest}"


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("anchors.strides", (4, 8, 16, 32, 1), "anchors.strides[4] must be in [2, 512], got 1"),
        ("anchors.sizes", ((32,), (0,)), "anchors.sizes[1][0] must be in [1, 4,096], got 0"),
        ("anchors.sizes", (32, 64), "anchors.sizes[0] must be a list, got 32"),
        ("anchors.pairs", (((8,),),), "anchors.pairs[0][0] must be a list of at least 2, got (8,)"),
        ("codec.weights", (1, 1, 0, 1), "codec.weights[2] must be in [0.01, 100], got 0"),
    ],
)
def test_a_refusal_names_the_place_in_a_list(path, value, sentence):
    with pytest.raises(ValueError, match="must be") as refused:
        changed(Settings(), {path: value})
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    "path", ["nms", "nms.", "", ".", "bogus.x", "nms.bogus", "nms.iou_threshold.x", "x" * 5000]
)
def test_an_unknown_setting_is_refused_by_name(path):
    with pytest.raises(ValueError, match="is not a setting") as refused:
        changed(Settings(), {path: 1})
    assert str(refused.value).startswith(repr(path)[:50])
    assert len(str(refused.value)) < 100


def test_a_number_past_counting_is_out_of_range_and_is_quoted_in_short():
    for value in ("9" * 5000, 10**400):
        for path in ("image.side", "scores.seed"):
            with pytest.raises(ValueError, match=rf"{path} must be in \[") as refused:
                changed(Settings(), {path: value})
            assert len(str(refused.value)) < 130
    with pytest.raises(ValueError, match=r"nms.iou_threshold must be in \[0, 1\], got 1000"):
        changed(Settings(), {"nms.iou_threshold": 10**400})


def test_long_values_are_quoted_in_short():
    assert shown("short") == "'short'"
    assert shown("x" * 100) == f"'{'x' * 56}..."
    assert len(shown(tuple(range(1000)))) == 60
