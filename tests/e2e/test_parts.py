"""Parts of a page that run alone: whatever moved, the page is what its link opens."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.benchmarks.student import Student

pytestmark = pytest.mark.e2e

SMALL = {"v": "1", "image.side": "256", "scores.source": "planted"}
MOVES = {  # page to the sliders that are moved on it, one after the other
    "scores": ["planted.noise", "planted.regression"],
    "recall": ["recall.iou", "nms.iou_threshold", "planted.noise", "view.top_k", "filter.pre_nms"],
}


def seen(student: Student) -> list[tuple]:
    """What a reader sees, in order: figures, texts, numbers, and where each slider stands."""
    shown = []
    for _, element in sorted(student.elements.items()):
        kind = element.WhichOneof("type")
        made = getattr(element, kind)
        if kind == "bidi_component":
            shown.append((kind, made.bytes, made.json))
        elif kind == "slider":
            values = student.values[made.id].double_array_value.data
            shown.append((kind, made.label, [round(value, 6) for value in values]))
        elif kind in {"markdown", "html", "metric", "alert", "heading"}:
            shown.append((kind, getattr(made, "body", "") or made.SerializeToString()))
    return shown


async def walk(server: str, page: str, keys: list[str]) -> None:
    student = Student(int(server.rpartition(":")[2]))
    await student.enter(page, **SMALL)
    alone = 0
    for key in keys:
        slider = student.sliders[key]
        value = student.values[slider.id].double_array_value.data[0]
        run = await student.move(slider, value + 3 * slider.step)
        assert run.errors == []
        alone += bool(slider.fragment)
        fresh = Student(student.port)
        await fresh.enter(page, **dict(part.split("=") for part in student.link.split("&")))
        assert seen(student) == seen(fresh), key
        await fresh.leave()
    await student.leave()
    assert alone or page == "scores"


@pytest.mark.parametrize("page", MOVES)
def test_after_every_move_the_page_is_what_its_link_opens(server, page):
    with ThreadPoolExecutor(1) as apart:  # the browser's tests keep a loop in this thread
        apart.submit(asyncio.run, walk(server, page, MOVES[page])).result()
