import numpy as np
import pytest

from explorer.figures import theme
from explorer.figures.beside import beside_its_anchor
from explorer.figures.limits import cell_grid
from tests.figures.reading import boxes_in, sent


def test_the_object_and_its_anchor_are_drawn_where_they_are_with_the_photo_around_them():
    box, anchor = np.array([391.0, 395.5, 409, 404.5]), np.array([379.4, 390.7, 424.6, 413.3])
    made = beside_its_anchor((800, 800), box, anchor, 0, title="t", photo_url="/p")
    layout = sent(made)[2]
    drawn = [shape for shape in layout["shapes"] if shape["line"]["width"] == 4]
    assert [boxes_in(shape["path"])[0].tolist() for shape in drawn] == [
        anchor.tolist(),
        box.tolist(),
    ]
    assert drawn[0]["line"]["color"] == theme.level_colour(0)
    left, right = layout["xaxis"]["range"]
    bottom, top = layout["yaxis"]["range"]
    assert right - left == pytest.approx(3 * 45.2)
    assert (left + right) / 2 == pytest.approx((379.4 + 424.6) / 2)
    assert bottom > top
    assert bottom - top == pytest.approx(right - left)


def test_the_view_stays_inside_the_photo_and_keeps_its_shape():
    box = np.array([790.0, 0, 800, 10])
    layout = sent(beside_its_anchor((400, 800), box, None, 0, title="t", photo_url=None))[2]
    left, right = layout["xaxis"]["range"]
    bottom, top = layout["yaxis"]["range"]
    assert (right, top) == (800, 0)
    assert (right - left) / (bottom - top) == pytest.approx(2)
    large = beside_its_anchor((400, 800), np.array([0, 0, 800, 400.0]), None, 0, title="t",
                              photo_url=None)  # fmt: skip
    assert sent(large)[2]["xaxis"]["range"] == [0, 800]


def test_cells_show_the_whole_photo_and_outline_who_shares_one():
    crowded = np.array([[10.0, 10, 40, 40]])
    cells = cell_grid((700, 1400), 7, crowded)
    assert cells[0]["path"].count("M") == 12
    assert "M200,0V700" in cells[0]["path"]
    assert "M0,600H1400" in cells[0]["path"]
    assert boxes_in(cells[1]["path"]).tolist() == crowded.tolist()
    box = np.array([10.0, 10, 40, 40])
    made = beside_its_anchor((700, 1400), box, None, 0, title="t", photo_url=None, cells=cells)
    assert sent(made)[2]["xaxis"]["range"] == [0, 1400]
    assert len(cell_grid((700, 700), 7, crowded[:0])) == 1
