"""The line in front of the network: one pass at a time, given up once nobody waits for it."""

from __future__ import annotations

import threading

import pytest
import torch

from explorer.core.cores import cores
from explorer.pages import _network


def never(share, text):
    raise AssertionError("nothing to show")


def in_a_thread(task):
    """Run a task in a thread of its own, as Streamlit runs a script."""
    thread = threading.Thread(target=task)
    thread.start()
    return thread


def test_a_pass_has_all_cores_and_whoever_waits_keeps_one():
    found = {}

    def script():
        _network.in_line(lambda _: found.update(network=torch.get_num_threads()), never)
        found["script"] = torch.get_num_threads()

    in_a_thread(script).join(30)
    in_a_thread(lambda: found.update(next=torch.get_num_threads())).join(30)
    assert found == {"network": cores(), "script": 1, "next": 1}


def test_passes_never_run_side_by_side():
    inside, most, lock = 0, 0, threading.Lock()

    def work(_):
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        threading.Event().wait(0.02)
        with lock:
            inside -= 1

    threads = [in_a_thread(lambda: _network.in_line(work, lambda *_: None)) for _ in range(6)]
    for thread in threads:
        thread.join(30)
    assert (inside, most) == (0, 1)


def test_a_failure_reaches_whoever_waits_and_the_line_goes_on():
    def fail(_):
        raise ValueError("no such picture")

    with pytest.raises(ValueError, match="no such picture"):
        _network.in_line(fail, never)
    done = []
    _network.in_line(lambda _: done.append(True), never)
    assert done == [True]


def test_a_long_pass_tells_how_far_it_is():
    told, seen = threading.Event(), []

    def work(progress):
        progress(0.25, "ResNet-50, stage 1")
        assert told.wait(30)

    def show(share, text):
        seen.append((share, text))
        told.set()

    _network.in_line(work, show)
    assert seen[0] == (0.25, "ResNet-50, stage 1")


def test_who_stands_behind_another_is_told_that_they_wait():
    first_runs, waits, seen = threading.Event(), threading.Event(), []

    def long(_):
        first_runs.set()
        assert waits.wait(30)

    thread = in_a_thread(lambda: _network.in_line(long, lambda *_: None))
    assert first_runs.wait(30)

    def show(share, text):
        seen.append((share, text))
        waits.set()

    _network.in_line(lambda _: None, show)
    thread.join(30)
    assert seen[0] == (0.0, "Waiting for another picture to pass the network")


class Left(BaseException):
    """What Streamlit raises in a script whose reader moved on is no Exception."""


def test_a_pass_is_given_up_once_its_reader_has_moved_on():
    moved_on, gave_up = threading.Event(), threading.Event()

    def work(progress):
        progress(0.1, "begun")
        assert moved_on.wait(30)
        try:
            progress(0.2, "for nobody")
        except Exception:
            gave_up.set()
            raise

    def show(share, text):
        raise Left

    with pytest.raises(Left):
        _network.in_line(work, show)
    moved_on.set()
    assert gave_up.wait(30)


def test_a_pass_that_has_not_begun_never_begins_for_a_reader_who_left():
    runs, go_on, begun = threading.Event(), threading.Event(), []

    def long(_):
        runs.set()
        assert go_on.wait(30)

    thread = in_a_thread(lambda: _network.in_line(long, lambda *_: None))
    assert runs.wait(30)

    def leave(share, text):
        raise Left

    with pytest.raises(Left):
        _network.in_line(lambda _: begun.append(True), leave)
    go_on.set()
    thread.join(30)
    _network.in_line(lambda _: None, never)  # comes after whatever still stood in the line
    assert begun == []
