"""A cache of stage results that many readers share, bounded by bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, fields, is_dataclass
from time import perf_counter
from typing import Any

import numpy as np
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Entry:
    """A stage's result and what it cost."""

    value: Any
    milliseconds: float
    size: int  # bytes


class Memo:
    """Least recently used results go first once the bound is reached.

    Two readers who ask for the same result at once compute it once: the second waits.

    Args:
        max_bytes: bound of all results together. A result larger than that is not kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.used = 0
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._being_made: dict[Hashable, threading.Lock] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def peek(self, key: Hashable) -> Entry | None:
        """The entry of `key`, or None; counts as a use."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries.move_to_end(key)
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
                    entry = Entry(value, 1e3 * (perf_counter() - start), size_of(value))
                    self._put(key, entry)
        finally:  # `make` may fail, or the reader may leave: whoever waits tries for itself
            with self._lock:
                self._being_made.pop(key, None)
        return entry

    def _put(self, key: Hashable, entry: Entry) -> None:
        if entry.size > self.max_bytes:
            return
        with self._lock:
            if key in self._entries:  # two made it after all, since a first one had failed
                self.used -= self._entries.pop(key).size
            self._entries[key] = entry
            self.used += entry.size
            while self.used > self.max_bytes:
                _, oldest = self._entries.popitem(last=False)
                self.used -= oldest.size


def size_of(value: Any) -> int:
    """Bytes of the tensors and arrays in a result, through dataclasses and sequences."""
    if isinstance(value, Tensor | np.ndarray):
        return value.nbytes
    if is_dataclass(value):
        return sum(size_of(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, tuple | list):
        return sum(size_of(each) for each in value)
    return len(value) if isinstance(value, bytes) else 64  # a number or a short text
