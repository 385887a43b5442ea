"""Where others reach this server: its address in the local network, links and QR codes."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlencode, urlsplit, urlunsplit

import segno

# What `make class` tells its servers, by environment variables.
DOOR = "RPN_EXPLORER_DOOR"  # the port that links lead to
SERVERS = "RPN_EXPLORER_SERVERS"  # how many share the machine

LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")
ELSEWHERE = ("192.0.2.1", 9)  # an address for documentation (RFC 5737): nothing is sent there


def lan_address() -> str | None:
    """This machine's IPv4 address in its network; None where it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)  # picks the interface, sends nothing
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if address.startswith("127.") else address


def by_door(url: str) -> str:
    """A page's address by the port that all enter by, where this server is one of several."""
    door, parts = os.environ.get(DOOR), urlsplit(url)
    if door is None:
        return url
    name = parts.netloc.removesuffix(f":{parts.port}")
    return urlunsplit(parts._replace(netloc=f"{name}:{door}"))


def view_link(url: str, query: dict[str, str], lan: str | None) -> str:
    """A link to a view that another device can open.

    Args:
        url: of the page, as the browser has it.
        query: the view's parameters.
        lan: stands in for a loopback name, which means another machine on every device; None
            leaves it.
    """
    parts = urlsplit(url)
    host = parts.netloc
    if lan is not None and parts.hostname in LOOPBACK:
        host = f"{lan}:{parts.port}" if parts.port else lan
    return urlunsplit((parts.scheme, host, parts.path, urlencode(query, safe="~"), ""))


def is_local(link: str) -> bool:
    """Whether a link leads to the device that opens it."""
    return urlsplit(link).hostname in LOOPBACK


def qr_image(link: str) -> str:
    """A QR code of a link, black on white, as a data URI of SVG.

    Raises:
        ValueError: if the link has more than the 2,953 bytes that a QR code holds.
    """
    return _code(link).svg_data_uri(scale=4, border=4, light="#ffffff")


def qr_text(link: str) -> str:
    """A QR code of a link for a terminal, two rows of the code a line.

    Raises:
        ValueError: if the link has more than the 2,953 bytes that a QR code holds.
    """
    rows = [list(row) for row in _code(link).matrix_iter(border=3)]
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    blocks = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}  # light is drawn
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return "\n".join("".join(blocks[pair] for pair in zip(*two, strict=True)) for two in pairs)


def _code(link: str) -> segno.QRCode:
    try:
        return segno.make_qr(link, error="l", boost_error=False)
    except segno.DataOverflowError:
        raise ValueError(
            f"a link must have at most 2,953 bytes for a QR code, got {len(link.encode()):,}"
        ) from None
