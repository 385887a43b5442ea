"""What the funnel shows, and from which sources, in words."""

import streamlit as st


def show() -> None:
    """The words, as the expander at the page's end shows them."""
    st.markdown(
        """
A detector looks at every anchor and keeps about one in a hundred and sixty. Each anchor leaves at
exactly one step or becomes a proposal, so at every step and for every level or ratio
"""
    )
    st.latex(r"\text{entering}_t = \text{leaving}_t + \text{entering}_{t+1}")
    st.markdown(
        """
- **Two orders.** The course notebook and py-faster-rcnn decode and clip all boxes, drop the small,
  then take the top-n; torchvision and detectron2 take the top-n first, which spares decoding
  the rest. The bars stand in the order of the settings in force.
- **Top-n by level** gives every level its own places; over all levels together, one level can
  take them all.
- **Two scales.** Of 159,882 anchors all but 2,000 leave before NMS. On one scale they are a line
  of a hundredth of the width. So each step is drawn at full width, and the pale necks between show
  how much it was enlarged; the numbers beside it are the true counts.
- **A band is a set of boxes.** What is shown on the photo are its best by score, at most 300,
  decoded and clipped as the chain does it, also where the chain dropped them.

Sources: Ren et al. 2015, [Faster R-CNN](https://arxiv.org/abs/1506.01497), section 3.3; Lin et al.
2017, [Feature Pyramid Networks](https://arxiv.org/abs/1612.03144), section 4.1; torchvision
`models/detection/rpn.py` and detectron2 `proposal_utils.py` for the other order. Sankey diagrams:
M. H. Sankey 1898, on the losses of a steam engine.
"""
    )
