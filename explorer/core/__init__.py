"""The Region Proposal Network itself, in torch and numpy."""

from explorer.core.anchor_generator import AnchorGenerator
from explorer.core.backbone import Bottleneck, ResNet50
from explorer.core.boxes import box_area, box_iou
from explorer.core.coder import decode_boxes, encode_boxes
from explorer.core.device import DEVICE, IMG_SIZE
from explorer.core.filtering import clip_boxes, large_boxes
from explorer.core.fpn import FPN
from explorer.core.head import RPNHead
from explorer.core.losses import rpn_loss
from explorer.core.matching import match_anchors
from explorer.core.nms import batched_nms, nms
from explorer.core.rpn import RegionProposalNetwork
from explorer.core.sampling import sample_anchors
from explorer.core.soft_nms import soft_nms

__all__ = [
    "DEVICE",
    "FPN",
    "IMG_SIZE",
    "AnchorGenerator",
    "Bottleneck",
    "RPNHead",
    "RegionProposalNetwork",
    "ResNet50",
    "batched_nms",
    "box_area",
    "box_iou",
    "clip_boxes",
    "decode_boxes",
    "encode_boxes",
    "large_boxes",
    "match_anchors",
    "nms",
    "rpn_loss",
    "sample_anchors",
    "soft_nms",
]
