import json
import struct
import sys
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from explorer import evaluate, train_assets
from explorer.core.boxes import box_iou
from explorer.core.coder import encode_boxes
from explorer.core.learned import LearnedNetwork, load_learned
from explorer.training import sources
from explorer.training.blind import choose_blind, write_blind
from explorer.training.calibrate import calibrate, fit_logistic
from explorer.training.dataset import Dataset, _view
from explorer.training.export import export
from explorer.training.loop import Recipe, Trainer, learning_rate, save, train
from explorer.training.scene_cache import paint_scenes
from explorer.training.targets import assign, detection_loss, find_candidates, pairwise_giou

FAILING = {"thing_*.deb": (sys.executable, "-c", "raise SystemExit(3)")}
CPU = torch.device("cpu")
TINY = Recipe(steps=4, pixels=64 * 64, sides=(64,), warm_up=2)


def cut(side=40):
    """A red disc as a cut-out."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    pixels = np.zeros((side, side, 4), dtype=np.uint8)
    pixels[..., 0], pixels[..., 3] = 220, 255 * (x**2 + y**2 < (side / 2) ** 2)
    return pixels


def silent(*_):
    """A progress bar for tests."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    paint_scenes(folder, 6, 0, [cut()], [np.full((240, 300, 3), 90, np.uint8)], silent)
    return folder


@pytest.fixture(scope="module")
def photo():
    pixels = np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)
    return sources.Photo(pixels, np.array([[10, 20, 50, 50]], dtype=np.float32))


@pytest.fixture(scope="module")
def imagenet():
    return LearnedNetwork(0).backbone.state_dict()


def test_painted_scenes_are_the_same_each_time_and_stay_once_painted(scenes, tmp_path):
    paint_scenes(tmp_path, 2, 0, [cut()], [np.full((240, 300, 3), 90, np.uint8)], silent)
    for name in ("00000.jpg", "00001.jpg", "00001.json"):
        assert (tmp_path / name).read_bytes() == (scenes / name).read_bytes()
    (tmp_path / "00000.jpg").write_bytes(b"mine")
    paint_scenes(tmp_path, 2, 0, [cut()], [], silent)
    assert (tmp_path / "00000.jpg").read_bytes() == b"mine"


def test_training_pictures_hold_their_boxes(scenes, photo):
    dataset = Dataset(scenes, [photo])
    for seed in range(25):
        picture, boxes = dataset.draw(256, np.random.default_rng(seed))
        assert picture.size == (256, 256)
        assert (boxes >= 0).all()
        assert (boxes <= 256).all()
        assert ((boxes[:, 2:] - boxes[:, :2]) >= 8).all()


def test_boxes_follow_their_objects_through_crops_and_mirrors(scenes, monkeypatch):
    """A white rectangle on black: its box must be where the white is, whatever was done."""
    pixels = np.zeros((80, 120, 3), dtype=np.uint8)
    pixels[20:60, 30:90] = 255
    dataset = Dataset(scenes, [sources.Photo(pixels, np.array([[30, 20, 90, 60]], np.float32))])
    monkeypatch.setattr("explorer.training.dataset.PHOTO_SHARE", 1)
    monkeypatch.setattr("explorer.training.dataset.GREY", (0, 0, 0))
    seen = 0
    for seed in range(100):
        picture, boxes = dataset.draw(128, np.random.default_rng(seed))
        grey = np.asarray(picture.convert("L")).astype(int)
        white = grey > (grey.min() + grey.max()) / 2
        if len(boxes) == 0 or white.all():  # the crop shows too little of it, or nothing else
            continue
        y, x = np.nonzero(white)
        found = torch.tensor([[x.min(), y.min(), x.max() + 1, y.max() + 1]], dtype=torch.float32)
        assert box_iou(found, torch.tensor(boxes, dtype=torch.float32)).item() > 0.8
        seen += 1
    assert seen > 50


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(20, 300), st.integers(20, 300), st.integers(20, 120))
def test_every_view_of_any_picture_lies_on_its_canvas(seed, width, height, side):
    box = np.array([[0.2 * width, 0.2 * height, 0.9 * width, 0.9 * height]])
    picture, boxes = _view(
        Image.new("RGB", (width, height)), box, side, np.random.default_rng(seed)
    )
    assert picture.size == (side, side)
    assert (boxes >= 0).all()
    assert (boxes <= side).all()


