"""A cache of stage results that many readers share, bounded by bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, is_dataclass
from itertools import count
from operator import attrgetter
from time import perf_counter
from typing import Any

import numpy as np
from torch import Tensor

NUMBER = 64  # bytes of a number or a short text, about


@dataclass(eq=False)
class Entry:
    """A stage's result and what it cost."""

    key: Hashable
    value: Any
    milliseconds: float
    parts: dict[int, int]  # address to bytes of each block of memory that the result holds
    used: int = 0  # the memo's count when it was last asked for

    @property
    def size(self) -> int:
        """Bytes of the result by itself; other results may hold some of its blocks too."""
        return sum(self.parts.values())


class Memo:
    """Least recently used results go first once the bound is reached.

    Two readers who ask for the same result at once compute it once: the second waits. A tensor
    that several results hold counts once. Nobody waits for a lock to find what is there: with
    thirty readers, one that holds a lock while it waits for the interpreter stalls all others.

    Args:
        max_bytes: bound of all results together. A result larger than that is not kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.used = 0
        self._entries: dict[Hashable, Entry] = {}
        self._uses = count()
        self._holders: dict[int, int] = {}  # address to the number of entries that hold it
        self._sizes: dict[int, int] = {}  # address to the bytes that `used` counts for it
        self._lock = threading.Lock()
        self._being_made: dict[Hashable, threading.Lock] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def peek(self, key: Hashable) -> Entry | None:
        """The entry of `key`, or None; counts as a use."""
        entry = self._entries.get(key)
        if entry is not None:
            entry.used = next(self._uses)
        return entry

    def get(self, key: Hashable, make: Callable[[], Any]) -> Entry:
        """The entry of `key`, made by `make` where there is none yet."""
        entry = self.peek(key)
        if entry is not None:
            return entry
        with self._lock:
            making = self._being_made.setdefault(key, threading.Lock())
        try:
            with making:
                entry = self.peek(key)
                if entry is None:
                    start = perf_counter()
                    value = make()
                    took = 1e3 * (perf_counter() - start)
                    entry = Entry(key, value, took, parts_of(value), next(self._uses))
                    self._put(entry)
        finally:  # `make` may fail, or the reader may leave: whoever waits tries for itself
            with self._lock:
                self._being_made.pop(key, None)
        return entry

    def _put(self, entry: Entry) -> None:
        if entry.size > self.max_bytes:
            return
        with self._lock:
            if entry.key in self._entries:  # two made it after all, since a first one had failed
                self._release(entry.key)
            self._entries[entry.key] = entry
            for address, size in entry.parts.items():
                holders = self._holders.get(address, 0)
                if not holders:
                    self._sizes[address] = size
                    self.used += size
                self._holders[address] = holders + 1
            if self.used > self.max_bytes:
                for old in sorted(self._entries.values(), key=attrgetter("used")):
                    self._release(old.key)
                    if self.used <= self.max_bytes:
                        break

    def _release(self, key: Hashable) -> None:
        for address in self._entries.pop(key).parts:
            self._holders[address] -= 1
            if not self._holders[address]:
                del self._holders[address]
                self.used -= self._sizes.pop(address)


def parts_of(value: Any) -> dict[int, int]:
    """Address to bytes of all that a result holds, through dataclasses and sequences.

    A view counts as the whole tensor or array that it keeps alive.
    """
    found: dict[int, int] = {}
    numbers = _add_parts(value, found)
    if numbers:
        found[id(value)] = NUMBER * numbers
    return found


def _add_parts(value: Any, found: dict[int, int]) -> int:
    """Add the blocks of memory; returns how many numbers and short texts there are besides."""
    if isinstance(value, Tensor):
        block = value.untyped_storage()
        found[block.data_ptr()] = block.nbytes()
    elif isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        found[value.ctypes.data] = value.nbytes
    elif isinstance(value, bytes):
        found[id(value)] = len(value)
    elif isinstance(value, (tuple, list)):
        return sum(_add_parts(each, found) for each in value)
    elif is_dataclass(value):
        return sum(_add_parts(each, found) for each in vars(value).values())
    else:
        return 1
    return 0
