"""The Anchors page's live picture: its formula against the core's, and a person at its sliders."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from explorer import live
from explorer.core.anchors import level_anchors
from explorer.core.layout import lay_grid, level_shapes, shape_names
from explorer.figures.anchors import cell_step
from explorer.pages._levels import from_base, resized
from explorer.presets import PRESETS
from explorer.settings import Anchors

pytestmark = pytest.mark.e2e

FORMULA = Path(live.__file__).with_name("anchor_formula.js")
SMALL = "/anchors?v=1&image.side=256&scores.source=noise"
SHOWN = "document.querySelector('.st-key-anchor_grid .rpn-anchors').rpnShown"
TWO_FRAMES = "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
POINT = torch.zeros(1, 4)  # an anchor without a size lies on its cell's centre

LAID = """(cases) => JSON.stringify(JSON.parse(cases).map(([anchors, size]) =>
    layLevels(anchors, size).map((level) => {
        const shapes = cellShapes(anchors, level.place), step = cellStep(level);
        const { offset } = anchors, middle = [level.rows >> 1, level.columns >> 1];
        return {
            name: level.name, cells: [level.rows, level.columns], count: level.count,
            strides: [level.strideY, level.strideX], start: level.start, step, shapes,
            names: shapeNames(anchors, level.place), centres: centresOf(level, offset, step),
            anchors: anchorsAt(shapes, level, middle, offset),
            last: placeOf(layLevels(anchors, size), level.start + level.count - 1),
        };
    })))"""


def core_levels(anchors: Anchors, size: tuple[int, int]) -> list[dict]:
    """What the browser must find, from the core."""
    picture = SimpleNamespace(image_size=size)
    grid = lay_grid(picture, anchors.strides, anchors.stride_rule, anchors.per_cell)
    levels = []
    for level, shapes in enumerate(level_shapes(anchors)):
        (rows, columns), strides = grid.cells[level], grid.strides[level]
        step = cell_step((rows, columns))
        points = level_anchors(POINT, (rows, columns), strides, anchors.offset)
        points = points.view(rows, columns, 4)[::step, ::step, :2].reshape(-1, 2)
        boxes = level_anchors(shapes, (rows, columns), strides, anchors.offset)
        boxes = boxes.view(rows, columns, -1, 4)[rows // 2, columns // 2]
        last = {"level": level, "row": rows - 1, "column": columns - 1, "shape": len(shapes) - 1}
        levels.append(
            {
                "name": anchors.level_names[level],
                "cells": [rows, columns],
                "count": grid.counts[level],
                "strides": list(strides),
                "start": grid.starts[level],
                "step": step,
                "shapes": shapes.tolist(),
                "names": shape_names(anchors)[level],
                "centres": points.tolist(),
                "anchors": boxes.tolist(),
                "last": last,
            }
        )
    return levels


def cases() -> list[tuple[Anchors, tuple[int, int]]]:
    """Every preset, and a grid of values under every convention."""
    found = [(preset.anchors, (333, 257)) for preset in PRESETS.values()]
    found += [(PRESETS[name].anchors, (800, 800)) for name in ("notebook", "torchvision")]
    found.append((PRESETS["notebook"].anchors, (256, 128)))  # 32 rows at stride 8: every cell
    # float32 rounds this corner the other way than float64, and these centres too
    halves = {"rounding": "corners", "ratio": "h/w", "ratios": (0.49,), "offset": 0.4226283964}
    found.append((Anchors(strides=(7,), sizes=((28.7, 6.3),), **halves), (300, 300)))
    for rounding in ("none", "corners", "base16"):
        for number, ratio in enumerate(("w/h", "h/w")):
            for stride, size, offset in ((3, 17.3, 0.55), (9, 40.3175, 0.15), (128, 512, 1)):
                sizes = ((size, 2.5 * size), (3 * size,))
                order = ("size outer", "ratio outer")[number]
                rules = {"rounding": rounding, "ratio": ratio, "order": order, "offset": offset}
                rules["stride_rule"] = ("fixed", "image // grid")[number]
                made = Anchors(strides=(stride, 15), sizes=sizes, ratios=(0.35, 1, 4.85), **rules)
                found.append((made, (190, 401)))
    return found


@pytest.fixture
def formula(chromium):
    """A blank page that knows the formula alone."""
    page = chromium.new_page()
    page.add_script_tag(content=FORMULA.read_text(encoding="utf-8"))
    yield page
    page.close()


def test_the_browser_computes_anchors_as_the_core_does(formula):
    asked = cases()
    sent = json.dumps([[anchors.model_dump(mode="json"), size] for anchors, size in asked])
    found = json.loads(formula.evaluate(LAID, sent))
    for (anchors, size), levels in zip(asked, found, strict=True):
        assert levels == core_levels(anchors, size), anchors


def test_the_largest_grid_has_few_crosses_and_the_right_count(formula):
    largest = Anchors(strides=(4, 8, 16, 32, 64), ratios=(0.5, 1, 2))
    sent = json.dumps([[largest.model_dump(mode="json"), (2048, 2048)]])
    (levels,) = json.loads(formula.evaluate(LAID, sent))
    assert [len(level["centres"]) for level in levels] == [32 * 32] * 5
    assert sum(level["count"] for level in levels) == 1_047_552


@pytest.mark.parametrize("preset", ["notebook", "retinanet", "torchvision"])
def test_sliders_move_the_settings_as_the_page_does(formula, preset):
    anchors = PRESETS[preset].anchors

    def moved(**sliders: float) -> dict:
        named = {name.replace("_", " "): value for name, value in sliders.items()}
        script = "([anchors, moved]) => withSliders(anchors, moved)"
        return formula.evaluate(script, [anchors.model_dump(mode="json"), named])

    def listed(sizes) -> list:
        return [list(level) for level in sizes]

    assert moved() == anchors.model_dump(mode="json")
    for level, size in ((0, 33), (1, 1024), (4, 7)):
        found = moved(**{f"size_{level}": size})["sizes"]
        assert found == listed(resized(anchors.sizes, level, size))
    for base, multiplier in ((33, 1.5), (16, 2), (1000, 1.25), (4, 3.95)):
        found = moved(size_base=base, size_multiplier=multiplier)["sizes"]
        assert found == listed(from_base(anchors.sizes, base, multiplier))
    assert moved(stride_2=17)["strides"] == [*anchors.strides[:2], 17, *anchors.strides[3:]]
    assert moved(ratio_1=0.35)["ratios"] == [anchors.ratios[0], 0.35, anchors.ratios[2]]
    assert moved(**{"anchors.offset": 0.2})["offset"] == 0.2


class Finger:
    """A mouse on one of Streamlit's sliders."""

    def __init__(self, page, slider: str) -> None:
        self.mouse = page.mouse
        thumb = page.locator(f".st-key-{slider} [data-testid=stSliderThumbValue]").bounding_box()
        self.x, self.y = thumb["x"] + thumb["width"] / 2, thumb["y"] + thumb["height"] + 12
        self.mouse.move(self.x, self.y)
        self.mouse.down()

    def drag(self, right: float) -> None:
        self.mouse.move(self.x + right, self.y, steps=4)

    def release(self) -> None:
        self.mouse.up()


