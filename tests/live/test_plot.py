"""Figures as they are sent: numpy's numbers in the types that Plotly's JavaScript has."""

import base64
import json

import numpy as np
import pytest

from explorer.live.plot import encode


def sent(value):
    """What becomes of a trace's x."""
    return json.loads(encode({"data": [{"x": value}], "layout": {}}))["data"][0]["x"]


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (np.array([1.5, np.nan], np.float32), "f4"),
        (np.array([1e300]), "f8"),
        (np.array([0, 255]), "u1"),
        (np.array([-1, 255]), "i2"),
        (np.array([159_882]), "u4"),
        (np.array([7], np.int16), "i2"),
    ],
)
def test_an_array_is_sent_in_the_shortest_type_that_holds_it(value, dtype):
    found = sent(value)
    assert found["dtype"] == dtype
    back = np.frombuffer(base64.b64decode(found["bdata"]), dtype)
    np.testing.assert_array_equal(back, value)


def test_rows_keep_their_shape_whatever_their_order_in_memory():
    value = np.arange(6, dtype=np.float32).reshape(2, 3)
    for each in (value, np.asfortranarray(value)):
        found = sent(each)
        assert found["shape"] == "2, 3"
        assert np.frombuffer(base64.b64decode(found["bdata"]), "f4").tolist() == [0, 1, 2, 3, 4, 5]


def test_what_javascript_has_no_array_for_is_a_list():
    assert sent(np.array([2**40])) == [2**40]
    assert sent(np.array([True, False])) == [True, False]
    assert sent(np.array(["P2", "P3"])) == ["P2", "P3"]
    assert sent(np.zeros(0, np.int64)) == []


def test_a_single_number_is_a_number_and_nan_is_none():
    assert sent([np.int64(3), np.float32(0.5), np.float64("nan")]) == [3, 0.5, None]


def test_wishes_go_into_the_figures_own_meta_and_leave_the_figure_as_it_was():
    figure = {"data": [], "layout": {"meta": {"alt": "a map"}, "dragmode": "zoom"}}
    layout = json.loads(encode(figure, {"clicks": 1, "draws": 1, "moves": 0, "drawn": 2}))["layout"]
    assert layout["meta"] == {"alt": "a map", "clicks": 1, "draws": 1, "moves": 0, "drawn": 2}
    assert layout["dragmode"] == "drawrect"
    assert figure["layout"] == {"meta": {"alt": "a map"}, "dragmode": "zoom"}
