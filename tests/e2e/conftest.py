"""A server of the app and a real Chromium, shared by all end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.e2e import browser as browser_finder
from tests.serving import app

SCREENSHOTS = Path(__file__).parent / "screenshots"
PATIENCE = 180_000  # milliseconds: a network's pass beside other tests takes a minute
LOOKS = 50  # milliseconds between two
ONE_PROCESS = "--renderer-process-limit=1"  # what a page has compiled, the next one has too
# A script that runs for a moment never shows in the page's own state, so the socket is watched: the
# first field of what leaves, and the first of what comes after its hash and its metadata.
SCRIPTS = """(() => {
    const RERUN = 0x5a, NEW_SESSION = 0x22, SCRIPT_FINISHED = 0x30, BEFORE = [0x0a, 0x12];
    const EARLY = 2;  // to run again at once: the script that was asked for is yet to come
    window.scripts = { asked: false, running: false, ended: 0, at: 0 };
    const field = (bytes) => {
        let at = 0;
        while (BEFORE.includes(bytes[at])) {
            let [length, shift] = [0, 0];
            do {
                length |= (bytes[++at] & 127) << shift;
                shift += 7;
            } while (bytes[at] & 128);
            at += 1 + length;
        }
        return bytes.subarray(at);
    };
    const hear = ({ data }) => {
        const [told, how] = field(new Uint8Array(data));
        if (told === NEW_SESSION) Object.assign(scripts, { asked: false, running: true });
        if (told !== SCRIPT_FINISHED || how === EARLY) return;
        Object.assign(scripts, { running: false, ended: scripts.ended + 1, at: performance.now() });
    };
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (bytes) {
        if (!this.heard) this.addEventListener("message", hear);
        this.heard = true;
        if (bytes[0] === RERUN) scripts.asked = true;
        return send.call(this, bytes);
    };
})()"""
STILL = """addEventListener("DOMContentLoaded", () => {
    const style = document.createElement("style");
    style.textContent = "*, ::before, ::after { animation: none !important }";
    style.textContent += "*, ::before, ::after { transition: none !important }";
    document.head.append(style);
})"""  # a sixth of the time to open a page went into the pulse of what is not there yet
WITHOUT_PLOTS = ("/about", "/take_home", "/glossary", "/lesson")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of an app that was started for these tests."""
    SCREENSHOTS.mkdir(exist_ok=True)
    with (SCREENSHOTS / "server.log").open("w") as log, app(log=log) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=browser_finder.find(), args=[*browser_finder.FLAGS, ONE_PROCESS]
        )
        yield launched
        launched.close()


