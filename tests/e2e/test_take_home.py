"""What a reader takes home from a figure, and brings back, in a real browser."""

import json
from base64 import b64decode
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.e2e

SMALL = "image.side=256&scores.source=noise"


def download(reader, plot, title):
    shown = reader.plot(plot)
    shown.hover()
    with reader.page.expect_download() as started:
        shown.locator(f"[data-title='{title}']").click()
    return started.value


def test_a_figure_leaves_as_png_svg_and_html(reader, chromium, tmp_path):
    reader.open(f"/scores?{SMALL}")
    reader.page.wait_for_timeout(500)
    png = download(reader, "heat_map", "Download as PNG")
    png.save_as(tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as picture:
        assert min(picture.size) > 200

    svg = download(reader, "heat_map", "Download as SVG")
    svg.save_as(tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text()
    assert text.lstrip().startswith("<svg")
    assert "data:image/" in text  # the photo is inside

    page = download(reader, "heat_map", "Download as HTML")
    page.save_as(tmp_path / "figure.html")
    context = chromium.new_context(offline=True)
    alone = context.new_page()
    asked = []
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(f"file://{tmp_path}/figure.html")
    alone.wait_for_selector(".js-plotly-plot .main-svg image")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    context.close()


def pixels_of(canvas):
    """Red, green, blue, alpha of a live canvas."""
    encoded = canvas.evaluate("(it) => it.toDataURL()").removeprefix("data:image/png;base64,")
    with Image.open(BytesIO(b64decode(encoded))) as picture:
        return np.asarray(picture.convert("RGBA"))


@pytest.mark.parametrize("path", ["anchors", "proposals", "nms"])
def test_a_live_canvas_leaves_as_png_svg_and_html(readers, chromium, tmp_path, path):
    reader = readers(sharpness=2)  # the files have two pixels for one of the page, too
    reader.open(f"/{path}?{SMALL}&steps.step=1")
    board = reader.page.locator(".rpn-board").first
    drawn = pixels_of(board.locator("canvas"))
    for kind in ("png", "svg", "html"):
        board.hover(position={"x": 2, "y": 2})
        with reader.page.expect_download() as started:
            board.get_by_role("button", name=kind.upper(), exact=True).click()
        started.value.save_as(tmp_path / f"board.{kind}")
    assert reader.complaints == []

    with Image.open(tmp_path / "board.png") as picture:
        taken = np.asarray(picture.convert("RGB"))[-len(drawn) :]
    opaque = drawn[..., 3] == 255
    assert opaque.sum() > 1000
    same = (taken[opaque] == drawn[opaque][:, :3]).all(-1)
    assert same.mean() > 0.97  # labels and outlines lie over the rest

    drawing = ElementTree.parse(tmp_path / "board.svg").getroot()
    title, picture = (part for part in drawing if part.tag.endswith(("text", "svg")))
    assert board.get_attribute("aria-label").startswith(title.text)
    (photo,) = (part for part in picture if part.tag.endswith("image"))
    assert photo.get("href").startswith("data:image/")

    context = chromium.new_context(offline=True)
    alone = context.new_page()
    alone.goto(f"file://{tmp_path}/board.html")
    strokes = [part for part in picture if part.tag.endswith("path")]
    assert alone.locator("svg svg path").count() == len(strokes)
    context.close()


def test_a_view_leaves_as_a_file_and_comes_back(reader, readers, tmp_path):
    reader.open(f"/take_home?{SMALL}&nms.iou_threshold=0.35&anchors.offset=0.25")
    reader.page.get_by_role("tab", name="Settings").click()
    with reader.page.expect_download() as started:
        reader.page.get_by_text("Download these settings").click()
    started.value.save_as(tmp_path / "view.json")
    assert (
        json.loads((tmp_path / "view.json").read_text())["settings"]["nms"]["iou_threshold"] == 0.35
    )

    other = readers()
    other.open("/take_home?image.side=128&scores.source=noise")
    other.page.get_by_role("tab", name="Settings").click()
    chooser = other.page.locator(".st-key-settings_file input[type=file]")
    chooser.set_input_files(tmp_path / "view.json")
    other.wait_for_link({"nms.iou_threshold": 0.35, "anchors.offset": 0.25, "image.side": 256})
