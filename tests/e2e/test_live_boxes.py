"""The live boards on Proposals: they follow the finger, and decide as the core does."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import torch

from explorer.core.candidates import Candidates
from explorer.core.nms import suppress
from explorer.core.proposals import propose
from explorer.live import board
from explorer.settings import Filter, Nms
from tests.e2e.conftest import Reader

pytestmark = pytest.mark.e2e

PAGE = "/proposals?v=1&image.side=256&scores.source=planted&image.picture=coffee"
HUNDREDTHS = [each / 100 for each in range(101)]


@pytest.fixture(scope="module")
def reader(chromium, server):
    """One reader for all that follows: what the browser has loaded once it keeps."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    someone = Reader(context.new_page(), server)
    yield someone
    context.close()
    assert someone.complaints == []


def open_boards(reader, more: str = ""):
    """The boards' root, once the overlapping pairs stand."""
    reader.open(PAGE + more)
    reader.page.wait_for_selector(".rpn-live[data-pairs]")
    return reader.plot("live_boxes")


def candidates_of(root) -> Candidates:
    """What the browser holds, as the core's own type."""
    script = """(root) => Object.fromEntries(Object.entries(root.rpn.data).map(([name, part]) => {
        if (!part) return [name, ""];
        const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
        return [name, btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))];
    }))"""
    kinds = {"boxes": "<f4", "scores": "<f4", "anchors": "<u4", "levels": "u1"}
    parts = {
        name: torch.tensor(np.frombuffer(base64.b64decode(text), kinds[name]).astype("f8"))
        for name, text in root.evaluate(script).items()
        if name in kinds
    }
    scores = parts["scores"].float()
    return Candidates(
        boxes=parts["boxes"].float().reshape(-1, 4),
        scores=scores,
        logits=scores,
        deltas=torch.zeros(len(scores), 4),
        anchor_index=parts["anchors"].long(),
        level=parts["levels"].long(),
        valid=torch.ones(len(scores), dtype=torch.bool),
        fate=torch.zeros(0, dtype=torch.int8),
    )


def counts(reader) -> list[int]:
    """Candidates that reach NMS, survivors, proposals, as a reader sees them."""
    texts = reader.page.locator(".rpn-counts b").all_text_contents()
    return [int(text.replace(",", "")) for text in texts]


def thumb(reader, key: str) -> tuple[float, float]:
    """The middle of a slider's knob."""
    place = reader.page.locator(f".st-key-{key} input[type=range]").evaluate(
        """(input) => {
            const knob = input.parentElement.parentElement.getBoundingClientRect();
            return [knob.x + knob.width / 2, knob.y + knob.height / 2];
        }"""
    )
    return tuple(place)


def drag(reader, key: str, pixels: int) -> None:
    """Take a slider's knob and move it, without letting go."""
    x, y = thumb(reader, key)
    reader.page.mouse.move(x, y)
    reader.page.mouse.down()
    reader.page.mouse.move(x + pixels, y, steps=8)


def value(reader, key: str) -> float:
    slider = reader.page.locator(f".st-key-{key} input[type=range]")
    return float(slider.get_attribute("value"))


def next_frame(reader) -> None:
    reader.page.evaluate("() => new Promise((act) => requestAnimationFrame(() => setTimeout(act)))")


def place_on(reader, side: str, rank: int, where: tuple[float, float] = (0, 0.5)):
    """Where a box lies on the window: `where` is a share of its sides."""
    return reader.plot("live_boxes").evaluate(
        """(root, [side, rank, across, down]) => {
            const { board } = root.rpn.sides.find(({ name }) => name === side);
            const [x1, y1, x2, y2] = root.rpn.data.boxes.subarray(4 * rank, 4 * rank + 4);
            const [x, y] = board.toBoard(x1 + across * (x2 - x1), y1 + down * (y2 - y1));
            const place = board.element.getBoundingClientRect();
            return [place.left + x, place.top + y];
        }""",
        [side, rank, *where],
    )


def shown_rank(reader) -> int:
    return reader.plot("live_boxes").evaluate("(root) => root.rpn.shown?.rank ?? -1")


def point_at(reader, ranks: list[int]) -> int:
    """Point at one of some boxes on the board before NMS; they lie close, not each can be meant."""
    for rank in ranks:
        for where in ((0, 0.5), (1, 0.5), (0.5, 0), (0.5, 1)):
            reader.page.mouse.move(*place_on(reader, "Before", rank, where))
            if shown_rank(reader) == rank:
                return rank
    raise AssertionError(f"none of {ranks} can be pointed at")


