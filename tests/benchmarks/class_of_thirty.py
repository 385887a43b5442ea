"""Thirty students on one server: `python -m tests.benchmarks.class_of_thirty [--seconds 120]`.

Each is a real session over a WebSocket (`student.py`) that moves a slider every second. Page,
slider and value are drawn at random, half of the sliders sizes, ratios or strides.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from tests.benchmarks.student import Student, Widget
from tests.benchmarks.table import Table

ROOT = Path(__file__).parents[2]
STUDENTS, UPLOADERS, SECONDS = 30, 5, 120
PAGES = ("anchors", "scores", "decoding", "proposals", "recall", "matching", "nms", "atlas")
SOURCES = ("learned", "noise", "planted")  # drawn for each student, noise and planted with a seed
RUNS_THE_NETWORK = ("image.side", "planted.noise", "planted.regression", "scene.")
LEAST_STRIDE = 4  # smaller ones pass the limit on cells, and are refused in words


class Room:
    """What happened in the class."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.kinds: Counter[str] = Counter()
        self.errors: list[str] = []
        self.refused = 0  # values that are impossible together: a sentence on the page
        self.rss: dict[str, float] = {}
        self.late = 0

    def hear(self, sentences: list[str]) -> None:
        """Tell a refusal in words, such as match.low over match.high, from an error."""
        refusals = [sentence for sentence in sentences if " must " in sentence]
        self.refused += len(refusals)
        self.errors += [sentence for sentence in sentences if sentence not in refusals]


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, int]]:
    """Port and process of the door to a class's servers, on two cores."""
    port = 18_501
    command = [sys.executable, "-m", "tests.benchmarks.class_server", str(port), str(folder)]
    if shutil.which("taskset"):
        command = ["taskset", "-c", "0,1", *command]
    log = folder / "log"
    with log.open("w") as heard:
        process = subprocess.Popen(command, cwd=ROOT, stdout=heard, stderr=heard)
    try:
        for _ in range(240):
            try:
                enter(port)
                break
            except OSError:
                time.sleep(0.25)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(10)
        for line, count in Counter(raised(log.read_text())).most_common(5):
            print(f"  {count} x {line}")


def raised(log: str) -> list[str]:
    """The last line of each traceback in a server's log, and where it came from."""
    found, where = [], ""
    for line in log.splitlines():
        if place := re.search(r'File "[^"]*?([^/"]+)", line (\d+)', line):
            where = ":".join(place.groups())
        elif where and re.match(r"\w+(Error|Exception|Warning|Iteration): ", line):
            found.append(f"{where}: {line}")
            where = ""
    return found


def enter(port: int) -> int:
    """Knock at the door; the port of the server that it leads to."""
    visitor = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    visitor.request("GET", "/")
    answer = visitor.getresponse()
    visitor.close()
    return urlsplit(answer.headers["location"]).port


def rss(pid: int) -> float:
    """Memory of a process and its children, MB; NaN where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return float("nan")
    own = sum(int(line.split()[1]) / 1024 for line in text.splitlines() if "VmRSS" in line)
    return own + sum(rss(int(child)) for child in children)


def draw(student: Student, chance: random.Random, shapes: bool) -> Widget | None:
    """A slider of the page: of sizes, ratios and strides, or one of the others."""
    fitting = [
        slider
        for key, slider in student.sliders.items()
        if key.startswith(("size", "stride", "ratio")) == shapes
        and not key.startswith(RUNS_THE_NETWORK)
        and slider.high > slider.low
    ]
    return chance.choice(fitting) if fitting else None


def value_of(slider: Widget, chance: random.Random) -> float:
    low = max(slider.low, LEAST_STRIDE) if slider.key.startswith("stride") else slider.low
    steps = int((slider.high - low) / slider.step)
    return round(low + chance.randint(0, steps) * slider.step, 6)


async def attend(number: int, port: int, room: Room, begin: float, end: float, photo: bytes | None):
    """One student's lesson."""
    chance = random.Random(number)
    query = {"scores.source": SOURCES[number % 3], "scores.seed": str(number)}
    try:
        async with Student(await asyncio.to_thread(enter, port)) as student:
            await student.enter(chance.choice(PAGES), **query)
            await asyncio.sleep(max(0.0, begin + number / STUDENTS - time.perf_counter()))
            turn = 0
            while (now := time.perf_counter()) < end:
                await one_move(student, chance, room, photo if turn % 20 == 10 else None)
                turn += 1
                room.late += time.perf_counter() > now + 1
                await asyncio.sleep(max(0.0, now + 1 - time.perf_counter()))
    except Exception as error:
        room.errors.append(f"{type(error).__name__}: {error}")


