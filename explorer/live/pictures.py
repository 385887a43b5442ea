"""The network's input as a file that browsers fetch once: figures name it by URL.

A photo inside each figure would send it again at every move of a slider.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Hashable

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from explorer.core.images import Picture
from explorer.core.memo import Memo

ROUTE = "/input/{token}.jpg"
_files = Memo(max_bytes=64_000_000)


def publish(picture: Picture, recipe: Hashable) -> str:
    """The URL of a picture's pixels.

    Args:
        picture: the network's input.
        recipe: what made it. It holds an upload's sha256, so nobody can guess another's URL.
    """
    token = hashlib.sha256(repr(recipe).encode()).hexdigest()
    _files.get(token, lambda: _jpeg(picture))
    return ROUTE.format(token=token)


async def serve(request: Request) -> Response:
    """Answer a browser's request for a published picture."""
    entry = _files.peek(request.path_params["token"])
    if entry is None:
        return Response("This picture is no longer here: reload the page.", status_code=404)
    forever = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(entry.value, media_type="image/jpeg", headers=forever)


def _jpeg(picture: Picture) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture.pixels).save(file, "JPEG", quality=90)
    return file.getvalue()
