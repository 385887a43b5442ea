"""Parts of a page that run alone: whatever moved, the page is what its link opens."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect

from explorer.pages._demo import SENT
from tests.benchmarks.student import Student
from tests.loops import in_its_own_loop

pytestmark = pytest.mark.e2e

SMALL = {"v": "1", "image.side": "256", "scores.source": "planted"}
MOVES = {  # page to what is moved on it, one after the other
    "anchors": ["stride 1", "size 2", "anchors.offset", "view.blank"],
    "scores": ["view.log_counts", "planted.noise", "view.blank", "view.full_axis"],
    "decoding": ["decoding.dw", "decoding.dx"],
    "proposals": ["nms.iou_threshold", "filter.min_size", "view.blank"],
    "nms": ["nms.iou_threshold", "steps.sigma", "planted.regression", "filter.nms_by_level"],
    "funnel": ["filter.min_size", "planted.noise", "nms.score_threshold", "nms.iou_threshold"],
    "recall": ["recall.iou", "planted.noise", "filter.pre_nms", "view.blank"],
    "matching": ["match.high", "match.batch_size", "claims.sample", "match.low", "view.blank"],
    "atlas": ["size 0", "match.high", "ratio 1"],
    "compare": [
        *("nms.iou_threshold", "filter.min_size", "b nms.iou_threshold", "nms.score_threshold"),
        *("b nms.score_threshold", "planted.noise"),
    ],
    "conventions": ["view.top_k", "planted.noise"],
    "take_home": ["planted.noise"],
}


OWN_NAME = r'data-ahead="[^"]*"'  # of each session


def student_of(server: str) -> Student:
    return Student(int(server.rpartition(":")[2]))


def seen(student: Student) -> list[tuple]:
    """What a reader sees, in order: figures, texts, numbers, and where each slider stands."""
    shown = []
    for _, element in sorted(student.elements.items()):
        kind = element.WhichOneof("type")
        made = getattr(element, kind)
        if kind == "bidi_component":
            shown.append((kind, made.bytes, made.json))
        elif kind == "slider":
            values = student.values[made.id].double_array_value.data
            shown.append((kind, made.label, [round(value, 6) for value in values]))
        elif kind in {"markdown", "html", "metric", "alert", "heading"}:
            text = getattr(made, "body", "") or made.SerializeToString()
            shown.append((kind, re.sub(OWN_NAME, "", text) if kind == "html" else text))
    return shown


async def change(student: Student, key: str):
    """Move a slider by three steps, or turn a switch on, once what was drawn is surely sent."""
    await asyncio.sleep(1.2 * SENT)
    if key in student.switches:
        return await student.flip(student.switches[key], True)
    slider = student.sliders[key]
    value = student.values[slider.id].double_array_value.data[0]
    return await student.move(slider, round(value + 3 * slider.step, 6))


async def walk(server: str, page: str, keys: list[str], **more: str) -> None:
    async with student_of(server) as student, student_of(server) as fresh:
        await student.enter(page, **SMALL, **more)
        before = seen(student)
        runs = [await change(student, key) for key in keys]
        assert [run.errors for run in runs] == [[]] * len(keys)
        link = {name: values[0] for name, values in parse_qs(student.link).items()}
        said = {"compare.other" if key.startswith("b ") else key for key in keys}
        assert len(link) >= len(SMALL) + (1 if more else len(said))
        await fresh.enter(page, **link)
        assert seen(student) == seen(fresh) != before


@pytest.mark.parametrize("page", MOVES)
def test_after_any_moves_the_page_is_what_its_link_opens(server, page):
    in_its_own_loop(walk(server, page, MOVES[page]))


def test_base_and_multiplier_each_keep_what_the_other_was_moved_to(server):
    keys = ["size base", "size multiplier", "size base"]
    in_its_own_loop(walk(server, "anchors", keys, **{"view.sizing": "from a base"}))


async def moved_at_once(server: str) -> tuple[set, set]:
    """The sliders of a page that was just drawn, and those that a move of one sends again."""
    async with student_of(server) as student:
        await student.enter("recall", **SMALL | {"recall.iou": "0.6"})
        before = {p: each for p, each in student.elements.items() if each.HasField("slider")}
        slider = student.sliders["recall.iou"]
        await student.move(slider, 0.65)
        return before, {p for p, each in before.items() if student.elements[p] is not each}


def test_a_page_that_was_just_drawn_is_drawn_as_a_whole(server):
    # Streamlit has dropped what it had not sent of it, and parts alone would not bring that again.
    before, again = in_its_own_loop(moved_at_once(server))
    assert len(again) > 3
    assert set(before) > again  # the sidebar's stay


async def leave_while_moving(server: str, key: str) -> None:
    """Open another page in the message that tells of a slider's last step."""
    async with student_of(server) as student, student_of(server) as fresh:
        await student.enter("anchors", **SMALL)
        await change(student, key)
        slider = student.sliders[key]
        last = student.values[slider.id].double_array_value.data
        last[0] = round(last[0] + slider.step, 6)
        run = await student.go("atlas")
        assert run.errors == []
        link = {name: values[0] for name, values in parse_qs(student.link).items()}
        await fresh.enter("atlas", **link)
        assert seen(student) == seen(fresh)
        assert any("Blind spots" in str(each) for each in seen(student))


