"""Boxes and crosses as paths, the photo beneath them, and what a point tells."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explorer.figures import theme
from explorer.figures.canvas import (
    boxes_path,
    canvas,
    crosses_path,
    hover_points,
    image_layer,
    path_shape,
)
from tests.figures.reading import array, boxes_in, crosses_in, sent, told

BOXES = np.array([[10, 20, 110.5, 80.25], [-4, 0, 3, 2048]], dtype=np.float32)
pixels = st.floats(-9000, 9000, width=32)


def test_a_path_by_hand():
    assert boxes_path(BOXES) == "M10,20H110.5V80.2H10ZM-4,0H3V2048H-4Z"
    assert boxes_path(BOXES, 0) == "M10,20H110V80H10ZM-4,0H3V2048H-4Z"  # half to even
    assert crosses_path(np.array([[4.0, 12.0]]), 3) == "M1,12H7M4,9V15"
    assert boxes_path(np.zeros((0, 4))) == ""
    assert crosses_path(np.zeros((0, 2)), 3) == ""


@settings(max_examples=50)
@given(arrays(np.float32, st.tuples(st.integers(0, 9), st.just(4)), elements=pixels))
def test_a_path_parses_back_to_its_boxes(boxes):
    np.testing.assert_allclose(boxes_in(boxes_path(boxes)), boxes, atol=0.0501)


@settings(max_examples=50)
@given(
    arrays(np.float32, st.tuples(st.integers(0, 9), st.just(2)), elements=pixels),
    st.floats(0.25, 50),
)
def test_crosses_parse_back_to_their_centres(centres, arm):
    found, arms = crosses_in(crosses_path(centres, arm))
    np.testing.assert_allclose(found, centres, atol=0.1)
    np.testing.assert_allclose(arms, arm, atol=0.1)


def test_the_axes_are_the_inputs_pixels_with_y_down():
    _, _, layout = sent(canvas((600, 800), "/photo.png"))
    assert layout["xaxis"]["range"] == [0, 800]
    assert layout["yaxis"]["range"] == [600, 0]
    assert layout["yaxis"]["scaleanchor"] == "x"
    assert layout["xaxis"]["constrain"] == layout["yaxis"]["constrain"] == "domain"
    assert layout["meta"]["aspect"] == 0.75


def test_the_photo_covers_the_input_and_the_blank_canvas_has_none():
    _, _, layout = sent(canvas((600, 800), "/photo.png", alt="a cat"))
    (photo,) = layout["images"]
    assert photo["source"] == "/photo.png"
    assert (photo["x"], photo["y"], photo["sizex"], photo["sizey"]) == (0, 0, 800, 600)
    assert photo["layer"] == "below"
    assert layout["meta"]["alt"] == "a cat"
    _, _, layout = sent(canvas((600, 800), None))
    assert layout["images"] == []
    assert layout["plot_bgcolor"] == theme.CANVAS == "#1a1a2e"


def test_a_layer_over_the_photo_differs_from_it_in_size():
    layer = image_layer("data:,", (600, 800), opacity=0.5)
    _, _, layout = sent(canvas((600, 800), "/photo.png", layers=[layer]))
    photo, above = layout["images"]
    assert above["source"] == "data:,"
    assert above["opacity"] == 0.5
    assert above["sizex"] != photo["sizex"]  # Plotly would take the two for one
    assert above["sizex"] == pytest.approx(photo["sizex"], abs=0.01)
    assert layer["sizex"] == 800  # the caller's own is left as it was


def test_a_shape_takes_changes_of_its_line():
    shape = path_shape("M0,0Z", "#fff", 3, line={"dash": "dot"}, opacity=0.5)
    assert shape == {
        "type": "path",
        "path": "M0,0Z",
        "line": {"color": "#fff", "width": 3, "dash": "dot"},
        "opacity": 0.5,
    }


def test_a_point_lies_at_its_boxs_centre_and_tells_of_it():
    facts = [["first", 0.5], ["second", 0.25]]
    template = "<b>%{customdata[4]}</b> %{customdata[5]:.3f}"
    _, (trace,), _ = sent(canvas((99, 99), None, [hover_points(BOXES, facts, template)]))
    assert array(trace["x"]).tolist() == [60, 0]  # half to even
    assert array(trace["y"]).tolist() == [50, 1024]
    assert trace["customdata"][0] == [10, 20, 110.5, 80.2, "first", 0.5]
    assert told(trace, 0) == "<b>first</b> 0.500"
    assert told(trace, 1) == "<b>second</b> 0.250"
    assert trace["marker"]["opacity"] == 0


def test_a_crowds_sides_are_whole_pixels():
    _, (trace,), _ = sent(canvas((99, 99), None, [hover_points(BOXES, [[], []], "", digits=0)]))
    assert trace["customdata"] == [[10, 20, 110, 80], [-4, 0, 3, 2048]]


def test_no_boxes_have_no_points():
    _, (trace,), _ = sent(canvas((99, 99), None, [hover_points(np.zeros((0, 4)), [], "")]))
    assert len(array(trace["x"])) == len(trace["customdata"]) == 0


def test_facts_are_one_a_box():
    with pytest.raises(ValueError, match="shorter"):
        hover_points(BOXES, [["only one"]], "")
