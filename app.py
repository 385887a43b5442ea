"""The door: `streamlit run app.py` serves the pages, the assets and Plotly's own script."""

from pathlib import Path

import streamlit as st
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from streamlit.runtime.pages_manager import PagesManager

from explorer.live import pictures, plot

HERE = Path(__file__).parent

# Streamlit takes a folder named "pages" beside main.py for its older kind of navigation, until the
# first st.navigation call: a link into a page, opened first after the start, would fail.
PagesManager.uses_pages_directory = False

app = st.App(
    HERE / "explorer" / "main.py",
    routes=[
        Mount("/assets", StaticFiles(directory=HERE / "assets")),
        Mount("/vendor", StaticFiles(directory=plot.PLOTLY_FOLDER)),
        Route(pictures.ROUTE, pictures.serve),
    ],
)
