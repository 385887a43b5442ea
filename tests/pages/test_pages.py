"""Every page of the table, through Streamlit's AppTest, started from `explorer/pages/main.py`."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer import pages
from explorer.pages import PAGES
from explorer.settings import Settings

MAIN = str(Path(pages.__file__).with_name("main.py"))
TITLES = {
    "overview.py": "Region Proposal Network",
    "anchors.py": "Anchors",
    "scores.py": "Scores",
    "decoding.py": "From delta to box",
    "proposals.py": "Proposals",
    "nms.py": "NMS, step by step",
    "recall.py": "Recall",
    "matching.py": "Matching",
    "funnel.py": "Funnel",
    "atlas.py": "Blind spots",
    "compare.py": "Compare",
    "conventions.py": "Conventions",
    "take_home.py": "Take it home",
    "glossary.py": "Glossary",
    "lessons.py": "Lessons",
    "lesson_builder.py": "Build a lesson",
    "about.py": "About",
}
TEXT_ONLY = {"about.py", "take_home.py", "glossary.py", "lessons.py", "lesson_builder.py"}
SMALL = {"image.side": "128"}  # a forward pass of a few milliseconds


def open_page(file: str = "overview.py", **query: str) -> AppTest:
    app = AppTest.from_file(MAIN, default_timeout=180)
    for name, value in (SMALL | query).items():
        app.query_params[name] = value
    app.run()
    if file != PAGES[0].file:
        app.switch_page(file).run()
    return app


def unfold(app: AppTest, key: str) -> AppTest:
    """Open an expander, and what is drawn in it."""
    app.session_state[key] = True
    return app.run()


def settings(app: AppTest):
    return app.session_state["own"].settings


def errors(app: AppTest) -> list[str]:
    return [box.value.replace("\\", "") for box in app.error]  # plain text is escaped Markdown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_every_page_shows_its_title_and_a_figure(page):
    app = open_page(page.file)
    assert not app.exception
    assert [title.value for title in app.title] == [TITLES[page.file]]
    assert app.get("bidi_component") or page.file in TEXT_ONLY
    assert errors(app) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
@pytest.mark.parametrize("preset", ["torchvision", "detectron2", "py-faster-rcnn", "ssd300"])
def test_every_page_shows_every_convention(page, preset):
    app = open_page(page.file, **{"scores.source": "random"})
    app.selectbox(key="preset").select(preset).run()
    assert not app.exception
    assert app.selectbox(key="preset").value == preset
    assert errors(app) == []


def test_a_quoted_link_stays_plain_text():
    app = open_page(**{"[here](http://evil.example)": "1"})
    (sentence,) = [box.value for box in app.error]
    assert "\\[here\\](http\\://evil.example)" in sentence


def test_a_preset_that_the_learned_head_cannot_score_turns_to_planted_scores():
    app = open_page("proposals.py", **{"scores.source": "learned"})
    app.selectbox(key="preset").select("retinanet").run()
    assert settings(app).scores.source == "planted"
    assert app.selectbox(key="preset").value == "retinanet"
    assert any("planted" in sentence for sentence in errors(app))


def test_a_slider_changes_the_settings_and_the_link():
    app = open_page("proposals.py")
    app.slider(key="nms.iou_threshold").set_value(0.4).run()
    assert settings(app).nms.iou_threshold == 0.4
    assert app.query_params["nms.iou_threshold"] == "0.4"


def test_a_page_switch_loses_nothing():
    app = open_page("proposals.py")
    app.slider(key="nms.iou_threshold").set_value(0.4).run()
    app.switch_page("anchors.py").run()
    app.slider(key="size 1").set_value(80.0).run()
    app.switch_page("proposals.py").run()
    assert app.slider(key="nms.iou_threshold").value == 0.4
    assert settings(app).anchors.sizes[1] == (80.0,)
    assert app.query_params["nms.iou_threshold"] == "0.4"


def test_a_link_opens_its_view():
    app = open_page(
        "proposals.py",
        **{"view.top_k": "7", "nms.post_nms": "90", "scores.seed": "3", "scores.source": "random"},
    )
    assert app.slider(key="view.top_k").value == 7
    assert app.slider(key="nms.post_nms").value == 90
    assert app.number_input(key="scores.seed").value == 3


def test_a_link_with_unknown_and_impossible_values_names_them_and_opens():
    app = open_page(**{"nonsense": "1", "nms.iou_threshold": "7", "filter.pre_nms": "300"})
    assert settings(app).filter.pre_nms == 300
    assert settings(app).nms.iou_threshold == 0.7
    assert any("nonsense" in sentence for sentence in errors(app))
    assert any("nms.iou_threshold must be in [0, 1], got '7'" in text for text in errors(app))


def test_a_link_to_a_picture_that_is_not_here_says_so():
    app = open_page(**{"image.picture": "unicorn"})
    assert settings(app).image.picture == "astronaut"
    assert any("unicorn" in sentence for sentence in errors(app))


def test_a_link_from_an_upload_opens_the_default_picture_and_says_so():
    app = open_page(**{"image.picture": "upload:" + "a" * 64})
    assert settings(app).image.picture == "astronaut"
    assert any("upload it again" in sentence for sentence in errors(app))


def test_a_link_to_a_device_that_is_not_here_says_so():
    app = open_page(**{"compute.device": "mps"})
    assert settings(app).compute.device == "auto"
    assert any("compute.device" in sentence for sentence in errors(app))


@pytest.mark.parametrize(
    ("strides", "sizes", "ratios", "sentence"),
    [
        (
            "4 8 16",
            "32; 64; 128; 256; 512",
            "0.5 1 2",
            "as many entries as anchors.strides (3), got 5",
        ),
        ("4 8 16 32 0", "32; 64; 128; 256; 512", "0.5 1 2", "anchors.strides[4]"),
        ("4 8 16 32 64", "32; -64; 128; 256; 512", "0.5 1 2", "anchors.sizes[1][0]"),
        ("4 8 16 32 64", "32; nan; 128; 256; 512", "0.5 1 2", "finite"),
        ("4 8 16 32 64", "32; 64; 128; 256; 512", "0.5 one 2", "anchors.ratios[1]"),
        ("4 8 16 32 64", "32; 64; 128; 256; 512", "", "anchors.ratios"),
        ("4 4 4 4 4", "32; 64; 128; 256; 512", "1 1 1 1 1 1 1 1", "at most 2,000,000 anchors"),
    ],
)
def test_bad_levels_are_refused_in_a_sentence_and_change_nothing(strides, sizes, ratios, sentence):
    app = open_page("anchors.py", **{"image.side": "1024", "scores.source": "planted"})
    before = settings(unfold(app, "as text"))
    for box, text in zip(app.text_input, (strides, sizes, ratios), strict=True):
        box.set_value(text)
    app.button[-1].click().run()
    assert not app.exception
    assert settings(app) == before
    assert any(sentence in text for text in errors(app)), errors(app)


def test_another_number_of_levels_is_set_as_text():
    app = unfold(open_page("anchors.py"), "as text")
    for box, text in zip(app.text_input, ("8, 16", "40 50; 90", "1"), strict=True):
        box.set_value(text)
    app.button[-1].click().run()
    assert settings(app).anchors.strides == (8, 16)
    assert settings(app).anchors.sizes == ((40, 50), (90,))
    assert settings(app).anchors.level_names == ("P3", "P4")
    assert not app.exception


@pytest.mark.parametrize("file", ["anchors.py", "atlas.py"])
def test_the_bare_defaults_have_a_page(file):
    app = open_page(file)
    app.session_state["own"].settings = Settings()  # a link of the version alone says so
    app.run()
    assert not app.exception
    assert errors(app) == []


def test_one_base_moves_every_size():
    app = open_page("anchors.py", **{"view.sizing": "from a base"})
    app.slider(key="size base").set_value(16.0).run()
    assert settings(app).anchors.sizes == ((16,), (32,), (64,), (128,), (256,))
    app.slider(key="size multiplier").set_value(3.0).run()
    assert settings(app).anchors.sizes == ((16,), (48,), (144,), (432,), (1296,))


def test_a_new_seed_draws_other_scores():
    app = open_page("scores.py", **{"scores.source": "random"})
    before = app.get("bidi_component")[0].proto.bytes
    app.button[0].click().run()
    assert settings(app).scores.seed == 1
    assert app.get("bidi_component")[0].proto.bytes != before


def test_the_histogram_splits_by_what_objects_claim():
    app = open_page("scores.py", **{"scores.source": "planted", "view.split": "match"})
    assert not app.exception
    figure = app.get("bidi_component")[0].proto.bytes.decode()
    assert all(name in figure for name in ("background", "ignored", "claimed by an object"))


def test_an_upload_is_shown_and_stays_out_of_the_link():
    app = open_page("proposals.py")
    app.file_uploader[0].upload("own.png", png(90, 60), "image/png").run()
    assert errors(app) == []
    assert settings(app).image.picture.startswith("upload:")
    app.switch_page("scores.py").run()
    assert settings(app).image.picture.startswith("upload:")
    assert not app.exception


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"no picture at all", "not a picture that can be read"), ("truncated", "cut off or damaged")],
)
def test_a_bad_upload_is_refused_in_a_sentence_and_the_picture_stays(data, sentence):
    app = open_page("proposals.py", **{"image.picture": "coffee"})
    data = png(90, 60)[:900] if data == "truncated" else data
    app.file_uploader[0].upload("own.png", data, "image/png").run()
    assert any(sentence in text for text in errors(app)), errors(app)
    assert settings(app).image.picture == "coffee"
    assert not app.exception


def test_two_readers_with_different_uploads_never_see_each_other():
    first, second = open_page("proposals.py"), open_page("proposals.py")
    first.file_uploader[0].upload("a.png", png(90, 60, seed=1), "image/png").run()
    second.file_uploader[0].upload("b.png", png(90, 60, seed=2), "image/png").run()
    pictures = [settings(app).image.picture for app in (first, second)]
    assert pictures[0] != pictures[1]
    assert [*first.session_state["own"].uploads] == [pictures[0]]
    figures = [app.get("bidi_component")[0].proto.bytes for app in (first, second)]
    assert figures[0] != figures[1]
    stolen = open_page("proposals.py", **{"image.picture": pictures[0]})
    assert settings(stolen).image.picture == "astronaut"


def png(width: int, height: int, seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
