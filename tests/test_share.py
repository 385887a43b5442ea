"""Links and files carry the settings whole, and name what they could not use."""

import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from explorer.editing import changed, field_of, get, paths, shown
from explorer.presets import PRESETS
from explorer.settings import Settings
from explorer.share import from_json, from_query, to_json, to_query
from tests.any_settings import RUBBISH, any_settings, bad, good

UPLOAD = f"upload:{'0' * 64}"


def written(values):
    """The query that writes some settings, possible or not, without its version."""
    return {
        path: text for path, text in to_query(changed(Settings(), values)).items() if path != "v"
    }


def says(text, path, value):
    """Whether a parameter's text, read number by number, says what the setting holds."""
    if isinstance(value, bool):
        return text.strip().lower() in ({"1", "true", "t", "yes", "y", "on"} if value else FALSE)
    if value is None or isinstance(value, str):
        return text == ("none" if value is None else value)
    splits = {0: "$.", 1: "_", 2: "[~_]", 3: "[~_x]"}[field_of(path).json_schema_extra["nested"]]
    return [float(part.replace("_", "")) for part in re.split(splits, text)] == list(leaves(value))


FALSE = {"0", "false", "f", "no", "n", "off"}


def leaves(value):
    if isinstance(value, tuple):
        for each in value:
            yield from leaves(each)
    else:
        yield value


# Links


def test_the_defaults_need_no_parameters():
    assert to_query(Settings()) == {}
    assert from_query({}) == (Settings(), [])
    assert from_query({"v": "1"}) == (Settings(), [])


def test_a_link_is_readable_and_holds_only_what_differs():
    made = changed(
        Settings(),
        {
            "anchors.strides": (8, 16),
            "anchors.sizes": ((32, 40.5), (64,)),
            "codec.max_log_scale": None,
            "view.blank": True,
            "nms.iou_threshold": 0.5,
        },
    )
    assert to_query(made) == {
        "v": "1",
        "anchors.strides": "8_16",
        "anchors.sizes": "32_40.5~64",
        "codec.max_log_scale": "none",
        "nms.iou_threshold": "0.5",
        "view.blank": "1",
    }


def test_explicit_shapes_are_written_as_width_x_height():
    values = {"anchors.strides": (8, 16), "anchors.pairs": (((8, 4), (4.5, 8)), ((16, 16),))}
    assert written(values)["anchors.pairs"] == "8x4_4.5x8~16x16"


@settings(max_examples=60)
@given(any_settings())
@example(changed(Settings(), {"match.low_quality": "none"}))  # a choice that is called none
@example(changed(Settings(), {"image.picture": "none"}))
@example(changed(Settings(), {"codec.max_log_scale": None}))
@example(changed(Settings(), {"filter.min_size": 1e-9}))
def test_a_link_brings_every_setting_back(made):
    query = to_query(made)
    assert all(isinstance(text, str) for text in query.values())
    back, notes = from_query(query)
    if made.image.picture.startswith("upload:"):
        made = changed(made, {"image.picture": "astronaut"})
        assert len(notes) == 1
    else:
        assert notes == []
    assert back == made


@pytest.mark.parametrize("name", PRESETS)
def test_a_link_brings_every_preset_back(name):
    made = PRESETS[name].apply(Settings())
    assert from_query(to_query(made)) == (made, [])
    assert sum(map(len, to_query(made).values())) < 1000  # short enough to paste anywhere


def test_an_upload_stays_behind_and_the_reader_is_told():
    made = changed(Settings(), {"image.picture": UPLOAD, "nms.iou_threshold": 0.4})
    back, notes = from_query(to_query(made))
    assert back == changed(Settings(), {"nms.iou_threshold": 0.4})
    (note,) = notes
    assert note.startswith("This link was made with an uploaded picture.")


@pytest.mark.parametrize("version", ["2", "", "0", "1.0", "9" * 500, "x\ny"])
def test_a_link_of_another_version_opens_on_the_defaults_and_says_so(version):
    back, (note,) = from_query({"v": version, "nms.iou_threshold": "0.4"})
    assert back == Settings()
    assert "version" in note
    assert len(note) < 200


# Rubbish in links