@pytest.mark.parametrize("key", ["size 2", "planted.noise"])
def test_a_page_that_is_left_while_a_slider_moves_is_gone(server, key):
    in_its_own_loop(leave_while_moving(server, key))


async def redrawn(server: str, page: str, first: str, key: str) -> tuple[set, set]:
    """The figures of a page, and those that one control sends again."""
    async with student_of(server) as student:
        await student.enter(page, **SMALL)
        await change(student, first)
        before = dict(student.elements)
        figures = {place for place, each in before.items() if each.HasField("bidi_component")}
        await change(student, key)
        return figures, {each for each in figures if student.elements[each] is not before[each]}


@pytest.mark.parametrize(
    ("page", "first", "key", "again"),
    [
        ("scores", "planted.noise", "view.log_counts", 1),  # the histogram alone
        ("scores", "planted.noise", "view.blank", 1),  # the heat map alone
        ("scores", "view.blank", "planted.noise", 2),
    ],
)
def test_one_control_runs_one_figure(server, page, first, key, again):
    figures, drawn = in_its_own_loop(redrawn(server, page, first, key))
    assert len(figures) == 2
    assert len(drawn) == again


async def sliders_again(server: str, page: str, key: str) -> tuple[int, int]:
    """The sliders of a page, and how many of them a move of one sends again."""
    async with student_of(server) as student:
        await student.enter(page, **SMALL)
        await change(student, key)  # leaves the preset, and the sidebar says so
        before = {p: each for p, each in student.elements.items() if each.HasField("slider")}
        await change(student, key)
        again = [p for p, each in before.items() if student.elements.get(p) is not each]
        return len(before), len(again)


@pytest.mark.parametrize(
    ("page", "key", "its_own"),
    [
        ("anchors", "size 2", 0),
        ("anchors", "planted.noise", 0),
        ("proposals", "filter.min_size", 0),
        ("nms", "nms.post_nms", 3),
        ("funnel", "nms.post_nms", 0),
        ("recall", "recall.iou", 0),
        ("matching", "match.high", 2),
        ("atlas", "size 2", 0),
        ("compare", "b nms.post_nms", 1),
    ],
)
def test_a_slider_sends_none_but_those_among_the_results(server, page, key, its_own):
    all_of_them, again = in_its_own_loop(sliders_again(server, page, key))
    assert again == its_own < all_of_them


def test_while_settings_stand_as_text_a_slider_runs_its_page(reader):
    reader.open("/anchors?image.side=256&scores.source=planted&v=1")
    reader.page.get_by_text("Edit as text").click()
    strides = reader.page.get_by_role("textbox", name="Strides, one a level")
    strides.wait_for()
    reader.page.get_by_role("tab", name="Strides").click()
    reader.page.locator(".st-key-stride-1 input[type=range]").press("ArrowRight")
    reader.wait_for_link({"anchors.strides": "4_9_16_32_64"})
    expect(strides).to_have_value("4 9 16 32 64")


async def sidebar_again(server: str) -> list[bool]:
    """Whether each move on Recall drew the sidebar again."""
    again = []
    async with student_of(server) as student:
        await student.enter("recall", **SMALL)
        for key in ("nms.iou_threshold", "nms.iou_threshold", "recall.iou"):
            before = dict(student.elements)
            await change(student, key)
            kept = [place for place, each in student.elements.items() if before.get(place) is each]
            again.append(not kept)
    return again


def test_the_whole_script_runs_only_where_the_sidebar_would_be_stale(server):
    # The first move leaves the preset, and the sidebar says so; the others change nothing there.
    assert in_its_own_loop(sidebar_again(server)) == [True, False, False]


def value_of(reader, slider: str) -> str:
    return reader.page.locator(f".st-key-{slider} input[type=range]").input_value()


@pytest.mark.parametrize(
    ("slider", "start", "end"),
    [("planted-noise", 1, 2.5), ("nms-iou_threshold", 0.7, 0.85)],  # the whole script, a part
)
def test_a_slider_never_jumps_back_while_keys_come_fast(reader, slider, start, end):
    reader.open("/recall?" + "&".join(f"{name}={value}" for name, value in SMALL.items()))
    assert float(value_of(reader, slider)) == start
    reader.page.locator(f".st-key-{slider} input[type=range]").focus()
    for _ in range(15):
        reader.page.keyboard.press("ArrowRight")
        reader.page.wait_for_timeout(40)
    reader.wait_for_link({slider.replace("-", ".", 1): end})
    assert float(value_of(reader, slider)) == end


def test_the_browsers_back_undoes_a_move(reader):
    reader.open("/recall?" + "&".join(f"{name}={value}" for name, value in SMALL.items()))
    found = reader.page.locator("[data-testid=stMetricLabel]").first
    for key in ("End", "ArrowLeft"):
        reader.press("recall-iou", key, "curve")
    assert "IoU 0.99" in found.text_content()
    reader.page.go_back()
    found.get_by_text("IoU 1").wait_for()
    reader.wait_for_link({"recall.iou": 1})
    assert float(value_of(reader, "recall-iou")) == 1
