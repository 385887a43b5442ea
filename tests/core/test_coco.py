import pickle
import re

import pytest
import torch
from torch.nn import functional as F

from explorer.core.coco import load_coco
from tests.reference import RESNET50_BLOCKS, plain_fpn, plain_head, plain_resnet50

NORM_PARTS = ("weight", "bias", "running_mean", "running_var")


def torchvision_shapes():
    """Name -> shape of every tensor before `roi_heads` in fasterrcnn_resnet50_fpn's state."""
    shapes = {}

    def conv_and_norm(conv, norm, out_channels, in_channels, side):
        shapes[f"backbone.body.{conv}.weight"] = (out_channels, in_channels, side, side)
        shapes.update({f"backbone.body.{norm}.{part}": (out_channels,) for part in NORM_PARTS})

    conv_and_norm("conv1", "bn1", 64, 3, 7)
    in_channels = 64
    for number, blocks in enumerate(RESNET50_BLOCKS, start=1):
        channels = 32 * 2**number
        for block in range(blocks):
            name = f"layer{number}.{block}"
            conv_and_norm(f"{name}.conv1", f"{name}.bn1", channels, in_channels, 1)
            conv_and_norm(f"{name}.conv2", f"{name}.bn2", channels, channels, 3)
            conv_and_norm(f"{name}.conv3", f"{name}.bn3", 4 * channels, channels, 1)
            if block == 0:
                down = f"{name}.downsample"
                conv_and_norm(f"{down}.0", f"{down}.1", 4 * channels, in_channels, 1)
            in_channels = 4 * channels
    layers = {f"backbone.fpn.inner_blocks.{i}.0": (256, 256 * 2**i, 1, 1) for i in range(4)}
    layers |= {f"backbone.fpn.layer_blocks.{i}.0": (256, 256, 3, 3) for i in range(4)}
    layers |= {
        "rpn.head.conv.0.0": (256, 256, 3, 3),
        "rpn.head.cls_logits": (3, 256, 1, 1),
        "rpn.head.bbox_pred": (12, 256, 1, 1),
    }
    for name, shape in layers.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes


def older_generation(state):
    """The names before torchvision 0.13."""
    nested = re.compile(r"^(rpn\.head\.conv\.0|backbone\.fpn\.\w+\.\d)\.0\.(weight|bias)$")
    older = {nested.sub(r"\1.\2", name): value for name, value in state.items()}
    return {name.replace("conv.0.", "conv."): value for name, value in older.items()}


@pytest.fixture(scope="module")
def state():
    """Random weights that keep the signal's size from layer to layer."""
    rng = torch.Generator().manual_seed(0)
    values = {}
    for name, shape in torchvision_shapes().items():
        if len(shape) == 4:
            values[name] = (
                torch.randn(shape, generator=rng) * (2 / (shape[1] * shape[2] ** 2)) ** 0.5
            )
        elif name.endswith("running_var"):
            values[name] = torch.rand(shape, generator=rng) + 0.5
        else:
            values[name] = torch.randn(shape, generator=rng) * 0.1
            if ".bn" in name and name.endswith("weight"):
                values[name] += 0.5
    values["roi_heads.box_predictor.cls_score.weight"] = torch.zeros(91, 4)
    return values


@pytest.fixture
def save(tmp_path):
    def write(content, **arguments):
        path = tmp_path / "weights.pth"
        torch.save(content, path, **arguments)
        return path

    return write


def hollow_state(**changes):
    """All names and shapes, in a file of a few kilobytes: each tensor is one number, repeated."""
    state = {name: torch.ones(()).expand(shape) for name, shape in torchvision_shapes().items()}
    return state | changes


@pytest.mark.parametrize("generation", ["newer", "older"])
def test_both_generations_compute_what_a_plain_implementation_does(state, save, generation):
    content = state
    if generation == "older":
        content = older_generation(state)
        counts = {f"backbone.body.bn{i}.num_batches_tracked": torch.tensor(7) for i in (1, 2)}
        content = content | counts
        assert "rpn.head.conv.weight" in content
        assert "backbone.fpn.layer_blocks.0.weight" in content
    # older files are also written in the older format
    path = save(content, _use_new_zipfile_serialization=generation == "newer")
    backbone, fpn, head = load_coco(path)
    assert not any(module.training for module in (backbone, fpn, head))
    images = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))

    def frozen(x, prefix):
        weight, bias, mean, var = (state[f"{prefix}.{part}"].view(-1, 1, 1) for part in NORM_PARTS)
        return (x - mean) / var.sqrt() * weight + bias  # eps 0

    with torch.inference_mode():
        levels = backbone(images)
        pyramid = fpn(levels)
        logits, deltas = head(pyramid)
        expected_levels = plain_resnet50(state, images, frozen)
        expected_pyramid = plain_fpn(state, expected_levels)
        expected_logits, expected_deltas = plain_head(state, expected_pyramid)
    for ours, expected in (
        (levels, expected_levels),
        (pyramid, expected_pyramid),
        (logits, expected_logits),
        (deltas, expected_deltas),
    ):
        for level, other in zip(ours, expected, strict=True):
            assert other.std() > 0.01
            torch.testing.assert_close(level, other, rtol=1e-3, atol=1e-3 * other.std().item())


