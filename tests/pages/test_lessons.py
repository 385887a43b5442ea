"""Lessons, the builder of lessons and the guided look, through AppTest."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from explorer.editing import changed
from explorer.lessons import FOLDER, lessons
from explorer.lessons.lesson import is_control
from explorer.pages import PAGES, _keys, _tour
from explorer.presets import PRESETS
from tests.lessons.walking import presets_that_reach, wanted
from tests.pages.test_pages import MAIN, errors, open_page, settings

SHIPPED, _ = lessons()
NOISE = {"scores.source": "noise"}
CONTROLS = (
    *("slider", "select_slider", "selectbox", "button_group", "toggle", "checkbox", "radio"),
    *("number_input", "text_input", "text_area", "file_uploader", "multiselect"),
)


def run_lesson(name: str, page: str, step: int = 0, **query: str) -> AppTest:
    link = NOISE | {"lesson.name": name, "lesson.step": str(step)} | query
    return open_page(f"{page}.py", **link)


def panel(app: AppTest) -> str:
    """What the lesson's panel says."""
    return "\n".join(each.value for each in app.main.children[_place(app)].markdown)


def _place(app: AppTest) -> int:
    return next(
        number
        for number, block in app.main.children.items()
        if getattr(block.proto, "id", "").endswith("-lesson")
    )


def widget(app: AppTest, key: str):
    """The widget of a key, whatever its kind."""
    return next(each for each in walk(app) if getattr(each, "key", None) == key)


def walk(app: AppTest):
    """Every element of a page."""
    blocks = [app._tree]
    while blocks:
        for child in blocks.pop().children.values():
            if hasattr(child, "children"):
                blocks.append(child)
            if getattr(child.proto, "id", ""):
                yield child


def guess(app: AppTest, ask) -> AppTest:
    if ask.choices:
        return app.button(key="guess 0").click().run()
    number = settings(app).lesson.step
    app.number_input(key=f"guess of {number}").set_value(7.0)
    return app.button(key="lesson_send").click().run()


def act(app: AppTest, step) -> AppTest:
    """Move the step's own control to where its goal is."""
    control, value = widget(app, step.control), wanted(step.goal)
    if step.control == "preset":
        names = presets_that_reach(step.goal, settings(app))
        value = next(name for name in names if name in ("torchvision", "detectron2"))
    if control.type == "slider":
        value = type(control.value)(value)
    control.set_value(value)
    return app.run()


def begin(app: AppTest, name: str) -> AppTest:
    """Press a lesson's button, and stay on its page: AppTest goes back after each run."""
    app.button(key=f"begin {name}").click().run()
    assert [title.value for title in app.title] != ["Lessons"]
    return app.switch_page(f"{SHIPPED[name].page}.py").run()


def is_done(app: AppTest) -> bool:
    return app.button(key="lesson_next").label in ("Next", "Finish")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_lesson_is_completed_by_its_own_controls(name):
    lesson = SHIPPED[name]
    app = open_page("lessons.py")
    begin(app, name)
    if lesson.start().scores.source == "learned":  # a smaller picture shows as much
        app.session_state["own"].settings = changed(settings(app), {"image.side": 256})
        app.run()
    for number, step in enumerate(lesson.steps):
        assert not app.exception
        assert f"step {number + 1} of {len(lesson.steps)}" in panel(app)
        assert step.say in panel(app)
        if any(each.key == "lesson_page" for each in app.button):
            app.button(key="lesson_page").click().run()
            app.switch_page(f"{lesson.page_of(number)}.py").run()
        assert not is_done(app)
        if step.ask:
            if step.goal:
                assert widget(app, step.control).disabled
            assert step.ask.because not in panel(app)
            guess(app, step.ask)
        if step.goal:
            assert not widget(app, step.control).disabled
            assert not is_done(app), step.say
            act(app, step)
        assert is_done(app), step.say
        if step.ask:
            assert step.ask.because in panel(app)
        app.button(key="lesson_next").click().run()
    asked = sum(step.ask is not None for step in lesson.steps)
    assert f"of {asked} guesses were right" in panel(app)
    app.button(key="lesson_leave").click().run()
    assert settings(app).lesson.name == ""
    assert errors(app) == []