def mark(reader, side: str, name: str):
    return reader.page.locator(f".rpn-{side} .rpn-marks > .{name}:not([hidden])")


def test_boxes_and_counts_follow_the_finger_and_python_follows_on_release(reader):
    root = open_boards(reader, "&view.top_k=300")
    made = candidates_of(root)
    before = reader.shapes("live_boxes")
    revision = reader.revision("live_boxes")
    drag(reader, "nms-iou_threshold", -48)
    next_frame(reader)
    held = value(reader, "nms-iou_threshold")
    assert held < 0.6
    assert reader.shapes("live_boxes") != before
    survivors = propose(made, None, Filter(), Nms(iou_threshold=held)).survivors
    assert counts(reader)[1] == survivors
    assert reader.revision("live_boxes") == revision  # Python knows nothing yet
    assert "nms.iou_threshold" not in reader.link
    while_held = reader.shapes("live_boxes")
    reader.screenshot("threshold_in_hand")
    reader.page.mouse.up()
    reader.wait_for_link({"nms.iou_threshold": None})
    assert float(reader.link["nms.iou_threshold"]) == held
    reader.until(f"() => document.querySelector('.rpn-live').dataset.revision > {revision}")
    assert reader.shapes("live_boxes") == while_held
    assert (
        root.evaluate("(root) => root.rpn.servedKept.reduce((sum, bit) => sum + bit)") == survivors
    )


def test_score_threshold_top_k_and_cap_follow_the_finger_too(reader):
    open_boards(reader, "&nms.post_nms=500&nms.iou_threshold=1")
    reached, _, proposals = counts(reader)
    assert proposals == 500
    drag(reader, "nms-post_nms", -30)
    next_frame(reader)
    assert counts(reader)[2] == value(reader, "nms-post_nms") < 500
    reader.page.mouse.up()
    before = reader.shapes("live_boxes")
    drag(reader, "view-top_k", 30)
    next_frame(reader)
    assert reader.shapes("live_boxes") != before
    assert (
        f"the best {value(reader, 'view-top_k'):.0f}"
        in reader.page.locator("h3").first.text_content()
    )
    reader.page.mouse.up()
    drag(reader, "nms-score_threshold", 60)
    next_frame(reader)
    assert counts(reader)[0] < reached
    reader.page.mouse.up()
    reader.settle()


def test_the_browser_decides_as_the_core_at_every_threshold_level_by_level(reader):
    root = open_boards(reader, "&filter.nms_by_level=1&planted.noise=2")
    made, rules = candidates_of(root), Filter(nms_by_level=True)
    script = (
        "(root, all) => all.map(([iou, score]) => Array.from(root.rpn.survivors({ iou, score })))"
    )
    middle = float(made.scores.median())
    at = [(iou, score) for iou in [*HUNDREDTHS[::4], 0.2, 0.3, 0.7, 0.9] for score in (0, middle)]
    for (iou, score), found in zip(at, root.evaluate(script, at), strict=True):
        nms = Nms(iou_threshold=iou, score_threshold=score, post_nms=12_000)
        expected = propose(made, None, rules, nms).candidate_index.tolist()
        assert found == expected, (iou, score)


def hard_sets() -> dict[str, np.ndarray]:
    """Boxes that stand best first, and on which a careless NMS slips."""
    rng = np.random.default_rng(0)

    def around(count: int, objects: int) -> np.ndarray:
        which = rng.integers(0, objects, count)
        centre = rng.uniform(0, 800, (objects, 2))[which] + rng.normal(0, 8, (count, 2))
        side = rng.uniform(24, 224, (objects, 2))[which] * np.exp(rng.normal(0, 0.12, (count, 2)))
        return np.concatenate([centre - side / 2, centre + side / 2], axis=1)

    whole = rng.integers(0, 12, (120, 2, 2))  # many equal boxes, many IoUs on a threshold
    chain = np.arange(60)[:, None] * [3, 0, 3, 0] + [0, 0, 10, 10]
    heights = np.arange(1, 101)[:, None] * [0, 0, 0, 1] + [0, 0, 10, 0]  # IoU of n and 100: n / 100
    odd = np.array(
        [
            [0, 0, 10, 10],
            [0, 0, 10, np.nan],
            [0, 0, np.inf, 10],
            [5, 5, 5, 20],
            [5, 5, 5, 20],
            [9, 9, 1, 1],
            [0, 0, 1e-20, 1e-20],
            [0, 0, 1e-20, 1e-20],
            [0, 0, 1e19, 1e19],
            [-np.inf, 0, 4, 4],
            [1, 1, 10, 10],
        ]
    )
    return {
        "uniform": around(150, 150),
        "clustered": around(150, 4),
        "on thresholds": np.sort(whole, axis=1).reshape(-1, 4),
        "a chain": chain,
        "one box many times": np.tile([[3, 4, 70, 80]], (90, 1)),
        "exact hundredths": heights[::-1].copy(),
        "odd": odd,
        "none": np.zeros((0, 4)),
    }


