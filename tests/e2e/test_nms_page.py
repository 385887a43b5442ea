"""NMS, step by step, as a person walks, plays and slides through it."""

from __future__ import annotations

import re

import pytest

from explorer import share
from explorer.core.memo import Memo
from explorer.core.nms import nms
from explorer.core.pipeline import run

pytestmark = pytest.mark.e2e

# Planted scores need no network: the test computes the very same candidates.
FEW = {
    "v": "1",
    "image.side": "256",
    "scores.source": "planted",
    "image.picture": "coffee",
    "planted.regression": "0.3",
    "planted.noise": "3",
    "filter.pre_nms": "60",
    "nms.iou_threshold": "0.5",
}


def address(**more: str) -> str:
    query = FEW | more
    return "/nms?" + "&".join(f"{name}={value}" for name, value in query.items())


def step(reader) -> int:
    return int(reader.plot("steps").get_attribute("data-step"))


def press(reader, name: str) -> None:
    reader.page.get_by_role("button", name=name, exact=True).click()


def sentence(reader) -> str:
    return reader.page.locator(".rpn-steps .sentence").text_content()


def leaves(reader) -> list[int]:
    """Ranks, from 0, of the losers that the tree shows."""
    texts = reader.page.locator(".rpn-steps .leaf .rank").all_text_contents()
    return [int(re.sub(r"\D", "", text)) - 1 for text in texts]


def test_stepped_to_its_end_the_loop_kept_what_nms_keeps(reader):
    reader.open(address())
    settings, notes = share.from_query(FEW)
    assert notes == []
    candidates = run("candidates", settings, Memo(10**9))
    kept = nms(candidates.boxes, candidates.scores, 0.5).tolist()
    assert 3 < len(kept) < 40
    assert step(reader) == 0
    assert "60 boxes are undecided" in sentence(reader)
    winners, losers, left = [], [], 60
    for number in range(1, len(kept) + 1):
        press(reader, "Next step")
        assert step(reader) == number
        words = sentence(reader)
        winners.append(int(re.match(rf"Step {number}: box #([\d,]+) ", words)[1]) - 1)
        losers += leaves(reader)
        left -= 1 + len(leaves(reader))
        told = f"{left} undecided {'is' if left == 1 else 'are'} left" if left else "last step"
        assert told in words
    assert winners == kept
    assert sorted(winners + losers) == list(range(60))
    press(reader, "Next step")  # there is none: nothing happens
    assert step(reader) == len(kept)
    reader.wait_for_link({"steps.step": len(kept)})
    press(reader, "Previous step")
    assert step(reader) == len(kept) - 1
    reader.wait_for_link({"steps.step": len(kept) - 1})
    reader.screenshot("nms_steps")


def test_it_plays_slides_follows_a_box_and_takes_a_threshold_from_the_curve(reader):
    reader.open(address(**{"filter.pre_nms": "800", "steps.step": "2"}))
    assert step(reader) == 2  # as the link says
    reader.page.get_by_label("Pace").select_option("fast")
    press(reader, "Play")
    reader.until("document.querySelector('.rpn-steps').dataset.step > 8")
    assert reader.link["steps.step"] == "2"  # no server on the way
    press(reader, "Pause")
    reached = step(reader)
    reader.wait_for_link({"steps.step": reached})
    assert step(reader) == reached
    press(reader, "Play")
    press(reader, "Last step")
    assert f"{step(reader)} boxes survive" in sentence(reader)
    press(reader, "Before the first step")
    press(reader, "Play")
    reader.until("document.querySelector('.rpn-steps').dataset.step > 3")

    slider = reader.page.get_by_label("Step", exact=True)
    slider.press("Home")  # the hand on the slider ends the playing
    slider.press("ArrowRight")
    assert step(reader) == 1  # at once
    assert reader.page.get_by_role("button", name="Play", exact=True).count() == 1
    reader.wait_for_link({"steps.step": 1})
    winner = reader.page.locator(".rpn-steps .now")
    winner.evaluate("(row) => (row.mark = 'the same')")
    reader.press("nms-iou_threshold", "ArrowLeft", "steps")
    assert step(reader) == 1  # other candidates go, the step stays
    reader.wait_for_link({"nms.iou_threshold": 0.49})

    leaf = reader.page.locator(".rpn-steps .leaf").nth(1)
    rank = leaf.locator(".rank").text_content()
    leaf.click()
    story = reader.page.get_by_text(f"The followed box, candidate {rank}, is decided at step 1.")
    story.wait_for()
    reader.settle()
    reader.wait_for_link({"view.follow": None})
    assert reader.page.locator(".rpn-steps .followed .rank").text_content() == rank
    assert winner.evaluate("(row) => row.mark") == "the same"  # still shown, never made anew
    reader.screenshot("nms_followed")

    curve = reader.plot("survivors")
    survivors = "(plot) => Array.from(plot._fullData[0].y)"
    counts = curve.evaluate(survivors)
    assert len(counts) == 101
    assert counts[0] < counts[50] < counts[100] == 800
    kinds = ("hard", "linear", "gaussian")
    hard, linear, gaussian = (reader.shapes(f"soft_{kind}") for kind in kinds)
    assert hard != linear != gaussian != hard
    axes = curve.locator(".nsewdrag")
    axes.scroll_into_view_if_needed()
    place = axes.bounding_box()
    reader.page.mouse.click(place["x"] + place["width"] * 0.3 / 1.01, place["y"] + 30)
    reader.until("location.search.match(/iou_threshold=0\\.(29|3|31)(&|$)/)")
    reader.settle()
    threshold = round(100 * float(reader.link["nms.iou_threshold"]))
    assert curve.evaluate("(plot) => plot._fullData[2].y[1]") == counts[threshold]
    assert curve.evaluate(survivors) == counts
