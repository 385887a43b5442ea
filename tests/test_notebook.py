"""The course notebook, line by line, against the core; its plots are left out."""

import torch

from explorer.core import (
    DEVICE,
    FPN,
    IMG_SIZE,
    AnchorGenerator,
    Bottleneck,
    RegionProposalNetwork,
    ResNet50,
    RPNHead,
    box_iou,
    decode_boxes,
    encode_boxes,
)


def test_the_course_notebook_runs_and_prints_its_results(capsys):
    with torch.random.fork_rng():
        torch.manual_seed(0)  # the notebook itself draws anew each time
        run_notebook()
    assert capsys.readouterr().out == (
        f"Device: {DEVICE}\n"
        "Anchor sizes: (32, 64, 128, 256, 512)\n"
        "Aspect ratios: (0.5, 1.0, 2.0)\n"
        "Strides: (4, 8, 16, 32, 64)\n"
        "RPNHead(\n"
        "  (conv): Conv2d(256, 256, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
        "  (cls): Conv2d(256, 3, kernel_size=(1, 1), stride=(1, 1))\n"
        "  (box): Conv2d(256, 12, kernel_size=(1, 1), stride=(1, 1))\n"
        ")\n"
        "Proposals per image: [1000]\n"
        "P3 total locations: 10,000  |  total anchors: 30,000\n"
    )


def run_notebook():
    print(f"Device: {DEVICE}")

    gen = AnchorGenerator()
    print(f"Anchor sizes: {gen.anchor_sizes}")
    print(f"Aspect ratios: {gen.aspect_ratios}")
    print(f"Strides: {gen.strides}")

    head = RPNHead(in_ch=256, k=3)
    print(head)

    rpn = RegionProposalNetwork(head, gen)
    feat_maps = [
        torch.randn(1, 256, 200, 200),
        torch.randn(1, 256, 100, 100),
        torch.randn(1, 256, 50, 50),
        torch.randn(1, 256, 25, 25),
        torch.randn(1, 256, 13, 13),
    ]
    proposals, _ = rpn(feat_maps, (800, 800))
    print(f"Proposals per image: {[len(p) for p in proposals]}")

    _stride, fh, fw = 8, 100, 100
    print(f"P3 total locations: {fh * fw:,}  |  total anchors: {fh * fw * 3:,}")

    cls_logits_list, bbox_preds_list = head(feat_maps)
    all_scores_flat = (
        torch.cat([c.permute(0, 2, 3, 1).reshape(-1) for c in cls_logits_list])
        .sigmoid()
        .detach()
        .numpy()
    )

    anchors_all = gen(feat_maps, (800, 800))
    all_deltas_flat = torch.cat(
        [b.permute(0, 2, 3, 1).reshape(-1, 4) for b in bbox_preds_list]
    ).detach()
    all_scores_1d = torch.tensor(all_scores_flat)

    top50_idx = all_scores_1d.argsort(descending=True)[:50]
    top50_props = decode_boxes(anchors_all[top50_idx], all_deltas_flat[top50_idx])
    top50_props = top50_props.clamp(0, 800)

    assert all_scores_flat.shape == (159_882,)
    assert anchors_all.shape == all_deltas_flat.shape == (159_882, 4)
    assert top50_props.shape == (50, 4)
    assert (top50_props[:, 2:] > top50_props[:, :2]).all()
    assert all_scores_1d[top50_idx].min() >= all_scores_1d.sort(descending=True).values[49]
    # the notebook's figures: scores about 1/2, proposals about their anchors
    assert abs(all_scores_1d.mean() - 0.5) < 0.05
    assert box_iou(top50_props, anchors_all[top50_idx].clamp(0, 800)).diagonal().min() > 0.3


def test_the_notebooks_other_imports_do_what_their_names_say():
    assert IMG_SIZE == 800
    anchors = AnchorGenerator()([torch.empty(1, 1, 2, 2)] * 5, (IMG_SIZE, IMG_SIZE))
    targets = anchors + torch.tensor([3.0, -2, 5, 7])
    torch.testing.assert_close(decode_boxes(anchors, encode_boxes(anchors, targets)), targets)
    assert box_iou(anchors[:1], anchors[:1]).item() == 1
    backbone = ResNet50()
    assert isinstance(backbone.layer1[0], Bottleneck)
    with torch.inference_mode():
        pyramid = FPN()(backbone(torch.zeros(1, 3, 64, 64)))
    assert [tuple(p.shape) for p in pyramid] == [(1, 256, s, s) for s in (16, 8, 4, 2, 1)]