def test_a_folder_without_scenes_is_named(tmp_path):
    with pytest.raises(ValueError, match="must hold scenes, got none"):
        Dataset(tmp_path, [])


def test_giou_by_hand():
    a = torch.tensor([[0.0, 0, 2, 2], [0, 0, 1, 1]])
    b = torch.tensor([[0.0, 0, 2, 2], [2, 0, 3, 1]])
    # apart: IoU 0, the hull is 3 x 1 and a third of it empty
    torch.testing.assert_close(pairwise_giou(a, b), torch.tensor([1.0, -1 / 3]))


def test_candidates_are_near_the_best_anchor():
    anchors = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [8, 8, 18, 18], [50, 50, 60, 60]])
    index, near = find_candidates(anchors, torch.tensor([[0.0, 0, 10, 10]]))
    assert sorted(index[0][near[0]].tolist()) == [0, 1]


def test_what_fits_best_should_score_its_fit_and_the_rest_less():
    anchors = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]])
    decoded = torch.tensor([[0.0, 0, 10, 10], [2, 0, 12, 10], [50, 50, 60, 60]])
    index, owner, score = assign(anchors, torch.zeros(3), decoded, torch.tensor([[0.0, 0, 10, 10]]))
    by_anchor = dict(zip(index.tolist(), score.tolist(), strict=True))
    assert owner.tolist() == [0, 0]
    assert by_anchor == pytest.approx({0: 1.0, 1: (2 / 3) ** 6}, rel=1e-5)


def test_an_anchor_serves_one_object_only():
    anchors = torch.tensor([[0.0, 0, 10, 10]])
    objects = torch.tensor([[0.0, 0, 10, 9], [0, 0, 10, 10]])
    index, owner, _ = assign(anchors, torch.zeros(1), anchors, objects)
    assert index.tolist() == [0]
    assert owner.tolist() == [1]


def test_a_picture_without_objects_has_no_positives_and_no_box_loss():
    anchors = torch.tensor([[0.0, 0, 10, 10]])
    none = torch.zeros(0, 4)
    assert [len(part) for part in assign(anchors, torch.zeros(1), anchors, none)] == [0, 0, 0]
    score, box = detection_loss(anchors, torch.zeros(1, 1), torch.zeros(1, 1, 4), [none])
    # .75 * sigmoid(0)^2 * ln 2, over a sum of targets that counts as 1 at least
    assert score.item() == pytest.approx(0.75 * 0.25 * np.log(2))
    assert box.item() == 0


def test_perfect_answers_cost_almost_nothing():
    anchors = torch.tensor([[0.0, 0, 10, 10], [40, 40, 50, 50]])
    objects = torch.tensor([[1.0, 0, 11, 12]])
    deltas = torch.stack([encode_boxes(anchors[:1], objects)[0], torch.zeros(4)])[None]
    score, box = detection_loss(anchors, torch.tensor([[20.0, -20.0]]), deltas, [objects])
    assert score.item() + box.item() < 1e-4


def test_the_rate_warms_up_and_ends_at_its_share():
    recipe = Recipe(steps=100, warm_up=10, last_rate=0.03)
    assert learning_rate(0, recipe) == pytest.approx(0.1)
    assert learning_rate(10, recipe) == pytest.approx(1)
    assert learning_rate(100, recipe) == pytest.approx(0.03)


def test_a_stopped_run_goes_on_as_if_it_had_not_been(scenes, photo, imagenet, tmp_path):
    dataset = Dataset(scenes, [photo])
    through = Trainer(TINY, imagenet, CPU)
    train(through, dataset, tmp_path, 0, 1, silent)

    halfway = Trainer(TINY, imagenet, CPU)
    while halfway.step < 2:
        rng = np.random.default_rng((0, halfway.step, 0))
        halfway.learn(*dataset.batch(1, 64, rng))
    save(halfway, tmp_path / "half.pt")
    resumed = Trainer(TINY, imagenet, CPU)
    resumed.load(torch.load(tmp_path / "half.pt", weights_only=True))
    train(resumed, dataset, tmp_path, 0, 1, silent)
    assert resumed.step == through.step == 4
    for name, value in through.mean.items():
        torch.testing.assert_close(resumed.mean[name], value, rtol=1e-4, atol=1e-6)


