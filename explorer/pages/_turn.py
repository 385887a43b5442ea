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

_free = threading.Semaphore(PLACES)
_mine = threading.local()  # whether this thread's script has a place


@contextmanager
def taken() -> Iterator[None]:
    """Wait for a place and hold it; inside of another `taken`, nothing."""
    if getattr(_mine, "held", False):
        yield
        return
    with _free:
        _mine.held = True
        try:
            yield
        finally:
            _mine.held = False


@contextmanager
def if_free() -> Iterator[bool]:
    """Hold a place where one is free at once; tells whether it is."""
    free = _free.acquire(blocking=False)
    _mine.held = free
    try:
        yield free
    finally:
        _mine.held = False
        if free:
            _free.release()


@contextmanager
def given_up() -> Iterator[None]:
    """Let others run while this script waits for something else than the interpreter."""
    if not getattr(_mine, "held", False):
        yield
        return
    _mine.held = False
    _free.release()
    try:
        yield
    finally:
        _free.acquire()
        _mine.held = True
