import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core import greedy
from explorer.core.greedy import settle

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


@pytest.mark.parametrize("rounds", [1, 2, 24])
@given(edges)
@settings(max_examples=100)
def test_rounds_decide_as_one_box_after_the_other(rounds, graph):
    count, pairs = graph
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(greedy, "ROUNDS", rounds)
        assert settle(count, *sides(pairs)).tolist() == settle_in_turn(count, pairs)
