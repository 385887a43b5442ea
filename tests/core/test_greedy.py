import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core import greedy
from explorer.core.greedy import count_removed, settle

edges = st.integers(2, 30).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.sets(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(
                lambda pair: pair[0] < pair[1]
            )
        ),
    )
)


def settle_in_turn(count, pairs):
    """Greedy NMS on edges, box by box."""
    lost_to = []
    for box in range(count):
        winners = [w for w, loser in sorted(pairs) if loser == box and lost_to[w] == -1]
        lost_to.append(min(winners, default=-1))
    return lost_to


def sides(pairs):
    return np.array(sorted(pairs), np.int64).reshape(-1, 2).T


def test_a_loser_of_a_loser_is_kept():
    assert settle(3, np.array([0, 1]), np.array([1, 2])).tolist() == [-1, 0, -1]


def test_without_edges_all_are_kept():
    none = np.empty(0, np.int64)
    assert settle(3, none, none).tolist() == [-1, -1, -1]
    assert settle(0, none, none).tolist() == []
    assert count_removed(3, none, none, none.astype(np.uint64)).tolist() == [0] * 64


@pytest.mark.parametrize("rounds", [1, 2, 24])
@given(edges)
@settings(max_examples=100, deadline=None)
def test_rounds_decide_as_one_box_after_the_other(rounds, graph):
    count, pairs = graph
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(greedy, "ROUNDS", rounds)
        assert settle(count, *sides(pairs)).tolist() == settle_in_turn(count, pairs)


@pytest.mark.parametrize("rounds", [1, 24])
@given(edges, st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_sixty_four_thresholds_are_decided_as_one_by_one(rounds, graph, seed):
    count, pairs = graph
    present = np.random.default_rng(seed).integers(2**64, size=len(pairs), dtype=np.uint64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(greedy, "ROUNDS", rounds)
        removed = count_removed(count, *sides(pairs), present)
    for bit in range(64):
        there = [p for p, word in zip(sorted(pairs), present, strict=True) if int(word) >> bit & 1]
        assert removed[bit] == sum(winner >= 0 for winner in settle_in_turn(count, there))


@pytest.mark.parametrize("count", [255, 256, 257, 65_536, 65_537])
def test_ranks_of_every_width_are_counted(count):
    winner, loser = np.array([0, 1, count - 2]), np.array([count - 1, 2, count - 1])
    removed = count_removed(count, winner, loser, np.array([1, 3, 1], np.uint64))
    assert removed[:3].tolist() == [2, 1, 0]
