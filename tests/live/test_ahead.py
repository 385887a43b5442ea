import asyncio

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from explorer.live import ahead
from tests.loops import in_its_own_loop

ENDLESS = b'{"moved": {"a": Infinity}, "figure": "curve"}'


class Twice:
    """A reader whose figures are their names, as often as a slider says."""

    here = True

    def is_here(self):
        return self.here

    def look_ahead(self, moved, key):
        return ahead.Sent(key.encode() * int(moved.get("times", 1))) if key else None

    def has_taken(self, moved):
        return moved == {"times": 2}


def ask(token: str, body: bytes, serve=ahead.serve):
    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "POST", "headers": [], "path_params": {"token": token}}
    return in_its_own_loop(serve(Request(scope, receive)))


def test_a_figure_comes_with_a_number_of_its_own():
    reader = Twice()
    token = ahead.admit(reader)
    answers = [ask(token, b'{"moved": {"times": 2}, "figure": "curve"}') for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.body for answer in answers] == [b"curvecurve"] * 2
    first, second = (answer.headers["x-ahead"] for answer in answers)
    assert first != second


def test_none_is_an_answer_too():
    reader = Twice()
    answer = ask(ahead.admit(reader), b'{"moved": {}, "figure": ""}')
    assert (answer.status_code, answer.body) == (204, b"")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"moved": {}}',
        b'{"moved": 1, "figure": ""}',
        b'{"moved": {"a": "b"}, "figure": ""}',
        b"\xff",
        ENDLESS,
    ],
)
def test_a_body_that_is_none_is_refused_in_words(body):
    reader = Twice()
    with pytest.raises(HTTPException, match="`moved`") as refused:
        ask(ahead.admit(reader), body)
    assert refused.value.status_code == 400


def test_of_what_was_taken_no_figure_is_asked():
    reader = Twice()
    with pytest.raises(HTTPException, match=r"slider to number\.$"):
        ask(ahead.admit(reader), b"[]", ahead.serve_taken)


@pytest.mark.parametrize(("times", "taken"), [(1, b"false"), (2, b"true")])
def test_a_browser_is_told_whether_a_script_has_been_through(times, taken):
    reader = Twice()
    body = b'{"moved": {"times": %d}}' % times
    assert ask(ahead.admit(reader), body, ahead.serve_taken).body == taken


def test_a_reader_who_left_is_forgotten():
    reader = Twice()
    token = ahead.admit(reader)
    del reader
    with pytest.raises(HTTPException, match="reload the page") as refused:
        ask(token, b'{"moved": {}, "figure": "curve"}')
    assert refused.value.status_code == 404


def test_a_browser_is_told_that_its_session_is_gone():
    reader = Twice()
    reader.here = False  # Streamlit forgets a session long before its memory is freed
    with pytest.raises(HTTPException, match="reload the page") as refused:
        ask(ahead.admit(reader), b'{"moved": {}}', ahead.serve_taken)
    assert (refused.value.status_code, refused.value.headers) == (404, {"x-ahead": "gone"})


def test_each_reader_has_a_name_of_its_own():
    one, other = Twice(), Twice()
    assert ahead.admit(one) != ahead.admit(other)


async def play(token_of, hold: float, moment: str = "made") -> list[str]:
    """A connection's message arrives while a figure is made for `hold` seconds: what comes when.

    Or once it is "sent": then half of the time in which a browser paints it is told, too.
    """
    told: list[str] = []
    named, underway = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            if moment == "made":
                underway.set()
            await asyncio.sleep(hold)
            told.append("figure")
            if moment == "sent":
                asyncio.get_running_loop().call_later(ahead.PAINT / 2, told.append, "half painted")
                underway.set()
            return
        told.append(dict(scope["headers"])[b"x-ahead"].decode())
        named.set()
        await underway.wait()
        told.append((await receive())["type"])

    async def receive():
        return {"type": "websocket.receive"}

    door = ahead.FiguresFirst(app)
    connection = {"type": "websocket", "headers": [(b"x-ahead", b"forged"), (b"host", b"here")]}
    line = asyncio.create_task(door(connection, receive, None))
    await named.wait()
    await door({"type": "http", "path": f"/ahead/{token_of(told[0])}"}, receive, None)
    await line
    return told


def test_a_script_waits_for_the_figures_that_are_underway_for_its_reader():
    token, *told = in_its_own_loop(play(lambda own: own, 0.01))
    assert told == ["figure", "websocket.receive"]
    assert token != "forged"


def test_a_script_waits_until_a_figure_that_was_sent_is_painted():
    told = in_its_own_loop(play(lambda own: own, 0.01, "sent"))
    assert told[1:] == ["figure", "half painted", "websocket.receive"]


def test_it_waits_for_nobody_elses_figures_and_not_for_ever(monkeypatch):
    assert in_its_own_loop(play(lambda own: "another", 0.01))[1:] == ["websocket.receive", "figure"]
    monkeypatch.setattr(ahead, "PATIENCE", 0.01)
    assert in_its_own_loop(play(lambda own: own, 0.5))[1:] == ["websocket.receive", "figure"]


def test_a_figure_that_fails_holds_nothing_up():
    async def fails(scope, receive, send):
        raise OSError("the browser has gone")

    async def ask_in_vain():
        door = ahead.FiguresFirst(fails)
        with pytest.raises(OSError, match="gone"):
            await door({"type": "http", "path": "/ahead/own"}, None, None)
        return door._underway

    assert in_its_own_loop(ask_in_vain()) == {}
