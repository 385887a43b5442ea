"""Who may import whom: settings <- core <- figures <- pages <- app.py, read from the sources."""

import ast
import inspect
from pathlib import Path

import pytest

from explorer.core.pipeline import STAGES
from explorer.editing import field_of, paths
from explorer.settings import Settings

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "app.py", *sorted((ROOT / "explorer").rglob("*.py"))]

# A part of the house, and the parts it may import besides itself. A new part needs a row here.
SETTINGS = {"settings", "presets", "editing", "share"}
MAY_IMPORT = {
    "settings": set(),
    "presets": {"settings", "editing"},
    "editing": {"settings"},
    "share": {"settings", "editing", "presets"},
    "core": {"settings"},
    "figures": {"settings", "core"},
    "live": {"settings", "core"},
    "address": set(),
    "serve_class": {"address", "core"},
    "export": SETTINGS | {"core"},
    "lessons": SETTINGS | {"core"},
    "training": {"settings", "core"},
    "train_assets": {"settings", "core", "training"},
    "evaluate": {"settings", "core", "training"},
    "pages": SETTINGS | {"address", "core", "figures", "live", "export", "lessons"},
    "app": {"pages", "live"},
}
# Libraries that not every part may import, and the parts that may.
LIBRARIES = {
    "streamlit": {"pages", "live", "app"},
    "starlette": {"live", "app", "serve_class"},
    "plotly": {"live"},
}


def each_of(files):
    return pytest.mark.parametrize("path", files, ids=[str(p.relative_to(ROOT)) for p in files])


every_file = each_of(FILES)
every_file_of_core = each_of(sorted((ROOT / "explorer" / "core").rglob("*.py")))


def part_of(module):
    """`explorer.core.boxes` -> `core`; None for what is not ours."""
    first, *rest = module.split(".")
    if first == "app":
        return "app"
    return (rest[0] if rest else "explorer") if first == "explorer" else None


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports_of(path):
    """Every module that a file imports, anywhere in it, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports by a relative name"
            if node.module == "explorer":  # from explorer import share
                yield from ((f"explorer.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield node.module, node.lineno


@every_file
def test_imports_run_along_the_arrow(path):
    part = part_of(module_of(path))
    if path.name == "__init__.py" and path.parent.name == "explorer":
        assert list(imports_of(path)) == []
        return
    allowed = MAY_IMPORT[part] | {part}
    for module, line in imports_of(path):
        target = part_of(module)
        assert target is None or target in allowed, f"line {line}: {part} imports {module}"


@every_file
def test_only_the_pages_know_streamlit_and_core_knows_no_plotly(path):
    part = part_of(module_of(path))
    for module, line in imports_of(path):
        users = LIBRARIES.get(module.split(".")[0])
        assert users is None or part in users, f"line {line}: {part} imports {module}"


@every_file
def test_outside_the_tests_there_is_no_assert(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)] == []


@every_file_of_core
def test_core_neither_prints_nor_logs(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prints = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]
    assert prints == []
    assert not {module.split(".")[0] for module, _ in imports_of(path)} & {"logging", "warnings"}


def test_the_arrow_has_no_way_back():
    def reached(part):
        below = set().union(*(reached(each) for each in MAY_IMPORT[part]))
        return MAY_IMPORT[part] | below

    assert all(part not in reached(part) for part in MAY_IMPORT)


def test_a_forbidden_import_would_be_found(tmp_path):
    file = tmp_path / "lazy.py"
    file.write_text("def f():\n    import streamlit as st\n    from explorer import share\n")
    assert list(imports_of(file)) == [("streamlit", 2), ("explorer.share", 3)]
    assert part_of("explorer.core.boxes") == "core"
    assert part_of("numpy") is None


@every_file
def test_every_file_says_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    assert not text or ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_is_documented(name):
    sentence = (inspect.getdoc(STAGES[name].function) or "").splitlines()[:1]
    assert sentence
    assert sentence[0].endswith((".", "?"))


@pytest.mark.parametrize("path", paths())
def test_every_setting_is_documented(path):
    field = field_of(path)
    for text in (field.title, field.description, field.json_schema_extra["source"]):
        assert isinstance(text, str)
        assert text.strip()
    assert field.description.rstrip().endswith((".", "?"))
    assert "unit" in field.json_schema_extra


@pytest.mark.parametrize("group", Settings.model_fields)
def test_every_group_of_settings_is_documented(group):
    annotation = Settings.model_fields[group].annotation
    assert annotation.__doc__
    assert not annotation.__doc__.startswith("!!!")
    assert annotation.model_config["frozen"]
    assert annotation.model_config["extra"] == "forbid"
