"""Trained networks as a server holds them: named at the start, refused in a sentence."""

from __future__ import annotations

import pickle

import pytest
import torch

from explorer.core.coco import load_coco
from explorer.core.learned import WEIGHTS, load_learned
from explorer.pages import _weights
from tests.core.test_coco import hollow_state
from tests.pages.test_pages import errors, open_page, settings, unfold


@pytest.fixture(autouse=True)
def _loaded_anew():
    _weights.held.cache_clear()
    yield
    _weights.held.cache_clear()


def warnings(app) -> list[str]:
    return [box.value for box in app.warning]


def test_without_the_variable_there_is_no_coco(monkeypatch):
    monkeypatch.delenv(_weights.COCO_VARIABLE, raising=False)
    app = open_page(**{"scores.source": "coco"})
    assert settings(app).scores.source == "random"
    assert any("no weights for the scores named coco" in sentence for sentence in errors(app))
    assert not app.exception


def test_a_coco_file_becomes_a_score_source(monkeypatch, tmp_path):
    path = tmp_path / "weights.pth"
    tiny = torch.tensor(0.01)
    torch.save({name: tiny.expand(value.shape) for name, value in hollow_state().items()}, path)
    monkeypatch.setenv(_weights.COCO_VARIABLE, str(path))
    app = open_page("proposals.py", **{"scores.source": "coco"})
    assert not any("COCO scores are off" in sentence for sentence in warnings(app))
    assert settings(app).scores.source == "coco"
    assert not app.exception


class Code:
    def __reduce__(self):
        return (print, ("this ran",))


@pytest.mark.parametrize("kind", ["cut off", "code", "wrong shape", "not there"])
def test_a_bad_coco_file_is_told_and_the_app_runs_on(monkeypatch, tmp_path, kind, capsys):
    path = tmp_path / "weights.pth"
    if kind == "cut off":
        torch.save({"a": torch.zeros(1000)}, path)
        path.write_bytes(path.read_bytes()[:500])
    elif kind == "code":
        path.write_bytes(pickle.dumps(Code()))
    elif kind == "wrong shape":
        torch.save({"backbone.body.conv1.weight": torch.zeros(1, 2, 3, 4)}, path)
    monkeypatch.setenv(_weights.COCO_VARIABLE, str(path))
    app = open_page("proposals.py")
    (sentence,) = warnings(app)
    assert sentence.startswith("COCO scores are off: ")
    if kind == "wrong shape":
        assert "backbone.body.conv1.weight must have shape (64, 3, 7, 7)" in sentence
    assert "this ran" not in capsys.readouterr().out
    assert "coco" not in app.selectbox(key="scores.source").options
    assert not app.exception
    with pytest.raises(ValueError, match=r"weights|shape"):
        load_coco(path)


def test_tampered_learned_weights_are_told_in_a_sentence_and_the_app_runs_on(monkeypatch, tmp_path):
    for file in WEIGHTS.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    broken = tmp_path / "learned.safetensors"
    broken.write_bytes(broken.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(_weights, "load_learned", lambda: load_learned(tmp_path))
    app = open_page("proposals.py", **{"scores.source": "learned"})
    assert any("must have the sha256 of its card" in sentence for sentence in warnings(app))
    assert settings(app).scores.source == "random"
    assert not app.exception


def test_learned_scores_refuse_another_number_of_anchors_a_cell_in_a_sentence():
    app = unfold(open_page("anchors.py", **{"scores.source": "learned"}), "as text")
    for box, text in zip(app.text_input, ("8 16", "32; 64", "1 2"), strict=True):
        box.set_value(text)
    app.button[-1].click().run()
    assert any("its head was trained with 3, got 2" in sentence for sentence in errors(app))
    assert settings(app).anchors.ratios == (0.5, 1, 2)
