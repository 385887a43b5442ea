"""The blind-spot atlas and the funnel, as a person walks through them."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.e2e

SMALL = "?v=1&image.side=256&scores.source=noise&image.picture=coffee"
AT = """(plot, [x, y]) => {
    const { xaxis, yaxis } = plot._fullLayout, at = plot.getBoundingClientRect();
    return [at.left + xaxis._offset + xaxis.d2p(x), at.top + yaxis._offset + yaxis.d2p(y)];
}"""


def click(reader, plot: str, x: float, y: float, changes: str = "") -> None:
    """Click at a place of a plot, in its axes' units, and wait for another figure."""
    reader.plot(plot).scroll_into_view_if_needed()
    place = reader.plot(plot).evaluate(AT, [x, y])
    reader.act(changes or plot, lambda: reader.page.mouse.click(*place))


def metrics(reader) -> list[str]:
    return reader.page.locator("[data-testid=stMetricValue]").all_text_contents()


def traces(reader, kind: str) -> list[dict]:
    return reader.plot("size_map").evaluate(
        """(plot, kind) => plot._fullData.filter((trace) => trace.type === kind)
            .map(({ text, x, y, line }) => ({ text, x: Array.from(x), y: Array.from(y), line }))""",
        kind,
    )


def test_the_atlas_is_read_clicked_and_compared(reader):
    reader.open("/atlas" + SMALL)
    assert metrics(reader) == ["0.158", "0.158"]  # 18 x 9 px, the blind spot that it opens on
    dots = next(trace for trace in traces(reader, "scatter") if len(trace["text"] or "") == 3)
    assert len(dots["text"]) == 3
    title = ".infolayer .gtitle"
    assert "worst place" in reader.plot("size_map").locator(title).text_content()

    mean = reader.page.locator(".st-key-atlas-reading").get_by_text("mean", exact=True)
    reader.act("size_map", mean.click)
    assert "mean over places" in reader.plot("size_map").locator(title).text_content()
    reader.wait_for_link({"atlas.reading": "mean"})

    fcos = reader.page.locator(".st-key-atlas-overlay").get_by_text("FCOS", exact=True)
    reader.act("size_map", fcos.click)
    retinanet = reader.page.locator(".st-key-atlas-overlay").get_by_text("RetinaNet", exact=True)
    reader.act("size_map", retinanet.click)
    reader.wait_for_link({"atlas.overlay": "retinanet_fcos"})
    assert len(traces(reader, "contour")) == 3
    assert "has points, no anchors" in reader.page.locator("[data-testid=stMain]").text_content()

    click(reader, "size_map", dots["x"][0], dots["y"][0], changes="to_scale")
    assert float(reader.link["atlas.width"]) == pytest.approx(dots["x"][0], abs=0.06)
    photo = reader.plot("to_scale").locator(title).text_content()
    assert re.fullmatch(rf"{dots['text'][0]}: its best anchor has IoU 0\.\d\d", photo)

    click(reader, "size_map", 100, 10, changes="to_scale")
    assert float(reader.link["atlas.width"]) == pytest.approx(100, rel=0.03)
    assert float(reader.link["atlas.height"]) == pytest.approx(10, rel=0.03)
    assert float(metrics(reader)[1]) < 0.5
    reader.screenshot("atlas_compared")


def test_a_band_of_the_funnel_leads_to_its_boxes(reader):
    reader.open("/funnel" + SMALL + "&filter.pre_nms=500&nms.post_nms=200")
    assert metrics(reader) == ["200"]
    notes = reader.plot("funnel").locator(".annotation-text").all_text_contents()
    assert "200proposals" in notes
    lost = next(note for note in notes if note.endswith("below top-n"))
    lost = int(lost.removesuffix("below top-n").strip("−").replace(",", ""))

    # the bar at the end of what leaves at the top-n, which runs from 1.58 to 1.70: its left end
    click(reader, "funnel", 0.2, 1.64, changes="band_boxes")
    reader.wait_for_link({"funnel.band": "below top-n", "funnel.part": "P2"})
    of_p2 = int(metrics(reader)[0].replace(",", ""))
    assert 300 < of_p2 < lost
    drawn = "(plot) => plot.rpnTold[0].customdata.map((facts) => [facts[6], facts[10]])"
    facts = reader.plot("band_boxes").evaluate(drawn)
    assert facts == [["P2", "below the top-n"]] * 300
    reader.screenshot("funnel_band")

    box = reader.plot("band_boxes").evaluate("(plot) => plot.rpnTold[0].customdata[0]")
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    click(reader, "band_boxes", x, y, changes="funnel")
    reader.wait_for_link({"view.follow": None})
    told = reader.page.locator("[data-testid=stMain]").text_content()
    assert "went: anchors → large enough → below top-n" in told

    linear = reader.page.locator(".st-key-funnel-scale").get_by_text("linear", exact=True)
    reader.act("funnel", linear.click)
    assert sorted(reader.plot("funnel").locator(".annotation-text").all_text_contents()) == sorted(
        notes
    )  # widths change, counts do not
    reader.screenshot("funnel_linear")
