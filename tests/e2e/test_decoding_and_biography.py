"""What a person does on the Decoding page, and with the biography of a box."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.e2e

SMALL = "?v=1&image.side=256&scores.source=noise"


def lines(reader, table: int = 0) -> list[str]:
    """The rows of a table of arithmetic as they stand on the screen."""
    return reader.page.locator(".arithmetic").nth(table).locator("tr").all_inner_texts()


def result(reader, start: str, table: int = 0) -> float:
    """What the line that begins so comes to."""
    (line,) = [each for each in lines(reader, table) if each.startswith(start)]
    return float(line.split()[-1].replace("−", "-"))


def shape(reader, name: str) -> str:
    """The path of a named shape of the Decoding page's picture."""
    return reader.plot("decoding").evaluate(
        "(plot, name) => plot.layout.shapes.find((shape) => shape.name === name).path", name
    )


def numbers(path: str) -> list[float]:
    return [float(each) for each in re.findall(r"-?[\d.]+", path)]


def drag(reader, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag a rectangle on the picture, in shares of its sides."""
    box = reader.plot("decoding").locator(".nsewdrag").bounding_box()
    (x1, y1), (x2, y2) = (
        (box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)
    )
    reader.page.mouse.move(x1, y1)
    reader.page.mouse.down()
    reader.page.mouse.move((x1 + x2) / 2, (y1 + y2) / 2, steps=3)
    reader.page.mouse.move(x2, y2, steps=3)
    reader.page.mouse.up()


def test_the_box_and_its_numbers_go_where_sliders_and_drawn_targets_send_them(reader):
    """One visit, since a page load is the dear part."""
    reader.open("/decoding" + SMALL)
    press_a_key(reader)
    drag_a_slider(reader)
    draw_a_target(reader)
    draw_outside_the_picture(reader)


def press_a_key(reader):
    box, x = shape(reader, "box"), result(reader, "x =")
    reader.press("decoding-dx", "ArrowRight", "decoding")
    reader.wait_for_link({"decoding.dx": 0.21})
    assert result(reader, "x =") == pytest.approx(x + 0.01 * 45.25, abs=0.02)
    assert shape(reader, "box") != box
    x1, y1, x2, y2, _ = numbers(shape(reader, "box"))
    assert [x1, y1, x2, y2] == pytest.approx(
        [result(reader, f"{name} clipped") for name in ("x1", "y1", "x2", "y2")], abs=0.06
    )


def drag_a_slider(reader):
    """The box and its numbers follow the finger, and stay as they are when it lets go."""
    before, revision = lines(reader), reader.revision("decoding")
    text = reader.page.locator(".arithmetic").first.inner_text()
    thumb = reader.page.locator(".st-key-decoding-dw input[type=range]").bounding_box()
    x, y = thumb["x"] + thumb["width"] / 2, thumb["y"] + thumb["height"] / 2
    reader.page.mouse.move(x, y)
    reader.page.mouse.down()
    reader.page.mouse.move(x + 14, y, steps=5)
    reader.until("(text) => document.querySelector('.arithmetic').innerText !== text", arg=text)
    reader.page.wait_for_timeout(100)  # the last of its frames
    live, drawn = lines(reader), numbers(shape(reader, "box"))
    reader.screenshot("decoding_while_dragging")
    assert reader.revision("decoding") == revision  # no figure came from the server yet
    assert live != before
    reader.page.mouse.up()
    reader.until(
        f"""() => Number(document.querySelector(".st-key-decoding .rpn-plot")
            .dataset.revision) > {revision}"""
    )
    reader.settle()
    assert lines(reader) == live
    assert numbers(shape(reader, "box")) == pytest.approx(drawn, abs=0.06)


def draw_a_target(reader):
    """It gives the deltas that lead to it."""
    drag(reader, (0.35, 0.3), (0.75, 0.65))
    reader.wait_for_link({"decoding.target": None})
    target = [float(side) for side in reader.link["decoding.target"].split("_")]
    reader.page.locator(".st-key-reach_target").wait_for()
    for name in ("dx", "dy", "dw", "dh"):
        in_link = float(reader.link[f"decoding.{name}"])
        assert result(reader, f"{name} =", table=1) == pytest.approx(in_link, abs=1e-4)
    clipped = [result(reader, f"{name} clipped") for name in ("x1", "y1", "x2", "y2")]
    assert clipped == pytest.approx(target, abs=0.02)  # the box now lies on the target
    off = reader.page.locator("[data-testid=stMetricValue]").first.text_content()
    assert float(off.split()[0]) < 0.001
    reader.screenshot("decoding_target")


def draw_outside_the_picture(reader):
    """In the margin that the whole picture shows: refused in one sentence."""
    target = reader.link["decoding.target"]
    reader.page.locator(".st-key-decoding-whole label").click()
    reader.wait_for_link({"decoding.whole": None})
    drag(reader, (0.01, 0.2), (0.08, 0.6))
    alert = reader.page.locator("[data-testid=stAlert]")
    expect(alert).to_contain_text("A target must have a size inside the picture")
    reader.settle()
    shapes = "(plot) => plot.layout.shapes.filter((shape) => shape.type === 'rect').length"
    assert reader.plot("decoding").evaluate(shapes) == 0  # the refused rectangle is gone
    assert reader.link["decoding.target"] == target


def test_a_click_on_a_box_tells_its_life_and_leads_to_the_box_that_won(reader):
    reader.open("/proposals" + SMALL + "&nms.iou_threshold=0.3&view.top_k=40")
    assert reader.page.get_by_text("Click a box above, or give a rank").count() == 1
    place = reader.plot("live_boxes").evaluate(
        """(root) => {
            const { board, drawn } = root.rpn.sides[0];
            const [x1, y1, x2, y2] = root.rpn.data.boxes.subarray(4 * drawn[20], 4 * drawn[20] + 4);
            const at = board.canvas.getBoundingClientRect();
            return [at.left + x1 * board.scale, at.top + ((y1 + y2) / 2) * board.scale];
        }"""
    )
    reader.page.mouse.click(*place)
    reader.wait_for_link({"view.follow": None})
    reader.page.locator(".st-key-biography .rpn-plot[data-revision]").wait_for()
    reader.settle()
    followed = reader.link["view.follow"]
    rank = reader.page.locator(".st-key-follow_rank input")
    assert reader.page.locator(".st-key-follow_number input").input_value() == followed
    words = ("where", "anchor", "deltas", "box", "score", "rank")
    assert reader.page.locator(".facts th").all_text_contents() == list(words)
    assert f"{rank.input_value()} of " in reader.page.locator(".facts").text_content()

    suppressed = reader.plot("live_boxes").evaluate("(root) => root.rpn.kept.indexOf(0) + 1")
    rank.fill(str(suppressed))
    rank.press("Enter")
    winner = reader.page.locator(".st-key-follow_winner button")
    winner.wait_for()
    reader.settle()
    reader.screenshot("biography_of_a_suppressed_box")
    number = winner.text_content().partition("#")[2]
    assert reader.page.get_by_text(f"Suppressed by candidate #{number},").count() == 1
    winner.click()
    reader.page.get_by_text(re.compile("Kept: proposal|Cut by the cap")).wait_for()
    reader.settle()
    assert rank.input_value() == number.replace(",", "")
