"""The scripts of live components: joined from their files, and fetched once by each browser.

A component's module cannot import another one in the browser, so sources are joined here. And
Streamlit sends a component's whole script with every change of its data, so what it is given is a
loader alone, which fetches the script by its URL.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

HERE = Path(__file__).parent
ROUTE = "/live/{token}.js"
_sources: dict[str, str] = {}


def joined(ending: str, *names: str) -> str:
    """Some files of this folder as one text."""
    return "\n".join((HERE / f"{name}.{ending}").read_text(encoding="utf-8") for name in names)


def fetched(source: str) -> str:
    """The loader of a component's script, which `serve` answers."""
    token = hashlib.sha256(source.encode()).hexdigest()
    _sources[token] = source
    return joined("js", "loader").replace("{url}", ROUTE.format(token=token))


async def serve(request: Request) -> Response:
    """Answer a browser's request for a component's script."""
    source = _sources.get(request.path_params["token"])
    if source is None:
        return Response("This script is no longer here: reload the page.", status_code=404)
    forever = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(source, media_type="text/javascript", headers=forever)
