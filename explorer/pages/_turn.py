"""Scripts take turns: few run at once, the others wait.

All sessions share one interpreter. Thirty scripts at once stop each other at every tensor
operation, which lets another one in and then waits for it: two at a time are done sooner, all in
all by a fifth, and the first ones much sooner.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PLACES = 2  # while one is inside of a tensor operation, another has the interpreter
PATIENCE = 1.0  # seconds for which one that gave its place up waits to have one again

_free = threading.Semaphore(PLACES)
_mine = threading.local()  # whether this thread's script has a place


@contextmanager
def taken() -> Iterator[None]:
    """Wait for a place and hold it; inside of another `taken`, nothing."""
    if getattr(_mine, "held", False):
        yield
        return
    _mine.held = _free.acquire()
    try:
        yield
    finally:
        _leave()


@contextmanager
def if_free() -> Iterator[bool]:
    """Hold a place where one is free at once; tells whether it is."""
    _mine.held = _free.acquire(blocking=False)
    try:
        yield _mine.held
    finally:
        _leave()


@contextmanager
def given_up() -> Iterator[None]:
    """Let others run while this script waits for something else than the interpreter.

    Afterwards it goes on without a place where it gets none in time: those who hold the places may
    be waiting for what this one makes.
    """
    if not getattr(_mine, "held", False):
        yield
        return
    _leave()
    try:
        yield
    finally:
        _mine.held = _free.acquire(timeout=PATIENCE)


def _leave() -> None:
    if _mine.held:
        _mine.held = False
        _free.release()
