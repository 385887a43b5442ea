"""Why boxes are coded as four deltas, the formula and its sources, in words."""

import streamlit as st


def show() -> None:
    """The words, as the expander at the page's end shows them."""
    st.markdown(
        "The head does not say where a box lies. It says how to move and stretch an anchor: "
        "by shares of the anchor's own sides, and by factors, as their logarithms. So one set "
        "of weights serves small and large anchors alike, a factor can never be negative, and "
        "twice as wide is as far from the anchor as half as wide."
    )
    st.latex(
        r"x = x_a + d_x w_a \quad y = y_a + d_y h_a \quad w = w_a e^{d_w} \quad h = h_a e^{d_h}"
    )
    st.latex(
        r"d_x = \frac{x - x_a}{w_a} \quad d_y = \frac{y - y_a}{h_a} \quad "
        r"d_w = \ln\frac{w}{w_a} \quad d_h = \ln\frac{h}{h_a}"
    )
    st.markdown(
        "x, y are a box's centre, w, h its sides, and *a* marks the anchor's.\n\n"
        "**Why is dw clipped?** The exponential turns an untrained or a wrong dw of 20 into a "
        "box 485 million times as wide; its area no longer fits float32, and NaN spreads into "
        "the loss and NMS. So dw and dh count at most as much as the clamp. Only the upper "
        "side needs one: e to a large negative power is merely a box of no width.\n\n"
        "**Sources.** Girshick et al. 2014, R-CNN, [appendix C](https://arxiv.org/abs/1311.2524);"
        " Ren et al. 2015, Faster R-CNN, [eq. 2](https://arxiv.org/abs/1506.01497). The clamp: "
        "log(1000/16) = 4.135 in detectron2 and torchvision (a 16-pixel anchor may reach 1000 "
        "pixels), 4 in the course notebook, none in py-faster-rcnn."
    )
