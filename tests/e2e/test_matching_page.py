"""The Matching page as a person meets it: thresholds, a drawn and a dragged object, its claims."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e

VIEW = "/matching?v=1&image.side=256&scores.source=planted&image.picture=coffee"


def drag(reader, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag from one place of the picture to another, both as shares of its sides."""
    box = reader.plot("matching").locator(".nsewdrag").bounding_box()
    at = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    reader.page.mouse.move(*at[0])
    reader.page.mouse.down()
    reader.page.mouse.move(*at[1], steps=8)
    reader.page.mouse.up()


def click(reader, plot: str, x: float, y: float) -> None:
    """Click on a place of a plot, given as shares of its sides."""
    box = reader.plot(plot).locator(".nsewdrag").bounding_box()
    place = box["x"] + box["width"] * x, box["y"] + box["height"] * y
    reader.act("matching", lambda: reader.page.mouse.click(*place))


def numbers(reader) -> list[str]:
    return reader.plot("matching").evaluate(
        "(plot) => plot.layout.annotations.map((each) => each.text.replace(/<.?b>/g, ''))"
    )


def rows(reader) -> list[list[str]]:
    """The table of objects at the page's end."""
    return reader.page.locator(".objects tr").evaluate_all(
        "(rows) => rows.slice(1).map((row) => [...row.children].map((cell) => cell.textContent))"
    )


def positives(reader) -> int:
    title = reader.plot("matching").evaluate("(plot) => plot.layout.title.text")
    return int(title.split()[0].replace(",", ""))


def test_a_drawn_object_is_claimed_and_follows_the_mouse_and_a_bad_one_is_refused(reader):
    reader.open(VIEW)
    assert numbers(reader) == ["1", "2", "3"]
    reader.act("matching", lambda: reader.page.locator(".st-key-draw_objects label").first.click())
    # the photo is 600 x 400: above and below it the input is padded
    reader.act("matching", lambda: drag(reader, (0.2, 0.02), (0.6, 0.12)))
    reader.page.get_by_text("An object must have a size inside the picture").wait_for()
    assert numbers(reader) == ["1", "2", "3"]
    reader.act("matching", lambda: drag(reader, (0.1, 0.3), (0.35, 0.55)))
    assert numbers(reader) == ["1", "2", "3", "4"]
    drawn = rows(reader)[3]
    assert drawn[0].startswith("4 ")
    assert drawn[1] == "64 x 64"
    assert int(drawn[4]) > 0
    reader.wait_for_link({"claims.object": 3})  # the drawn one is chosen
    words = reader.page.locator("[data-testid=stMain]").text_content()
    assert "claim it" in words or "claims it" in words
    reader.screenshot("matching_drawn")

    reader.act("matching", lambda: reader.page.locator(".st-key-draw_objects label").first.click())
    box = "(plot) => plot.rpnMeta.movable"
    before = reader.plot("matching").evaluate(box)
    reader.act("matching", lambda: drag(reader, (0.2, 0.4), (0.3, 0.5)))
    after = reader.plot("matching").evaluate(box)
    moved = [end - start for start, end in zip(before, after, strict=True)]
    assert moved == pytest.approx([25.6] * 4, abs=1)
    assert rows(reader)[3][1] == "64 x 64"
    # its lower right corner alone
    reader.act("matching", lambda: drag(reader, (0.45, 0.65), (0.6, 0.65)))
    resized = reader.plot("matching").evaluate(box)
    assert resized[:2] == pytest.approx(after[:2], abs=0.1)
    assert resized[2] - after[2] == pytest.approx(0.15 * 256, abs=1)
    assert len(rows(reader)) == 4
    reader.screenshot("matching_dragged")


def test_thresholds_and_the_rule_change_who_is_positive(reader):
    reader.open(VIEW + "&match.low=0.8&match.high=0.5")
    (alert,) = reader.page.locator("[data-testid=stAlert]").all_text_contents()
    assert "match.low must be at most match.high (0.5), got" in alert
    assert reader.page.locator(".st-key-match-high input[type=range]").input_value() == "0.5"
    before = positives(reader)
    reader.press("match-high", "End", "matching")
    reader.wait_for_link({"match.high": 1})
    assert 0 < positives(reader) < before
    assert positives(reader) == sum(int(row[4]) for row in rows(reader))
    rule = reader.page.locator(".st-key-match-low_quality")
    reader.act("matching", lambda: rule.get_by_text("none").click())
    assert positives(reader) == 0
    assert all("The best anchor here has" in row[6] for row in rows(reader))
    vermilion = "(plot) => new Set(plot.layout.annotations.map((each) => each.font.color)).size"
    assert reader.plot("matching").evaluate(vermilion) == 1
    reader.screenshot("matching_no_rule")


def test_a_click_on_an_object_or_its_row_shows_its_anchors_alone(reader):
    reader.open(VIEW + "&match.high=0.5")
    every = reader.plot("matching").evaluate("(plot) => plot.rpnTold[0].customdata.length")
    click(reader, "claim_table", 0.1, 0.5)  # the second of three rows
    reader.wait_for_link({"claims.object": 1})
    own = reader.plot("matching").evaluate(
        "(plot) => plot.rpnTold[0].customdata.map((fact) => fact[6])"
    )
    assert 0 < len(own) < every
    assert set(own) == {2}
    assert len(own) == int(rows(reader)[1][4])
    click(reader, "matching", 0.01, 0.01)  # the margin: no object lies there
    reader.wait_for_link({"claims.object": ""})
    reader.screenshot("matching_all")