def test_training_lowers_the_loss_and_leaves_the_frozen_stages(scenes, imagenet):
    dataset = Dataset(scenes, [])
    trainer = Trainer(replace(TINY, steps=12), imagenet, CPU)
    batch = dataset.batch(1, 96, np.random.default_rng(1))
    losses = [sum(trainer.learn(*batch)) for _ in range(12)]
    assert min(losses[6:]) < losses[0]
    state = trainer.network.backbone.state_dict()
    assert torch.equal(state["stages.2.1.project.weight"], imagenet["stages.2.1.project.weight"])
    assert not torch.equal(state["stages.3.0.expand.weight"], imagenet["stages.3.0.expand.weight"])


def test_an_export_can_be_loaded_and_keeps_what_was_written_by_hand(
    scenes, imagenet, tmp_path, monkeypatch
):
    trainer = Trainer(TINY, imagenet, CPU)
    save(trainer, tmp_path / "checkpoint.pt")
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "card.json").write_text('{"limits": "by hand"}')
    monkeypatch.setattr("explorer.training.export.calibrate", lambda *_: (2.0, 1.0))
    export(tmp_path / "checkpoint.pt", tmp_path / "no.log", Dataset(scenes, []), weights)
    card = json.loads((weights / "card.json").read_text())
    assert card["limits"] == "by hand"
    assert card["steps"] == 0
    assert card["calibration"] == {"scale": 2.0, "shift": 1.0}
    shipped = load_learned(weights).state_dict()
    for name, value in trainer.mean.items():
        assert torch.equal(shipped[name], value.half().float())


def test_nothing_to_export_is_said(scenes, tmp_path):
    with pytest.raises(ValueError, match=r"checkpoint.pt must hold a checkpoint: train first"):
        export(tmp_path / "checkpoint.pt", tmp_path / "log", Dataset(scenes, []), tmp_path)


def test_calibration_finds_the_scale_and_shift_that_made_the_labels():
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(40_000, generator=generator) - 3
    right = torch.rand(40_000, generator=generator) < (2.5 * logits + 4).sigmoid()
    scale, shift = fit_logistic(logits, right)
    assert scale == pytest.approx(2.5, abs=0.15)
    assert shift == pytest.approx(4, abs=0.3)


def test_calibration_needs_both_kinds_in_the_right_order():
    logits = torch.linspace(-3, 3, 50)
    with pytest.raises(ValueError, match="labels must be of both kinds"):
        fit_logistic(logits, torch.ones(50, dtype=torch.bool))
    with pytest.raises(ValueError, match="better logits must be right more often"):
        fit_logistic(
            logits, torch.rand(50, generator=torch.Generator().manual_seed(1)) > 0.2 + logits
        )


def test_calibration_moves_every_logit_alike(scenes, monkeypatch):
    monkeypatch.setattr("explorer.training.calibrate.PICTURES", 2)
    monkeypatch.setattr("explorer.training.calibrate.fit_logistic", lambda *_: (2.0, 1.0))
    network, image = LearnedNetwork(3), torch.ones(1, 3, 40, 56)
    with torch.no_grad():
        before = network(image)[0]
        calibrate(network, Dataset(scenes, []), 0)
        after = network(image)[0]
    for one, two in zip(before, after, strict=True):
        torch.testing.assert_close(two, 2 * one + 1, rtol=1e-3, atol=1e-3)


def test_the_blind_control_takes_what_finds_most_first():
    crowd = [[0.1, 0.1, 0.5, 0.5]] * 3
    boxes = np.array([[0.6, 0.6, 0.9, 0.9], *crowd, [0.0, 0.7, 0.2, 0.9]], dtype=np.float32)
    chosen = choose_blind(boxes, np.array([1.0, 1, 1, 1, 1.5]), 3)
    assert chosen.tolist() == [boxes[1].tolist(), boxes[4].tolist(), boxes[0].tolist()]


def test_the_blind_control_is_written_in_shares_of_the_sides(scenes, photo, tmp_path):
    write_blind([photo], scenes, 512, tmp_path / "blind.json")
    boxes = np.array(json.loads((tmp_path / "blind.json").read_text())["boxes"])
    assert boxes.shape == (300, 4)
    assert boxes.min() >= 0
    assert boxes.max() <= 1


