"""Times that can be compared: all calls take turns, in an order drawn anew each time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from statistics import median

import torch


def medians(
    repeats: int,
    calls: Mapping[str, Callable[[], object]],
    before: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """The median milliseconds of each call, after two turns to warm up; not of `before` it."""
    times, rng = {name: [] for name in calls}, random.Random(0)
    for _ in range(repeats + 2):
        for name in rng.sample(list(calls), len(calls)):
            before()
            start = time.perf_counter()
            calls[name]()
            times[name].append((time.perf_counter() - start) * 1000)
    return {name: median(taken[2:]) for name, taken in times.items()}


def settle_in() -> None:
    """Make this process one that has served for a while: one thread, and memory at hand.

    A new process asks the system for every array over 128 kB; once it has freed a large one, glibc
    keeps such memory.
    """
    torch.set_num_threads(1)
    bytearray(30_000_000)


def on_threads(count: int, call: Callable[[], object]) -> Callable[[], None]:
    """The call with so many of torch's threads; the explorer itself runs on one."""

    def run() -> None:
        torch.set_num_threads(count)
        try:
            call()
        finally:
            torch.set_num_threads(1)

    return run


def against(
    repeats: int,
    ours: Callable[[], object],
    rival: Callable[[], object],
    before: Callable[[], None] = lambda: None,
) -> tuple[float, float]:
    """Median milliseconds of ours on one thread, and of the rival on one or two: the faster."""
    calls = {"ours": ours, "one": rival, "two": on_threads(2, rival)}
    times = medians(repeats, calls, before)
    return times["ours"], min(times["one"], times["two"])
