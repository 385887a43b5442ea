import pytest

from explorer.editing import changed
from explorer.export.lint import lint_call, lint_settings
from explorer.presets import PRESETS
from explorer.settings import Settings

RIGHT = "AnchorGenerator(sizes=((32,), (64,)), aspect_ratios=((0.5, 1.0, 2.0),) * 2)"


def test_the_default_anchors_have_no_finding():
    assert lint_settings(Settings()) == []


def test_objects_below_the_smallest_anchor_are_counted():
    objects = [[0, 0, 18, 9], [0, 0, 40, 40], [5, 5, 15, 25]]
    (finding,) = lint_settings(Settings(), objects)
    assert finding.startswith("2 objects are smaller than 0.7 of the smallest anchor's area")
    assert "1024 px²" in finding


def test_an_object_of_exactly_that_area_is_not_too_small():
    side = (1024 * 0.7) ** 0.5
    assert lint_settings(Settings(), [[0, 0, side * 1.0001, side]]) == []
    assert len(lint_settings(Settings(), [[0, 0, side * 0.9999, side]])) == 1


def test_anchors_smaller_than_their_stride_are_named():
    small = changed(Settings(), {"anchors.sizes": ((32,), (64,), (128,), (256,), (20,))})
    (finding,) = lint_settings(small)
    assert finding.startswith("P6: every anchor is smaller than the stride of 64 px")


def test_a_narrow_anchor_at_a_wide_stride_is_named():
    sizes = ((32,), (64,), (128,), (256,), (60,))
    narrow = changed(Settings(), {"anchors.sizes": sizes, "anchors.ratios": (0.2, 1, 5)})
    (finding,) = lint_settings(narrow)
    assert finding.startswith("P6: the narrowest anchor is 27 px wide")


def test_levels_with_different_numbers_of_anchors_are_told():
    ssd = PRESETS["ssd300"].apply(Settings())
    assert any("4, 6, 6, 6, 4, 4 anchors a cell" in finding for finding in lint_settings(ssd))


def test_a_right_call_has_no_finding():
    assert lint_call(RIGHT, levels=2, head_anchors=3) == []
    assert lint_call(f"gen = detection.{RIGHT}", levels=2) == []
    assert lint_call("AnchorGenerator()", levels=1, head_anchors=9) == []


@pytest.mark.parametrize(
    ("text", "levels", "head", "words"),
    [
        (RIGHT, 5, None, "sizes has 2 entries for 5 feature maps"),
        (RIGHT, 2, 9, "RPNHead has num_anchors=9, these anchors are 3 a cell"),
        ("AnchorGenerator(((32,), (64, 96)), ((1.0,),) * 2)", 2, None, "1, 2 anchors a cell"),
        ("AnchorGenerator((32, 64, 128))", 5, None, "sizes is flat with 3 numbers"),
        ("AnchorGenerator((32, 64))", 2, None, "reads it as one size a level"),
        ("AnchorGenerator(((32), (64,)))", 2, None, "(32) is a number, (32,) is a tuple"),
        ("AnchorGenerator(32)", 1, None, "must be a tuple with one tuple"),
        ("AnchorGenerator(((-1,),))", 1, None, "positive numbers"),
        ("AnchorGenerator(((),))", 1, None, "a level without numbers"),
    ],
)
def test_each_slip_is_told_in_words(text, levels, head, words):
    assert any(words in finding for finding in lint_call(text, levels, head))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "got none"),
        ("AnchorGenerator(", "one line of Python"),
        ("RPNHead(256, 3)", "got none"),
        ("AnchorGenerator(sizes=my_sizes)", "sizes must be written out"),
        ("AnchorGenerator(__import__('os').remove('x'))", "sizes must be written out"),
        ("(" * 5000, "one line of Python"),
        ("AnchorGenerator(((1,),) * 10**9)", "sizes must be written out"),
        ("\0", "one line of Python"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(text, words):
    with pytest.raises(ValueError, match=words) as refused:
        lint_call(text, levels=5)
    assert "\n" not in str(refused.value)
