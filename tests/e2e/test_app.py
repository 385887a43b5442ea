"""What a person does in a browser."""

from __future__ import annotations

import io
import re
import struct
import zlib
from urllib.parse import urlparse

import pytest
from PIL import Image
from playwright.sync_api import expect

from explorer.pages import PAGES
from tests.e2e.conftest import Reader

pytestmark = pytest.mark.e2e

PATHS = ["/", *(f"/{page.file.removesuffix('.py')}" for page in PAGES[1:])]
SMALL = "?v=1&image.side=256"  # a forward pass of a moment


def looks_well(someone, name: str) -> None:
    """Nothing went wrong, nothing is wider than the window, and no other server was asked."""
    assert someone.page.locator("[data-testid=stException]").count() == 0
    assert someone.page.locator("[data-testid=stAlert]").count() == 0
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert someone.page.evaluate(wide) <= 0
    assert someone.complaints == []
    inside = (someone.address, "data:", "blob:")
    assert [url for url in someone.requests if not url.startswith(inside)] == []
    someone.screenshot(name)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_opens_on_a_phone_without_a_complaint_and_asks_no_other_server(window, server, path):
    someone = Reader(window(390, 844, "dark").new_page(), server).open(path + SMALL)
    looks_well(someone, f"{path.strip('/') or 'overview'}_dark_390")
    someone.page.close()


def test_the_navigation_leads_to_every_page_and_none_asks_another_server(reader):
    reader.open(PATHS[-1] + SMALL)
    links = reader.page.locator("[data-testid=stTopNavLink], [data-testid=stTopNavDropdownLink]")
    for page, path in zip(PAGES, PATHS, strict=True):
        before = reader.page.locator("h1").first.inner_text()
        if page.section:
            reader.page.get_by_role("button", name=page.section, exact=True).click()
        links.filter(has_text=re.compile(f"{page.title}$")).click()
        reader.until("(before) => document.querySelector('h1')?.innerText !== before", before)
        reader.settle()
        assert urlparse(reader.page.url).path == path
        looks_well(reader, f"{path.strip('/') or 'overview'}_light_1440")


def test_a_key_on_a_slider_changes_the_plot_and_the_link(reader):
    reader.open("/proposals" + SMALL)
    before = reader.shapes("live_boxes")
    reader.press("nms-iou_threshold", "Home", "live_boxes")
    assert reader.shapes("live_boxes") != before
    reader.wait_for_link({"nms.iou_threshold": 0})
    reader.screenshot("threshold_at_0")


def test_a_stride_changes_the_grid_and_the_count(reader):
    reader.open("/anchors" + SMALL)
    before = reader.shapes("anchor_grid")
    reader.page.get_by_role("tab", name="Strides").click()
    reader.press("stride-1", "ArrowRight", "anchor_grid")
    assert reader.shapes("anchor_grid") != before
    # P3 has 32 x 32 cells of three anchors at stride 8, and 29 x 29 at 9
    total = 3 * (64**2 + 29**2 + 16**2 + 8**2 + 4**2)
    assert f"{total:,} anchors" in reader.plot("anchor_grid").text_content()
    reader.wait_for_link({"anchors.strides": "4_9_16_32_64"})


def test_a_click_on_the_photo_chooses_the_cell(reader):
    reader.open("/anchors" + SMALL)
    box = reader.plot("anchor_grid").locator(".rpn-board").bounding_box()
    place = box["x"] + box["width"] * 0.26, box["y"] + box["height"] * 0.76
    reader.act("anchor_grid", lambda: reader.page.mouse.click(*place))
    # 256 pixels at stride 8 are 32 cells: 0.26 of them is column 8, 0.76 is row 24.
    reader.wait_for_link({"view.column": 8, "view.row": 24})


