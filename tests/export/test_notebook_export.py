import json
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch

from explorer.core.memo import Memo
from explorer.core.pipeline import run
from explorer.core.samples import sample_bytes
from explorer.editing import changed
from explorer.export.notebook import to_notebook
from explorer.settings import Settings


@pytest.fixture
def shown(monkeypatch):
    """What the notebook's cells display."""
    pictures = []
    ipython = ModuleType("IPython.display")
    ipython.display = pictures.append
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=ipython))
    monkeypatch.setitem(sys.modules, "IPython.display", ipython)
    return pictures


def run_cells(made):
    document = json.loads(made.text)
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in document["cells"]}) == len(document["cells"])
    names = {}
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    return names


@pytest.mark.parametrize("source", ["noise", "planted", "learned"])
def test_the_notebook_computes_the_view_s_proposals(source, shown, capsys):
    view = changed(
        Settings(),
        {"image.side": 256, "scores.source": source, "nms.iou_threshold": 0.45, "view.top_k": 5},
    )
    names = run_cells(to_notebook(view))
    expected = run("proposals", view, Memo(10**9), trained=names["trained"])
    assert torch.equal(names["proposals"].boxes, expected.boxes)
    assert f"{len(expected.boxes):,}  proposals" in capsys.readouterr().out
    assert [picture.size for picture in shown] == [(256, 256)]


def test_an_uploaded_picture_is_asked_for_by_name(shown, tmp_path, monkeypatch):
    name = "upload:" + "a" * 64
    view = changed(Settings(), {"image.picture": name, "image.side": 256, "scores.source": "noise"})
    made = to_notebook(view)
    assert made.notes
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_file").write_bytes(sample_bytes("astronaut"))
    assert len(run_cells(made)["proposals"].boxes) > 0


def test_settings_survive_the_notebook(shown):
    view = changed(
        Settings(), {"image.side": 128, "scores.source": "noise", "decoding.target": (1, 2, 3, 4)}
    )
    assert run_cells(to_notebook(view))["settings"] == view