def test_the_committed_blind_boxes_are_those_the_table_uses():
    case = evaluate.Case(np.zeros((100, 200, 3), np.uint8), torch.zeros(0, 4))
    boxes = evaluate.blind([case])[0]
    assert boxes.shape == (300, 4)
    assert boxes[:, 2].max() > 150  # stretched to the picture's width
    assert boxes[:, 3].max() <= 100


def test_shuffled_proposals_are_the_picture_before_at_this_ones_size():
    none = torch.zeros(0, 4)
    cases = [evaluate.Case(np.zeros((*size, 3), np.uint8), none) for size in ((10, 20), (40, 40))]
    proposals = [torch.tensor([[0.0, 0, 20, 10]]), torch.tensor([[0.0, 0, 20, 20]])]
    first, second = evaluate.shuffled(proposals, cases)
    assert first.tolist() == [[0, 0, 10, 5]]
    assert second.tolist() == [[0, 0, 40, 40]]


def test_the_table_shows_recall_interval_and_controls():
    truths = torch.tensor([[0.0, 0, 10, 10], [20, 20, 60, 60]])
    cases = [evaluate.Case(np.zeros((64, 64, 3), np.uint8), truths)] * 2
    row = evaluate.row("learned", [truths[:1]] * 2, cases)
    assert row["recall"] == [0.5] * 4
    row["by_size"] = evaluate.by_size([truths[:1]] * 2, cases, 100)
    text = evaluate.table("Two pictures", cases, [row])
    assert "2 pictures, 4 objects" in text
    assert "0.50 (0.50-0.50)" in text
    assert "small 1.00 of 2, medium 0.00 of 2" in text


def test_no_held_out_photo_is_trained_on():
    held_out = " ".join(sample.source for sample in evaluate.samples().values())
    assert "animals/koala.webp" in held_out  # so are the paths below written there
    for label in json.loads((sources.ASSETS / "training" / "photos.json").read_text()):
        assert label["file"].removeprefix("gcompris/src/activities/") not in held_out
    assert not any(ground in held_out for ground in sources.GROUNDS)


def test_files_that_are_there_are_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PACKAGES", FAILING)
    (tmp_path / "thing_1.deb").write_bytes(b"")
    assert sources.fetch(tmp_path) == {"thing": tmp_path / "thing_1.deb"}


def test_a_package_that_cannot_be_fetched_is_named_with_its_command(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PACKAGES", FAILING)
    message = r"must hold thing_\*.deb; `.*raise SystemExit\(3\)` failed"
    with pytest.raises(ValueError, match=message):
        sources.fetch(tmp_path)


def test_a_resource_archive_gives_its_files():
    content = b"hello " * 5
    packed = struct.pack(">I", len(content)) + zlib.compress(content)
    data = struct.pack(">I", len(packed)) + packed
    names = b"".join(struct.pack(">HI", len(n), 0) + n.encode("utf-16-be") for n in ("", "a.txt"))
    root = struct.pack(">IHII", 0, 2, 1, 1)
    leaf = struct.pack(">IHHHI", 6, 1, 0, 0, 0)
    tree = root + leaf
    header = struct.pack(">4s4I", b"qres", 1, 20, 20 + len(tree), 20 + len(tree) + len(data))
    assert list(sources.resources(header + tree + data + names)) == [("a.txt", content)]
    with pytest.raises(ValueError, match="must begin with 'qres'"):
        list(sources.resources(b"zip!" + bytes(16)))


def test_cutouts_lose_their_margin_and_whole_pictures_are_refused():
    wide = np.zeros((60, 80, 4), dtype=np.uint8)
    wide[10:50, 20:60] = cut()
    assert sources._trim(Image.fromarray(wide)).shape == (40, 40, 4)
    assert sources._trim(Image.new("RGB", (60, 60))) is None


def test_an_accelerator_trains_longer_and_larger_by_the_same_recipe():
    options = train_assets.parse(["--steps", "10", "--seed", "3"])
    small, large = (train_assets.build_recipe(options, torch.device(d)) for d in ("cpu", "cuda"))
    assert large == replace(small, steps=8 * small.steps, pixels=8 * small.pixels)
    assert small.seed == 3


def test_the_bar_says_how_far_it_is(capsys):
    train_assets.bar(1, 2, "half")
    assert "1/2 half" in capsys.readouterr().err
