"""The pages, in the order of the chain. To add one: a file, and a row here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Page:
    """A row of the navigation."""

    file: str
    title: str
    icon: str
    section: str = ""  # a menu of the navigation; "" stands in the bar itself

    def page(self) -> StreamlitPage:
        """The page as Streamlit navigates to it; the first one is the door."""
        return st.Page(HERE / self.file, title=self.title, icon=self.icon, default=self is PAGES[0])


def page_of(stem: str) -> StreamlitPage:
    """The page whose file is `stem`.py."""
    return next(each for each in PAGES if each.file == f"{stem}.py").page()


def sections() -> dict[str, list[StreamlitPage]]:
    """The navigation: pages of the chain in the bar, the others in menus."""
    menus: dict[str, list[StreamlitPage]] = {}
    for each in PAGES:
        menus.setdefault(each.section, []).append(each.page())
    return menus


PAGES = (
    Page("overview.py", "Overview", ":material/account_tree:"),
    Page("anchors.py", "Anchors", ":material/grid_on:"),
    Page("scores.py", "Scores", ":material/bar_chart:"),
    Page("decoding.py", "Decoding", ":material/transform:", "Laboratory"),
    Page("proposals.py", "Proposals", ":material/filter_alt:"),
    Page("nms.py", "NMS", ":material/filter_list:", "Laboratory"),
    Page("funnel.py", "Funnel", ":material/waterfall_chart:", "Laboratory"),
    Page("recall.py", "Recall", ":material/target:"),
    Page("matching.py", "Matching", ":material/join_inner:", "Laboratory"),
    Page("atlas.py", "Blind spots", ":material/visibility_off:", "Laboratory"),
    Page("lessons.py", "Lessons", ":material/school:", "Classroom"),
    Page("lesson_builder.py", "Build a lesson", ":material/edit_note:", "Classroom"),
    Page("compare.py", "Compare", ":material/compare:", "Classroom"),
    Page("conventions.py", "Conventions", ":material/rule:", "Classroom"),
    Page("take_home.py", "Take it home", ":material/download:", "Classroom"),
    Page("glossary.py", "Glossary", ":material/dictionary:", "Classroom"),
    Page("about.py", "About", ":material/info:", "Classroom"),
)
