import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.scene_grounds import GROUNDS, draw_ground
from explorer.core.scene_kinds import KINDS, draw_thing
from explorer.core.scene_shapes import render_thing
from explorer.core.scenes import assemble, make_scene

PINNED = [[50.0, 24.0, 112.0, 74.0], [3.0, 18.0, 32.0, 54.0], [9.0, 64.0, 45.0, 101.0]]


def overlapping(boxes):
    """(G,) True where a box shares area with another; one pair after the other."""
    result = np.zeros(len(boxes), dtype=bool)
    for i, a in enumerate(boxes):
        for j, b in enumerate(boxes):
            width = min(a[2], b[2]) - max(a[0], b[0])
            height = min(a[3], b[3]) - max(a[1], b[1])
            if i != j and width > 0 and height > 0:
                result[i] = True
    return result


def square(colour, side):
    sprite = np.full((side, side, 4), 255, dtype=np.uint8)
    sprite[..., :3] = colour
    return sprite


def test_the_same_arguments_give_the_same_picture():
    first, again = (make_scene(3, (128, 160), 5, (16, 60)) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.boxes, again.boxes)
    assert first.labels == again.labels
    assert not np.array_equal(first.pixels, make_scene(4, (128, 160), 5, (16, 60)).pixels)


def test_a_scene_has_the_shapes_and_types_it_promises():
    scene = make_scene(1, (96, 160), 4, (16, 40))
    assert scene.pixels.shape == (96, 160, 3)
    assert scene.pixels.dtype == np.uint8
    assert scene.boxes.dtype == np.float32
    assert scene.boxes.shape == (len(scene.labels), 4)
    assert set(scene.labels) <= set(KINDS)
    assert scene.seed == 1


def test_a_scene_without_objects_has_no_boxes():
    scene = make_scene(0, (64, 64), 0)
    assert scene.boxes.shape == (0, 4)
    assert scene.labels == ()


def test_seeds_give_the_same_boxes_on_every_machine():
    assert make_scene(7, (128, 128), 3, (16, 64)).boxes.tolist() == PINNED


def test_boxes_are_what_can_be_seen_of_each_object():
    """Squares of pure colours: shadows darken them, but the channel that is lit names them."""
    ground = np.zeros((200, 200, 3), dtype=np.uint8)
    sprites = [square((200, 0, 0), 80), square((0, 200, 0), 60), square((0, 0, 200), 40)]
    rng = np.random.default_rng(5)
    hidden = 0
    for _ in range(20):
        pixels, boxes, placed = assemble(ground, sprites, 1.0, 10, rng)
        for box, index in zip(boxes.tolist(), placed, strict=True):
            y, x = np.nonzero(pixels[..., index])
            assert box == [x.min(), y.min(), x.max() + 1, y.max() + 1]
            hidden += (box[2] - box[0]) * (box[3] - box[1]) < sprites[index].shape[0] ** 2
    assert hidden > 0  # some were cut by others or by the border, else this tested nothing


def test_at_least_half_of_every_object_is_seen():
    ground = np.zeros((160, 160, 3), dtype=np.uint8)
    sprites = [square((200, 0, 0), 60), square((0, 200, 0), 60), square((0, 0, 200), 60)]
    for seed in range(10):
        pixels, _, placed = assemble(ground, sprites, 1.0, 10, np.random.default_rng(seed))
        for index in placed:
            # a sprite that found no room may have been shrunk to .7 of its side, twice at most
            assert np.count_nonzero(pixels[..., index]) >= 0.5 * (60 * 0.7**3) ** 2


def test_a_third_of_the_objects_overlap_and_there_are_eight():
    scenes = [make_scene(seed) for seed in range(12)]
    counts = [len(scene.boxes) for scene in scenes]
    share = np.concatenate([overlapping(scene.boxes) for scene in scenes]).mean()
    assert min(counts) == 8
    assert 0.25 < share < 0.5


def test_without_overlap_no_two_boxes_meet():
    for seed in range(4):
        assert not overlapping(make_scene(seed, (256, 256), 6, (16, 120), 0).boxes).any()


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([(64, 128), (160, 96)]))
def test_every_box_lies_in_the_picture_and_keeps_its_scale(seed, objects, size):
    boxes = make_scene(seed, size, objects, (12, 48), 0.5).boxes
    sides = boxes[:, 2:] - boxes[:, :2]
    assert (boxes >= 0).all()
    assert (boxes <= (size[1], size[0]) * 2).all()
    assert (sides >= 12).all()
    assert (sides <= 49).all()


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_can_be_drawn_tiny_and_large(kind, monkeypatch):
    monkeypatch.setattr("explorer.core.scene_kinds.KINDS", {kind: KINDS[kind]})
    for side in (12, 150):
        label, parts = draw_thing(np.random.default_rng(2))
        sprite = render_thing(parts, side, np.random.default_rng(2))
        assert label == kind
        assert max(sprite.shape[:2]) == side
        assert (sprite[..., 3] >= 128).mean() > 0.1


@pytest.mark.parametrize("kind", list(GROUNDS))
def test_every_ground_fills_the_picture_with_more_than_one_colour(kind, monkeypatch):
    monkeypatch.setattr("explorer.core.scene_grounds.GROUNDS", {kind: GROUNDS[kind]})
    ground = draw_ground((48, 80), np.random.default_rng(0))
    assert ground.shape == (48, 80, 3)
    assert ground.std() > 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "scene.seed must be at least 0, got -1"),
        ({"size": (32, 512)}, "scene.size must be 64 to 2048 a side, got 32 x 512"),
        ({"objects": 101}, r"scene.objects must be in \[0, 100\], got 101"),
        ({"scale": (50, 20)}, r"scene.scale must rise .*, got \(50, 20\)"),
        ({"scale": (300, 320)}, r"scene.scale must rise .*, got \(300, 320\)"),
        ({"overlap": 1.5}, r"scene.overlap must be in \[0, 1\], got 1.5"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_scene(**{"seed": 0, **arguments})
