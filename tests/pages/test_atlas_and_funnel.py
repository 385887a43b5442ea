"""Blind spots and Funnel through AppTest: controls, numbers, and what is not there."""

import json

import numpy as np
import pytest

from explorer.core.atlas import lattice_of, offered_iou
from explorer.core.candidates import Fate
from explorer.core.funnel import final_fates
from explorer.core.pipeline import recipe
from explorer.pages import _show
from explorer.presets import PRESETS
from tests.figures.reading import array
from tests.pages.test_pages import errors, open_page, settings

NOISE = {"scores.source": "noise"}


def open_atlas(**query):
    return open_page("atlas.py", **NOISE | query)  # the door's own forward pass would be learned


def open_funnel(**query):
    return open_page("funnel.py", **NOISE | query)


def figures(app):
    return [json.loads(each.proto.bytes) for each in app.get("bidi_component")]


def metrics(app):
    return {each.label: each.value for each in app.metric}


def words(app):
    return " ".join(each.value for each in [*app.markdown, *app.caption])


# Blind spots


def test_the_atlas_opens_on_the_tiny_object_and_says_what_it_is_offered():
    app = open_atlas()
    assert metrics(app) == {"Best IoU, worst": "0.158", "Best IoU, mean": "0.158"}
    assert "**18 x 9 px** is served best by **P2's 45 x 23 px**, 2 other shapes" in words(app)


def test_the_reading_changes_the_map():
    app = open_atlas()
    worst = array(figures(app)[0]["data"][0]["z"])
    app.button_group(key="atlas.reading").set_value("mean").run()
    assert settings(app).atlas.reading == "mean"
    mean = array(figures(app)[0]["data"][0]["z"])
    assert (mean >= worst - 1e-4).all()
    assert (mean - worst).max() > 0.05


def test_a_size_that_is_typed_is_looked_at():
    app = open_atlas()
    app.number_input(key="atlas.width").set_value(45.0).run()
    app.number_input(key="atlas.height").set_value(23.0).run()
    lattice = lattice_of(settings(app).anchors)
    wanted = {
        f"Best IoU, {reading}": f"{offered_iou([45], [23], lattice, reading)[0]:.3f}"
        for reading in ("worst", "mean")
    }
    assert metrics(app) == wanted
    assert app.query_params["atlas.width"] == "45"
    rings = [trace for trace in figures(app)[0]["data"] if trace.get("x") == [45.0] * 2]
    assert len(rings) == 1


def test_the_pictures_own_object_is_shown_with_its_real_anchor():
    app = open_atlas(**{"image.picture": "coffee"})
    dots = next(trace for trace in figures(app)[0]["data"] if trace.get("mode") == "markers+text")
    sides = [float(array(dots[axis])[0]) for axis in "xy"]
    label = dots["text"][0]
    app = open_atlas(
        **{
            "image.picture": "coffee",
            "atlas.width": str(sides[0]),
            "atlas.height": str(sides[1]),
        },
    )
    title = figures(app)[1]["layout"]["title"]["text"]
    assert title.startswith(f"{label}: its best anchor has IoU ")
    told = dots["customdata"][0][0]
    assert title.rsplit(" ", 1)[1] in told


def test_presets_are_laid_over_and_told():
    app = open_atlas(**{"image.picture": "coffee"})
    alone = len(figures(app)[0]["data"])
    for number, name in enumerate(("retinanet", "ssd300", "yolov2", "fcos", "yolov1")):
        chosen = app.button_group(key="atlas.overlay").value
        app.button_group(key="atlas.overlay").set_value([*chosen, name]).run()
        assert settings(app).atlas.overlay[-1] == name, number
    assert not app.exception
    lines = [trace for trace in figures(app)[0]["data"] if trace["type"] == "contour"]
    assert len(lines) == 1 + 3 * 2
    assert len(figures(app)[0]["data"]) == alone + 3 * 2 + 4
    text = words(app)
    assert "reaches IoU 0.5" in text
    assert "has points, no anchors" in text
    assert "of this picture's 3 objects share a cell" in text
    app.button_group(key="atlas.overlay").set_value([]).run()
    assert settings(app).atlas.overlay is None
    assert len(figures(app)[0]["data"]) == alone


def test_a_preset_over_itself_at_its_own_input_side_is_the_maps_own_line():
    app = open_atlas(
        **{"image.side": "300", "atlas.overlay": "ssd300", "scores.source": "planted"},
    )
    app.selectbox(key="preset").select("ssd300").run()
    ground, _, line = [t for t in figures(app)[0]["data"] if t["type"] == "contour"]
    np.testing.assert_allclose(array(line["z"]) / 200, array(ground["z"]), atol=0.003)
    assert settings(app).anchors == PRESETS["ssd300"].anchors


def test_a_picture_without_objects_has_an_atlas():
    app = open_atlas(
        **{"image.picture": "scene", "scene.objects": "0", "atlas.overlay": "yolov1"},
    )
    assert not app.exception
    assert errors(app) == []
    assert "**0 of this picture's 0 objects share a cell.**" in words(app)
    assert array(figures(app)[0]["data"][0]["z"]).max() > 0.5


def test_an_object_that_no_anchor_touches_at_the_worst_place_is_told_so():
    app = open_atlas(
        **{"anchors.strides": "128", "anchors.sizes": "16", "image.side": "256"},
    )
    assert not app.exception
    assert metrics(app)["Best IoU, worst"] == "0.000"
    assert "At the worst place no anchor touches an object of **18 x 9 px**" in words(app)