class Reader:
    """Somebody in front of the app, and what their browser complained of."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        page.set_default_timeout(PATIENCE)
        page.add_init_script(SCRIPTS)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.on("response", self._check)

    def _hear(self, message) -> None:
        # A failed request is told with its address by `_check`.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _check(self, response) -> None:
        # Streamlit asks for these below a page's own path first, then at the root.
        probing = response.url.endswith(("/_stcore/health", "/_stcore/host-config"))
        if response.status >= 400 and not probing:
            self.complaints.append(f"{response.status} {response.url}")

    def open(self, path: str) -> Reader:
        """Go to a page and wait for its figures."""
        self.page.goto(self.address + path)
        self.settle()
        return self

    def until(self, holds: str, arg: object = None) -> None:
        """Wait until JavaScript holds; to ask it at each frame would have all frames drawn."""
        self.page.wait_for_function(holds, arg=arg, polling=LOOKS)

    def settle(self) -> None:
        """Wait until no script is asked for or runs, no placeholder is left, and plots stand."""
        self.page.wait_for_selector("[data-testid=stMain] h1")
        self.until(
            """(least) => {
                const app = document.querySelector("[data-testid=stApp]");
                const plots = [...document.querySelectorAll(".rpn-plot")];
                const shown = performance.now() > scripts.at + 50;  // what came last
                return !scripts.asked && !scripts.running && shown
                    && app?.dataset.testScriptState === "notRunning" && plots.length >= least
                    && !document.querySelector("[data-testid=stSkeleton]")
                    && plots.every((plot) => plot.dataset.revision || !plot.clientWidth);
            }""",
            arg=0 if any(page in self.page.url for page in WITHOUT_PLOTS) else 1,
        )

    @property
    def link(self) -> dict[str, str]:
        """The settings that the page's address holds."""
        texts = parse_qs(urlparse(self.page.url).query)
        return {name: values[0] for name, values in texts.items()}

    def wait_for_link(self, wanted: dict[str, object]) -> None:
        """Wait until the address holds these values: None for any, "" for a name that is gone."""
        texts = {name: None if value is None else str(value) for name, value in wanted.items()}
        self.until(
            """(wanted) => {
                const link = new URLSearchParams(location.search);
                return Object.entries(wanted).every(([name, value]) =>
                    value === null ? link.has(name) : (link.get(name) ?? "") === value);
            }""",
            arg=texts,
        )
        self.settle()

    def plot(self, key: str):
        """The plot under a key."""
        return self.page.locator(f".st-key-{key} .rpn-plot")

    def revision(self, key: str) -> int:
        """How many figures a plot has shown."""
        return int(self.plot(key).get_attribute("data-revision"))

    def press(self, slider: str, key: str, plot: str) -> None:
        """Press a key on a slider and wait until a plot shows another figure."""
        thumb = self.page.locator(f".st-key-{slider} input[type=range]").first
        self.act(plot, lambda: thumb.press(key))

    def slide(self, slider: Locator, goal: float) -> None:
        """Bring a slider to a value by keys, and look again: a busy browser may drop a press."""
        state = "(it) => [it.value, it.step, it.min, it.max].map(Number)"
        for patience in range(0, 1600, 200):  # more each time
            now, step, low, high = slider.evaluate(state)
            if goal in (low, high):
                slider.press("Home" if goal == low else "End")
            else:
                for _ in range(abs(round((goal - now) / step))):
                    slider.press("ArrowRight" if goal > now else "ArrowLeft")
            self.page.wait_for_timeout(patience)
            self.settle()
            if abs(float(slider.input_value()) - goal) < step / 2:
                return
        raise AssertionError(f"the slider does not come to stand at {goal}")

    def act(self, plot: str, do: Callable[[], None]) -> None:
        """Do something and wait until a plot shows another figure, and its script has ended."""
        self.settle()
        before, ended = self.revision(plot), self.page.evaluate("scripts.ended")
        do()
        self.until(
            f"""() => scripts.ended > {ended}
                && Number(document.querySelector(".st-key-{plot} .rpn-plot")
                    .dataset.revision) > {before}"""
        )
        self.settle()

    def shapes(self, key: str) -> str:
        """What a plot has drawn: SVG, or a live canvas's pixels."""
        return self.plot(key).evaluate(
            """(plot) => plot.querySelector(".main-svg")?.innerHTML
                ?? [...plot.querySelectorAll("canvas")].map((each) => each.toDataURL()).join()"""
        )

    def screenshot(self, name: str) -> None:
        """Keep a picture of the window."""
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture(scope="session")
def window(chromium: Browser, server: str) -> Iterator[Callable[..., BrowserContext]]:
    """A browser of a size and scheme that has seen the app before: it keeps Plotly, compiled."""
    contexts: dict[tuple[int, int, str], BrowserContext] = {}

    def of(width: int = 1440, height: int = 900, scheme: str = "light") -> BrowserContext:
        form = width, height, scheme
        if form not in contexts:
            size = {"width": width, "height": height}
            contexts[form] = chromium.new_context(viewport=size, color_scheme=scheme)
            contexts[form].add_init_script(STILL)
            contexts[form].new_page().goto(f"{server}/_stcore/health")  # its process stays
        return contexts[form]

    yield of
    for context in contexts.values():
        context.close()


@pytest.fixture
def reader(window: Callable[..., BrowserContext], server: str) -> Iterator[Reader]:
    """A reader in a tab of their own; the test fails if their browser complained."""
    someone = Reader(window().new_page(), server)
    yield someone
    someone.page.close()
    assert someone.complaints == []


@pytest.fixture
def readers(chromium: Browser, server: str) -> Iterator:
    """Makes readers of other windows: `readers(width, height, "dark")`."""
    contexts = []

    def make(
        width: int = 1440, height: int = 900, scheme: str = "light", *, sharpness: int = 1
    ) -> Reader:
        window = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
        contexts.append(chromium.new_context(**window, device_scale_factor=sharpness))
        contexts[-1].add_init_script(STILL)
        return Reader(contexts[-1].new_page(), server)

    yield make
    for context in contexts:
        context.close()
