"""The course notebook's RegionProposalNetwork: the chain of plain functions, in one module.

Source: Ren et al. 2015, section 3, over a feature pyramid as in Lin et al. 2017; the order of the
steps is the course notebook's: decode, clip, drop small, top-n over all levels, NMS over all
levels, cap.

Shapes: N images, A anchors a cell, K anchors in all, G ground-truth boxes.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from explorer.core.boxes import check_box_list
from explorer.core.coder import decode_boxes, encode_boxes
from explorer.core.filtering import clip_boxes, large_boxes, top_n
from explorer.core.head import flatten_head_output
from explorer.core.losses import rpn_loss
from explorer.core.matching import match_boxes
from explorer.core.nms import nms
from explorer.core.sampling import sample_anchors

# Ren et al. 2015, section 3.1.2 and 3.1.3
POSITIVE_IOU, NEGATIVE_IOU = 0.7, 0.3
SAMPLED, POSITIVE_SHARE = 256, 0.5

Targets = Sequence[Mapping[str, Tensor]]


class RegionProposalNetwork(nn.Module):
    """Proposes boxes that may hold an object, and learns from those that do.

    It starts in evaluation mode: the notebook calls it without targets.

    Args:
        head: gives logits and deltas, one list each, from feature maps.
        anchor_gen: gives (K, 4) anchors from feature maps and the picture's size.
        pre_nms: boxes that reach NMS at most, over all levels.
        post_nms: boxes kept at most.
        nms_thr: NMS suppresses above this IoU, in [0, 1].
        min_sz: a box with a side below this is dropped, pixels.
        seed: of the draw of the sampled anchors.
    """

    def __init__(
        self,
        head: nn.Module,
        anchor_gen: Callable[[Sequence[Tensor], tuple[int, int]], Tensor],
        pre_nms: int = 2000,
        post_nms: int = 1000,
        nms_thr: float = 0.7,
        min_sz: float = 16,
        *,
        seed: int = 0,
    ):
        super().__init__()
        self.head = head
        self.anchor_gen = anchor_gen
        self.pre_nms, self.post_nms = pre_nms, post_nms
        self.nms_thr, self.min_sz = nms_thr, min_sz
        self.generator = torch.Generator().manual_seed(seed)
        self.eval()

    def forward(
        self,
        feature_maps: Sequence[Tensor],
        image_size: tuple[int, int],
        targets: Targets | None = None,
    ) -> tuple[list[Tensor], dict[str, Tensor]]:
        """Propose boxes for every image and, given targets, compute the losses.

        Args:
            feature_maps: (N, C, H, W), one a level.
            image_size: (height, width), pixels, of the pictures behind the maps.
            targets: {"boxes": (G, 4) xyxy, pixels} for each image, G = 0 where it has no object.

        Returns:
            The proposals, (<= post_nms, 4) an image, best first, without gradient; and the losses
            "rpn_cls" and "rpn_box", averaged over the sampled anchors of all images, or an empty
            dictionary without targets.

        Raises:
            ValueError: if the module is in training mode and has no targets, the targets do not
                fit the images, or the head and the anchors differ in number.
        """
        if self.training and targets is None:
            raise ValueError("targets must be given in training mode, got None")
        if targets is not None:
            _check_targets(targets, len(feature_maps[0]))
        anchors = self.anchor_gen(feature_maps, image_size)  # (K, 4)
        logits, deltas = self.head(feature_maps)
        outputs = [
            flatten_head_output(
                [one[i : i + 1] for one in logits], [one[i : i + 1] for one in deltas]
            )
            for i in range(len(feature_maps[0]))
        ]
        if len(outputs) > 0 and len(outputs[0][0]) != len(anchors):
            raise ValueError(
                f"head must give one logit an anchor, got {len(outputs[0][0])} for {len(anchors)}"
            )
        proposals = [self._propose(anchors, *output, image_size) for output in outputs]
        losses = {} if targets is None else self._losses(anchors, outputs, targets)
        return proposals, losses

    @torch.no_grad()
    def _propose(
        self, anchors: Tensor, logits: Tensor, deltas: Tensor, image_size: tuple[int, int]
    ) -> Tensor:
        """(K, 4) anchors, (K,) logits and (K, 4) deltas of one image -> its proposals."""
        scores = logits.sigmoid()
        boxes = clip_boxes(decode_boxes(anchors, deltas), image_size)
        large = large_boxes(boxes, self.min_sz)
        boxes, scores = boxes[large], scores[large]
        best = top_n(scores, self.pre_nms)
        boxes, scores = boxes[best], scores[best]
        return boxes[nms(boxes, scores, self.nms_thr)[: self.post_nms]]

    def _losses(
        self, anchors: Tensor, outputs: list[tuple[Tensor, Tensor]], targets: Targets
    ) -> dict[str, Tensor]:
        """Match and sample image by image; average over all images at once."""
        positives, negatives, goals = [], [], []
        for number, target in enumerate(targets):
            objects = target["boxes"].to(anchors)
            matches = match_boxes(anchors, objects, POSITIVE_IOU, NEGATIVE_IOU, "first")
            positive, negative = sample_anchors(
                matches.labels, SAMPLED, POSITIVE_SHARE, self.generator
            )
            goals.append(encode_boxes(anchors[positive], objects[matches.matched[positive]]))
            positives.append(positive + number * len(anchors))
            negatives.append(negative + number * len(anchors))
        logits, deltas = (torch.cat(part) for part in zip(*outputs, strict=True))  # (N * K, ...)
        return rpn_loss(
            logits, deltas, torch.cat(goals), torch.cat(positives), torch.cat(negatives)
        )


def _check_targets(targets: Targets, images: int) -> None:
    if len(targets) != images:
        raise ValueError(f"targets must be one an image, {images}, got {len(targets)}")
    for target in targets:
        if "boxes" not in target:
            raise ValueError(f"targets must have the key 'boxes', got {sorted(target)}")
        check_box_list("targets.boxes", target["boxes"])
