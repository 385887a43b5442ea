"""About: the papers behind the explorer and where each appears, the photos and their authors."""

import streamlit as st

from explorer.core.samples import attribution
from explorer.presets import PRESETS

PAPERS = (  # authors and year, title, number at arXiv, where it appears
    (
        "Ren, He, Girshick, Sun 2015",
        "Faster R-CNN",
        "1506.01497",
        "the whole chain: anchors, head, coding of boxes, NMS; the preset py-faster-rcnn",
    ),
    (
        "He, Gkioxari, Dollár, Girshick 2017",
        "Mask R-CNN",
        "1703.06870",
        "the RPN over a feature pyramid: five sizes at five strides; a preset",
    ),
    (
        "Redmon, Divvala, Girshick, Farhadi 2015",
        "YOLO",
        "1506.02640",
        "the other way, a grid without proposals; the anchors of its successors are presets",
    ),
    (
        "Tian, Shen, Chen, He 2019",
        "FCOS",
        "1904.01355",
        "no anchors at all: a preset shows its points as one square a cell",
    ),
    (
        "Tan, Le 2019",
        "EfficientNet",
        "1905.11946",
        "the backbone of the learned scores, in its Lite0 form",
    ),
    (
        "Lin et al. 2017",
        "Feature Pyramid Networks",
        "1612.03144",
        "P2 to P6, on Anchors and under every score",
    ),
    (
        "Bodla et al. 2017",
        "Soft-NMS",
        "1704.04503",
        "`explorer.core.soft_nms`: overlapping boxes sink and need not go",
    ),
)


def render() -> None:
    st.title("About")
    st.markdown(
        "**Try this:** pick another preset in the sidebar and open Anchors: the same photo, as "
        "another paper cuts it up."
    )
    st.subheader("Papers")
    rows = [
        f"| {authors}, [{title}](https://arxiv.org/abs/{number}) | {where} |"
        for authors, title, number, where in PAPERS
    ]
    st.markdown("\n".join(["| paper | where it appears |", "|---|---|", *rows]))
    st.subheader("Presets")
    for preset in PRESETS.values():
        st.markdown(f"**{preset.title}.** {preset.sentence} *Source: {preset.source}.*")
    st.subheader("Photos")
    st.markdown(attribution())


render()