def text(reader, key: str) -> str:
    return reader.page.locator(f".st-key-{key}").inner_text()


def test_picture_and_table_follow_the_finger_and_stay_as_they_were_on_release(reader):
    reader.open(SMALL)
    reader.page.get_by_role("tab", name="Strides").click()
    before, revision = reader.shapes("anchor_grid"), reader.revision("anchor_grid")
    assert text(reader, "anchor_grid").startswith("P3: every cell, and the 3 anchors of one")
    finger = Finger(reader.page, "stride-2")  # another level than the one that is shown
    finger.drag(20)
    reader.until(f"{SHOWN}.level.stride > 16")
    reader.page.evaluate(TWO_FRAMES)  # the last move is drawn
    stride = reader.page.evaluate(f"{SHOWN}.level.stride")
    total = 3 * (64**2 + 32**2 + math.ceil(256 / stride) ** 2 + 8**2 + 4**2)
    drawn, table = reader.shapes("anchor_grid"), text(reader, "anchor_table")
    assert drawn != before
    assert text(reader, "anchor_grid").startswith("P4 moves: every cell, and the 3 anchors of one")
    assert f"{total:,}" in text(reader, "anchor_grid")
    assert f"{total:,}" in table
    # ... and all that before Python heard of it
    assert reader.revision("anchor_grid") == revision
    assert "anchors.strides" not in reader.link
    finger.release()
    reader.wait_for_link({"anchors.strides": f"4_8_{stride}_32_64"})
    reader.until("() => document.querySelector('.st-key-anchor_grid').innerText.startsWith('P4: ')")
    reader.wait_for_link({"view.level": 2})
    assert reader.shapes("anchor_grid") == drawn
    assert text(reader, "anchor_table") == table


def test_a_slider_that_comes_back_to_its_place_leaves_the_shown_level(reader):
    reader.open(SMALL)
    before = reader.shapes("anchor_grid")
    finger = Finger(reader.page, "size-4")
    finger.drag(30)
    reader.until(f"{SHOWN}.level.place === 4")
    finger.drag(0)
    reader.until(f"{SHOWN}.anchors.sizes[4][0] === 512")
    finger.release()
    reader.page.locator("h1").click()  # the finger goes elsewhere
    reader.until(f"{SHOWN}.level.place === 1")
    assert reader.shapes("anchor_grid") == before
    assert "anchors.sizes" not in reader.link