@pytest.mark.parametrize("path", paths())
@settings(max_examples=25)
@given(text=RUBBISH)
def test_rubbish_in_a_parameter_is_used_as_it_reads_or_named(path, text):
    made, notes = from_query({path: text})
    assert changed(made, {}) == made
    if notes:
        (note,) = notes
        assert path in note or note.startswith("This link was made with an uploaded picture")
        assert len(note) < 400
        assert made == Settings()
    else:
        assert says(text, path, get(made, path)), (text, get(made, path))


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(paths()) | st.text(max_size=12), RUBBISH, max_size=8))
def test_no_parameter_of_a_whole_link_of_rubbish_is_dropped_in_silence(query):
    made, notes = from_query(query)
    assert changed(made, {}) == made
    if query.get("v", "1") != "1":
        return
    for path, text in query.items():
        named = any(path in note or shown(path) in note for note in notes)
        uploaded = path == "image.picture" and text.startswith("upload:")
        assert path == "v" or named or uploaded or says(text, path, get(made, path))


@settings(max_examples=60)
@given(st.data())
def test_one_impossible_parameter_leaves_the_others_in_force(data):
    worse = data.draw(st.sampled_from(["nms.iou_threshold", "filter.min_size", "image.side"]))
    path = data.draw(st.sampled_from([p for p in paths() if p.startswith(("view", "codec"))]))
    value = data.draw(good(path))
    text = data.draw(bad(worse).filter(lambda each: isinstance(each, float)))
    back, notes = from_query(written({path: value}) | {worse: str(text)})
    assert back == changed(Settings(), {path: value})
    assert len(notes) == 1
    assert notes[0].startswith(f"The link's {worse} was ignored: {worse} must be ")


@pytest.mark.parametrize(
    ("spoilt", "kept"),
    [
        ({"anchors.ratios": "x"}, {"anchors.ratio": "h/w"}),
        ({"filter.min_size": "x"}, {"filter.min_size_at": "photo"}),
        ({"filter.top_n_by_level": "x"}, {"filter.top_n_by": "logits"}),
    ],
)
def test_a_parameter_whose_name_begins_another_ones_is_not_blamed_for_it(spoilt, kept):
    back, notes = from_query(kept | spoilt)
    assert back == changed(Settings(), kept)
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("query", "dropped"),
    [
        # named together: the one that the sentence begins with goes first
        ({"match.low": "0.6", "match.high": "0.5"}, ["match.low"]),
        ({"match.high": "0.1"}, ["match.high"]),
        ({"anchors.strides": "8_16"}, ["anchors.strides"]),
        ({"anchors.sizes": "32~64", "anchors.strides": "8_16_32"}, ["sizes", "strides"]),
        ({"anchors.strides": "2_2_2_2_2"}, ["anchors.strides"]),
        ({"image.side": "2048", "anchors.strides": "2_4_8_16_32"}, ["image.side"]),
        ({"filter.top_n_by_level": "1", "filter.pre_nms": "9999"}, ["filter.pre_nms"]),
        (
            {
                "filter.top_n_by_level": "1",
                "anchors.strides": "4_4_4_4_4_4_4_4",
                "anchors.sizes": "8~8~8~8~8~8~8~8",
            },
            ["filter.top_n_by_level"],
        ),
    ],
)
def test_of_settings_that_cannot_be_together_few_go_and_the_picture_stays(query, dropped):
    back, notes = from_query(query | {"image.picture": "coffee", "view.top_k": "7"})
    assert (back.image.picture, back.view.top_k) == ("coffee", 7)
    assert len(notes) == len(dropped)
    for name, note in zip(dropped, notes, strict=True):
        assert name in note.split(" ignored: ")[0]
    gone = " ".join(note.split(" ignored: ")[0] for note in notes)
    for path, text in query.items():
        assert path in gone or says(text, path, get(back, path))


def test_settings_that_are_possible_only_together_are_read_together():
    query = {"anchors.strides": "8_16", "anchors.sizes": "32~64"}
    back, notes = from_query(query)
    assert notes == []
    assert back.anchors.strides == (8, 16)


def test_unknown_parameters_are_named_and_cost_nothing_else():
    back, notes = from_query({"nms.iou_treshold": "0.4", "view.top_k": "7", "utm_source": "mail"})
    assert back == changed(Settings(), {"view.top_k": 7})
    assert notes == [
        "The link's 'nms.iou_treshold' is not a setting and was ignored.",
        "The link's 'utm_source' is not a setting and was ignored.",
    ]


# Files


@settings(max_examples=50)
@given(any_settings())
def test_a_file_brings_every_setting_back(made):
    assert from_json(to_json(made)) == made


