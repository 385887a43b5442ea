"""Compare: two settings on one picture, and the boxes that one has and the other lacks."""

import streamlit as st

from explorer.core.counts import count_steps
from explorer.core.report import COUNTS
from explorer.editing import changed, field_of, get
from explorer.figures.compare import SIDES, apart, counts_of_steps, recalls
from explorer.figures.theme import Figure
from explorer.pages import _ahead, _controls, _demo, _other, _show, _state
from explorer.pages._demo import demo, results
from explorer.pages._weights import fits
from explorer.presets import PRESETS

SLIDERS = {  # the upper end that is useful, where the setting's own is far beyond it
    "nms.iou_threshold": None,
    "nms.score_threshold": None,
    "nms.post_nms": 2000,
    "filter.pre_nms": 6000,
    "filter.min_size": 128,
}


@demo
def render() -> None:
    st.title("Compare")
    st.markdown(
        "**Try this:** lower B's NMS threshold to 0.3 and see which boxes A alone keeps. Then swap "
        "the two, or make B another code base."
    )
    _other.warn()
    with st.container(key="demo"):
        controls, pictures = st.columns([1, 3], gap="medium")
    with controls:
        _controls_of_both()
        _difference()
    with pictures:
        _pictures()
    _charts()


@results
def _charts() -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        _ahead.figure(_recalls, key="recalls")
    with right:
        _ahead.figure(_funnels, key="funnels")


def _controls_of_both() -> None:
    swap, copy = st.columns(2)
    swap.button("Swap", icon=":material/swap_horiz:", on_click=_swap)
    copy.button("Copy A to B", icon=":material/content_copy:", on_click=_copy)
    for_a, for_b = st.columns(2)
    with for_a:
        st.html(f'<b class="side" style="border-color:{SIDES[0]}">A</b>')
        b_is_there = bool(_state.current().compare.other)  # until then its sliders follow A's
        for path, high in SLIDERS.items():
            _controls.slider(path, high=high, alone=b_is_there)
    with for_b:
        st.html(f'<b class="side" style="border-color:{SIDES[1]}">B</b>')
        for path, high in SLIDERS.items():
            _slider_of_b(path, high)


@results
def _difference() -> None:
    b = _other.other()
    _preset_of_b(b)
    apart_in = _other.differing(_state.current(), b)
    words = ", ".join(field_of(path).title for path in apart_in[:12])
    st.caption(f"They differ in: {words}." if apart_in else "A and B are the same.")


def _slider_of_b(path: str, high: float | None) -> None:
    value, key = get(_other.other(), path), f"b {path}"
    kind = type(field_of(path).default)

    def changes(moved: float) -> dict[str, str]:
        return _other.link(changed(_other.other(), {path: kind(moved)}))

    _ahead.slider(key, changes)
    st.slider(
        field_of(path).title,
        **_controls.range_of(path, value, high=high),
        **_controls.shows(key, value),
        help=_controls.help_of(path),
        on_change=_demo.moved(lambda: _state.change(changes(st.session_state[key]))),
    )


def _preset_of_b(b) -> None:
    groups = ("anchors", "codec", "filter", "nms")  # B's matching is A's
    inside = next(
        (n for n, p in PRESETS.items() if all(getattr(p, g) == getattr(b, g) for g in groups)), None
    )
    names = [name for name, preset in PRESETS.items() if fits(b, preset)]
    options = names if inside in names else ["own", *names]
    value = inside if inside in names else "own"

    def take() -> None:
        name = st.session_state["b preset"]
        if name in PRESETS:
            _other.put(PRESETS[name].apply(_other.other()))

    st.selectbox(
        "B's preset",
        options,
        options.index(value),
        **_controls.shows("b preset", value),
        format_func=lambda name: PRESETS[name].title if name in PRESETS else "Its own",
        on_change=_demo.with_controls(take),
        help="Sets all of B's anchors, coding, filters and NMS as a code base does. Presets whose "
        "anchors the scores do not fit are left out.",
    )


def _swap() -> None:
    b = _other.other()
    if _other.put(_state.current()):
        _state.change({path: get(b, path) for path in _other.own_paths()})


def _copy() -> None:
    _other.put(_state.current())


@results
def _pictures() -> None:
    _controls.slider("view.top_k", high=300)
    _ahead.figure(_apart, key="apart")
    st.caption(
        f"Of the best {_state.current().view.top_k} of each: in colour what the other has nowhere "
        f"among all its proposals (no box of IoU {_other.SAME:g} or more), faint what both have. "
        "Point at a box to read why. Zooming moves both."
    )
    _show.badge("proposals")


def _apart() -> Figure:
    a, b = _state.current(), _other.other()
    found = _other.sides("AB", [_other.chain(a), _other.chain(b)], a.view.top_k)
    return apart(_show.compute("grid", a).image_size, _show.photo_url(), found)


def _recalls() -> Figure:
    a, b = _state.current(), _other.other()
    lines = []
    for name, view in zip("AB", (a, b), strict=True):
        proposals = _show.compute("proposals", view)
        lines.append((name, _show.compute("recall", view).curve, len(proposals.boxes)))
    return recalls(COUNTS, lines, a.recall.iou)


def _funnels() -> Figure:
    views = _state.current(), _other.other()
    steps = [
        (name, _left(_other.chain(view), view)) for name, view in zip("AB", views, strict=True)
    ]
    return counts_of_steps(steps)


def _left(chain, view) -> dict[str, int]:
    rules, threshold = view.filter, view.nms.score_threshold
    steps = count_steps(chain.candidates, chain.proposals, rules.order, threshold)
    return {step.name: step.left for step in steps}


render()
