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
WHOLE = 1  # of these at most for whole scripts, so that no slider waits for two pages to open
PATIENCE = 1.0  # seconds for which one that gave its place up waits to have one again

_free = threading.Semaphore(PLACES)
_free_for_whole = threading.Semaphore(WHOLE)


class _Thread(threading.local):
    """What a script's thread holds."""

    places: tuple[threading.Semaphore, ...] = ()


_mine = _Thread()


@contextmanager
def taken(*, whole: bool = False) -> Iterator[None]:
    """Wait for a place and hold it, one of a `whole` script or of a part; twice, it is one."""
    if _mine.places:
        yield
        return
    try:
        for place in (_free_for_whole, _free) if whole else (_free,):
            _take(place)
        yield
    finally:
        _leave()


@contextmanager
def if_free() -> Iterator[bool]:
    """Hold a place where one is free at once; tells whether it is."""
    try:
        yield _take(_free, timeout=0)
    finally:
        _leave()


@contextmanager
def given_up() -> Iterator[None]:
    """Let others run while this script waits for something else than the interpreter.

    Afterwards it goes on without a place where it gets none in time: those who hold the places may
    be waiting for what this one makes.
    """
    places = _mine.places
    _leave()
    try:
        yield
    finally:
        for place in places:
            _take(place, timeout=PATIENCE)


def _take(place: threading.Semaphore, timeout: float | None = None) -> bool:
    got = place.acquire(timeout=timeout)
    if got:
        _mine.places += (place,)
    return got


def _leave() -> None:
    for place in _mine.places:
        place.release()
    _mine.places = ()
