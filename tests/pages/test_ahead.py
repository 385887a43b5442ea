"""What a slider shows while it moves is what the page shows once it rests."""

import math

import pytest
from streamlit.testing.v1 import AppTest

from explorer.pages import PAGES, _ahead, _turn
from tests.pages.test_pages import MAIN

FILES = [page.file for page in PAGES]
SMALL = {"v": "1", "image.side": "256", "scores.source": "planted"}


def opened(file: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(MAIN), default_timeout=180)
    for name, value in (SMALL | query).items():
        app.query_params[name] = value
    app.run()
    if file != FILES[0]:
        app.switch_page(f"{file}").run()
    return app


def sent(app: AppTest) -> set[bytes]:
    return {each.proto.bytes for each in app.get("bidi_component")}


def elsewhere(slider) -> float:
    """A value some steps away from where a slider stands."""
    step = slider.step or 0.01
    away = 7 * step if slider.value + 7 * step <= slider.max else -7 * step
    value = slider.min + round((slider.value + away - slider.min) / step) * step
    return type(slider.value)(round(value, 6))


@pytest.mark.parametrize("file", FILES)
def test_every_figure_ahead_is_the_one_that_the_script_sends(file):
    app = opened(file)
    own = app.session_state["own"].ahead
    for key in [slider.key for slider in app.slider]:
        if _ahead.in_page(key) not in own.sliders:
            continue
        slider = app.slider(key=key)
        value = elsewhere(slider)
        moved = {_ahead.in_page(key): value}
        found = {name: own.look_ahead(moved, name) for name in own.makers}
        assert None not in found.values(), (key, found)
        own.made.clear()  # or the script would send the same bytes and prove nothing
        slider.set_value(value).run()
        assert not app.exception
        assert {figure.data for figure in found.values()} <= sent(app), key


def test_the_script_names_what_came_ahead_once_and_then_sends_it():
    app = opened("recall.py")
    own = app.session_state["own"].ahead
    figure = own.look_ahead({"recall-iou": 0.8}, "curve")
    app.slider(key="recall.iou").set_value(0.8).run()
    assert own.made == {}
    assert figure.name in sent(app)
    app.run()  # a browser that has lost it, and reloads
    assert figure.data in sent(app)
    assert figure.name not in sent(app)


def test_what_was_made_for_another_value_is_not_taken():
    app = opened("recall.py")
    own = app.session_state["own"].ahead
    wrong = own.look_ahead({"recall-iou": 0.8}, "curve")
    app.slider(key="recall.iou").set_value(0.7).run()
    assert not {wrong.data, wrong.name} & sent(app)


def test_a_figure_that_listens_to_other_gestures_is_made_anew():
    app = opened("recall.py")
    app.session_state["own"].ahead.look_ahead({}, "recall_boxes")  # a slider left and came back
    app.toggle(key="draw_objects").set_value(True).run()
    assert any(b'"dragmode":"drawrect"' in each for each in sent(app))


def test_looking_ahead_changes_nothing():
    app = opened("recall.py")
    own, before = app.session_state["own"].ahead, sent(app)
    for name in own.makers:
        assert own.look_ahead({"recall-iou": 0.8, "nms-iou_threshold": 0.2}, name)
    own.made.clear()
    app.run()
    assert sent(app) == before


@pytest.mark.parametrize(
    ("moved", "figure"),
    [
        ({"match-low": 0.99}, "matching"),  # over match.high: the script says so
        ({"match-high": math.nan}, "matching"),
        ({}, "no such figure"),
    ],
)
def test_what_cannot_be_is_not_made(moved, figure):
    own = opened("matching.py").session_state["own"].ahead
    assert own.look_ahead(moved, figure) is None


def test_an_unknown_slider_moves_nothing():
    own = opened("recall.py").session_state["own"].ahead
    moved = own.look_ahead({"no-such-slider": 1.0}, "curve")
    assert moved.data == own.look_ahead({}, "curve").data


def test_a_value_is_taken_once_a_script_has_been_through_with_it():
    app = opened("recall.py")
    own, moved = app.session_state["own"].ahead, {"recall-iou": 0.8}
    assert own.has_taken({"recall-iou": app.slider(key="recall.iou").value})
    assert not own.has_taken(moved)
    app.slider(key="recall.iou").set_value(0.8).run()
    assert own.has_taken(moved)
    assert own.has_taken(moved | {"no-such-slider": 1.0})


def test_a_value_that_cannot_be_is_taken_as_it_is_refused():
    assert opened("matching.py").session_state["own"].ahead.has_taken({"match-low": 0.99})


def test_nothing_is_taken_while_a_page_is_drawn(monkeypatch):
    app = opened("recall.py")
    own, told = app.session_state["own"].ahead, []
    monkeypatch.setattr(_ahead, "remember", lambda: told.append(own.has_taken({})))
    app.run()
    assert told
    assert not any(told)


def test_a_pass_of_the_network_is_left_to_the_script():
    own = opened("scores.py", **{"scores.source": "noise"}).session_state["own"].ahead
    assert own.look_ahead({"image-side": 320.0}, "histogram") is None


def test_a_busy_server_makes_nothing_ahead():
    own = opened("recall.py").session_state["own"].ahead
    for _ in range(_turn.PLACES):
        _turn._free.acquire()
    try:
        assert own.look_ahead({}, "curve") is None
    finally:
        _turn._free.release(_turn.PLACES)
    assert own.look_ahead({}, "curve")


def test_another_page_forgets_the_figures_of_the_last():
    app = opened("recall.py")
    app.switch_page("scores.py").run()
    assert set(app.session_state["own"].ahead.makers) == {"histogram", "heat_map"}


def test_a_script_that_is_stopped_while_it_waits_holds_nothing(monkeypatch):
    class StoppedError(BaseException):
        """As Streamlit stops a script, whenever it asks for the session's state."""

    own = _ahead.Reader()
    asked = iter([own])

    def once():
        for found in asked:
            return found
        raise StoppedError

    monkeypatch.setattr(_ahead, "reader", once)
    _ahead.wait()
    assert not own.lock.locked()
