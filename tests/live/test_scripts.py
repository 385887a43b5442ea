"""The script of a live component: a small loader is sent with each change, the rest is fetched."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from starlette.requests import Request

from explorer.live import board, plot, scripts
from tests.loops import in_its_own_loop

COMPONENTS = (
    plot.FILES,
    (*board.SHARED, "ahead", "nms", "boxes_payload", "boxes_words", "boxes"),
    (*board.SHARED, "anchor_formula", "anchor_hand", "anchors"),
    (*board.SHARED, "step_scene", "step_picture", "step_tree", "steps"),
    (*board.SHARED, "decoding"),
)


def fetch(token: str):
    return in_its_own_loop(
        scripts.serve(Request({"type": "http", "path_params": {"token": token}}))
    )


def token_in(loader: str) -> str:
    (token,) = re.findall(r'"/live/([0-9a-f]{64})\.js"', loader)
    return token


def test_a_component_sends_under_a_kilobyte_and_the_browser_fetches_the_rest():
    loader = board.script("nms", "boxes")
    assert len(loader) < 1000
    answer = fetch(token_in(loader))
    assert answer.status_code == 200
    assert answer.body.decode() == board.source("nms", "boxes")
    assert answer.media_type == "text/javascript"


def test_the_shared_files_come_first_and_in_order():
    text = board.source("nms")
    starts = [
        text.index(part) for part in ("class Pen", "function createBoard", "function suppress")
    ]
    assert starts == sorted(starts)


@pytest.mark.parametrize("files", COMPONENTS)
def test_no_name_is_declared_twice_in_one_script(files):
    declared = re.findall(
        r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)",
        "\n".join((scripts.HERE / f"{name}.js").read_text() for name in files),
        re.MULTILINE,
    )
    assert len(declared) > 5
    assert [name for name, times in Counter(declared).items() if times > 1] == []


def test_other_scripts_have_other_addresses():
    assert token_in(board.script("nms")) != token_in(board.script("nms", "boxes"))
    assert token_in(board.script("nms")) == token_in(board.script("nms"))


def test_a_script_that_is_not_here_is_one_sentence():
    answer = fetch("0" * 64)
    assert answer.status_code == 404
    assert b"reload the page" in answer.body