def drag_over_the_middle(reader, plot):
    axes = reader.plot(plot).locator(".nsewdrag")
    axes.hover()  # brings the plot into the window
    box = axes.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    reader.page.mouse.move(middle[0] - 80, middle[1] - 80)
    reader.page.mouse.down()
    reader.page.mouse.move(middle[0] + 80, middle[1] + 80, steps=5)
    reader.page.mouse.up()


def shown_columns(reader, plot):
    return reader.plot(plot).evaluate("(plot) => plot._fullLayout.xaxis.range")


def test_a_plots_zoom_stays_while_its_boxes_change_colour(reader):
    reader.open("/proposals" + SMALL)
    reader.page.get_by_text("The notebook's top-50").click()
    drag_over_the_middle(reader, "notebook_top")
    zoomed = shown_columns(reader, "notebook_top")
    assert zoomed[1] - zoomed[0] < 200
    reader.page.locator(".st-key-view-colour").get_by_text("score").click()
    reader.wait_for_link({"view.colour": "score"})
    assert shown_columns(reader, "notebook_top") == zoomed


def test_a_plots_zoom_stays_while_a_slider_moves(reader):
    reader.open("/recall" + SMALL)
    drag_over_the_middle(reader, "recall_boxes")
    zoomed = shown_columns(reader, "recall_boxes")
    assert zoomed[1] - zoomed[0] < 200
    reader.press("nms-iou_threshold", "ArrowLeft", "recall_boxes")
    assert shown_columns(reader, "recall_boxes") == zoomed


def test_hovering_a_box_of_a_plot_tells_about_it(reader):
    reader.open("/recall" + SMALL + "&view.top_k=1")
    centre = reader.plot("recall_boxes").evaluate(
        """(plot) => {
            const { xaxis, yaxis } = plot._fullLayout, at = plot.getBoundingClientRect();
            const [trace] = plot.rpnTold;
            return [at.left + xaxis._offset + xaxis.l2p(trace.x[0]),
                    at.top + yaxis._offset + yaxis.l2p(trace.y[0])];
        }"""
    )
    reader.page.mouse.move(*centre)
    label = reader.page.locator(".st-key-recall_boxes .hovertext")
    label.wait_for()
    for word in ("#1", "score", "row", "column", "px"):
        assert word in label.text_content()


def test_an_upload_is_shown_and_its_link_says_that_it_cannot_carry_it(reader, readers):
    reader.open("/proposals" + SMALL)
    file = io.BytesIO()
    Image.new("RGB", (120, 90), (200, 30, 30)).save(file, "PNG")
    picture = "() => document.querySelector('.st-key-live_boxes img')?.getAttribute('src')"
    before = reader.page.evaluate(picture)
    upload = {"name": "red.png", "mimeType": "image/png", "buffer": file.getvalue()}
    reader.page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(upload)
    reader.until(f"{picture[6:]} !== '{before}'")
    reader.settle()
    reader.screenshot("upload")
    other = readers().open(reader.page.url.removeprefix(reader.address))
    assert "upload it again" in other.page.locator("[data-testid=stAlert]").text_content()
    assert "image.picture" not in other.link


def test_a_bad_upload_gets_a_sentence_and_the_picture_stays(reader):
    reader.open("/proposals" + SMALL)
    upload = {"name": "broken.png", "mimeType": "image/png", "buffer": b"this is no picture"}
    reader.page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(upload)
    alert = reader.page.locator("[data-testid=stAlert]")
    expect(alert).to_contain_text("PNG, JPEG or WebP")
    reader.settle()
    reader.screenshot("bad_upload")