async def one_move(student: Student, chance: random.Random, room: Room, photo: bytes | None):
    """Upload, or move a slider, on this page or on one that has such a slider."""
    if photo is not None and "upload" in student.uploaders:
        run = await student.upload(student.uploaders["upload"], "photo.jpg", photo)
        room.kinds["upload"] += 1
        room.hear(run.errors)
        return
    shapes = chance.random() < 0.5
    if chance.random() < 0.1 or draw(student, chance, shapes) is None:
        page = chance.choice(("anchors", "atlas") if shapes else PAGES)
        room.hear((await student.go(page)).errors)
        room.kinds["page"] += 1
    slider = draw(student, chance, shapes)
    if slider is None:
        return
    run = await student.move(slider, value_of(slider, chance))
    room.seconds.append(run.seconds)
    room.kinds["shape" if shapes else "other"] += 1
    room.hear(run.errors)


async def lesson(port: int, pid: int, seconds: float, photos: list[bytes | None]) -> Room:
    """All students at once, from when the last one has entered."""
    room, start = Room(), time.perf_counter()
    begin = start + 45  # entering runs the network for each seed: not part of the lesson
    end = begin + seconds
    students = [attend(n, port, room, begin, end, photos[n]) for n in range(STUDENTS)]

    async def watch() -> None:
        await asyncio.sleep(max(0.0, begin + seconds / 2 - time.perf_counter()))
        room.rss["half"] = rss(pid)
        await asyncio.sleep(max(0.0, end - time.perf_counter()))
        room.rss["end"] = rss(pid)

    await asyncio.gather(watch(), *students)
    return room


def row(name: str, seconds: float, photos: list[bytes | None]) -> tuple[object, ...]:
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (port, pid):
        used, start = time.process_time(), time.perf_counter()
        room = asyncio.run(lesson(port, pid, seconds, photos))
        share = (time.process_time() - used) / (time.perf_counter() - start)
        tallies = [json.loads(file.read_text()) for file in Path(folder).glob("tally *")]
    times = np.array(room.seconds) * 1000
    p50, p95, most = np.percentile(times, [50, 95, 100]) if len(times) else [float("nan")] * 3
    for error, count in Counter(room.errors).most_common(5):
        print(f"  {count} x {error}")
    found, computed = (sum(tally[kind] for tally in tallies) for kind in ("found", "computed"))
    hits = found / max(1, found + computed)
    return (
        *(name, len(times), f"{room.kinds['shape'] / max(1, len(times)):.0%}"),
        *(room.kinds["page"], room.kinds["upload"], float(p50), float(p95), float(most)),
        *(room.late, room.refused, len(room.errors), f"{hits:.0%}"),
        *(float(room.rss["half"]), float(room.rss["end"]), f"{share:.0%}"),
    )


def photos(uploaders: int) -> list[bytes | None]:
    """A photo for each of the first students; the others bring none."""
    files = sorted((ROOT / "assets").rglob("*.jpg"))[:uploaders]
    return [file.read_bytes() for file in files] + [None] * (STUDENTS - len(files))


def measure(seconds: float = SECONDS) -> list[Table]:
    """Two lessons: one of sliders alone, one in which five students upload photos."""
    rows = [
        row("30 students", seconds, photos(0)),
        row(f"{UPLOADERS} of them upload photos", seconds, photos(UPLOADERS)),
    ]
    note = (
        f"{STUDENTS} sessions over WebSockets, one move a second each for {seconds:g} s, against "
        f"what `make class` starts on 2 of {os.cpu_count()} cores, a server a core behind one "
        "door; the driver runs beside it (its share of a "
        "core is the last column). From the asking to the end of the script with all figures "
        "received. A third of the students have learned scores, a third noise and a third planted "
        "ones, each of a seed of their own, at 800 px; they enter before the time starts. Sliders "
        "that run the network again are left out, strides start at 4. A move is late when the next "
        "one was due. Memory of all servers at half time and at the end."
    )
    header = (
        *("class", "moves", "of them shapes", "page changes", "uploads", "p50 ms", "p95 ms"),
        *("max ms", "late", "refused", "errors", "memo hits", "MB at half", "MB at end", "driver"),
    )
    return [Table("A class of thirty", note, header, rows)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    (table,) = measure(parser.parse_args().seconds)
    print(table.header, *table.rows, sep="\n")
