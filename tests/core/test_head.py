import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.core.head import RPNHead, flatten_head_output
from tests.reference import plain_head

TORCHVISION = {
    "conv": "rpn.head.conv.0.0",
    "cls": "rpn.head.cls_logits",
    "box": "rpn.head.bbox_pred",
}


def test_the_head_prints_and_counts_as_in_the_course_notebook():
    head = RPNHead(in_ch=256, k=3)
    assert str(head) == (
        "RPNHead(\n"
        "  (conv): Conv2d(256, 256, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
        "  (cls): Conv2d(256, 3, kernel_size=(1, 1), stride=(1, 1))\n"
        "  (box): Conv2d(256, 12, kernel_size=(1, 1), stride=(1, 1))\n"
        ")"
    )
    assert sum(p.numel() for p in head.parameters()) == 593_935


def test_weights_are_normal_of_deviation_a_hundredth_and_biases_zero():
    head = RPNHead(seed=0)
    assert head.conv.weight.std().item() == pytest.approx(0.01, rel=0.01)
    assert abs(head.conv.weight.mean().item()) < 1e-4
    assert all(not layer.bias.any() for layer in head.children())


def test_one_seed_gives_one_head_and_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    first, other = RPNHead(8, seed=5), RPNHead(8, seed=6)
    again = RPNHead(8, seed=torch.Generator().manual_seed(5))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.conv.weight, again.conv.weight)
    assert torch.equal(first.box.weight, again.box.weight)
    assert not torch.equal(first.conv.weight, other.conv.weight)


def test_without_a_seed_the_head_follows_torch_manual_seed():
    with torch.random.fork_rng():
        torch.manual_seed(1)
        first = RPNHead(8)
        torch.manual_seed(1)
        assert torch.equal(first.cls.weight, RPNHead(8).cls.weight)


def test_the_head_equals_a_plain_sum_of_convolutions():
    head = RPNHead(in_ch=8, k=2, seed=0)
    torch.nn.init.normal_(head.conv.bias, generator=torch.Generator().manual_seed(1))
    maps = [
        torch.randn(2, 8, side, 5, generator=torch.Generator().manual_seed(2)) for side in (4, 1)
    ]
    state = {}
    for name, value in head.state_dict().items():
        layer, kind = name.split(".")
        state[f"{TORCHVISION[layer]}.{kind}"] = value
    with torch.no_grad():
        logits, deltas = head(maps)
    expected_logits, expected_deltas = plain_head(state, maps)
    torch.testing.assert_close(logits, expected_logits)
    torch.testing.assert_close(deltas, expected_deltas)
    assert [tuple(level.shape) for level in deltas] == [(2, 8, 4, 5), (2, 8, 1, 5)]


def test_the_head_learns():
    head = RPNHead(in_ch=4, k=1, seed=0)
    logits, deltas = head([torch.ones(1, 4, 3, 3)])
    (logits[0].sum() + deltas[0].sum()).backward()
    assert all(parameter.grad.isfinite().all() for parameter in head.parameters())
    assert head.conv.weight.grad.any()


def test_no_levels_give_two_empty_lists():
    assert RPNHead(4)([]) == ([], [])


def test_flattening_puts_row_before_column_before_anchor():
    logits = torch.tensor([[[[0.0, 2], [4, 6]], [[1, 3], [5, 7]]]])  # (1, A = 2, 2, 2)
    four = torch.arange(4.0).view(1, 4, 1, 1)
    deltas = torch.cat([logits[:, :1] * 10 + four, logits[:, 1:] * 10 + four], dim=1)
    flat_logits, flat_deltas = flatten_head_output([logits, logits + 8], [deltas, deltas + 80])
    assert flat_logits.tolist() == list(range(16))
    assert flat_deltas.tolist() == [[10 * i, 10 * i + 1, 10 * i + 2, 10 * i + 3] for i in range(16)]


@settings(max_examples=30)
@given(
    grids=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=3),
    k=st.integers(1, 4),
)
def test_flattening_loses_and_doubles_nothing(grids, k):
    counts = [rows * columns * k for rows, columns in grids]
    total = sum(counts)
    parts = zip(torch.arange(total).split(counts), grids, strict=True)
    logits = [part.view(1, k, *grid) for part, grid in parts]
    deltas = [part.repeat_interleave(4, dim=1) for part in logits]
    flat_logits, flat_deltas = flatten_head_output(logits, deltas)
    assert sorted(flat_logits.tolist()) == list(range(total))
    assert torch.equal(flat_deltas, flat_logits[:, None].expand(-1, 4))


def test_flattening_refuses_a_batch_and_lists_that_do_not_fit():
    message = r"must be \(1, A, H, W\) logits and \(1, 4A, H, W\) deltas, got \(2, 3, 1, 1\)"
    with pytest.raises(ValueError, match=message):
        flatten_head_output([torch.zeros(2, 3, 1, 1)], [torch.zeros(2, 12, 1, 1)])
    with pytest.raises(ValueError, match="head output must be"):
        flatten_head_output([torch.zeros(1, 3, 1, 1)], [torch.zeros(1, 3, 1, 1)])


@pytest.mark.parametrize(("in_ch", "k"), [(0, 3), (256, 0)])
def test_a_head_without_channels_or_anchors_is_refused(in_ch, k):
    with pytest.raises(ValueError, match=f"in_ch and k must be at least 1, got {in_ch} and {k}"):
        RPNHead(in_ch, k)
