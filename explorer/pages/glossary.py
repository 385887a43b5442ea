"""Glossary: every term in a sentence or two, with a drawing, and the page where it can be moved."""

from dataclasses import dataclass

import streamlit as st

from explorer.figures import theme
from explorer.figures.glossary import HEIGHT, WIDTH, drawing
from explorer.figures.thumbs import thumb
from explorer.pages import page_of


@dataclass(frozen=True)
class Term:
    """A word of the field."""

    name: str
    meaning: str
    page: str  # where it can be tried


TERMS = (
    Term(
        "Feature pyramid",
        "The network's maps of the picture, P2 to P6, each half as fine as the one before (FPN). "
        "Small objects are looked for on the fine ones.",
        "overview",
    ),
    Term(
        "Cell",
        "One place of a level's map. It looks at one spot of the picture, as large as the stride.",
        "anchors",
    ),
    Term(
        "Stride",
        "Pixels from one cell to the next. Half the stride makes four times the anchors.",
        "anchors",
    ),
    Term(
        "Centre offset",
        "Where in its cell an anchor is centred: 0.5 is the middle, 0 the corner.",
        "anchors",
    ),
    Term(
        "Anchor",
        "A box of fixed shape at a cell. The network says of each whether an object lies there, "
        "and how the box should move.",
        "anchors",
    ),
    Term("Size", "The square root of an anchor's area, in pixels of the input.", "anchors"),
    Term(
        "Aspect ratio",
        "Width against height at the same area: a size in three ratios is three anchors a cell.",
        "anchors",
    ),
    Term(
        "h/w or w/h",
        "Code bases disagree on what ratio 2 means: wide (w/h, the course notebook) or tall (h/w, "
        "torchvision and detectron2).",
        "anchors",
    ),
    Term(
        "Logit and score",
        "The network's raw number for 'object' and what the sigmoid makes of it, from 0 to 1. "
        "Far from 0 the sigmoid merges logits that differ.",
        "scores",
    ),
    Term(
        "Deltas",
        "Four numbers that move an anchor: dx and dy in anchor widths and heights, dw and dh as "
        "powers of e.",
        "decoding",
    ),
    Term(
        "Clamp",
        "The largest dw or dh that counts, so that no box grows past 55 or 62.5 times its anchor.",
        "decoding",
    ),
    Term("Clip", "What lies outside the picture is cut off.", "proposals"),
    Term("Minimum size", "A box with a side under it is dropped.", "proposals"),
    Term(
        "Pre-NMS top-n",
        "How many of the best boxes go on to NMS: of all levels together, or of each level.",
        "proposals",
    ),
    Term("Candidate", "A box that got as far as NMS.", "proposals"),
    Term(
        "IoU",
        "Intersection over union: the area that two boxes share, over the area that they cover.",
        "nms",
    ),
    Term(
        "NMS",
        "Non-maximum suppression. The best box stays, those that overlap it by more than the "
        "threshold go, and so on with the best that is left. A higher threshold keeps more.",
        "nms",
    ),
    Term("Soft NMS", "Boxes that overlap a better one lose score, and need not go.", "nms"),
    Term("Score threshold", "Candidates that score lower go before NMS.", "proposals"),
    Term(
        "Post-NMS top-n",
        "The cap: at most this many survivors become proposals. It often hides what NMS did.",
        "proposals",
    ),
    Term("Proposal", "A box that the RPN hands on: 'look here'. It has no class yet.", "proposals"),
    Term("Ground truth", "The objects as people drew them: what should be found.", "recall"),
    Term(
        "Positive, negative, ignored",
        "What training makes of an anchor by its IoU with the objects: high, low, or between.",
        "matching",
    ),
    Term(
        "Low-quality match",
        "An object's best anchor is positive even under the threshold, else nobody would learn it.",
        "matching",
    ),
    Term(
        "Sampler",
        "Draws the 256 anchors that enter the loss, at most half of them positive.",
        "matching",
    ),
    Term("Recall", "The share of objects that at least one proposal overlaps enough.", "recall"),
    Term(
        "Average recall",
        "AR: the mean recall over IoU .5 to .95, for the best 10, 100 or 1,000 proposals.",
        "recall",
    ),
    Term("Funnel", "How many boxes each step of the chain leaves.", "overview"),
)


def render() -> None:
    st.title("Glossary")
    st.markdown("**Try this:** look a word up, then open its page and move the thing itself.")
    wanted = st.text_input(
        "Find a term",
        key="term",
        placeholder="NMS, stride, recall ...",
        help="Words of a term or of its sentence; terms with all of them are shown.",
    )
    words = wanted.lower().split()
    shown = [t for t in TERMS if all(w in f"{t.name} {t.meaning}".lower() for w in words)]
    if not shown:
        st.info("No term has these words.")
    for start in range(0, len(shown), 4):
        columns = st.columns(4, gap="medium")
        for column, term in zip(columns, shown[start : start + 4], strict=False):
            with column:
                _card(term)


def _card(term: Term) -> None:
    ground = f'<rect width="100%" height="100%" fill="{theme.CANVAS}"/>'
    picture = thumb((HEIGHT, WIDTH), None, ground + drawing(term.name))
    st.html(f'<div class="step">{picture}</div>')
    st.markdown(f"**{term.name}.** {term.meaning}")
    page = page_of(term.page)
    st.page_link(page, label=page.title)


render()