def test_every_kind_of_bad_picture_gets_a_sentence_and_every_odd_one_is_shown(reader):
    reader.open("/proposals" + SMALL + "&scores.source=noise")
    chooser = reader.page.locator("[data-testid=stFileUploader] input[type=file]").first
    alert = reader.page.locator("[data-testid=stAlert]")
    shown = "() => document.querySelector('.st-key-live_boxes img')?.getAttribute('src')"
    for number, (name, data, sentence) in enumerate(bad_pictures()):
        before = reader.page.evaluate(shown)
        chooser.set_input_files({"name": name, "mimeType": "image/png", "buffer": data})
        alert.get_by_text(sentence).wait_for()
        reader.settle()
        assert reader.page.evaluate(shown) == before, name
        reader.screenshot(f"bad_picture_{number}")
    for name, data in odd_pictures():
        before = reader.page.evaluate(shown)
        chooser.set_input_files({"name": name, "mimeType": "image/png", "buffer": data})
        reader.until(f"{shown[6:]} !== '{before}'")
        reader.settle()
        assert alert.count() == 0, name


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bad_pictures() -> list[tuple[str, bytes, str]]:
    whole = saved(Image.effect_noise((200, 200), 90).convert("RGB"))
    bomb = bytearray(saved(Image.new("L", (8, 8))))
    bomb[16:24] = struct.pack(">II", 30_000, 30_000)  # the size that the header declares
    bomb[29:33] = struct.pack(">I", zlib.crc32(bytes(bomb[12:29])))
    return [
        ("words.png", b"no picture", "PNG, JPEG or WebP"),
        ("half.png", whole[: len(whole) // 2], "cut off or damaged"),
        ("bomb.png", bytes(bomb), "at most 50,000,000 pixels"),
    ]


def odd_pictures() -> list[tuple[str, bytes]]:
    red, turned = Image.new("RGB", (60, 40), "red"), Image.Exif()
    turned[0x0112] = 6
    palette = red.convert("P")
    return [
        ("dot.png", saved(Image.new("RGB", (1, 1), "blue"))),
        ("long.png", saved(Image.new("RGB", (20_000, 10), "green"))),
        ("moving.webp", saved(red, "WEBP", save_all=True, append_images=[red.rotate(90)])),
        ("cmyk.jpg", saved(red.convert("CMYK"), "JPEG")),
        ("deep.png", saved(Image.new("I;16", (50, 40), 40_000))),
        ("palette.png", saved(palette)),
        ("clear.png", saved(Image.new("RGBA", (50, 60), (0, 99, 0, 90)))),
        ("turned.jpg", saved(red, "JPEG", exif=turned)),
    ]


def test_a_copied_link_restores_the_view_in_a_fresh_browser(reader, readers):
    reader.open("/proposals" + SMALL)
    reader.press("view-top_k", "ArrowRight", "live_boxes")
    reader.press("nms-iou_threshold", "ArrowLeft", "live_boxes")
    shown = reader.shapes("live_boxes")
    other = readers().open(reader.page.url.removeprefix(reader.address))
    assert other.shapes("live_boxes") == shown
    assert other.link == reader.link


def test_a_page_switch_keeps_the_settings(reader):
    reader.open("/proposals" + SMALL)
    reader.press("nms-iou_threshold", "ArrowLeft", "live_boxes")
    reader.page.get_by_role("link", name="Scores", exact=True).first.click()
    reader.page.wait_for_selector(".st-key-histogram .rpn-plot[data-revision]")
    reader.settle()
    reader.wait_for_link({"nms.iou_threshold": 0.69, "image.side": 256})


def test_the_chain_leads_to_its_pages(reader):
    reader.open("/" + SMALL)
    reader.page.locator(".st-key-chain").get_by_role("link", name="anchors").click()
    reader.page.wait_for_selector(".st-key-anchor_grid .rpn-plot[data-revision]")
    reader.settle()
    assert "/anchors" in reader.page.url
    reader.wait_for_link({"image.side": 256})


def test_a_link_with_rubbish_opens_with_a_note(reader):
    reader.open("/anchors" + SMALL + "&nonsense=1&nms.iou_threshold=9")
    notes = reader.page.locator("[data-testid=stAlert]").all_text_contents()
    assert any("nonsense" in note for note in notes)
    assert any("nms.iou_threshold must be in [0, 1]" in note for note in notes)
    reader.screenshot("rubbish_link")
