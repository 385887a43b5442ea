"""The difference between two code bases, found as a reader would; B of a comparison dragged."""

import pytest

pytestmark = pytest.mark.e2e

SMALL = "?image.side=256&scores.source=noise"


def test_the_difference_between_two_conventions_is_found(reader):
    reader.open("/conventions" + SMALL)
    page = reader.page
    ghosts = reader.shapes("ghosts")
    row = page.locator(".conventions tr", has_text="A ratio means")
    assert row.locator("td.chosen").all_inner_texts() == ["w/h", "h/w"]
    assert "its anchor stands elsewhere there" in page.locator("[data-testid=stMain]").inner_text()

    against = page.locator(".st-key-compare-against").get_by_text("detectron2")
    reader.act("ghosts", against.click)
    reader.wait_for_link({"compare.against": "detectron2"})
    assert reader.shapes("ghosts") != ghosts  # torchvision rounds its corners, detectron2 does not
    row = page.locator(".conventions tr", has_text="Rounding")
    assert row.locator("td.chosen").all_inner_texts() == ["none", "none"]


def boxes_in(reader):
    """The boxes that A and B draw, each alone and shared."""
    return reader.plot("apart").evaluate(
        "({ layout, data }) => JSON.stringify([layout.shapes, data])"
    )


def test_b_of_a_comparison_moves_alone_and_travels_in_the_link(reader, readers):
    reader.open("/compare" + SMALL)
    assert "A and B are the same" in reader.page.locator("[data-testid=stMain]").inner_text()
    reader.press("b-nms-iou_threshold", "Home", "apart")
    reader.page.wait_for_url("**nms.iou_threshold**")
    assert (
        "They differ in: NMS IoU threshold." in reader.page.get_by_text("They differ").inner_text()
    )

    other = readers()
    other.page.goto(reader.page.url)
    other.settle()
    assert boxes_in(other) == boxes_in(reader)
