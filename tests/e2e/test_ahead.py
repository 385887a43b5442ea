"""Figures follow the finger: while it still drags, and before Streamlit runs anything."""

import pytest

from tests.serving import app

pytestmark = pytest.mark.e2e

SMALL = "?v=1&image.side=256&scores.source=planted"
SHOWN = "(plot) => JSON.stringify([plot.layout.title?.text, plot.layout.shapes, plot.data])"


def drag(reader, slider: str, share: float) -> None:
    """Take a slider's thumb in hand and hold it at a share of its track."""
    reader.page.locator(f".st-key-{slider}").scroll_into_view_if_needed()
    held = "(input) => input.closest('[style*=left]').getBoundingClientRect().toJSON()"
    thumb = reader.page.locator(f".st-key-{slider} input[type=range]").first.evaluate(held)
    track = reader.page.locator(f".st-key-{slider} [data-testid=stSlider]").bounding_box()
    y = thumb["y"] + thumb["height"] / 2
    reader.page.mouse.move(thumb["x"] + thumb["width"] / 2, y)
    reader.page.mouse.down()
    reader.page.mouse.move(track["x"] + track["width"] * share, y, steps=4)


@pytest.mark.parametrize(
    ("page", "slider", "plot", "setting"),
    [
        ("recall", "recall-iou", "recall_boxes", "recall.iou"),
        ("atlas", "size-0", "size_map", "anchors.sizes"),
        ("compare", "b-nms-iou_threshold", "apart", "compare.other"),
    ],
)
def test_a_figure_changes_under_the_finger_and_stays_when_it_lets_go(
    reader, page, slider, plot, setting
):
    reader.open(f"/{page}{SMALL}")
    before = reader.plot(plot).evaluate(SHOWN)
    drag(reader, slider, 0.4)
    reader.until(
        f"""(before) => {{
            const plot = document.querySelector(".st-key-{plot} .rpn-plot");
            return ({SHOWN})(plot) !== before;
        }}""",
        arg=before,
    )
    reader.page.wait_for_timeout(500)  # the last of its figures
    assert setting not in reader.link  # no script has run
    ahead = reader.plot(plot).evaluate(SHOWN)
    reader.page.mouse.up()
    reader.wait_for_link({setting: None})
    reader.page.wait_for_timeout(500)
    assert reader.plot(plot).evaluate(SHOWN) == ahead


def test_new_candidates_reach_the_boards_under_the_finger(reader):
    reader.open(f"/proposals{SMALL}")
    candidates = "(root) => root.rpn.data.scores.length"
    before = reader.plot("live_boxes").evaluate(candidates)
    drag(reader, "filter-pre_nms", 0.03)
    reader.until(
        f"(before) => ({candidates})(document.querySelector('.rpn-live')) < before", arg=before
    )
    assert "filter.pre_nms" not in reader.link
    reader.page.mouse.up()
    reader.wait_for_link({"filter.pre_nms": None})
    reader.until("() => document.querySelector('.rpn-live').dataset.pairs")
    assert reader.plot("live_boxes").evaluate(candidates) < before


# What a script is told waits on its way, in ms; figures ahead come as fast as ever.
SLOW_LINE = """
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (...message) {
        setTimeout(() => send.apply(this, message), DELAY);
    };
"""


@pytest.mark.parametrize("delay", [0, 500])
def test_no_older_figure_comes_back_while_keys_are_pressed_fast(reader, delay):
    reader.page.add_init_script(SLOW_LINE.replace("DELAY", str(delay)))
    reader.open(f"/recall{SMALL}")
    reader.page.evaluate(
        """() => {
            const plot = document.querySelector(".st-key-curve .rpn-plot");
            const seen = (window.seen = []);
            const look = () => {
                seen.push(Number(plot.layout.yaxis.title.text.match(/[.0-9]+$/)[0]));
                requestAnimationFrame(look);
            };
            look();
        }"""
    )
    thumb = reader.page.locator(".st-key-recall-iou input[type=range]").first
    for press in range(16):
        thumb.press("ArrowRight")
        reader.page.wait_for_timeout(300 if press == 11 else 60)  # long enough for a script
    reader.page.wait_for_timeout(1500 + delay)
    reader.settle()
    seen = reader.page.evaluate("() => window.seen")
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(float(thumb.input_value()))
    assert len(set(seen)) > 3


LOSING = """
    window.lost = [];
    window.Worker = class extends Worker {
        constructor(...parts) {
            super(...parts);
            this.addEventListener("message", (event) => {
                if (!event.data?.bytes || lost.length === 2) return;
                lost.push(event.data.key);
                event.stopImmediatePropagation();
            });
        }
    };
"""


def test_a_figure_that_is_lost_on_its_way_is_asked_for_again(reader):
    reader.page.add_init_script(LOSING)  # the server has made both, and the script only names them
    reader.open(f"/recall{SMALL}")
    reader.page.locator(".st-key-recall-iou input[type=range]").first.press("ArrowRight")
    reader.until(
        """() => document.querySelector(".st-key-curve .rpn-plot")
            .layout.yaxis.title.text.includes("0.51")""",
    )
    assert sorted(reader.page.evaluate("lost")) == ["curve", "recall_boxes"]


LINE = """(() => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
        window.line = this;
        return send.call(this, data);
    };
})()"""
CONNECTED_AGAIN = """() => new Promise((go) => {
    const app = document.querySelector("[data-testid=stApp]");
    const look = () => app.dataset.testConnectionState === "CONNECTED" && go();
    const filter = { attributeFilter: ["data-test-connection-state"] };
    new MutationObserver(look).observe(app, filter);
    line.close();
})"""  # Streamlit makes another connection by itself


def test_a_page_outlives_its_line(reader):
    reader.page.add_init_script(LINE)
    reader.open(f"/recall{SMALL}")
    reader.page.evaluate("window.before = true")
    reader.page.evaluate(CONNECTED_AGAIN)
    reader.press("recall-iou", "ArrowRight", "recall_boxes")
    reader.wait_for_link({"recall.iou": 0.51})
    assert reader.page.evaluate("window.before")


@pytest.mark.parametrize("page", ["recall", "take_home"])
def test_a_page_opens_again_where_its_session_is_gone(readers, page):
    with app("--server.disconnectedSessionTTL", "1") as address:
        reader = readers()
        reader.address = address
        reader.page.add_init_script(LINE)
        reader.open(f"/{page}{SMALL}&recall.iou=0.6")
        reader.page.evaluate("window.before = true")
        reader.page.context.set_offline(True)
        reader.page.evaluate("line.close()")
        reader.page.wait_for_timeout(2500)
        reader.page.context.set_offline(False)
        reader.until("() => !window.before")
        reader.settle()
        assert reader.link["recall.iou"] == "0.6"
        if page == "recall":
            reader.press("recall-iou", "ArrowRight", "recall_boxes")
            reader.wait_for_link({"recall.iou": 0.61})
    assert any(said.startswith(f"404 {address}/taken/") for said in reader.complaints)
