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

    def page(self) -> StreamlitPage:
        """The page as Streamlit navigates to it; the first one is the door."""
        return st.Page(HERE / self.file, title=self.title, icon=self.icon, default=self is PAGES[0])


def page_of(stem: str) -> StreamlitPage:
    """The page whose file is `stem`.py."""
    return next(each for each in PAGES if each.file == f"{stem}.py").page()


PAGES = (
    Page("overview.py", "Overview", ":material/account_tree:"),
    Page("anchors.py", "Anchors", ":material/grid_on:"),
    Page("scores.py", "Scores", ":material/bar_chart:"),
    Page("proposals.py", "Proposals", ":material/filter_alt:"),
    Page("recall.py", "Recall", ":material/target:"),
    Page("about.py", "About", ":material/info:"),
)
