"""What the atlas computes, and from which sources, in words."""

import streamlit as st


def show() -> None:
    """The words, as the expander at the page's end shows them."""
    st.markdown(
        """
An anchor stands still until a network moves it, and training looks at where it stands: an object
that no anchor overlaps enough teaches little, and is found late or not at all. How much overlap
there is depends on three things alone: the object's size, the anchor shapes, and how far the
object's centre lies from the nearest anchor's.
"""
    )
    st.latex(
        r"""
\mathrm{IoU} = \frac{o_x\, o_y}{w h + w_a h_a - o_x\, o_y}
\qquad
o_x = \max\left(0,\ \min\left(w,\ w_a,\ \tfrac{w + w_a}{2} - |d_x|\right)\right)
"""
    )
    st.markdown(
        """
- **The best anchor** is the best over all levels and shapes. Of one shape the nearest anchor always
  wins, so each level counts with one distance across and one down.
- **The mean** runs over 31 x 31 places, spread evenly over every level's cell and over the strides'
  common period.
- **The worst place.** With a centre offset of a half all levels' cells meet in one corner, which
  is farthest from all anchors at once: the number is exact. Else the period is cut into 64 parts,
  and each part counts as far as its farthest point: every place offers at least that much. Where
  strides have no short common period, every level counts at its farthest.
- **Borders** do not count: near them an object may have fewer anchors around it.
- **The dots** use the real anchors of this picture: their best IoU is what matching sees.
- **Other networks** are laid over at their own input side. RetinaNet calls an anchor positive from
  IoU .5, SSD too; YOLOv2 takes an object's best anchor whatever its IoU, and the line shows where
  that is a poor start.

Sources: Lin et al. 2017, [Focal Loss](https://arxiv.org/abs/1708.02002), section 4; Liu et al.
2016, [SSD](https://arxiv.org/abs/1512.02325), section 2.2; Redmon and Farhadi 2017,
[YOLO9000](https://arxiv.org/abs/1612.08242), section 2; Tian et al. 2019,
[FCOS](https://arxiv.org/abs/1904.01355), section 3.2; Redmon et al. 2016,
[YOLO](https://arxiv.org/abs/1506.02640), sections 2 and 2.4.
"""
    )
