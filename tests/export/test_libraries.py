"""Exported code against the libraries' published signatures and defaults, and against itself."""

import ast
import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import settings as examples

from explorer.core.memo import Memo
from explorer.core.pipeline import run
from explorer.editing import changed
from explorer.export import LIBRARIES
from explorer.export.export import number
from explorer.presets import PRESETS
from explorer.settings import Settings
from tests.any_settings import any_settings

RECORDED = json.loads((Path(__file__).parents[2] / "assets" / "libraries.json").read_text())
SMALL = changed(Settings(), {"image.side": 256, "scores.source": "noise"})


def preset(name):
    return PRESETS[name].apply(SMALL)


def calls_of(text):
    """Name, positional arguments and keywords of every call in the text."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            yield name, node.args, [keyword.arg for keyword in node.keywords]


def run_torchvision(text):
    """Run exported code with stand-ins that only remember what they were given."""
    made = {}

    def remember(name):
        def make(*args, **given):
            names = RECORDED["torchvision"]["signatures"][name]
            made[name] = SimpleNamespace(**dict(zip(names, args, strict=False)), **given)
            return made[name]

        return make

    modules = {name: remember(name) for name in RECORDED["torchvision"]["signatures"]}
    body = [line for line in text.splitlines() if "torchvision" not in line]
    exec("\n".join(body), modules | {"det_utils": SimpleNamespace(**modules)}, made_here := {})
    assert set(made_here) >= {"anchor_generator", "head", "rpn"}
    return made


def settings_from_torchvision(text, start):
    """The view that exported torchvision code describes, by torchvision's own preset."""
    made = run_torchvision(text)
    generator, rpn = made["AnchorGenerator"], made["RegionProposalNetwork"]
    clip = rpn.box_coder.bbox_xform_clip
    assert not hasattr(generator, "cell_anchors")
    return changed(
        PRESETS["torchvision"].apply(start),
        {
            "anchors.sizes": generator.sizes,
            "anchors.ratios": generator.aspect_ratios[0],
            "codec.weights": rpn.box_coder.weights,
            "codec.max_log_scale": None if math.isinf(clip) else clip,
            "filter.pre_nms": rpn.pre_nms_top_n["testing"],
            "filter.min_size": rpn.min_size,
            "nms.post_nms": rpn.post_nms_top_n["testing"],
            "nms.iou_threshold": rpn.nms_thresh,
            "nms.score_threshold": rpn.score_thresh,
            "match.high": rpn.fg_iou_thresh,
            "match.low": rpn.bg_iou_thresh,
            "match.batch_size": rpn.batch_size_per_image,
            "match.positive_fraction": rpn.positive_fraction,
        },
    )


@given(any_settings())
@examples(max_examples=25)
@pytest.mark.parametrize("library", LIBRARIES)
def test_every_settings_exports_as_code_that_parses(library, settings):
    made = LIBRARIES[library](settings)
    assert all(note.endswith(".") for note in made.notes)
    if made.file_name.endswith(".yaml"):
        assert yaml.safe_load(made.text)["MODEL"]["RPN"]["NMS_THRESH"] == settings.nms.iou_threshold
    else:
        compile(made.text, made.file_name, "exec")


@given(any_settings())
@examples(max_examples=25)
def test_torchvision_code_names_only_what_its_signatures_know(settings):
    signatures = RECORDED["torchvision"]["signatures"]
    for name, args, keywords in calls_of(LIBRARIES["torchvision"](settings).text):
        if name in signatures:
            names = signatures[name]
            assert len(args) <= len(names)
            assert set(keywords) <= set(names[len(args) :])
        else:
            assert name in {"tensor", "log"}


@given(any_settings())
@examples(max_examples=25)
def test_torchvision_code_gives_every_argument_without_a_default(settings):
    made = run_torchvision(LIBRARIES["torchvision"](settings).text)
    required = set(RECORDED["torchvision"]["signatures"]["RegionProposalNetwork"])
    assert required - {"score_thresh"} <= set(vars(made["RegionProposalNetwork"]))


@given(any_settings())
@examples(max_examples=25)
def test_mmdetection_dicts_name_only_what_their_classes_know(settings):
    tree = ast.parse(LIBRARIES["mmdetection"](settings).text)
    seen = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            keywords = {keyword.arg: keyword.value for keyword in node.keywords}
            if "type" in keywords:
                kind = keywords.pop("type").value
                assert set(keywords) <= set(RECORDED["mmdetection"]["signatures"][kind])
                seen.add(kind)
    assert {"DeltaXYWHBBoxCoder", "MaxIoUAssigner", "RandomSampler", "nms"} <= seen


def test_the_torchvision_preset_exports_as_torchvision_s_defaults():
    made = run_torchvision(LIBRARIES["torchvision"](preset("torchvision")).text)
    generator, rpn = made["AnchorGenerator"], made["RegionProposalNetwork"]
    got = vars(rpn) | vars(generator)
    for name, default in RECORDED["torchvision"]["defaults"].items():
        assert json.loads(json.dumps(got[name])) == default, name
    assert rpn.box_coder.bbox_xform_clip == math.log(1000 / 16)
    assert LIBRARIES["torchvision"](preset("torchvision")).notes == ()


