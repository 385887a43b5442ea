"""Coroutines inside tests."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor


def in_its_own_loop(coroutine: Coroutine):
    """What a coroutine returns, run in a thread apart: the browser's tests keep a loop in ours."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, coroutine).result()
