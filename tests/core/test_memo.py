import threading
from dataclasses import dataclass
from time import sleep

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.memo import Memo, parts_of


def of_size(size):
    """Make a result of so many bytes."""
    return lambda: np.zeros(size, np.uint8)


def must_not_run():
    raise AssertionError("made anew")


class Left(BaseException):
    """What Streamlit raises in a script whose reader moved on is no Exception."""


def test_a_result_is_made_once_and_timed():
    memo = Memo(100)
    first = memo.get("a", of_size(40))
    assert memo.get("a", must_not_run) is first
    assert memo.peek("a") is first
    assert first.size == memo.used == 40
    assert first.milliseconds >= 0


def test_an_empty_memo_knows_nothing():
    memo = Memo(100)
    assert memo.peek("a") is None
    assert len(memo) == memo.used == 0


def test_none_is_a_result_too():
    memo = Memo(100)
    memo.get("a", lambda: None)
    assert memo.get("a", must_not_run).value is None


def test_past_the_bound_the_least_recently_used_goes_first():
    memo = Memo(100)
    for key in "abc":
        memo.get(key, of_size(30))
    memo.get("a", must_not_run)  # b is the oldest now
    memo.get("d", of_size(30))
    assert [key for key in "abcd" if memo.peek(key)] == ["a", "c", "d"]
    assert memo.used == 90


def test_a_peek_counts_as_a_use():
    memo = Memo(60)
    memo.get("a", of_size(30))
    memo.get("b", of_size(30))
    memo.peek("a")
    memo.get("c", of_size(30))
    assert memo.peek("a")
    assert memo.peek("b") is None


def test_several_go_where_a_large_one_comes():
    memo = Memo(100)
    for key in "abc":
        memo.get(key, of_size(30))
    memo.get("d", of_size(65))
    assert [key for key in "abcd" if memo.peek(key)] == ["c", "d"]
    assert memo.used == 95


@pytest.mark.parametrize(("size", "kept"), [(100, True), (101, False)])
def test_a_result_of_exactly_the_bound_is_kept_and_one_byte_more_is_not(size, kept):
    memo = Memo(100)
    memo.get("small", of_size(10))
    assert len(memo.get("large", of_size(size)).value) == size
    assert bool(memo.peek("large")) == kept
    assert bool(memo.peek("small")) != kept  # an oversize one pushes nobody out


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 120)), max_size=40))
def test_the_bytes_held_never_pass_the_bound_and_are_counted_right(wishes):
    memo, held = Memo(100), {}
    for key, size in wishes:
        held.setdefault(key, memo.get(key, of_size(size)))
        held = {key: entry for key, entry in held.items() if memo.peek(key) is entry}
        assert memo.used == sum(entry.size for entry in held.values()) <= 100
        assert len(memo) == len(held)


def in_threads(*tasks):
    """Run all tasks at once, and wait for them."""
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_two_readers_at_once_make_it_once():
    memo, calls, got = Memo(100), [], []

    def make():
        calls.append(1)
        sleep(0.1)  # the other reader comes in the meantime
        return "result"

    in_threads(*[lambda: got.append(memo.get("a", make).value)] * 2)
    assert got == ["result", "result"]
    assert len(calls) == 1
    assert not memo._being_made


def test_readers_of_different_results_do_not_wait_for_each_other():
    memo, met = Memo(1000), threading.Barrier(2, timeout=10)
    in_threads(lambda: memo.get("a", met.wait), lambda: memo.get("b", met.wait))
    assert len(memo) == 2


@pytest.mark.parametrize("kind", [ValueError, Left])
def test_a_failure_leaves_nothing_behind_and_the_next_try_succeeds(kind):
    memo = Memo(100)

    def fail():
        raise kind("no")

    with pytest.raises(kind, match="no"):
        memo.get("a", fail)
    assert not memo._being_made
    assert len(memo) == memo.used == 0
    assert memo.get("a", lambda: "yes").value == "yes"


def test_who_waited_for_a_failure_makes_it_himself():
    memo, making, got = Memo(100), threading.Event(), []

    def leave():
        making.set()
        sleep(0.1)  # the second reader waits by now
        raise Left

    def first():
        with pytest.raises(Left):
            memo.get("a", leave)

    def second():
        making.wait(10)
        got.append(memo.get("a", lambda: "yes").value)

    in_threads(first, second)
    assert got == ["yes"]
    assert memo.peek("a").value == "yes"
    assert not memo._being_made


def test_a_result_made_twice_is_counted_once():
    memo = Memo(100)

    def make_inside():  # as a second reader does, once a first has failed
        memo._being_made.clear()
        memo.get("a", of_size(40))
        return np.zeros(40, np.uint8)

    memo.get("a", make_inside)
    assert memo.used == 40
    assert len(memo) == 1


def test_sizes_are_those_of_tensors_and_arrays_wherever_they_are():
    @dataclass(frozen=True, eq=False)
    class Result:
        boxes: torch.Tensor
        maps: tuple
        name: str

    value = Result(torch.zeros(10, 4), (np.zeros(8, np.uint8), torch.zeros(2).half()), "P2")
    assert bytes_of(value) == 160 + 8 + 4 + 64
    assert bytes_of([b"12345", None]) == 5 + 64
    assert bytes_of((1, 2.5, torch.zeros(2))) == 2 * 64 + 8
    assert bytes_of(()) == 0


def bytes_of(value):
    return sum(parts_of(value).values())


def test_numbers_of_several_results_count_for_each():
    memo = Memo(1000)
    memo.get("a", lambda: (1, 2))
    memo.get("b", lambda: ((3.5,), "P2"))
    assert memo.used == 4 * 64
    memo.get("c", of_size(1000))
    assert (memo.used, len(memo)) == (1000, 1)


def test_a_view_counts_as_what_it_keeps_alive():
    whole, array = torch.zeros(10, 4), np.zeros((8, 4), np.uint8)
    assert bytes_of(whole[:1]) == 160
    assert bytes_of((whole, whole[2:], whole.T)) == 160
    assert bytes_of(array[1:2]) == 32
    assert bytes_of([array, array[1:]]) == 32


def test_a_tensor_that_two_results_hold_counts_once_until_both_are_gone():
    memo, shared = Memo(500), torch.zeros(100, dtype=torch.uint8)
    memo.get("a", lambda: (shared, of_size(50)()))
    memo.get("b", lambda: (shared, of_size(60)()))
    assert memo.used == 100 + 50 + 60
    memo.get("c", of_size(300))  # "a" goes, "b" still holds what they share
    assert [key for key in "abc" if memo.peek(key)] == ["b", "c"]
    assert memo.used == 100 + 60 + 300
    memo.get("d", of_size(150))
    assert [key for key in "bcd" if memo.peek(key)] == ["c", "d"]
    assert memo.used == 300 + 150
    memo.get("e", of_size(500))
    assert memo.used == 500
    assert not memo._holders.keys() - memo.peek("e").parts.keys()


def test_results_that_see_a_different_share_of_one_block_leave_no_bytes_behind():
    memo, block = Memo(200), torch.zeros(100, dtype=torch.uint8)
    memo.get("part", lambda: block.numpy()[:10])
    memo.get("whole", lambda: block)
    memo.get("other", of_size(200))
    assert memo.used == 200
    assert len(memo) == 1


def test_nobody_waits_for_a_lock_to_find_what_is_there():
    memo, found = Memo(100), []
    memo.get("a", of_size(10))
    reader = threading.Thread(target=lambda: found.append(memo.peek("a")), daemon=True)
    with memo._lock:
        reader.start()
        reader.join(60)
        assert len(found) == 1