DECIDE = """([boxes, groups, thresholds, most]) => {
    const field = { boxes: new Float32Array(boxes), groups: groups && new Uint8Array(groups) };
    field.areas = areasOf(field.boxes);
    const pairs = findPairs(field, most);
    return JSON.stringify({ // as text: number by number it takes ten times as long
        floor: pairs.floor,
        found: pairs.ious.length,
        decisions: thresholds.map((threshold) => {
            const kept = suppress(field, pairs, threshold);
            const direct = suppress(field, null, threshold);
            const winners = Array.from(kept, (keep, rank) =>
                keep ? -1 : winnerOver(field, kept, rank, threshold).rank);
            return { kept: Array.from(kept), direct: Array.from(direct), winners };
        }),
    });
}"""


def test_nms_in_the_browser_is_the_cores_on_hard_boxes_with_pairs_and_without(chromium):
    page = chromium.new_page()
    page.add_script_tag(content=board.source("nms"))
    floors = set()
    for name, boxes in hard_sets().items():
        ranked = torch.tensor(boxes, dtype=torch.float32)
        scores = torch.arange(len(boxes), 0, -1).float()
        levels = torch.arange(len(boxes)) % 3
        for groups in (None, levels):
            thresholds = HUNDREDTHS if name == "exact hundredths" else HUNDREDTHS[::10]
            expected = [suppress(ranked, scores, each, groups) for each in thresholds]
            for most in (4_000_000, 400):  # a short list keeps the highest IoUs alone
                listed = None if groups is None else groups.tolist()
                sent = [ranked.flatten().tolist(), listed, thresholds, most]
                found = json.loads(page.evaluate(DECIDE, sent))
                floors.add((most, found["floor"] > 0))
                assert found["found"] <= most
                for each, want, got in zip(thresholds, expected, found["decisions"], strict=True):
                    where = (name, groups is not None, most, each)
                    kept = torch.zeros(len(boxes), dtype=torch.int64)
                    kept[want.keep] = 1
                    assert got["kept"] == got["direct"] == kept.tolist(), where
                    assert got["winners"] == want.suppressed_by.tolist(), where
    page.close()
    assert floors == {(4_000_000, False), (400, False), (400, True)}


def test_pointing_at_a_box_names_it_and_a_suppressed_one_says_who_won(reader):
    root = open_boards(reader, "&view.top_k=40&nms.iou_threshold=0.5")
    point_at(reader, [0])
    tip = reader.page.locator(".rpn-tip")
    for word in ("#1 of", "score", "row", "column", "shape", "px", "proposal 1 of"):
        assert word in tip.text_content()
    assert mark(reader, "before", "hover").count() == mark(reader, "after", "hover").count() == 1
    assert mark(reader, "after", "gone").count() == 0
    reader.screenshot("box_under_the_pointer")
    reader.page.mouse.move(5, 5)
    assert not tip.is_visible()
    assert mark(reader, "before", "hover").count() == 0

    made = candidates_of(root)
    decided = suppress(made.boxes, torch.arange(len(made.boxes), 0, -1).float(), 0.5)
    gone = [rank for rank in range(40) if decided.suppressed_by[rank] >= 0]
    rank = point_at(reader, gone)
    winner = int(decided.suppressed_by[rank])
    text = tip.text_content()
    assert f"suppressed by #{winner + 1} at IoU " in text
    assert float(text.rsplit(" ", 1)[1]) > 0.5
    assert mark(reader, "before", "rival").count() == mark(reader, "after", "rival").count() == 1
    assert mark(reader, "after", "hover.gone").count() == 1
    assert mark(reader, "before", "hover.gone").count() == 0


