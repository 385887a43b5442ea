import numpy as np

from explorer.figures.recall import recall_curve


def test_the_curve_ends_with_the_proposals_and_shows_the_ceiling():
    counts = np.array([1, 2, 5, 10])
    figure = recall_curve(counts, np.array([0.1, 0.2, 0.3, 0.3]), 0.75, 0.5, proposals=5)
    curve, ceiling = figure["data"]
    assert list(curve["x"]) == [1, 2, 5]
    assert list(ceiling["y"]) == [0.75, 0.75]


def test_a_curve_without_objects_or_proposals_is_a_figure():
    recall_curve(np.array([1, 2]), np.array([np.nan, np.nan]), float("nan"), 0.5, proposals=0)
