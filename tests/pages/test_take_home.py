import json

import pytest

from explorer import share
from explorer.editing import changed
from explorer.export import LIBRARIES
from explorer.settings import Settings
from tests.pages.test_pages import open_page

VIEW = {"image.side": 256, "scores.source": "noise", "nms.iou_threshold": 0.45}


@pytest.fixture
def page():
    return open_page("take_home.py", **share.to_query(changed(Settings(), VIEW)))


def test_each_library_s_code_is_on_the_page(page):
    shown = [code.value for code in page.code]
    settings = page.session_state["own"].settings
    assert shown == [to_library(settings).text.strip() for to_library in LIBRARIES.values()]
    assert "nms_thresh=0.45" in shown[0]


def test_the_code_of_somebody_is_checked_in_words(page):
    page.text_input(key="own_call").set_value("AnchorGenerator(((32,), (64,)))").run()
    said = " ".join(each.value for each in page.markdown)
    assert "sizes has 2 entries for 5 feature maps" in said
    page.text_input(key="own_call").set_value("AnchorGenerator(").run()
    assert "one line of Python" in page.warning[0].value
    assert not page.exception


def test_a_file_of_settings_brings_the_view_back(page):
    text = share.to_json(changed(Settings(), VIEW | {"nms.iou_threshold": 0.2}))
    uploader = next(each for each in page.file_uploader if each.key == "settings_file")
    uploader.set_value(("view.json", text.encode(), "application/json")).run()
    assert page.session_state["own"].settings.nms.iou_threshold == 0.2
    assert not page.error


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "must be JSON"),
        (b"\xff\xfe", "UTF-8"),
        (json.dumps({"rpn_explorer": 1, "settings": {"nms": {"iou": 1}}}).encode(), "nms.iou"),
        (json.dumps({"rpn_explorer": 9, "settings": {}}).encode(), "version 1"),
        (b" " * 1_000_001, "at most 1,000,000 bytes"),
    ],
)
def test_a_malformed_file_is_refused_and_what_was_there_stays(page, data, words):
    before = page.session_state["own"].settings
    uploader = next(each for each in page.file_uploader if each.key == "settings_file")
    uploader.set_value(("view.json", data, "application/json")).run()
    assert page.session_state["own"].settings == before
    (said,) = page.error
    assert words in said.value.replace("\\", "")
    assert "What was there stays" in said.value