def test_the_detectron2_preset_exports_as_detectron2_s_defaults():
    made = LIBRARIES["detectron2"](preset("detectron2"))
    document = yaml.safe_load(made.text)
    for path, default in RECORDED["detectron2"]["defaults"].items():
        value = document
        for key in path.split("."):
            value = value[key]
        assert value == default, path
    assert made.notes == ()


@given(any_settings())
@examples(max_examples=25)
def test_detectron2_yaml_holds_no_unknown_key(settings):
    def leaves(node, path=""):
        if isinstance(node, dict):
            for key, value in node.items():
                yield from leaves(value, f"{path}.{key}" if path else key)
        else:
            yield path

    document = yaml.safe_load(LIBRARIES["detectron2"](settings).text)
    assert document.pop("_BASE_") == "Base-RCNN-FPN.yaml"
    assert set(leaves(document)) <= set(RECORDED["detectron2"]["defaults"])


def test_mmdetection_s_anchors_are_sizes_times_scales():
    doubled = {"anchors.sizes": ((32, 48), (64, 96), (128, 192), (256, 384), (512, 768))}
    text = LIBRARIES["mmdetection"](changed(preset("detectron2"), doubled)).text
    assert "base_sizes=[32, 64, 128, 256, 512]" in text
    assert "scales=[1, 1.5]" in text


def test_mmdetection_leaves_out_sizes_that_are_no_common_multiples():
    uneven = {"anchors.sizes": ((32, 40), (64, 96), (128, 192), (256, 384), (512, 768))}
    made = LIBRARIES["mmdetection"](changed(preset("detectron2"), uneven))
    assert "anchor_generator" not in made.text
    assert any("no such multiples" in note for note in made.notes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"nms.iou_threshold": 0.55, "nms.post_nms": 123, "nms.score_threshold": 0.5},
        {"anchors.sizes": ((16, 24), (40, 64), (100, 128), (200, 256), (400, 512))},
        {"anchors.ratios": (0.33, 1.0, 3.0), "codec.weights": (2, 2, 1, 1)},
        {"anchors.ratio": "w/h", "filter.min_size": 20, "filter.pre_nms": 77},
        {"codec.max_log_scale": None, "match.high": 0.6, "match.low": 0.25},
    ],
)
def test_exported_torchvision_settings_give_the_view_s_own_anchors_and_proposals(changes):
    view = changed(preset("torchvision"), changes)
    again = settings_from_torchvision(LIBRARIES["torchvision"](view).text, view)
    for name in ("anchors", "candidates", "proposals"):
        mine, theirs = (run(name, settings, Memo(10**9)) for settings in (view, again))
        assert torch.equal(mine.boxes, theirs.boxes)
    assert torch.equal(mine.scores, theirs.scores)
    assert len(mine.boxes) > 50


@pytest.mark.parametrize("name", ["notebook", "ssd300", "yolov3", "efficientdet-d0"])
def test_anchors_written_out_for_torchvision_are_the_view_s_anchors(name):
    view = preset(name)
    generator = run_torchvision(LIBRARIES["torchvision"](view).text)["AnchorGenerator"]
    grid, anchors = run("grid", view, Memo(10**9)), run("anchors", view, Memo(10**9))
    # as torchvision lays them: a shift by whole strides, added to each shape of the cell
    laid = []
    for shapes, (rows, columns), stride in zip(
        generator.cell_anchors, grid.cells, view.anchors.strides, strict=True
    ):
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        shifts = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4) * stride
        laid.append((shifts + shapes).reshape(-1, 4))
    torch.testing.assert_close(torch.cat(laid), anchors.boxes, rtol=0, atol=1e-3)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        ("filter.top_n_by_level", False, "each level by itself"),
        ("filter.min_size_at", "photo", "resized"),
        ("filter.nms_by_level", False, "never suppress"),
    ],
)
def test_what_a_library_cannot_express_is_told(library, path, value, word):
    notes = LIBRARIES[library](changed(preset("torchvision"), {path: value})).notes
    assert any(word in note for note in notes)


def test_a_stride_that_torchvision_would_change_is_told():
    settings = changed(PRESETS["torchvision"].apply(Settings()), {"anchors.stride_rule": "fixed"})
    notes = LIBRARIES["torchvision"](settings).notes
    assert any("P6 64 becomes 61" in note for note in notes)


def test_a_number_is_written_so_that_it_reads_back():
    settings = changed(preset("torchvision"), {"nms.iou_threshold": 0.1 + 0.2})
    made = run_torchvision(LIBRARIES["torchvision"](settings).text)
    assert made["RegionProposalNetwork"].nms_thresh == 0.1 + 0.2


def test_an_export_is_a_value():
    made = LIBRARIES["torchvision"](SMALL)
    assert replace(made) == made


@pytest.mark.parametrize("value", [1e-05, 1.5e-07, 1e16, -2e-09, 0.7, 32])
def test_yaml_and_python_read_a_number_alike(value):
    assert yaml.safe_load(number(value)) == float(number(value)) == value