def test_a_click_pins_a_box_through_every_move_and_into_the_link(reader):
    root = open_boards(reader, "&view.top_k=1")
    anchor = int(candidates_of(root).anchor_index[0])
    reader.page.mouse.click(*place_on(reader, "After", 0))
    reader.wait_for_link({"view.follow": anchor})
    reader.press("nms-iou_threshold", "ArrowLeft", "live_boxes")
    assert mark(reader, "before", "pin").count() == mark(reader, "after", "pin").count() == 1
    assert "Pinned: #1 of" in reader.page.locator(".rpn-story").text_content()
    reader.screenshot("pinned_box")
    reader.open(reader.page.url.removeprefix(reader.address))  # as anybody else would
    assert mark(reader, "before", "pin").count() == 1
    corner = place_on(reader, "Before", 0, (0.5, 0.5))
    reader.page.mouse.click(*corner)  # the pinned one again
    reader.wait_for_link({"view.follow": ""})
    assert mark(reader, "before", "pin").count() == 0


def test_the_keyboard_steps_pins_and_lets_go(reader):
    root = open_boards(reader)
    anchors = candidates_of(root).anchor_index.tolist()
    reader.page.locator(".rpn-before .rpn-board").focus()
    for key in ("ArrowRight", "n", "n", "p"):
        reader.page.keyboard.press(key)
    assert shown_rank(reader) == 1
    assert "#2 of" in reader.page.locator(".rpn-spoken").text_content()
    reader.page.keyboard.press("Enter")
    reader.wait_for_link({"view.follow": anchors[1]})
    reader.page.keyboard.press("Escape")
    assert shown_rank(reader) == -1
    reader.page.keyboard.press("Escape")
    reader.wait_for_link({"view.follow": ""})


def test_the_wheel_zooms_both_boards_and_a_rerun_keeps_zoom_and_nodes(reader):
    root = open_boards(reader)
    root.evaluate("(root) => (root.mine = true)")
    shown = reader.page.locator(".rpn-after .rpn-board").bounding_box()
    at = shown["x"] + shown["width"] * 0.25, shown["y"] + shown["height"] * 0.75
    view = "(root) => { const { zoom, left, top } = root.rpn.view; return [zoom, left, top]; }"
    reader.page.mouse.move(*at)
    reader.page.mouse.wheel(0, -400)
    reader.until("() => document.querySelector('.rpn-live').rpn.view.zoom > 2")
    zoom, left, top = root.evaluate(view)
    # What lay under the pointer stays there.
    assert left + 0.25 / zoom == pytest.approx(0.25, abs=0.01)
    assert top + 0.75 / zoom == pytest.approx(0.75, abs=0.01)
    photos = reader.page.locator(".rpn-live img")
    styles = [photos.nth(each).evaluate("(image) => image.style.transform") for each in (0, 1)]
    assert styles[0] == styles[1] != ""
    reader.press("filter-pre_nms", "ArrowLeft", "live_boxes")
    assert root.evaluate(view) == [zoom, left, top]
    assert root.evaluate("(root) => root.mine")
    reader.page.mouse.move(*at)
    reader.page.mouse.down()
    reader.page.mouse.move(at[0] - 60, at[1], steps=4)
    reader.page.mouse.up()
    assert root.evaluate(view)[1] > left
    assert "view.follow" not in reader.link  # to drag is not to click
    reader.page.mouse.dblclick(*at)
    assert root.evaluate(view) == [1, 0, 0]


def test_a_followed_box_that_is_no_candidate_says_so(reader):
    reader.open(PAGE + "&view.follow=0&filter.pre_nms=20")
    story = reader.page.locator(".rpn-story")
    assert "The pinned box, of anchor 0, is not among these candidates" in story.text_content()


def test_a_finger_scrolls_the_page_until_the_board_is_zoomed(chromium, server):
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(server + PAGE + "&view.top_k=1")
    page.wait_for_selector(".rpn-live[data-pairs]")
    shown = page.locator(".rpn-before .rpn-board")
    action = "(board) => getComputedStyle(board).touchAction"
    assert shown.evaluate(action) == "pan-y"
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0
    shown.scroll_into_view_if_needed()
    shown.evaluate(
        """(board) => {
            const { left, top } = board.getBoundingClientRect();
            const send = (type, pointerId, x) => board.dispatchEvent(new PointerEvent(type, {
                pointerId, pointerType: "touch", bubbles: true,
                clientX: left + x, clientY: top + 100,
            }));
            send("pointerdown", 1, 100);
            send("pointerdown", 2, 140);
            for (let x = 150; x <= 220; x += 10) send("pointermove", 2, x);
            send("pointerup", 1, 100);
            send("pointerup", 2, 220);
        }"""
    )
    page.wait_for_function("() => document.querySelector('.rpn-board.zoomed')")
    zoom = page.locator(".rpn-live").evaluate("(root) => root.rpn.view.zoom")
    assert zoom == pytest.approx(3, rel=0.01)  # 120 pixels between two fingers that had 40
    assert shown.evaluate(action) == "none"
    context.close()