def test_ratio_and_offset_move_the_anchors_before_release(reader):
    reader.open(SMALL)
    reader.page.get_by_role("tab", name="Ratios").click()
    boxes, centres = (reader.page.evaluate(f"{SHOWN}.{part}") for part in ("boxes", "centres"))
    for slider, part, before in (
        ("ratio-0", "boxes", boxes),
        ("anchors-offset", "centres", centres),
    ):
        finger = Finger(reader.page, slider)
        finger.drag(25)
        reader.until(
            f"(before) => JSON.stringify({SHOWN}.{part}) !== before",
            arg=json.dumps(before, separators=(",", ":")),
        )
        assert "anchors.offset" not in reader.link
        finger.release()
        reader.wait_for_link({"anchors.ratios" if slider == "ratio-0" else "anchors.offset": None})


def test_the_board_keeps_its_node_and_its_zoom_and_takes_keys(reader):
    reader.open(SMALL)
    board = reader.page.locator(".st-key-anchor_grid .rpn-board")
    board.evaluate("(board) => (board.mark = 'the same')")
    board.hover()
    reader.page.mouse.wheel(0, -600)
    reset = reader.page.locator(".st-key-anchor_grid .rpn-reset")
    reset.wait_for()
    zoom = reset.text_content()
    reader.press("size-1", "ArrowRight", "anchor_grid")
    level = reader.page.locator(".st-key-view-level").get_by_text("P4")
    reader.act("anchor_grid", level.click)
    reader.wait_for_link({"view.level": 2})
    assert reset.text_content() == zoom
    assert board.evaluate("(board) => board.mark") == "the same"
    reader.settle()
    board.focus()
    before = reader.page.evaluate(f"{SHOWN}.cell")
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        board.press(key)
    reader.until(
        f"(cell) => JSON.stringify({SHOWN}.cell) === cell",
        arg=json.dumps([before[0] - 1, before[1] + 2], separators=(",", ":")),
    )
    reader.wait_for_link({"view.column": before[1] + 2, "view.row": before[0] - 1})


def test_an_older_answer_does_not_take_back_the_cell(reader):
    held, holds = [], False

    def between(page):
        server = page.connect_to_server()
        server.on_message(lambda told: held.append((page, told)) if holds else page.send(told))

    reader.page.route_web_socket("**/_stcore/stream", between)
    reader.open(SMALL)
    board = reader.page.locator(".st-key-anchor_grid .rpn-board")
    row, column = reader.page.evaluate(f"{SHOWN}.cell")
    holds = True
    board.press("ArrowRight")
    while not any(
        b"view.column=" in told for _, told in held
    ):  # the link: the script is at its end
        reader.page.wait_for_timeout(100)
    first = len(held)
    board.press("ArrowRight")
    reader.page.wait_for_timeout(500)  # the server hears of this one too
    for page, told in held[:first]:
        page.send(told)
    reader.page.wait_for_timeout(500)
    assert reader.page.evaluate(f"{SHOWN}.cell") == [row, column + 2]
    holds = False
    for page, told in held[first:]:
        page.send(told)
    reader.wait_for_link({"view.column": column + 2})
    reader.settle()
    assert reader.page.evaluate(f"{SHOWN}.cell") == [row, column + 2]


def test_an_anchor_is_named_and_followed_from_its_edge_and_from_its_button(reader):
    reader.open(SMALL + "&view.level=1&view.row=16&view.column=16")
    board = reader.page.locator(".st-key-anchor_grid .rpn-board")
    place, (box, number) = (
        board.bounding_box(),
        (
            reader.page.evaluate(f"{SHOWN}.boxes[2]"),
            3 * 64**2 + 3 * (16 * 32 + 16) + 2,
        ),
    )
    scale = place["width"] / 256
    x, y = place["x"] + box[2] * scale, place["y"] + (box[1] + box[3]) / 2 * scale
    reader.page.mouse.move(x, y)
    tip = reader.page.locator(".st-key-anchor_grid .rpn-tip")
    for words in ("size 64, ratio 2", "90.5 x 45.3 px", "P3, row 16, column 16", f"{number:,}"):
        assert words in tip.text_content()
    reader.page.keyboard.down("Shift")
    reader.page.mouse.click(x, y)
    reader.page.keyboard.up("Shift")
    reader.wait_for_link({"view.follow": number, "view.column": 16})  # the cell stays
    assert reader.page.evaluate(f"{SHOWN}.followed") == box
    pills = reader.page.locator(".st-key-follow_one").get_by_role("radio")
    assert [pill.get_attribute("aria-checked") for pill in pills.all()] == [
        "false",
        "false",
        "true",
    ]
    pills.first.click()
    reader.wait_for_link({"view.follow": number - 2})
    reader.until(f"{SHOWN}.followed[0] === {SHOWN}.boxes[0][0]")

    reader.page.get_by_role("link", name="Proposals", exact=True).first.click()
    reader.page.locator(".facts").wait_for()
    reader.settle()
    reader.wait_for_link({"view.follow": number - 2})
    assert reader.page.locator(".st-key-follow_number input").input_value() == str(number - 2)
    assert "P3, row 16, column 16" in reader.page.locator(".facts").text_content()
    reader.screenshot("followed_from_anchors")
