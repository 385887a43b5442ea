"""NMS, step by step: the greedy loop over the live candidates, all thresholds, soft NMS."""

import streamlit as st

from explorer.pages import _controls, _fold, _show, _soft, _steps, _survivors
from explorer.pages._demo import demo, results

FORMULAS = (
    r"\mathrm{IoU}(a, b) = \frac{|a \cap b|}{|a \cup b|}",
    r"s_i \leftarrow \begin{cases} s_i & \mathrm{IoU} \le t \\ 0 & \text{else, hard} \\ "
    r"s_i\,(1 - \mathrm{IoU}) & \text{else, linear} \end{cases}",
    r"s_i \leftarrow s_i\, e^{-\mathrm{IoU}^2 / \sigma} \quad \text{gaussian}",
)


@demo
def render() -> None:
    st.title("NMS, step by step")
    st.markdown(
        "**Try this:** press play and watch the best box clear its surroundings, then the next. "
        "Stop where many go at once, and lower the threshold."
    )
    with st.container(key="demo"):
        sliders, picture = st.columns([1, 4], gap="medium")
    with sliders:
        _sliders()
    with picture:
        _loop()
    _thresholds()
    _kinds()
    _fold.idea(_idea)


def _sliders() -> None:
    _controls.slider("nms.iou_threshold")
    _controls.slider("nms.post_nms", high=2000)
    _controls.slider("filter.pre_nms", high=6000)
    _controls.slider("nms.score_threshold")
    _controls.toggle("filter.nms_by_level")
    _controls.toggle("view.blank")


@results
def _loop() -> None:
    _steps.loop()
    _steps.followed(_survivors.walk())
    _show.badge("proposals")


@results
def _thresholds() -> None:
    _survivors.render(_survivors.walk())


@results
def _kinds() -> None:
    _soft.render()


def _idea() -> None:
    st.markdown(
        "A detector says the same object many times. **Greedy NMS** picks the best box left, "
        "drops each undecided box that overlaps it by more than the threshold, and goes on "
        "with the best of the rest. A dropped box drops nobody. So the winners, best first, "
        "are the steps, and there are as many steps as survivors."
    )
    for formula in FORMULAS:  # a line each: a phone is narrow
        st.latex(formula)
    st.markdown(
        "An IoU of exactly the threshold stays; equal scores keep the lower anchor number; the "
        "cap cuts after the loop. Sources: Girshick et al. 2014 (greedy NMS), Ren et al. 2015, "
        "section 3.3 (0.7), Bodla et al. 2017 (soft NMS)."
    )


render()
