"""About: the papers behind the explorer and where each appears, the photos and their authors."""

import streamlit as st

from explorer.core.learned import read_card
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
    _learned()
    st.subheader("Photos")
    st.markdown(attribution())


def _learned() -> None:
    """What the learned scores were made from and how good they are: the card's own words."""
    card = read_card()
    st.subheader("Learned scores")
    st.markdown(card["about"])
    st.markdown("\n".join(f"- {limit}" for limit in card["limits"]))
    rows = [
        f"| {pictures} | {row['name']} | " + " | ".join(f"{r:.2f}" for r in row["recall"]) + " |"
        for pictures, found in card["results"].items()
        for row in found
    ]
    head = ["| pictures | boxes | @10 | @50 | @100 | @300 |", "|---|---|--:|--:|--:|--:|"]
    st.markdown("Recall at IoU .5, beside two controls that never look at the picture:")
    st.markdown("\n".join([*head, *rows]))
    rows = [
        f"| {d['what']} | {d['package']} | {d['author']} | {d['licence']} |" for d in card["data"]
    ]
    head = ["| made from | package | author | licence |", "|---|---|---|---|"]
    st.markdown("\n".join([*head, *rows]))


render()