def test_the_guess_stands_beside_the_truth_of_the_live_state():
    app = run_lesson("why-159882-anchors", "anchors", 1)  # 128 pixels: 32 x 32 cells on P2
    app.number_input(key="guess of 1").set_value(1000.0)
    app.button(key="lesson_send").click().run()
    assert "Your guess: **1,000**. Now see." in panel(app)
    app.slider(key="stride 0").set_value(8).run()
    assert f"It is **{16 * 16 * 3}**" in panel(app)
    assert "not so" in panel(app)
    app.slider(key="stride 0").set_value(16).run()  # moved on: the step stays as it was done
    assert f"It is **{16 * 16 * 3}**" in panel(app)


@pytest.mark.parametrize(("number", "word"), [(768, "right"), (900, "near"), (3072, "not so")])
def test_a_guess_is_judged(number, word):
    app = run_lesson("why-159882-anchors", "anchors", 1)
    app.number_input(key="guess of 1").set_value(float(number))
    app.button(key="lesson_send").click().run()
    app.slider(key="stride 0").set_value(8).run()
    assert f": {word}]" in panel(app)


def test_an_empty_guess_unlocks_nothing():
    app = run_lesson("why-159882-anchors", "anchors", 1)
    app.button(key="lesson_send").click().run()
    assert app.slider(key="stride 0").disabled
    assert errors(app) == ["A guess is a number."]


def test_a_step_on_another_page_leads_there_and_keeps_the_state():
    app = run_lesson("an-object-of-18-x-9", "atlas", 2, **{"nms.iou_threshold": "0.4"})
    app.button(key="lesson_page").click().run()
    app.switch_page("anchors.py").run()
    assert [title.value for title in app.title] == ["Anchors"]
    assert settings(app).nms.iou_threshold == 0.4
    assert "step 3 of 3" in panel(app)
    assert any(each.key == "guess 0" for each in app.button)


def test_a_lesson_that_is_not_here_is_named_and_the_page_opens():
    app = run_lesson("how-to-cook", "overview")
    assert any("no lesson named 'how-to-cook'" in text for text in errors(app))
    assert settings(app).lesson.name == ""
    assert [title.value for title in app.title] == ["Region Proposal Network"]


def test_a_step_past_the_end_is_the_summary():
    app = run_lesson("why-159882-anchors", "anchors", 8)
    assert "0 of 2 guesses were right" in panel(app)
    app.button(key="lesson_back").click().run()
    assert settings(app).lesson.step == 3


def test_lessons_that_cannot_be_read_are_named(monkeypatch, tmp_path):
    good = next(FOLDER.glob("*.toml"))
    (tmp_path / good.name).write_text(good.read_text())
    (tmp_path / "broken.toml").write_text("order = 1")
    read = lessons(tmp_path)
    monkeypatch.setattr("explorer.lessons.lessons", lambda: read)
    for module in ("_lesson", "_lesson_panel", "_lesson_cards"):
        monkeypatch.setattr(f"explorer.pages.{module}.lessons", lambda: read)
    app = open_page("lessons.py")
    (sentence,) = [box.value.replace("\\", "") for box in app.warning]
    assert "The lesson broken.toml was skipped: title is missing." in sentence
    assert [each.key for each in app.button if str(each.key).startswith("begin")] == [
        f"begin {good.stem}"
    ]


def test_a_teachers_link_shows_its_question_as_plain_text_and_its_controls_alone():
    words = {"lesson.title": "Who *wins*?", "lesson.question": "Drag [it](http://evil.example)."}
    app = open_page("proposals.py", **NOISE, **words, **{"lesson.show": "nms.iou_threshold,luck"})
    assert "Who \\*wins\\*?" in panel(app)
    assert "\\[it\\]" in panel(app)
    assert any("'luck': skipped" in each.value.replace("\\", "") for each in app.caption)
    styles = " ".join(each.proto.body for each in app.get("html"))
    rule = next(part for part in styles.split("<style>") if "display:none" in part)
    assert ".st-key-nms-iou_threshold" in rule
    assert "luck" not in rule
    assert "view-top_k" not in rule
    app.button(key="lesson_leave").click().run()
    assert not any("display:none" in each.proto.body for each in app.get("html"))
    assert settings(app).lesson.title == ""


