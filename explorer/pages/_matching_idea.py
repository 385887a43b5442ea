"""What matching is for, its rule and its sources, in words."""

import streamlit as st


def show() -> None:
    """The words, as the expander at the page's end shows them."""
    st.markdown(
        """
The head says of every anchor how likely it holds an object. To learn that, each anchor needs an
answer, and its IoU with the objects gives it:
"""
    )
    st.latex(
        r"""
y_a = \begin{cases}
1 & \max_g \mathrm{IoU}(a, g) \ge t_{high}
\quad\text{or } a \text{ is the best anchor of some object} \\
0 & \max_g \mathrm{IoU}(a, g) < t_{low} \\
\text{ignored} & \text{else}
\end{cases}
"""
    )
    st.markdown(
        """
- **Two thresholds**, 0.7 and 0.3: an anchor between them is neither object nor background, and no
  loss sees it.
- **The best-anchor rule.** An object that no anchor reaches would teach nothing, so its best
  anchor is positive whatever its IoU. The notebook takes the first of equals, the others all.
- **Its trap.** An object that no anchor touches has a best IoU of 0, and every anchor that misses
  it has just that: a rule that asks only *is your IoU the object's best?* would call all
  of them positive. Here an IoU of 0 claims nothing.
- **Whose?** A positive anchor learns the object that it overlaps most. Where it is positive as
  another object's best anchor, it still does, so that other object can come away with none.
- **The sample.** Nearly all anchors are negative. Each picture gives 256 of them to the loss, at
  most half positive.
- **The targets** of a positive anchor *a* with its object *g* are
  $((x_g - x_a) / w_a,\\ (y_g - y_a) / h_a,\\ \\ln(w_g / w_a),\\ \\ln(h_g / h_a))$, times the
  weights.

Sources: Ren et al. 2015, [Faster R-CNN](https://arxiv.org/abs/1506.01497), sections 3.1.2 and 3.1.3
and eq. 2; the matchers of torchvision and detectron2 (`allow_low_quality_matches`). How the shapes
bound the IoU: two boxes never share more than the smaller width times the smaller height.
"""
    )
