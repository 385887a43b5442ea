"""Plotly is given what changed alone: what it shows is what it would make of the whole figure."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.e2e

SMALL = "?v=1&image.side=256&scores.source=planted"
# Each plot as it stands there, and made anew from the figure that it was last given, as lines. Two
# of one meaning are the same line: names of its own, the order of attributes and of annotations.
BOTH = r"""async () => {
    const lineOf = (node, own) => {
        if (node.nodeType === Node.TEXT_NODE) return node.data;
        const attributes = [...node.attributes].map(({ name, value }) => `${name}="${value}"`);
        const text = `${node.tagName} ${attributes.sort().join(" ")}`;
        const words = own.reduce((text, name) => text.replaceAll(name, ""), text);
        return words.replaceAll(/cursor: ?[a-z-]+;? ?/g, ""); // follows the pointer
    };
    const linesOf = (node, own) => {
        const children = [...node.childNodes];
        const number = (child) => Number(child.dataset?.index ?? -1);
        if (children.some((child) => child.classList?.contains("annotation")))
            children.sort((one, other) => number(one) - number(other));
        return [lineOf(node, own), ...children.flatMap((child) => linesOf(child, own))];
    };
    const shown = (plot) => {
        const own = [plot._fullLayout._uid, ...plot._fullData.map(({ uid }) => uid)];
        return [...plot.querySelectorAll(".main-svg")].flatMap((svg) => linesOf(svg, own));
    };
    const found = {};
    for (const plot of document.querySelectorAll(".rpn-plot.js-plotly-plot")) {
        const anew = plot.cloneNode();
        Object.assign(anew.style, { position: "absolute", width: `${plot.clientWidth}px` });
        plot.parentNode.append(anew);
        const { transition, ...layout } = structuredClone(plot.layout);
        await Plotly.newPlot(anew, structuredClone(plot.data), layout, { displaylogo: false });
        const key = plot.closest("[class*=st-key-]").className.match(/st-key-(\S+)/)[1];
        found[key] = { there: shown(plot), anew: shown(anew), moved: !!transition };
        Plotly.purge(anew);
        anew.remove();
    }
    return found;
}"""


@pytest.mark.parametrize(
    ("page", "plot", "presses", "moves"),
    [
        ("compare", "apart", ["b-nms-iou_threshold", "planted-noise"], {"recalls", "funnels"}),
        ("funnel", "funnel", ["nms-iou_threshold", "filter-min_size"], set()),
        ("recall", "recall_boxes", ["planted-noise", "view-top_k", "recall-iou"], {"curve"}),
        ("scores", "heat_map", ["planted-noise"], set()),
        ("matching", "matching", ["match-low", "match-high"], set()),
        ("conventions", "apart", ["view-top_k", "planted-noise"], set()),
    ],
)
def test_a_plot_that_moved_is_what_its_figure_makes(reader, page, plot, presses, moves):
    reader.open(f"/{page}{SMALL}")
    moved = set()
    for slider in presses:
        for key in ("ArrowLeft", "ArrowLeft", "ArrowRight", "ArrowRight"):
            reader.press(slider, key, plot)
            reader.settle()
            found = reader.page.evaluate(BOTH)
            assert plot in found
            for name, each in found.items():
                assert each["there"] == each["anew"], name
                moved |= {name} if each["moved"] else set()
    assert moved == moves  # without their axes


def test_a_box_of_the_second_picture_is_told_and_outlined_there(reader):
    reader.open(f"/compare{SMALL}&compare.other=v%3D1%26nms.iou_threshold%3D0.9")
    place = reader.plot("apart").evaluate(
        """(plot) => {
            const { xaxis2, yaxis2 } = plot._fullLayout, at = plot.getBoundingClientRect();
            const [, { x, y }] = plot.rpnTold;
            return [at.left + xaxis2._offset + xaxis2.l2p(x[0]),
                    at.top + yaxis2._offset + yaxis2.l2p(y[0])];
        }"""
    )
    reader.page.mouse.move(*place)
    label = reader.page.locator(".st-key-apart .hovertext")
    label.wait_for()
    assert label.text_content().startswith("B alone")
    outlined = reader.page.locator(
        ".st-key-apart .main-svg > rect[stroke='#FFD400']"
    ).bounding_box()
    assert outlined["x"] <= place[0] <= outlined["x"] + outlined["width"]
    assert outlined["y"] <= place[1] <= outlined["y"] + outlined["height"]
    reader.page.mouse.move(5, 5)
    label.wait_for(state="detached")
