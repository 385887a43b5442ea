"""Recall: which objects the proposals find, and why the others were missed."""

import math

import streamlit as st

from explorer.core.recall import Kind
from explorer.core.report import AR_COUNTS, COUNTS
from explorer.figures.recall import KINDS, recall_curve
from explorer.figures.theme import Figure
from explorer.pages import _ahead, _boxes, _controls, _demo, _objects, _show, _state
from explorer.pages._demo import demo, results


@demo
def render() -> None:
    st.title("Recall")
    st.markdown(
        "**Try this:** raise the IoU until an object turns vermilion, and read which step lost it. "
        "Then make its anchors fit better."
    )
    with st.container(key="demo"):
        sliders, right = st.columns([4, 16], gap="medium")
    with sliders:
        _sliders()
    if len(_show.compute("truth").boxes) == 0:
        st.info("This picture has no objects yet: draw them, or bring a file.")
    with right:
        _found()
    _objects_found()


def _sliders() -> None:
    _controls.slider("recall.iou", low=0.05)
    _controls.slider("nms.iou_threshold")
    _controls.slider("nms.post_nms", high=2000)
    _controls.slider("filter.pre_nms", high=6000)
    _controls.slider("view.top_k", high=300)
    _controls.toggle("view.blank")
    _objects.controls()


@results
def _found() -> None:
    picture, facts = _demo.beside(9, 7)
    with picture:
        _picture()
    with facts:
        _numbers(_show.compute("recall"))


@results
def _objects_found() -> None:
    _table(_show.compute("recall"), _show.compute("truth"))


def _picture() -> None:
    on_draw = _demo.with_controls(_objects.add_drawn) if _objects.is_drawing() else None
    _ahead.figure(_best, key="recall_boxes", on_draw=on_draw)
    swatches = "".join(
        f'<i style="background:{colour}"></i>{kind.name.lower()} '
        for kind, colour in zip(Kind, KINDS, strict=True)
    )
    st.html(f'<div class="key">{swatches}· objects dashed: white found, vermilion missed</div>')
    _show.badge("recall")


def _best() -> Figure:
    report, k = _show.compute("recall"), _state.current().view.top_k
    best = _boxes.best(_show.compute("proposals"), k, report.hits.kind)
    kinds = report.hits.kind[:k]
    hits, duplicates = int((kinds == Kind.HIT).sum()), int((kinds == Kind.DUPLICATE).sum())
    title = f"The best {len(kinds)}: {hits} hits, {duplicates} duplicates"
    missed = (report.hits.found_by < 0).numpy()
    return _boxes.figure(best, title, (_show.compute("truth").boxes.cpu().numpy(), missed))


def _numbers(report) -> None:
    iou, found = _state.current().recall.iou, report.hits.found_by >= 0
    st.metric(f"Objects found at IoU {iou:g}", f"{int(found.sum())} of {len(found)}")
    _ahead.figure(_curve, key="curve")
    for column, count, value in zip(st.columns(3), AR_COUNTS, report.average, strict=True):
        column.metric(f"AR@{count}", _share(value), help="Mean recall over IoU .5 to .95 (COCO).")
    for column, (name, (count, value)) in zip(st.columns(3), report.by_size.items(), strict=True):
        column.metric(f"{name} ({count})", _share(value), help="Objects of this size found.")


def _curve() -> Figure:
    report, iou = _show.compute("recall"), _state.current().recall.iou
    return recall_curve(COUNTS, report.curve, report.ceiling, iou, len(report.hits.kind))


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.0%}"


def _table(report, truth) -> None:
    """One row an object: what anchors and proposals reach, and its story."""
    reasons = {miss.object: miss.sentence for miss in report.misses}
    rows = [
        {
            "object": label,
            "size": f"{box[2] - box[0]:.0f} x {box[3] - box[1]:.0f}",
            "best anchor IoU": round(float(report.best_anchor[number]), 3),
            "best proposal IoU": round(float(report.hits.best_iou[number]), 3),
            "found by": f"#{int(report.hits.found_by[number]) + 1}"
            if number not in reasons
            else "–",
            "why missed": reasons.get(number, ""),
        }
        for number, (label, box) in enumerate(
            zip(truth.labels, truth.boxes.cpu().tolist(), strict=True)
        )
    ]
    _objects.table(rows)


render()
