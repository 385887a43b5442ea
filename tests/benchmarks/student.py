"""A student without a browser: a real session, over a real WebSocket, in Streamlit's own protocol.

It keeps what a browser keeps to move a slider: the page, the link, and the widgets that stand on
the page with the fragment that each belongs to.
"""

from __future__ import annotations

import asyncio
import http.client
from dataclasses import dataclass, field
from time import perf_counter
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

HUGE = 64_000_000  # bytes of a message; more than any
LOST = 60.0  # seconds without an end of the script: an error


@dataclass(frozen=True)
class Widget:
    """A slider, a switch or an uploader that stands on the page."""

    id: str
    fragment: str
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0

    @property
    def key(self) -> str:
        """The key that the page gave it."""
        return self.id.split("-", 2)[-1]


@dataclass
class Run:
    """What one run of the script sent."""

    seconds: float
    bytes: int
    figures: int
    errors: list[str]


@dataclass
class Student:
    """One session: `async with Student(port) as student`, then `enter`."""

    port: int
    socket: ClientConnection | None = None
    page_hash: str = ""
    link: str = ""
    session: str = ""
    sliders: dict[str, Widget] = field(default_factory=dict)
    switches: dict[str, Widget] = field(default_factory=dict)
    uploaders: dict[str, Widget] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)  # file's stem to its hash
    values: dict[str, WidgetState] = field(default_factory=dict)
    elements: dict[tuple[int, ...], Element] = field(default_factory=dict)  # what stands where

    async def enter(self, page: str = "", **query: str) -> Run:
        """Open a page by its address."""
        address = f"ws://127.0.0.1:{self.port}/_stcore/stream"
        self.socket = await connect(
            address, subprotocols=["streamlit"], max_size=HUGE, compression=None
        )
        self.link = urlencode(query)
        return await self._run(page_name=page)

    async def __aenter__(self) -> Student:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.socket is not None:
            await self.socket.close()

    async def go(self, page: str) -> Run:
        """Open another page of the navigation."""
        self.page_hash = self.pages[page]
        return await self._run()

    async def move(self, slider: Widget, value: float) -> Run:
        """Let go of a slider at a value."""
        state = WidgetState(id=slider.id)
        state.double_array_value.data.append(value)
        return await self._change(slider, state)

    async def flip(self, switch: Widget, on: bool) -> Run:
        """Turn a switch on or off."""
        return await self._change(switch, WidgetState(id=switch.id, bool_value=on))

    async def upload(self, uploader: Widget, name: str, data: bytes) -> Run:
        """Bring a file: it goes by HTTP, then the script hears of it."""
        ask = BackMsg()
        ask.file_urls_request.request_id = name
        ask.file_urls_request.file_names.append(name)
        ask.file_urls_request.session_id = self.session
        await self.socket.send(ask.SerializeToString())
        while True:
            message = ForwardMsg.FromString(await asyncio.wait_for(self.socket.recv(), LOST))
            if message.WhichOneof("type") == "file_urls_response":
                break
        urls = message.file_urls_response.file_urls[0]
        await asyncio.to_thread(self._put, urls.upload_url, name, data)
        state = WidgetState(id=uploader.id)
        file = state.file_uploader_state_value.uploaded_file_info.add()
        file.file_id, file.name, file.size = urls.file_id, name, len(data)
        file.file_urls.CopyFrom(urls)
        return await self._change(uploader, state)

    def _put(self, url: str, name: str, data: bytes) -> None:
        boundary = "of-the-upload"
        head = (
            f"--{boundary}\r\nContent-Disposition: form-data; "
            f'name="file"; filename="{name}"\r\nContent-Type: image/png\r\n\r\n'
        )
        body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
        server = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LOST)
        server.request("GET", "/_stcore/health")
        answer = server.getresponse()
        answer.read()
        cookie = (answer.getheader("Set-Cookie") or "").split(";")[0]
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Cookie": cookie,
            "X-Xsrftoken": cookie.partition("=")[2],
        }
        server.request("PUT", url, body, headers)
        status = server.getresponse().status
        server.close()
        if status not in {200, 204}:
            raise RuntimeError(f"the upload was answered with {status}")

    async def _change(self, widget: Widget, state: WidgetState) -> Run:
        self.values[widget.id] = state
        return await self._run(fragment=widget.fragment)

    async def _run(self, page_name: str = "", fragment: str = "") -> Run:
        """Ask for a run of the script and take all that it sends, to its end."""
        message = BackMsg()
        ask = message.rerun_script
        ask.query_string, ask.page_script_hash, ask.page_name = self.link, self.page_hash, page_name
        ask.fragment_id = fragment
        ask.widget_states.widgets.extend(self.values.values())
        start, size, figures, errors = perf_counter(), 0, 0, []
        partly, drawn, roots = False, {}, {}  # elements by place, and where parts that run stand
        await self.socket.send(message.SerializeToString())
        while True:
            data = await asyncio.wait_for(self.socket.recv(), LOST)
            size += len(data)
            news = ForwardMsg.FromString(data)
            kind = news.WhichOneof("type")
            if kind == "delta":
                place, element = tuple(news.metadata.delta_path), news.delta.new_element
                if news.delta.WhichOneof("type") == "new_element":
                    drawn[place] = element
                    figures += element.WhichOneof("type") == "bidi_component"
                    errors += self._take(element, news.delta.fragment_id)
                elif partly:
                    roots.setdefault(news.delta.fragment_id, place)
            elif kind == "new_session":
                partly = bool(news.metadata.run.fragment_ids)
                self.session = news.new_session.initialize.session_id or self.session
                drawn, roots = {}, {}
            elif kind == "page_info_changed":
                self.link = news.page_info_changed.query_string
            elif kind == "navigation":
                self.page_hash = news.navigation.page_script_hash
                self.pages = {
                    page.url_pathname or "overview": page.page_script_hash
                    for page in news.navigation.app_pages
                }
            elif kind == "script_finished":
                if news.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    continue  # for the whole script, or other parts of it: they follow
                self._settle(drawn, list(roots.values()) if partly else [()])
                self._forget_what_is_gone()
                return Run(perf_counter() - start, size, figures, errors)

    def _settle(self, drawn: dict, roots: list[tuple[int, ...]]) -> None:
        """What a run did not draw again is gone, where the run's parts stand."""
        outside = {
            place: element
            for place, element in self.elements.items()
            if not any(place[: len(root)] == root for root in roots)
        }
        self.elements = outside | drawn

    def _forget_what_is_gone(self) -> None:
        """A browser sends no values of widgets that have left the page."""
        kinds = [(each, each.WhichOneof("type")) for each in self.elements.values()]
        stay = {getattr(getattr(element, kind), "id", "") for element, kind in kinds if kind}
        for widgets in (self.sliders, self.switches, self.uploaders):
            for key in [key for key, widget in widgets.items() if widget.id not in stay]:
                del widgets[key]
        self.values = {name: value for name, value in self.values.items() if name in stay}

    def _take(self, element, fragment: str) -> list[str]:
        """Remember a widget; return what is an error."""
        kind = element.WhichOneof("type")
        if kind == "slider":
            made = element.slider
            widget = Widget(made.id, fragment, made.min, made.max, made.step)
            self.sliders[widget.key] = widget
            state = WidgetState(id=made.id)
            state.double_array_value.data.extend(made.value if made.set_value else made.default)
            if made.set_value or made.id not in self.values:
                self.values[made.id] = state
        elif kind == "checkbox":
            widget = Widget(element.checkbox.id, fragment)
            self.switches[widget.key] = widget
        elif kind == "file_uploader":
            widget = Widget(element.file_uploader.id, fragment)
            self.uploaders[widget.key] = widget
        elif kind == "exception":
            return [element.exception.message]
        elif kind == "alert" and element.alert.format == element.alert.ERROR:
            return [element.alert.body]
        return []