def test_the_followed_anchor_is_marked_on_the_map():
    app = open_atlas(**{"view.follow": "5"})
    marks = [t for t in figures(app)[0]["data"] if "diamond" in str(t.get("marker"))]
    assert len(marks) == 1
    app = open_atlas(**{"view.follow": "1999999"})
    assert not app.exception
    assert not [t for t in figures(app)[0]["data"] if "diamond" in str(t.get("marker"))]


# Funnel


def numbers(app):
    """The column of sums: what goes in and out, by its name."""
    lines = [a["text"] for a in figures(app)[0]["layout"]["annotations"]]
    pairs = (line.replace("<b>", "").replace("</b>", "").split("<br>", 1) for line in lines)
    return {
        name.replace("<br>", " "): int(count.replace(",", "").lstrip("−")) for count, name in pairs
    }


def core_counts(app):
    """How often each fate occurs among the results that the page itself used."""
    stages = ("candidates", "proposals")
    used = (_show.memo().peek(recipe(name, settings(app))).value for name in stages)
    return np.bincount(final_fates(*used).numpy(), minlength=len(Fate))


def test_the_funnels_numbers_are_the_cores():
    app = open_funnel(**{"nms.post_nms": "100"})
    counts, shown = core_counts(app), numbers(app)
    assert shown["anchors"] == counts.sum()
    assert shown["too small"] == counts[Fate.TOO_SMALL]
    assert shown["below top-n"] == counts[Fate.BELOW_TOP_N]
    assert shown["suppressed"] == counts[Fate.SUPPRESSED]
    assert shown["over the cap"] == counts[Fate.OVER_CAP] > 0
    assert shown["proposals"] == counts[Fate.KEPT] == 100
    assert "low score" not in shown
    assert metrics(app) == {"Proposals": "100"}


def test_a_score_threshold_becomes_a_step():
    app = open_funnel(**{"nms.score_threshold": "0.51"})
    assert numbers(app)["low score"] == core_counts(app)[Fate.LOW_SCORE] > 0


def test_a_band_chosen_from_the_lists_shows_its_boxes():
    app = open_funnel()
    app.selectbox(key="funnel.band").select("below top-n").run()
    everywhere = numbers(app)["below top-n"]
    assert metrics(app) == {"Below top-n": f"{everywhere:,}"}
    app.selectbox(key="funnel.part").select("P3").run()
    ((label, count),) = metrics(app).items()
    assert label == "Below top-n of P3"
    assert 0 < int(count.replace(",", "")) < everywhere
    photo = figures(app)[1]
    assert all(facts[6] == "P3" for facts in photo["data"][0]["customdata"])
    assert all(facts[10] == "below the top-n" for facts in photo["data"][0]["customdata"])
    assert len(photo["data"][0]["customdata"]) == min(300, int(count.replace(",", "")))


def test_the_parts_of_a_band_add_up_to_it():
    app = open_funnel(**{"funnel.split": "ratio", "funnel.band": "suppressed"})
    whole, total = numbers(app)["suppressed"], 0
    for part in ("0.5", "1", "2"):
        app.selectbox(key="funnel.part").select(part).run()
        total += int(next(iter(metrics(app).values())).replace(",", ""))
    assert total == whole > 0


def test_a_band_that_is_no_longer_there_is_told_and_shows_nothing():
    app = open_funnel(**{"funnel.band": "low score", "funnel.part": "P9"})
    assert not app.exception
    assert [box.value for box in app.info] == [
        "There is no part P9 under these settings: choose another."
    ]
    assert metrics(app) == {"Low score of P9": "0"}
    app.selectbox(key="funnel.part").select("all").run()
    (sentence,) = [box.value for box in app.info]
    assert sentence.startswith("There is no step with a band called low score")
    app.selectbox(key="funnel.band").select("proposals").run()
    assert [box.value for box in app.info] == []


def test_another_split_shows_all_its_parts():
    app = open_funnel(**{"funnel.part": "P3"})
    app.button_group(key="funnel.split").set_value("ratio").run()
    assert app.selectbox(key="funnel.part").value == "all"
    assert not app.info
    assert not app.exception


def test_a_link_to_a_part_of_the_other_split_says_so():
    app = open_funnel(**{"funnel.part": "P3", "funnel.split": "ratio"})
    assert "There is no part P3" in app.info[0].value
    assert not app.exception


def test_no_candidates_are_a_funnel_that_ends_early():
    app = open_funnel(**{"filter.min_size": "512"})
    assert not app.exception
    assert numbers(app)["too small"] == numbers(app)["anchors"] > 0
    assert metrics(app) == {"Proposals": "0"}


def test_the_followed_box_is_told_its_way():
    app = open_funnel(**{"view.follow": "0", "filter.min_size": "512"})
    assert "**The followed box** (P2) went: anchors → too small." in words(app)
    app = open_funnel(**{"view.follow": "1999999"})
    assert not app.exception
    assert "The followed box" not in words(app)


@pytest.mark.parametrize("preset", ["torchvision", "yolov3", "ssd300"])
def test_every_grid_has_a_funnel_by_ratio(preset):
    app = open_funnel(**{"funnel.split": "ratio", "image.side": "128"})
    app.selectbox(key="preset").select(preset).run()
    assert not app.exception
    assert numbers(app)["anchors"] == core_counts(app).sum()
