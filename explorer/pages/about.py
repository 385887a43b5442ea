"""About: the papers behind the explorer and where each appears, the photos and their authors."""

import streamlit as st

from explorer.core.samples import attribution
from explorer.presets import PRESETS

PAPERS = """
| paper | where it appears |
|---|---|
| Ren, He, Girshick, Sun 2015, [Faster R-CNN](https://arxiv.org/abs/1506.01497) | the whole chain: anchors, head, coding of boxes, NMS; the preset py-faster-rcnn |
| He, Gkioxari, Dollár, Girshick 2017, [Mask R-CNN](https://arxiv.org/abs/1703.06870) | the RPN over a feature pyramid, five anchor sizes at five strides |
| Redmon, Divvala, Girshick, Farhadi 2015, [YOLO](https://arxiv.org/abs/1506.02640) | the other way, a grid without proposals; its successors' w x h pairs are presets |
| Tian, Shen, Chen, He 2019, [FCOS](https://arxiv.org/abs/1904.01355) | no anchors at all: a preset shows its points as one square a cell |
| Tan, Le 2019, [EfficientNet](https://arxiv.org/abs/1905.11946) | the backbone of the learned scores, in its Lite0 form |
| Lin et al. 2017, [Feature Pyramid Networks](https://arxiv.org/abs/1612.03144) | P2 to P6, on Anchors and under every score |
| Bodla et al. 2017, [Soft-NMS](https://arxiv.org/abs/1704.04503) | `explorer.core.soft_nms`: overlapping boxes sink and need not go |
"""


def render() -> None:
    st.title("About")
    st.markdown(
        "**Try this:** pick another preset in the sidebar and open Anchors: the same photo, as "
        "another paper cuts it up."
    )
    st.subheader("Papers")
    st.markdown(PAPERS)
    st.subheader("Presets")
    for preset in PRESETS.values():
        st.markdown(f"**{preset.title}.** {preset.sentence} *Source: {preset.source}.*")
    st.subheader("Photos")
    st.markdown(attribution())


render()
