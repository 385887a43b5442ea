"""Ground truth, planted and learned scores, recall, as a person meets them."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e

SMALL = "?v=1&image.side=256"


def pick(reader, key: str, option: str, plot: str) -> None:
    """Choose from a list that opens, and wait for another figure."""
    reader.page.locator(f".st-key-{key} [data-baseweb=select], .st-key-{key} input").first.click()
    reader.act(plot, reader.page.get_by_role("option", name=option, exact=True).click)


MEDIANS = """(plot) => Object.fromEntries(plot._fullData.map((trace) => {
    const half = Array.from(trace.y).reduce((sum, count) => sum + count, 0) / 2;
    let seen = 0;
    const bin = Array.from(trace.y).findIndex((count) => (seen += count) >= half);
    return [trace.name, trace.x[bin]];
}))"""


def test_the_histogram_shows_one_spike_at_random_and_two_modes_learned(reader):
    view = "&image.picture=scene_2&view.full_axis=1&view.log_counts=1&view.split=match"
    reader.open("/scores?v=1&image.side=512&scores.source=random" + view)
    spike = reader.plot("histogram").evaluate(MEDIANS)
    assert all(abs(median - 0.5) < 0.1 for median in spike.values()), spike
    reader.screenshot("random_histogram")
    pick(reader, "scores-source", "learned", "histogram")
    modes = reader.plot("histogram").evaluate(MEDIANS)
    assert modes["background"] < 0.05, modes
    assert modes["claimed by an object"] > 0.7, modes
    assert "learned by this project" in reader.page.locator("[data-testid=stMain]").text_content()
    reader.screenshot("learned_histogram")


def test_planted_scores_find_the_objects(reader):
    reader.open("/recall" + SMALL + "&scores.source=planted&image.picture=coffee")
    found = reader.page.locator("[data-testid=stMetricValue]").first.text_content()
    assert found == "3 of 3"
    reader.screenshot("recall_planted")


def test_a_miss_is_marked_and_says_why(reader):
    reader.open("/recall" + SMALL + "&scores.source=planted&recall.iou=0.95&planted.regression=0")
    dashes = "(plot) => plot.layout.shapes.filter((shape) => shape.line.dash === 'dash').length"
    assert reader.plot("recall_boxes").evaluate(dashes) > 0
    assert reader.page.locator(".objects td", has_text="IoU").count() >= 1
    reader.screenshot("recall_missed")


def test_a_drawn_object_becomes_ground_truth_and_is_found(reader):
    reader.open("/recall" + SMALL + "&scores.source=planted&image.picture=coffee")
    before = reader.revision("recall_boxes")
    reader.page.locator(".st-key-draw_objects label").first.click()
    reader.until(
        "document.querySelector('.st-key-recall_boxes .rpn-plot').layout.dragmode === 'drawrect'"
    )
    box = reader.plot("recall_boxes").locator(".nsewdrag").bounding_box()
    reader.page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.3)
    reader.page.mouse.down()
    reader.page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.6, steps=8)
    reader.page.mouse.up()
    metric = reader.page.locator("[data-testid=stMetricValue]").first
    metric.get_by_text("of 4").wait_for()
    reader.settle()
    assert reader.revision("recall_boxes") > before
    reader.screenshot("drawn_object")


def test_a_file_of_boxes_is_taken_and_its_bad_row_named(reader):
    reader.open("/recall" + SMALL + "&scores.source=planted&image.picture=coffee")
    reader.page.get_by_text("Objects from a file").click()
    rows = "x1,y1,x2,y2,label\n100,100,300,300,cup\n50,50,50,90,thin\n"
    upload = {"name": "boxes.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    reader.page.locator(".st-key-annotations input[type=file]").set_input_files(upload)
    reader.page.locator("[data-testid=stAlert]").first.wait_for()
    reader.settle()
    notes = reader.page.locator("[data-testid=stAlert]").all_text_contents()
    assert any("line 3" in note for note in notes), notes
    assert "of 1" in reader.page.locator("[data-testid=stMetricValue]").first.text_content()


def test_a_broken_file_of_boxes_is_one_sentence_and_changes_nothing(reader):
    reader.open("/recall" + SMALL + "&scores.source=planted&image.picture=coffee")
    reader.page.get_by_text("Objects from a file").click()
    upload = {"name": "boxes.json", "mimeType": "application/json", "buffer": b'{"images": ['}
    reader.page.locator(".st-key-annotations input[type=file]").set_input_files(upload)
    reader.page.locator("[data-testid=stAlert]").first.wait_for()
    reader.settle()
    assert "of 3" in reader.page.locator("[data-testid=stMetricValue]").first.text_content()


def test_a_scene_is_painted_on_the_spot(reader):
    reader.open("/recall" + SMALL + "&scores.source=planted&image.picture=scene&scene.objects=5")
    assert "of 5" in reader.page.locator("[data-testid=stMetricValue]").first.text_content()
    reader.screenshot("scene")


def test_learned_scores_say_why_other_anchors_do_not_fit(reader):
    reader.open("/anchors" + SMALL + "&scores.source=learned&anchors.sizes=20~40~80~160~320")
    text = reader.page.locator("[data-testid=stMain]").text_content()
    assert "trained for other anchors" in text
