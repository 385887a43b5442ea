import threading

import pytest

from explorer.pages import _turn


@pytest.fixture
def others():
    """Threads that each take a place, tell that they have it, and hold it until they may go."""
    inside, leave, threads = threading.Semaphore(0), threading.Event(), []

    def hold():
        with _turn.taken():
            inside.release()
            leave.wait(60)

    def start(count):
        for _ in range(count):
            threads.append(threading.Thread(target=hold, daemon=True))
            threads[-1].start()

    def entered(count, patience=60):
        return all(inside.acquire(timeout=patience) for _ in range(count))

    yield start, entered
    leave.set()
    for thread in threads:
        thread.join(60)


def test_one_more_than_there_are_places_waits(others):
    start, entered = others
    start(_turn.PLACES + 1)
    assert entered(_turn.PLACES)
    assert not entered(1, patience=0.2)


def test_whoever_is_inside_takes_no_second_place(others):
    start, entered = others
    with _turn.taken(), _turn.taken():
        start(_turn.PLACES - 1)
        assert entered(_turn.PLACES - 1)


def test_a_place_that_is_given_up_goes_to_another_and_comes_back(others):
    start, entered = others
    with _turn.taken():
        start(_turn.PLACES - 1)
        assert entered(_turn.PLACES - 1)
        with _turn.given_up(), _turn.taken():
            pass
        start(1)
        assert not entered(1, patience=0.2)
    assert entered(1)


def test_without_a_place_there_is_none_to_give_up():
    with _turn.given_up():
        pass
    for _ in range(_turn.PLACES):
        assert _turn._free.acquire(blocking=False)
    assert not _turn._free.acquire(blocking=False)
    _turn._free.release(_turn.PLACES)


def test_a_script_that_fails_or_is_left_frees_its_place(others):
    class LeftError(BaseException):
        """As Streamlit leaves a script: no `Exception`."""

    start, entered = others
    for place in (_turn.taken, _turn.given_up):
        for _ in range(_turn.PLACES + 1):
            with pytest.raises(LeftError), _turn.taken(), place():
                raise LeftError
    start(_turn.PLACES)
    assert entered(_turn.PLACES)


def test_it_goes_on_without_a_place_where_all_others_may_be_waiting_for_it(others, monkeypatch):
    monkeypatch.setattr(_turn, "PATIENCE", 0.05)
    start, entered = others
    with _turn.taken():
        with _turn.given_up():
            start(_turn.PLACES)
            assert entered(_turn.PLACES)
        start(1)
        assert not entered(1, patience=0.2)  # and it frees none that it does not have
    assert not entered(1, patience=0.2)


def test_whole_scripts_leave_a_place_to_the_parts(others):
    start, entered = others
    with _turn.taken(whole=True):
        waits = threading.Thread(target=lambda: enter_whole(entering), daemon=True)
        entering = threading.Event()
        waits.start()
        assert not entering.wait(0.2)
        start(_turn.PLACES - 1)
        assert entered(_turn.PLACES - 1)
    assert entering.wait(60)
    waits.join(60)


def test_a_whole_script_that_waits_for_something_else_keeps_no_other_one_waiting(others):
    entering = threading.Event()
    with _turn.taken(whole=True), _turn.given_up():
        threading.Thread(target=lambda: enter_whole(entering), daemon=True).start()
        assert entering.wait(60)


def enter_whole(entering):
    with _turn.taken(whole=True):
        entering.set()