def test_what_a_file_does_not_name_keeps_its_default():
    text = json.dumps({"rpn_explorer": 1, "settings": {"nms": {"iou_threshold": 0.4}}})
    assert from_json(text) == changed(Settings(), {"nms.iou_threshold": 0.4})
    assert from_json('{"rpn_explorer": 1, "settings": {}}') == Settings()


def of(**groups):
    return json.dumps({"rpn_explorer": 1, "settings": groups})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the settings file must be JSON: Expecting value"),
        ("hello", "the settings file must be JSON: Expecting value"),
        ('{"rpn_explorer": 1,', "the settings file must be JSON: "),
        ("\x89PNG\r\n\x1a\n\x00", "the settings file must be JSON: "),
        ("[]", 'the settings file must hold "rpn_explorer" and "settings"'),
        ("null", 'the settings file must hold "rpn_explorer" and "settings"'),
        ('{"rpn_explorer": 1}', 'the settings file must hold "rpn_explorer" and "settings"'),
        ('{"rpn_explorer": 1, "settings": []}', "the settings file must hold"),
        ('{"settings": {}}', "the settings file must be of version 1, got None"),
        ('{"rpn_explorer": 2, "settings": {}}', "the settings file must be of version 1, got 2"),
        ('{"rpn_explorer": "1", "settings": {}}', "the settings file must be of version 1, got '1"),
        (of(bogus={}), "'bogus' is not a group of settings"),
        (of(nms={"bogus": 1}), "'nms.bogus' is not a setting"),
        (of(nms={"iou_threshold.x": 1}), "'nms.iou_threshold.x' is not a setting"),
        (of(nms=[1]), "nms must be a group of settings, got [1]"),
        (of(nms={"iou_threshold": 2}), "nms.iou_threshold must be in [0, 1], got 2"),
        (of(nms={"iou_threshold": float("nan")}), "nms.iou_threshold must be a finite number"),
        (of(nms={"iou_threshold": {"a": 1}}), "nms.iou_threshold must be a number, got {'a'"),
        ('{"rpn_explorer": 1, "settings": {"nms": {"post_nms": 1e999}}}', "nms.post_nms must be"),
        (of(anchors={"strides": "8_16"}), "anchors.strides must be a list, got '8_16'"),
        (of(anchors={"strides": [[8]]}), "anchors.strides[0] must be a whole number, got [8]"),
        (of(image={"picture": "\ud800"}), "image.picture must be a text, got '\\ud800'"),
        (of(**{"\ud800": {}}), "'\\ud800' is not a group of settings"),
        (of(match={"low": 0.8}), "match.low must be at most match.high (0.7), got 0.8"),
    ],
)
def test_a_file_that_cannot_be_is_refused_in_a_sentence(text, sentence):
    with pytest.raises(ValueError, match=r"must|is not a") as refused:
        from_json(text)
    assert str(refused.value).startswith(sentence)
    assert len(str(refused.value)) < 200
    str(refused.value).encode()  # no half characters reach the page


@pytest.mark.parametrize("digits", [10, 400, 4299, 4301, 100_000])
@pytest.mark.parametrize("path", ["image.side", "nms.iou_threshold", "anchors.strides"])
def test_a_number_past_counting_in_a_file_is_refused_by_name(path, digits):
    group, name = path.split(".")
    number = "9" * digits if path != "anchors.strides" else f"[{'9' * digits}]"
    text = f'{{"rpn_explorer": 1, "settings": {{"{group}": {{"{name}": {number}}}}}}}'
    with pytest.raises(ValueError, match=rf"^{path}.* must be (in \[|a finite number)") as refused:
        from_json(text)
    assert len(str(refused.value)) < 150


@pytest.mark.parametrize("depth", [5, 300, *range(850, 1010, 3), 100_000])
def test_a_file_that_nests_too_deep_is_refused(depth):
    deep = "[" * depth + "]" * depth
    text = f'{{"rpn_explorer": 1, "settings": {{"anchors": {{"sizes": {deep}}}}}}}'
    with pytest.raises(ValueError, match="must") as refused:
        from_json(text)
    assert str(refused.value).startswith(("anchors.sizes", "the settings file must not nest"))


@settings(max_examples=80)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["anchors", "sizes", "nms", "x"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_any_json_is_settings_or_a_sentence(document):
    for text in (json.dumps(document), json.dumps({"rpn_explorer": 1, "settings": document})):
        try:
            made = from_json(text)
        except ValueError as error:
            sentence = str(error)
        else:
            sentence = ""
            assert isinstance(made, Settings)
        assert "\n" not in sentence
        assert len(sentence) < 200
