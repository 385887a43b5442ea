"""The benchmarks' own helpers; the benchmarks themselves are no tests."""

import json
from dataclasses import asdict
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from explorer.core.nms import nms
from tests.benchmarks import device, report, rival
from tests.benchmarks.chain import STAGES, Run
from tests.benchmarks.chart import HEIGHT, WIDTH, draw
from tests.benchmarks.class_of_thirty import raised
from tests.benchmarks.clock import medians
from tests.benchmarks.inputs import KINDS, boxes_of, random_output
from tests.benchmarks.table import Plot, Table

LINES = {"ours": [(1000, 0.5), (12000, 20.0)], "theirs & others": [(1000, 2.0), (12000, 300.0)]}
PLOT = Plot("speed", "NMS <fast>", "boxes", "ms", LINES, log_x=True, log_y=True)
TABLE = Table("Speed", "How.", ("what", "ms"), [("a", 0.012345), ("b", 1234.5)], (PLOT,))
SVG = "{http://www.w3.org/2000/svg}"


def test_a_table_is_markdown_of_three_digits():
    lines = report.markdown(TABLE).splitlines()
    assert lines == [
        "## Speed",
        "",
        "How.",
        "",
        "| what | ms |",
        "| --- | --- |",
        "| a | 0.0123 |",
        "| b | 1,234 |",
    ]
    assert "![NMS <fast>](charts/speed.svg)" in report.markdown(TABLE, "charts")


def test_a_table_without_rows_is_its_sentence():
    assert report.markdown(Table("GPU", "None here.", (), [])) == "## GPU\n\nNone here.\n"


@pytest.mark.parametrize("log", [True, False])
def test_a_chart_has_every_point_inside_its_frame_and_each_line_named(log):
    plot = Plot("p", "T", "boxes", "ms", LINES, log_x=log, log_y=log)
    root = ElementTree.fromstring(draw(plot))
    circles = root.findall(f"{SVG}circle")
    assert len(circles) == 4
    x, y = ([float(circle.get(name)) for circle in circles] for name in ("cx", "cy"))
    assert 0 < min(x) < max(x) < WIDTH
    assert 0 < min(y) < max(y) < HEIGHT
    assert x[0] == x[2] < x[1] == x[3]
    assert y[3] < y[1] < y[2] < y[0]  # larger is higher
    texts = [text.text for text in root.findall(f"{SVG}text")]
    assert {"T", "boxes", "ms", "ours", "theirs & others"} <= set(texts)
    assert ("1,000" in texts) == log


@pytest.mark.parametrize("largest", [0.3, 1.0, 7.9, 8.4, 9.99, 84.2, 1234.0])
def test_every_largest_value_has_round_ticks(largest):
    plot = Plot("p", "T", "boxes", "ms", {"ours": [(1.0, largest / 2), (2.0, largest)]})
    texts = ElementTree.fromstring(draw(plot)).findall(f"{SVG}text")
    assert 8 <= len(texts) <= 24


def test_the_page_names_the_machine_and_old_charts_go(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "old.svg").write_text("")
    page = report.write([TABLE], tmp_path).read_text()
    assert f"torch {torch.__version__}" in page
    assert "](benchmarks/speed.svg)" in page
    assert [each.name for each in (tmp_path / "benchmarks").iterdir()] == ["speed.svg"]


def test_tables_survive_the_way_from_the_second_environment():
    assert rival._table(json.loads(json.dumps([asdict(TABLE)]))[0]) == Table(
        **vars(TABLE) | {"plots": (Plot(**vars(PLOT) | {"series": as_lists(LINES)}),)}
    )


def as_lists(series):
    return {name: [list(point) for point in line] for name, line in series.items()}


def test_the_yardstick_keeps_what_nms_keeps():
    for make in KINDS:
        boxes, scores, _ = boxes_of(make, 300)
        kept = rival.sweep_nms(boxes.numpy(), scores.numpy(), 0.5)
        assert kept.tolist() == nms(boxes, scores, 0.5).tolist()


def test_calls_take_turns_and_the_first_two_do_not_count():
    order = []
    calls = {name: lambda name=name: order.append(name) for name in "ab"}
    assert set(medians(3, calls)) == {"a", "b"}
    assert len(order) == 10
    assert all(set(order[turn : turn + 2]) == {"a", "b"} for turn in range(0, 10, 2))


def test_a_run_of_the_chain_makes_all_below_the_head_anew():
    settings = device.settings_of("torchvision", "cpu", 128)
    grid = Run(settings, random_output(1)).grid()
    chain = Run(settings, random_output(grid.starts[-1]))
    first, second = chain(), chain()
    assert first is not second
    assert torch.equal(first.boxes, second.boxes)
    assert set(chain.stages()) == set(STAGES)
    theirs = rival.Chain(grid)
    flat = theirs.flat(chain.head.logits, chain.head.deltas)
    assert len(flat) == min(1000, first.survivors)
    order = np.lexsort(flat.numpy().T), np.lexsort(first.boxes.numpy().T)
    assert np.allclose(flat.numpy()[order[0]], first.boxes.numpy()[order[1]], atol=1e-2)


def test_the_chain_of_the_gpu_benchmark_runs_stage_by_stage():
    settings = device.settings_of("torchvision", "cpu", 128)
    device.watch(settings)
    times = device.stage_times(settings, repeats=1)
    assert list(times) == [*device.STAGES, "whole"]
    assert times["whole"] == pytest.approx(sum(times.values()) - times["whole"], rel=0.01)


def test_where_there_is_no_gpu_one_sentence_says_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (table,) = device.measure()
    assert table.rows == []
    assert "no CUDA device" in table.note


def test_a_servers_log_tells_what_was_raised_and_where():
    log = """Traceback (most recent call last):
  File "/somewhere/pages/scores.py", line 50, in _histogram
    made = histogram(scores)
  File "/somewhere/figures/theme.py", line 76, in figure
    return Figure()
           ^^^^^^^^
AttributeError: no Series
a line of another kind
"""
    assert raised(log) == ["theme.py:76: AttributeError: no Series"]
