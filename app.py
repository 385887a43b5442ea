"""The door: `streamlit run app.py` serves the pages, the assets and Plotly's own script."""

import os
from pathlib import Path

# A thread of the network that waits for the other one sleeps soon: a core spun on is one that the
# scripts lack. Read as torch is imported; 1,000 rounds cost the pass nothing on a quiet machine.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# Large tensors lie in large pages: a pass of the network takes a tenth less.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from explorer.live import ahead, pictures, plot, scripts

HERE = Path(__file__).parent

app = st.App(
    HERE / "explorer" / "pages" / "main.py",
    routes=[
        Mount("/assets", StaticFiles(directory=HERE / "assets")),
        Mount("/vendor", StaticFiles(directory=plot.PLOTLY_FOLDER)),
        Route(pictures.ROUTE, pictures.serve),
        Route(scripts.ROUTE, scripts.serve),
        Route(ahead.ROUTE, ahead.serve, methods=["POST"]),
        Route(ahead.TAKEN_ROUTE, ahead.serve_taken, methods=["POST"]),
    ],
    middleware=[Middleware(ahead.FiguresFirst)],
)
