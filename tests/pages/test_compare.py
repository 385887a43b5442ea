"""Compare and Conventions, through AppTest."""

from urllib.parse import parse_qs

import pytest

from explorer.core.differences import Chain, find_lacking
from explorer.core.memo import Memo
from explorer.core.pipeline import run
from explorer.presets import PRESETS
from tests.pages.test_pages import errors, open_page, settings

NOISE = {"scores.source": "noise"}


def other(app):
    return parse_qs(settings(app).compare.other)


def warnings(app):
    return [box.value.replace("\\", "") for box in app.warning]


def test_b_starts_as_a_and_follows_its_own_sliders():
    app = open_page("compare.py", **NOISE)
    assert not app.exception
    assert any("A and B are the same" in each.value for each in app.caption)
    app.slider(key="b nms.iou_threshold").set_value(0.3).run()
    assert other(app)["nms.iou_threshold"] == ["0.3"]
    assert settings(app).nms.iou_threshold == 0.7
    app.slider(key="nms.iou_threshold").set_value(0.5).run()
    assert app.slider(key="b nms.iou_threshold").value == 0.3
    assert any("They differ in: NMS IoU threshold." in each.value for each in app.caption)
    assert not app.exception


def test_swap_and_copy():
    app = open_page("compare.py", **NOISE)
    app.slider(key="b nms.iou_threshold").set_value(0.3).run()
    next(b for b in app.button if b.label == "Swap").click().run()
    assert settings(app).nms.iou_threshold == 0.3
    assert app.slider(key="b nms.iou_threshold").value == 0.7
    next(b for b in app.button if b.label == "Copy A to B").click().run()
    assert app.slider(key="b nms.iou_threshold").value == 0.3
    assert not app.exception


def test_b_can_be_another_code_base_and_the_counts_are_the_core_s():
    app = open_page("compare.py", **NOISE)
    app.selectbox(key="b preset").set_value("torchvision").run()
    assert not app.exception
    assert app.selectbox(key="b preset").value == "torchvision"
    a, b = settings(app), PRESETS["torchvision"].apply(settings(app))
    memo = Memo(10**9)
    chains = [
        Chain(*(run(name, view, memo) for name in ("grid", "candidates", "proposals")))
        for view in (a, b)
    ]
    top = a.view.top_k
    expected = [int((find_lacking(*pair).rank < top).sum()) for pair in (chains, chains[::-1])]
    figures = [at.proto.bytes.decode() for at in app.get("bidi_component")]
    for name, count in zip("AB", expected, strict=True):
        assert any(f"{name} alone: {count}" in text for text in figures)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("v=1&image.picture=coffee", "A and B share the picture"),
        ("v=1&nms.iou_threshold=7", "nms.iou_threshold"),
        ("v=1&nonsense=1", "is not a setting"),
        ("v=7&nms.iou_threshold=0.5", "version"),
        ("v=1&scores.source=learned&anchors.ratios=1", "3 anchors a cell"),
    ],
)
def test_a_b_that_cannot_be_is_told_and_the_page_stands(given, words):
    app = open_page("compare.py", **NOISE, **{"compare.other": given})
    assert not app.exception
    assert any(words in said for said in warnings(app)), warnings(app)


def test_conventions_tell_which_step_made_the_difference():
    app = open_page("conventions.py", **NOISE)
    assert not app.exception
    assert errors(app) == []
    said = " ".join(each.value for each in app.markdown)
    assert "**Course notebook** alone:" in said
    assert "**torchvision** alone:" in said
    html = " ".join(each.proto.body for each in app.get("html"))
    assert "Course notebook (at work)" in html
    assert html.count('class="chosen"') > 10


def test_a_head_that_fits_no_code_base_is_planted_and_said_so():
    app = open_page(
        "conventions.py", **{"scores.source": "learned", "compare.against": "py-faster-rcnn"}
    )
    assert not app.exception
    assert any("planted" in box.value for box in app.info)


def test_the_same_code_base_twice_is_told():
    app = open_page("conventions.py", **NOISE, **{"compare.against": "notebook"})
    assert not app.exception
    assert any("same code base" in box.value for box in app.info)


def test_every_difference_in_the_table_is_one():
    app = open_page("conventions.py", **NOISE)
    tables = (each.proto.body for each in app.get("html"))
    html = next(table for table in tables if 'class="levels conventions"' in table)
    rows = html.split("<tr>")[2:]
    assert len(rows) > 12
    for row in rows:
        cells = [cell.split(">", 1)[1].split("<")[0] for cell in row.split("<td")[2:]]
        assert len(set(cells)) > 1, row
