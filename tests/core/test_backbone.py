import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from explorer.core.backbone import Bottleneck, FrozenNorm, PictureNorm, ResNet50
from explorer.core.fpn import FPN
from tests.reference import plain_fpn, plain_resnet50


@pytest.fixture(scope="module")
def backbone():
    return ResNet50(seed=0)


@pytest.fixture(scope="module")
def fpn():
    return FPN(seed=0)


def picture(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_resnet50_has_the_classifierless_parameters_under_torchvisions_names(backbone):
    # torchvision's resnet50 has 25,557,032 parameters, 2,049,000 of them in `fc`
    assert sum(p.numel() for p in backbone.parameters()) == 25_557_032 - 2_049_000
    names = set(backbone.state_dict())
    assert len(names) == 318
    assert {
        "conv1.weight",
        "bn1.running_mean",
        "bn1.num_batches_tracked",
        "layer1.0.downsample.0.weight",
        "layer1.0.downsample.1.running_var",
        "layer3.5.conv2.weight",
        "layer4.2.bn3.bias",
    } <= names


def test_the_stride_of_a_block_sits_on_its_3_by_3(backbone):
    assert backbone.layer2[0].conv1.stride == (1, 1)
    assert backbone.layer2[0].conv2.stride == (2, 2)
    assert backbone.layer2[0].downsample[0].stride == (2, 2)


def test_resnet50_equals_a_plain_sum_of_convolutions(backbone):
    state = {f"backbone.body.{name}": value for name, value in backbone.state_dict().items()}
    images = picture(1, 3, 64, 80)

    def own_statistics(x, prefix):
        return F.batch_norm(x, None, None, training=True)

    with torch.inference_mode():
        levels = backbone(images)
        expected = plain_resnet50(state, images, own_statistics)
    shapes = [(1, 256, 16, 20), (1, 512, 8, 10), (1, 1024, 4, 5), (1, 2048, 2, 3)]
    assert [tuple(level.shape) for level in levels] == shapes
    torch.testing.assert_close(levels, expected, rtol=1e-3, atol=1e-3)
    assert [level.std().item() > 0.1 for level in levels] == [True] * 4


def test_the_convolutions_are_drawn_by_fan_out(backbone):
    for conv in (backbone.conv1, backbone.layer2[0].conv2, backbone.layer4[1].conv3):
        fan_out = conv.out_channels * conv.kernel_size[0] ** 2
        assert conv.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.05)


def test_a_lone_block_is_drawn_too():
    block = Bottleneck(8, 4, stride=2, seed=0)
    assert block.conv2.weight.std().item() == pytest.approx((2 / 36) ** 0.5, rel=0.2)
    assert block(picture(1, 8, 5, 5)).shape == (1, 16, 3, 3)
    assert Bottleneck(16, 4).downsample is None