def test_the_builder_makes_the_link():
    app = open_page("lesson_builder.py", **NOISE, **{"nms.iou_threshold": "0.4"})
    app.selectbox(key="build_page").select("proposals").run()
    app.text_input(key="build_title").set_value("Two people?").run()
    app.text_input(key="build_question").set_value("Drag & tell.").run()
    label = "Controls of the page that show"
    app.button_group(key=f"build proposals {label}").set_value(["nms.iou_threshold"]).run()
    app.button_group(key="build proposals In the sidebar").set_value(["preset"]).run()
    assert not app.exception
    link = urlsplit(app.code[0].value)
    assert link.path.endswith("/proposals")
    query = dict(parse_qsl(link.query))
    assert query["lesson.show"] == "nms.iou_threshold,preset"
    other = open_page("proposals.py", **query)
    assert settings(other).lesson.question == "Drag & tell."
    assert settings(other).nms.iou_threshold == 0.4
    assert "Two people?" in panel(other)
    assert errors(other) == []


def test_the_builder_starts_no_lesson_itself():
    app = run_lesson("why-159882-anchors", "lesson_builder", 2)
    query = dict(parse_qsl(urlsplit(app.code[0].value).query))
    assert not any(name.startswith("lesson.") for name in query)


@pytest.mark.parametrize("stem", _keys.OF_PAGE)
def test_the_table_of_controls_is_what_stands_on_the_pages(stem):
    app = open_page(f"{stem}.py", **NOISE)
    found = {str(getattr(each, "key", None)) for each in walk(app)}
    assert {*_keys.OF_PAGE[stem], *_keys.SHARED} <= found
    named = {key for key in found if is_control(key)}
    assert named <= {*_keys.OF_PAGE[stem], *_keys.SHARED}
    assert all(_keys.name_of(key) for key in _keys.OF_PAGE[stem])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
def test_every_control_has_a_help_text(page):
    """A button needs none: its label says what it does."""
    app = open_page(page.file, **NOISE, **{"claims.object": "0"})
    controls = [each for each in walk(app) if each.type in CONTROLS]
    assert len(controls) >= len(_keys.SHARED)
    assert [(each.type, each.label) for each in controls if not each.proto.help] == []


def test_a_newcomer_is_shown_around_once():
    app = AppTest.from_file(MAIN, default_timeout=180)
    app.run()
    texts = [text for text, _ in _tour.LOOKS]
    for number, text in enumerate(texts):
        said = [each.value for each in app.markdown]
        assert any(value.startswith(text) for value in said)
        assert f"{number + 1} of {len(texts)}" in " ".join(said)
        app.button(key="tour_next").click().run()
    assert all(each.key != "tour_next" for each in app.button)
    app.switch_page("lessons.py").run()
    app.switch_page("overview.py").run()
    assert all(each.key != "tour_next" for each in app.button)


def test_the_guided_look_can_be_skipped_and_a_link_never_shows_it():
    app = AppTest.from_file(MAIN, default_timeout=180)
    app.run()
    app.button(key="tour_skip").click().run()
    assert all(each.key != "tour_next" for each in app.button)
    linked = open_page(**NOISE)
    assert all(each.key != "tour_next" for each in linked.button)
    linked.switch_page("lessons.py").run()
    linked.switch_page("overview.py").run()
    assert all(each.key != "tour_next" for each in linked.button)


def test_the_overview_offers_every_lesson_under_its_picture():
    app = open_page(**NOISE)
    begins = [each.key for each in app.button if str(each.key).startswith("begin ")]
    assert begins == [f"begin {name}" for name in SHIPPED]
    app.button(key="begin what-nms-keeps").click().run()
    assert [title.value for title in app.title] == ["Proposals"]
    assert PRESETS["notebook"].anchors == settings(app).anchors
