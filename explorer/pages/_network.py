"""The network's forward pass: one at a time for the whole server, on all cores.

Thirty readers who each run a network at once would each wait for thirty. So they stand in a line,
and whoever only moves a slider meanwhile is served first: the line's thread is a nice one.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import torch

from explorer.core.cores import cores
from explorer.core.network import Progress
from explorer.pages import _turn

NICE = 5  # of 19; other threads get about three times its share of a core that both want
SHORT = 0.3  # seconds; a bar for less would only flicker
EACH = 0.1  # seconds between two looks at how far it is


def _begin() -> None:
    torch.get_num_threads()  # a thread's first question sets it up, and forgets a number set before
    torch.set_num_threads(cores())
    if sys.platform == "linux":  # elsewhere a thread has no priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


# Torch counts threads for each calling thread by itself; one that is new to it takes over the
# number that was set last. So the line's thread gets all cores, then every other thread one: on
# shared threads the small operators of many sessions stall each other.
_line = ThreadPoolExecutor(max_workers=1, thread_name_prefix="network")
_line.submit(_begin).result()
torch.set_num_threads(1)


class _LeftTheLineError(Exception):
    """The reader has moved on: nobody waits for this pass any more."""


def in_line(work: Callable[[Progress], None], show: Callable[[float, str], None]) -> None:
    """Do `work` in the line, and show how far it is until it is done.

    Args:
        work: gets the function that it reports its progress to.
        show: called with a share in [0, 1] and words, every `EACH` seconds. Streamlit leaves a
            script from here once its reader has moved on; the work is then given up.
    """
    told, gone = (0.0, "Waiting for another picture to pass the network"), threading.Event()

    def report(share: float, text: str) -> None:
        nonlocal told
        if gone.is_set():
            raise _LeftTheLineError
        told = share, text

    job = _line.submit(work, report)
    try:
        with _turn.given_up():
            if not wait([job], SHORT).done:
                show(*told)
                while not wait([job], EACH).done:
                    show(*told)
        job.result()
    finally:
        gone.set()
        job.cancel()
