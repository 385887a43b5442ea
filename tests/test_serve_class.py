import asyncio
import socket
import subprocess
import sys
import time
from collections import Counter
from urllib.parse import unquote, urlsplit

import pytest

from explorer import serve_class
from explorer.address import DOOR, SERVERS

PORTS = [8502, 8503, 8504]


def ask(door, url):
    """Status and location that the door answers with."""
    place, said = urlsplit(url), []

    async def send(message):
        said.append(message)

    scope = {"type": "http", "method": "GET", "scheme": place.scheme, "root_path": ""}
    scope |= {"path": unquote(place.path), "query_string": place.query.encode()}
    scope |= {"headers": [(b"host", place.netloc.encode())]}
    asyncio.run(door(scope, None, send))
    return said[0]["status"], dict(said[0]["headers"])[b"location"].decode()


def test_visitors_are_sent_to_each_server_in_turn():
    door = serve_class.door(PORTS)
    places = Counter(ask(door, "http://10.0.0.7:8501/")[1] for _ in range(30))
    assert places == {f"http://10.0.0.7:{port}/": 10 for port in PORTS}


@pytest.mark.parametrize("host", ["10.0.0.7", "teacher.local", "[fe80::1]"])
def test_a_visitor_keeps_the_page_and_the_view(host):
    asked = "/nms?v=1&anchors.strides=4~8~16&lesson.title=Why%20159%2C882%3F"
    answer = ask(serve_class.door(PORTS), f"http://{host}:8501{asked}")
    assert answer == (307, f"http://{host}:8502{asked}")


SERVER = """
import http.server, os, sys
told = dict(zip(sys.argv[1::2], sys.argv[2::2]))
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_): pass
with open(f"{sys.path[0]}/told", "a") as file:
    print(os.environ[DOOR], os.environ[SERVERS], told["--server.address"], file=file)
http.server.HTTPServer(("127.0.0.1", int(told["--server.port"])), Answer).serve_forever()
"""


def free_ports(count):
    """The first of some ports in a row that are free."""
    for first in range(20_000, 60_000, 17):
        held = []
        try:
            for port in range(first, first + count):
                held.append(socket.create_server(("127.0.0.1", port)))
        except OSError:
            continue
        finally:
            for each in held:
                each.close()
        return first
    raise RuntimeError("no free ports")


def test_a_server_for_each_core_knows_the_door_and_ends_with_it(monkeypatch, tmp_path, capsys):
    fake = tmp_path / "server.py"
    fake.write_text(f"DOOR, SERVERS = {DOOR!r}, {SERVERS!r}\n{SERVER}")
    monkeypatch.setattr(serve_class, "cores", lambda: 2)
    kept, port = [], free_ports(3)
    monkeypatch.setattr(serve_class.uvicorn, "run", lambda app, **told: kept.append(told))
    serve_class.main(port, (str(fake),))
    assert [(told["host"], told["port"]) for told in kept] == [("0.0.0.0", port)]
    assert (tmp_path / "told").read_text().splitlines() == [f"{port} 2 0.0.0.0"] * 2
    assert f":{port}" in capsys.readouterr().out
    for each in (port + 1, port + 2):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", each), timeout=1)


def test_ended_from_outside_it_takes_its_servers_along(tmp_path):
    fake, port = tmp_path / "server.py", free_ports(3)
    fake.write_text(f"DOOR, SERVERS = {DOOR!r}, {SERVERS!r}\n{SERVER}")
    code = f"from explorer import serve_class as s; s.main({port}, ({str(fake)!r},))"
    door = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        while "open http://" not in (line := door.stdout.readline().decode()):
            assert line or door.poll() is None
            if "no network" in line:
                break
        answer = wait_for(port)
        assert answer.startswith("HTTP/1.1 307")
    finally:
        door.terminate()
        door.communicate(timeout=60)
    for each in (port, port + 1):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", each), timeout=1)


def test_a_server_that_dies_is_started_again(monkeypatch, tmp_path, capsys):
    fake, port = tmp_path / "server.py", free_ports(2)
    fake.write_text(f"DOOR, SERVERS = {DOOR!r}, {SERVERS!r}\n{SERVER}")
    monkeypatch.setattr(serve_class, "cores", lambda: 1)
    started, popen = [], subprocess.Popen
    monkeypatch.setattr(
        serve_class.subprocess,
        "Popen",
        lambda *a, **k: started.append(popen(*a, **k)) or started[-1],
    )

    def kill_one(*_, **__):
        started[0].kill()
        started[0].wait()
        assert wait_for(port + 1).startswith("HTTP/1.0 200")

    monkeypatch.setattr(serve_class.uvicorn, "run", kill_one)
    serve_class.main(port, (str(fake),))
    assert f"The server on port {port + 1} has ended" in capsys.readouterr().out
    assert len(started) == 2
    assert started[1].poll() is not None  # and ends with the door


def wait_for(port):
    """What a server says, once it listens."""
    for _ in range(600):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as visitor:
                visitor.sendall(b"GET / HTTP/1.1\r\nHost: a:1\r\n\r\n")
                return visitor.recv(1000).decode()
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("nobody listens")


def test_a_server_that_cannot_start_ends_all_in_words(monkeypatch):
    monkeypatch.setattr(serve_class, "cores", lambda: 1)
    with pytest.raises(SystemExit, match="did not start"):
        serve_class.main(free_ports(2), ("-c", "raise SystemExit(1)"))


def test_a_port_that_is_taken_is_named_before_anything_starts(monkeypatch):
    monkeypatch.setattr(serve_class, "cores", lambda: 2)
    monkeypatch.setattr(serve_class.subprocess, "Popen", None)
    first = free_ports(3)
    with socket.create_server(("127.0.0.1", first + 2)):
        said = f"Port {first + 2} is taken, and a class needs {first} to {first + 2}"
        with pytest.raises(SystemExit, match=said):
            serve_class.main(first)


def test_many_cores_get_a_few_servers(monkeypatch):
    monkeypatch.setattr(serve_class, "cores", lambda: 64)
    started = []

    class Process:
        def __init__(self, command, env, stdout):
            started.append(env[SERVERS])

        def poll(self):
            return 0

        def terminate(self):
            pass

        wait = terminate

    monkeypatch.setattr(serve_class.subprocess, "Popen", Process)
    with pytest.raises(SystemExit):
        serve_class.main(free_ports(1 + serve_class.MOST))
    assert started == [str(serve_class.MOST)] * serve_class.MOST
