import json
import shutil

import pytest
import torch

from explorer.core.anchor_generator import AnchorGenerator
from explorer.core.evaluation import find_hits
from explorer.core.learned import WEIGHTS, LearnedNetwork, load_learned
from explorer.core.scenes import make_scene
from explorer.evaluate import propose


@pytest.fixture(scope="module")
def network():
    return load_learned()


@pytest.mark.parametrize("size", [(448, 448), (800, 800), (333, 200), (1, 1)])
def test_the_head_speaks_of_every_anchor_at_any_size(network, size):
    with torch.inference_mode():
        logits, deltas = network(torch.zeros(1, 3, *size))
    anchors = AnchorGenerator()(logits, size)
    assert sum(level.numel() for level in logits) == len(anchors)
    for stride, one, four in zip((4, 8, 16, 32, 64), logits, deltas, strict=True):
        grid = tuple(-(-side // stride) for side in size)
        assert one.shape == (1, 3, *grid)
        assert four.shape == (1, 12, *grid)
        assert torch.isfinite(one).all()
        assert torch.isfinite(four).all()


def test_the_pyramid_and_the_head_make_the_network(network):
    image = torch.zeros(1, 3, 64, 96)
    with torch.inference_mode():
        logits, deltas = network.head(network.pyramid(image))
        again = network(image)
    assert all(torch.equal(a, b) for a, b in zip(logits + deltas, again[0] + again[1], strict=True))


def test_normalised_pixels_reach_the_backbone_in_its_own_scale(network):
    seen = []
    handle = network.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pixel = torch.tensor([127.0, 255.0, 0.0])
    network.pyramid(((pixel / 255 - mean) / std).view(1, 3, 1, 1).expand(1, 3, 8, 8))
    handle.remove()
    torch.testing.assert_close(seen[0][0, :, 0, 0], (pixel - 127) / 128, atol=1e-5, rtol=0)


def test_most_objects_of_an_unseen_scene_are_among_the_first_proposals(network):
    """Far below the bars of the card, far above chance: this guards against mixed-up channels."""
    scene = make_scene(3)
    hits = find_hits(propose(network, scene.pixels), torch.from_numpy(scene.boxes), [0.5])
    assert ((hits >= 0) & (hits < 50)).double().mean() > 0.6


def test_the_card_describes_the_weights():
    card = json.loads((WEIGHTS / "card.json").read_text())
    data = WEIGHTS / card["file"]
    assert data.stat().st_size == card["bytes"] <= 10 * 2**20
    assert card["parameters"] == sum(p.numel() for p in LearnedNetwork().parameters())
    for part in ("data", "licence", "recipe", "results", "limits"):
        assert card[part]


def test_tampered_weights_are_refused_in_a_sentence(tmp_path):
    folder = shutil.copytree(WEIGHTS, tmp_path / "weights")
    data = bytearray((folder / "learned.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "learned.safetensors").write_bytes(data)
    with pytest.raises(ValueError, match=r"learned.safetensors must have the sha256 of its card"):
        load_learned(folder)


@pytest.mark.parametrize("missing", ["card.json", "learned.safetensors"])
def test_a_missing_file_is_said_to_be_missing(tmp_path, missing):
    folder = shutil.copytree(WEIGHTS, tmp_path / "weights")
    (folder / missing).unlink()
    with pytest.raises(ValueError, match=f"the learned weights cannot be read .*{missing}"):
        load_learned(folder)


def test_an_untrained_network_comes_from_its_seed_and_scores_low():
    first, again = LearnedNetwork(1), LearnedNetwork(1)
    assert all(
        torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True)
    )
    assert first.head.cls.bias.sigmoid().allclose(torch.tensor(0.01))