def test_half_precision_weights_are_widened_and_the_norms_frozen(save):
    path = save({name: value.half() for name, value in hollow_state().items()})
    backbone, fpn, head = load_coco(path)
    networks = (backbone, fpn, head)
    assert {p.dtype for network in networks for p in network.parameters()} == {torch.float32}
    assert backbone.layer4[2].bn3.eps == 0
    assert not backbone.bn1.weight.requires_grad
    assert fpn.inner_blocks[0].weight.is_contiguous()
    head.cls.bias.data[0] = 5  # the file repeats one number; the network's are apart
    assert head.cls.bias.tolist() == [5, 1, 1]


@pytest.mark.parametrize(
    "name",
    [
        "backbone.body.conv1.weight",
        "backbone.body.layer3.5.bn2.running_var",
        "rpn.head.bbox_pred.bias",
    ],
)
def test_a_missing_key_is_named(save, name):
    content = hollow_state()
    del content[name]
    with pytest.raises(ValueError, match=rf"fasterrcnn_resnet50_fpn's, {name} is missing$"):
        load_coco(save(content))


def test_the_first_of_several_bad_keys_is_named(save):
    content = hollow_state()
    del content["rpn.head.conv.0.0.weight"]
    content["backbone.fpn.inner_blocks.1.0.bias"] = torch.ones(3)
    with pytest.raises(
        ValueError, match=r"inner_blocks\.1\.0\.bias must have shape \(256,\), got \(3,"
    ):
        load_coco(save(content))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "rpn.head.cls_logits.weight",
            torch.ones(9, 256, 1, 1),
            r"shape \(3, 256, 1, 1\), got \(9,",
        ),
        ("backbone.body.bn1.bias", torch.full((64,), torch.nan), "must be finite, got NaN"),
        ("backbone.body.bn1.bias", torch.ones(64, dtype=torch.int64), "dense floating-point"),
        ("backbone.body.bn1.bias", torch.ones(64).to_sparse(), "dense floating-point"),
        ("backbone.body.bn1.bias", [1.0] * 64, "dense floating-point"),
    ],
)
def test_a_bad_value_is_refused_by_its_key(save, name, value, message):
    with pytest.raises(ValueError, match=f"{name}.*{message}|{message}.*{name}"):
        load_coco(save(hollow_state(**{name: value})))


def test_a_key_of_another_network_is_refused(save):
    extra = {"rpn.head.conv.1.0.weight": torch.ones(1)}  # fasterrcnn_resnet50_fpn_v2 has it
    with pytest.raises(ValueError, match=r"got also rpn\.head\.conv\.1\.0\.weight"):
        load_coco(save(hollow_state(**extra)))


@pytest.mark.parametrize("content", [[1, 2], torch.ones(3)])
def test_a_file_without_a_state_dict_is_refused(save, content):
    with pytest.raises(ValueError, match=r"weights must be a state dict, got a (list|Tensor)"):
        load_coco(save(content))


@pytest.mark.parametrize("content", [{}, {1: 2}])
def test_a_dict_of_anything_else_lacks_the_first_key(save, content):
    with pytest.raises(ValueError, match=r"backbone\.body\.conv1\.weight is missing"):
        load_coco(save(content))


class Hostile:
    """Creates a file as soon as a careless reader opens it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_code_in_a_pickle_is_refused_and_never_run(save, tmp_path, writer):
    trap = tmp_path / "trap"
    content = hollow_state(**{"backbone.body.conv1.weight": Hostile(trap)})
    path = tmp_path / "weights.pth"
    if writer == "torch":
        save(content)
    else:
        path.write_bytes(pickle.dumps(Hostile(trap)))
    with pytest.raises(ValueError, match=r"whole file of tensors alone, got weights\.pth"):
        load_coco(path)
    assert not trap.exists()


@pytest.mark.parametrize("newer_format", [True, False])
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_file_cut_off_is_refused(save, newer_format, share):
    path = save(hollow_state(), _use_new_zipfile_serialization=newer_format)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ValueError, match=r"got weights\.pth, which .* is cut off") as caught:
        load_coco(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"not a weight file at all", b"\x80\x02", b"PK\x03\x04"])
def test_another_kind_of_file_is_refused(tmp_path, content):
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="weights must be a whole file of tensors alone"):
        load_coco(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match=r"must be a file, got none\.pth: No such file or directory"
    ):
        load_coco(tmp_path / "none.pth")


def test_the_frozen_norm_divides_by_the_bare_deviation(save):
    tiny = {"backbone.body.bn1.running_var": torch.full((64,), 1e-6)}
    backbone, _, _ = load_coco(save(hollow_state(**tiny)))
    x = torch.full((1, 64, 1, 1), 1.001)
    torch.testing.assert_close(backbone.bn1(x), F.relu(torch.full_like(x, 2.0)), rtol=1e-3, atol=0)