def test_one_seed_gives_one_network_and_leaves_the_global_generator_alone(backbone, fpn):
    before = torch.get_rng_state()
    again, other = ResNet50(seed=0), ResNet50(seed=1)
    pyramid = FPN(seed=torch.Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(again.layer4[2].conv3.weight, backbone.layer4[2].conv3.weight)
    assert not torch.equal(other.conv1.weight, backbone.conv1.weight)
    assert torch.equal(pyramid.layer_blocks[3].bias, fpn.layer_blocks[3].bias)


def test_a_picture_is_normalised_by_itself_whatever_the_mode_and_the_batch(backbone):
    one, other = picture(1, 3, 32, 32), picture(1, 3, 32, 32, seed=1) * 9
    with torch.inference_mode():
        alone = backbone.eval()(one)[0]
        training = backbone.train()(one)[0]
        together = backbone.eval()(torch.cat([one, other]))[0][:1]
    torch.testing.assert_close(training, alone)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


@settings(max_examples=30)
@given(
    scale=st.floats(0.1, 100),
    shift=st.floats(-10, 10),
    height=st.integers(1, 9),
    seed=st.integers(0),
)
def test_the_picture_norm_is_batch_norm_over_one_picture(scale, shift, height, seed):
    x = picture(1, 3, height, 7, seed=seed % 2**32) * scale + shift
    norm = PictureNorm(3)
    torch.nn.init.normal_(norm.weight, generator=torch.Generator().manual_seed(1))
    torch.nn.init.normal_(norm.bias, generator=torch.Generator().manual_seed(2))
    expected = F.batch_norm(x.double(), None, None, norm.weight.double(), norm.bias.double(), True)
    torch.testing.assert_close(norm(x), expected.float(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("side", [1, 33])
def test_a_picture_too_small_for_the_strides_gives_finite_maps(backbone, fpn, side):
    with torch.inference_mode():
        levels = backbone(picture(1, 3, side, side))
        pyramid = fpn(levels)
    assert [level.shape[-1] for level in pyramid] == [-(-side // s) for s in (4, 8, 16, 32, 64)]
    assert all(level.isfinite().all() for level in (*levels, *pyramid))


def test_the_frozen_norm_uses_the_stored_statistics_in_training_too():
    norm = FrozenNorm(2, eps=0.0).train()
    norm.running_mean.copy_(torch.tensor([1.0, -2]))
    norm.running_var.copy_(torch.tensor([4.0, 0.25]))
    norm.weight.data.copy_(torch.tensor([1.0, 3]))
    norm.bias.data.copy_(torch.tensor([0.5, 0]))
    x = torch.tensor([3.0, -1]).view(1, 2, 1, 1)
    assert norm(x).flatten().tolist() == [1.5, 6]
    assert norm.running_mean.tolist() == [1, -2]
    assert not any(parameter.requires_grad for parameter in norm.parameters())


def test_gradients_reach_the_first_layer(backbone, fpn):
    sum(level.square().mean() for level in fpn(backbone(picture(1, 3, 32, 32)))).backward()
    assert backbone.conv1.weight.grad.any()
    assert backbone.conv1.weight.grad.isfinite().all()
    backbone.zero_grad()
    fpn.zero_grad()


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 1, 64, 64), (1, 3, 0, 64), (0, 3, 8, 8)])
def test_anything_but_pictures_is_refused(backbone, shape):
    with pytest.raises(ValueError, match=r"images must be \(N, 3, H, W\), got \("):
        backbone(torch.zeros(shape))


def test_an_unknown_norm_is_refused():
    with pytest.raises(ValueError, match="norm must be one of picture, frozen, got 'batch'"):
        ResNet50(norm="batch")


def test_the_pyramid_has_the_parameters_of_the_course_notebook(fpn):
    assert sum(p.numel() for p in fpn.parameters()) == 3_344_384
    for layer, fan_in in ((fpn.inner_blocks[3], 2048), (fpn.layer_blocks[0], 2304)):
        assert layer.weight.abs().max().item() == pytest.approx(fan_in**-0.5, rel=1e-3)
        assert layer.weight.std().item() == pytest.approx((3 * fan_in) ** -0.5, rel=0.01)
        assert layer.bias.abs().max().item() <= fan_in**-0.5


def test_the_pyramid_equals_a_plain_sum_on_odd_grids():
    fpn = FPN((2, 3, 4, 5), out_channels=6, seed=0)
    state = {}
    for name, value in fpn.state_dict().items():
        block, number, kind = name.split(".")
        state[f"backbone.fpn.{block}.{number}.0.{kind}"] = value
    grids = [(25, 19), (13, 10), (7, 5), (4, 3)]
    levels = [picture(2, c, *grid) for c, grid in zip((2, 3, 4, 5), grids, strict=True)]
    with torch.no_grad():
        pyramid = fpn(levels)
    assert [tuple(level.shape[-2:]) for level in pyramid] == [*grids, (2, 2)]
    torch.testing.assert_close(pyramid, plain_fpn(state, levels))


def test_p6_is_every_second_cell_of_p5():
    fpn = FPN((2,), out_channels=2, seed=0)
    p5, p6 = fpn([picture(1, 2, 5, 4)])
    assert torch.equal(p6, p5[..., ::2, ::2])


def test_the_pyramid_refuses_another_number_of_maps(fpn):
    with pytest.raises(ValueError, match="features must be 4 maps, got 1 maps"):
        fpn([torch.zeros(1, 256, 1, 1)])
    with pytest.raises(ValueError, match=r"in_channels must name one level at least, got \(\)"):
        FPN(())
