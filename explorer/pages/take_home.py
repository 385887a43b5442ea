"""Take it home: settings in other libraries' words, proposals as tables, and the way back."""

from collections.abc import Sequence

import streamlit as st

from explorer import share
from explorer.export import LIBRARIES
from explorer.export.export import Export
from explorer.export.lint import lint_call, lint_settings
from explorer.export.notebook import to_notebook
from explorer.export.tables import to_coco_results, to_csv
from explorer.pages import _link, _show, _state
from explorer.pages._demo import demo

LARGEST_FILE = 1_000_000  # bytes; the settings take some 6,000


@demo
def render() -> None:
    st.title("Take it home")
    st.markdown(
        "**Try this:** pick your library, copy its code into your project, and read what it "
        "cannot express. The file of settings brings this view back, here or on another server."
    )
    names = [*LIBRARIES, "Notebook", "Settings", "Proposals", "Check"]
    tabs = dict(zip(names, st.tabs(names), strict=True))
    settings = _state.current()
    for name, to_library in LIBRARIES.items():
        with tabs[name]:
            _export(to_library(settings))
    with tabs["Notebook"]:
        st.caption("Jupyter, in this project's folder: the same stages, the same proposals.")
        _download(to_notebook(settings), "Download the notebook")
    with tabs["Settings"]:
        _settings()
    with tabs["Proposals"]:
        _proposals()
    with tabs["Check"]:
        _check()


def _export(made: Export) -> None:
    code, notes = st.columns([3, 2], gap="medium")
    with code:
        _download(made, "Download")
        st.code(made.text, language="yaml" if made.file_name.endswith("yaml") else "python")
    with notes:
        st.markdown("**What differs there**" if made.notes else "**Nothing differs there.**")
        _bullets(made.notes)


def _download(made: Export, label: str) -> None:
    st.download_button(label, made.text, made.file_name, icon=":material/download:")
    if made.file_name.endswith("ipynb"):
        _bullets(made.notes)


def _bullets(sentences: Sequence[str]) -> None:
    if sentences:
        st.markdown("\n".join(f"- {_state.plain(sentence)}" for sentence in sentences))


def _settings() -> None:
    made = Export("rpn_explorer.json", share.to_json(_state.current()))
    _download(made, "Download these settings")
    st.file_uploader(
        "Open a file of settings",
        type=["json"],
        key="settings_file",
        on_change=_open_settings,
        help="A file that was downloaded here. What it does not name keeps its default.",
    )


def _open_settings() -> None:
    file = st.session_state["settings_file"]
    if file is None:
        return
    try:
        if file.size > LARGEST_FILE:
            raise ValueError(
                f"the settings file must have at most {LARGEST_FILE:,} bytes, got {file.size:,}"
            )
        _link.open_settings(share.from_json(file.getvalue().decode("utf-8")))
    except UnicodeDecodeError:
        _state.complain("The settings file must be text in UTF-8. What was there stays.")
    except ValueError as error:
        sentence = str(error)
        _state.complain(f"{sentence[0].upper()}{sentence[1:]}. What was there stays.")


def _proposals() -> None:
    proposals, grid = _show.compute("proposals"), _show.compute("grid")
    names = _state.current().anchors.level_names
    st.metric("Proposals", f"{len(proposals.boxes):,}")
    csv, coco = st.columns(2)
    with csv:
        _download(Export("proposals.csv", to_csv(proposals, grid, names)), "Download as CSV")
        st.caption("Corners in pixels of the network's input, with each box's anchor.")
    with coco:
        text = to_coco_results(proposals, _show.compute("image"))
        _download(Export("proposals.json", text), "Download as COCO results")
        st.caption("x, y, width, height in pixels of the photo; image 1, category 1.")
    _show.badge("proposals")


def _check() -> None:
    truth = _show.compute("truth")
    st.markdown("**These settings**, with this picture's objects")
    findings = lint_settings(_state.current(), truth.boxes.cpu().tolist())
    _bullets(findings or ["Nothing to complain of."])
    st.markdown("**Your own code:** it is read, never run.")
    call, levels, head = st.columns([6, 1, 1], vertical_alignment="bottom")
    text = call.text_input(
        "AnchorGenerator(...) of torchvision",
        placeholder="AnchorGenerator(sizes=((32, 64, 128),), aspect_ratios=((0.5, 1.0, 2.0),))",
        key="own_call",
        help="A call as your code writes it, with numbers in it: it is read, never run.",
    )
    maps = levels.number_input(
        "Feature maps", 1, 8, 5, key="own_levels", help="How many your backbone returns, 1 to 8."
    )
    heads = head.number_input(
        "Head's anchors", 1, 64, 3, key="own_head", help="Anchors a cell in RPNHead, 1 to 64."
    )
    if not text.strip():
        return
    try:
        _bullets(lint_call(text, maps, heads) or ["Sizes, ratios and head fit each other."])
    except ValueError as error:
        st.warning(_state.plain(f"{str(error)[0].upper()}{str(error)[1:]}."))


render()
