"""The Anchors page's cell: which one is chosen, and which of its anchors is followed."""

from __future__ import annotations

import pytest

from explorer.core import pipeline
from explorer.pages import _show
from tests.pages.test_pages import errors, open_page, settings

# At 128 pixels P2 has 32 x 32 cells and P3 16 x 16, three anchors each.
MIDDLE_OF_P3 = 3 * 32 * 32 + 3 * (8 * 16 + 8)


def buttons(app):
    (found,) = [each for each in app.get("button_group") if each.key == "follow_one"]
    return found


def leads(app):
    return [each for each in app.button if each.label == "Go to the followed anchor"]


def test_a_slider_lays_the_grid_and_nothing_else_is_computed():
    app = open_page("anchors.py", **{"scores.source": "noise"})
    app.slider(key="stride 1").set_value(11).run()
    assert settings(app).anchors.strides == (4, 11, 16, 32, 64)
    recipes = {name: pipeline.recipe(name, settings(app)) for name in ("grid", "anchors")}
    held = {name for name, recipe in recipes.items() if _show.memo().peek(recipe) is not None}
    assert held == {"grid"}


@pytest.mark.parametrize(("level", "kind"), [(4, "stride"), (3, "size")])
def test_the_level_whose_slider_moved_is_shown(level, kind):
    app = open_page("anchors.py")
    app.slider(key=f"{kind} {level}").set_value(100).run()
    assert settings(app).view.level == level
    assert not errors(app)


def test_a_press_follows_an_anchor_of_the_cell_and_another_press_lets_go():
    app = open_page("anchors.py")
    assert [option.content for option in buttons(app).proto.options] == ["0.5", "1", "2"]
    for shape in range(3):
        buttons(app).set_value(shape).run()
        assert settings(app).view.follow == MIDDLE_OF_P3 + shape
    assert not leads(app)  # it is this cell's
    buttons(app).set_value(None).run()
    assert settings(app).view.follow == -1


def test_the_followed_anchors_own_cell_shows_it_pressed_and_others_lead_there():
    app = open_page("anchors.py", **{"view.follow": str(MIDDLE_OF_P3 + 2), "view.row": "3"})
    assert app.session_state["follow_one"] is None
    leads(app)[0].click().run()
    assert (settings(app).view.level, settings(app).view.row, settings(app).view.column) == (
        1,
        8,
        8,
    )
    assert app.session_state["follow_one"] == 2
    assert not leads(app)


def test_a_followed_number_that_the_grid_has_not_leads_nowhere():
    app = open_page("anchors.py", **{"view.follow": "1999999"})
    assert not app.exception
    assert not leads(app)
    assert app.session_state["follow_one"] is None


def test_many_anchors_a_cell_are_chosen_from_a_list():
    sizes, ratios = "_".join(map(str, range(20, 24))), "0.5_1_2_3"
    app = open_page(
        "anchors.py",
        **{
            "anchors.strides": "16",
            "anchors.sizes": sizes,
            "anchors.ratios": ratios,
            "scores.source": "random",
        },
    )
    assert not errors(app)
    (chooser,) = [each for each in app.selectbox if each.key == "follow_one"]
    assert len(chooser.options) == 16
    chooser.select_index(5).run()
    assert settings(app).view.follow == 16 * (4 * 8 + 4) + 5
