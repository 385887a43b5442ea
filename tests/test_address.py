import socket

import pytest
import segno

from explorer import address, serve_class


def test_a_loopback_link_becomes_one_that_a_phone_can_open():
    link = address.view_link("http://localhost:8501/nms", {"v": "1", "a": "8~16"}, "10.0.0.7")
    assert link == "http://10.0.0.7:8501/nms?v=1&a=8~16"
    assert not address.is_local(link)


@pytest.mark.parametrize("url", ["http://rpn.example/nms", "http://10.0.0.9:80/nms"])
def test_a_link_that_others_can_open_stays(url):
    assert address.view_link(url, {}, "10.0.0.7") == url


def test_without_a_network_the_link_stays_local():
    link = address.view_link("http://127.0.0.1:8501/", {}, None)
    assert link == "http://127.0.0.1:8501/"
    assert address.is_local(link)


def test_a_machine_without_network_is_told(monkeypatch, capsys):
    class Cut(socket.socket):
        def connect(self, where):
            raise OSError("Network is unreachable")

    monkeypatch.setattr(address.socket, "socket", Cut)
    assert address.lan_address() is None
    serve_class._tell(8501)
    assert "no network" in capsys.readouterr().out


def test_the_address_is_printed_with_its_code(monkeypatch, capsys):
    monkeypatch.setattr(serve_class, "lan_address", lambda: "10.0.0.7")
    serve_class._tell(9000)
    out = capsys.readouterr().out
    assert "http://10.0.0.7:9000" in out
    assert address.qr_text("http://10.0.0.7:9000") in out


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("http://localhost:8502/nms?v=1", "http://localhost:8501/nms?v=1"),
        ("http://10.0.0.7:8503/", "http://10.0.0.7:8501/"),
        ("http://[fe80::1]:8502/", "http://[fe80::1]:8501/"),
    ],
)
def test_one_of_several_servers_gives_the_link_of_their_door(monkeypatch, url, link):
    assert address.by_door(url) == url  # alone, it is its own
    monkeypatch.setenv(address.DOOR, "8501")
    assert address.by_door(url) == link


def test_the_terminal_s_code_is_the_code_s_own_modules():
    link = "http://10.0.0.7:8501/proposals?v=1&nms.iou_threshold=0.5"
    expected = [
        list(r) for r in segno.make_qr(link, error="l", boost_error=False).matrix_iter(border=3)
    ]
    halves = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}
    read = []
    for line in address.qr_text(link).split("\n"):
        top, bottom = zip(*(halves[block] for block in line), strict=True)
        read += [list(top), list(bottom)]
    assert read[: len(expected)] == expected


def test_a_link_too_long_for_a_code_is_refused_in_words():
    with pytest.raises(ValueError, match="at most 2,953 bytes for a QR code, got 3,000"):
        address.qr_image("x" * 3000)
    assert address.qr_image("x" * 2953).startswith("data:image/svg+xml")
