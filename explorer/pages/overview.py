"""Overview: the chain with this photo's own counts, and the proposals it ends in."""

import streamlit as st

from explorer.core.counts import Step, count_steps
from explorer.figures import thumbs
from explorer.figures.theme import Figure
from explorer.pages import _ahead, _boxes, _lesson_cards, _show, _state, _tour, page_of
from explorer.pages._sources import SOURCES


def render() -> None:
    st.title("Region Proposal Network")
    _tour.render()
    st.markdown(
        "A small network looks at every anchor and says *object* or *not*; a few steps later a "
        "thousand boxes are left. **Each card is a link of that chain, with this photo's numbers: "
        "open it and drag.**"
    )
    candidates, proposals = _show.compute("candidates"), _show.compute("proposals")
    rules, threshold = _state.current().filter, _state.current().nms.score_threshold
    _chain(count_steps(candidates, proposals, rules.order, threshold))
    picture, text = st.columns([3, 2], gap="large")
    with picture:
        _ahead.figure(_best, key="best")
        _boxes.key()
    with text:
        _show.badge("proposals")
        st.markdown(SOURCES[_state.current().scores.source].story)
        st.markdown(
            "- **Anchors**: what sizes, ratios and strides do, and why there are so many.\n"
            "- **Scores**: what the network says of each anchor.\n"
            "- **Proposals**: what top-n, minimum size, NMS and the cap leave, box by box.\n"
            "- **Recall**: which objects are found, and which step lost the others.\n\n"
            "Everything you set is in the page's address: copy it and others see what you see."
        )
    with st.container(key="start_here"):
        st.subheader("Start here")
        _lesson_cards.show()


def _best() -> Figure:
    proposals = _show.compute("proposals")
    best = _boxes.best(proposals, _state.current().view.top_k)
    return _boxes.figure(best, f"The best {len(best.rank)} of {len(proposals.boxes):,} proposals")


def _chain(steps: list[Step]) -> None:
    settings, picture = _state.current(), _show.compute("image")
    grid, scores = _show.compute("grid"), _show.compute("head_output").scores.cpu().numpy()
    height, width = size = picture.image_size
    candidates, proposals = _show.compute("candidates"), _show.compute("proposals")
    drawn = {
        "anchors": thumbs.anchors(grid, _show.compute("anchors"), settings.anchors.offset),
        "large enough": thumbs.size(size, settings.filter.min_size),
        "pre-NMS top-n": _thumb_boxes(candidates, 300),
        "over score threshold": _thumb_boxes(candidates, 200),
        "survive NMS": _thumb_boxes(proposals, 150),
        "proposals": _thumb_boxes(proposals, 50),
    }
    cards = [("photo", f"{width} x {height}", "anchors", "")]
    cards += [(step.name, f"{step.left:,}", step.page, drawn[step.name]) for step in steps]
    middle = f"{scores.min():.2f} to {scores.max():.2f}"
    cards.insert(2, ("scores", middle, "scores", thumbs.bars(size, scores)))
    with st.container(key="chain"):
        columns = st.columns(len(cards), gap="small")
    for column, (name, number, page, svg) in zip(columns, cards, strict=True):
        with column:
            photo = None if name == "scores" else _show.photo_url()
            st.html(f'<div class="step">{thumbs.thumb(size, photo, svg)}<b>{number}</b></div>')
            st.page_link(page_of(page), label=name)


def _thumb_boxes(found, count: int) -> str:
    boxes, level = found.boxes[:count].cpu().numpy(), found.level[:count].cpu().numpy()
    return thumbs.boxes(boxes, level)


render()
