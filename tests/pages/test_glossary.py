import ast
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from explorer import pages
from explorer.figures.glossary import HEIGHT, WIDTH, drawing, terms
from explorer.pages import PAGES
from tests.pages.test_pages import open_page


def told():
    """Name and page of every term, read from the page's source: to import it would run it."""
    tree = ast.parse(Path(pages.__file__).with_name("glossary.py").read_text())
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "Term"]
    return [(call.args[0].value, call.args[2].value) for call in calls]


def test_every_term_has_a_drawing_and_every_drawing_a_term():
    assert [name for name, _ in told()] == list(terms())


def test_every_term_leads_to_a_page():
    assert {page for _, page in told()} <= {page.file.removesuffix(".py") for page in PAGES}


@pytest.mark.parametrize("term", terms())
def test_every_drawing_is_svg_inside_its_frame(term):
    root = ElementTree.fromstring(f"<svg>{drawing(term)}</svg>")
    assert len(root) > 0
    for node in root.iter("rect"):
        x, y, width, height = (float(node.get(side)) for side in ("x", "y", "width", "height"))
        assert width > 0
        assert height > 0
        assert -HEIGHT < y < HEIGHT
        assert x < WIDTH


def test_the_drawn_iou_is_the_core_s():
    (number,) = re.findall(r"IoU (0\.\d\d)", drawing("IoU"))
    overlap, union = 35 * 40, 60 * 50 + 70 * 50 - 35 * 40
    assert float(number) == pytest.approx(overlap / union, abs=0.005)


def test_a_term_is_found_by_its_words():
    app = open_page("glossary.py")
    assert not app.exception
    everything = len(app.get("page_link"))
    assert everything == len(terms())
    app.text_input(key="term").set_value("low-quality").run()
    assert len(app.get("page_link")) == 1
    app.text_input(key="term").set_value("zzz").run()
    assert "No term" in app.info[0].value
