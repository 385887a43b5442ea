"""The lessons: files that are read or named, goals that can be reached, answers that are true."""

import pytest
from pydantic import ValidationError

from explorer.core.learned import load_learned
from explorer.core.memo import Memo
from explorer.core.pipeline import run
from explorer.editing import changed
from explorer.lessons import FOLDER, lessons, read_lesson
from explorer.lessons.lesson import Ask, Goal
from explorer.lessons.quantities import QUANTITIES
from explorer.pages import PAGES, _keys
from explorer.settings import Settings
from tests.lessons.walking import done

SHIPPED, PROBLEMS = lessons()
SMALLER = {"learned": 256, "random": 256}  # pixels: a forward pass of some milliseconds


@pytest.fixture(scope="module")
def chain():
    """Stages by name under settings, in one memo."""
    memo, trained = Memo(10**9), {"learned": load_learned()}
    return lambda settings: lambda name: run(name, settings, memo, trained=trained)


def start_of(lesson):
    """A lesson's start, on a smaller picture where a network looks at it."""
    start = lesson.start()
    side = SMALLER.get(start.scores.source, start.image.side)
    return changed(start, {"image.side": side})


def test_eight_lessons_ship_and_none_is_skipped():
    assert len(SHIPPED) == len([*FOLDER.glob("*.toml")]) >= 8
    assert PROBLEMS == ()
    assert [lesson.order for lesson in SHIPPED.values()] == [*range(1, len(SHIPPED) + 1)]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_goal_is_open_at_first_and_reached_by_its_own_control(name, chain):
    settings = start_of(SHIPPED[name])
    for step in SHIPPED[name].steps:
        if step.goal is not None:
            assert not step.goal.reached(settings, chain(settings)), step.say
            settings = done(step, settings)
            assert step.goal.reached(settings, chain(settings)), step.say
        if step.ask is not None:
            truth = step.ask.answer(settings, chain(settings))
            right = step.ask.choice_of(truth) if step.ask.choices else truth
            assert step.ask.judge(right, truth) == "right"


@pytest.mark.parametrize("name", SHIPPED)
def test_every_control_of_a_lesson_stands_on_its_page(name):
    lesson = SHIPPED[name]
    stems = {page.file.removesuffix(".py") for page in PAGES}
    for number, step in enumerate(lesson.steps):
        page = lesson.page_of(number)
        assert page in stems
        assert not step.control or step.control in (*_keys.OF_PAGE[page], *_keys.SHARED)


def answers(name, chain, settings=None):
    """The truth of each step that asks, once it is done; pixels as the lesson has them."""
    settings, found = settings or SHIPPED[name].start(), []
    for step in SHIPPED[name].steps:
        settings = done(step, settings)
        if step.ask is not None:
            found.append(step.ask.answer(settings, chain(settings)))
    return found


def test_the_answers_that_follow_from_the_grid(chain):
    quarter, share = answers("why-159882-anchors", chain)
    assert quarter == 100 * 100 * 3
    assert share == pytest.approx(100 * 120_000 / 159_882)
    before, after, anchors = answers("an-object-of-18-x-9", chain)
    assert before == pytest.approx(18 * 9 / 32**2)
    wide = 16 * 2**0.5, 16 / 2**0.5  # ratio 2: 22.6 x 11.3 holds all of 18 x 9
    assert after == pytest.approx(18 * 9 / (wide[0] * wide[1]))
    assert anchors == 159_882
    assert answers("the-same-network-in-two-libraries", chain) == [0.5, 61, 64]


def test_the_answers_that_follow_from_the_coder(chain):
    wide, clamped = answers("from-delta-to-box", chain)
    assert wide == pytest.approx(2.71828**0.7, abs=1e-3)
    assert clamped == pytest.approx(62.5)


def test_the_answers_that_follow_from_a_network(chain):
    """Their sentences say why; here stands that each is true of the picture that they show."""
    nms = SHIPPED["what-nms-keeps"]
    left, survivors = answers("what-nms-keeps", chain)
    assert nms.steps[0].ask.choice_of(left) == "half or fewer"
    assert survivors > 0
    capped, cut = answers("why-the-cap-hides-the-threshold", chain)
    assert (capped, cut) == (300, 0)
    claimed, left_over = answers("who-claims-this-object", chain)
    assert claimed > left_over


def test_random_scores_are_one_spike(chain):
    lesson = SHIPPED["what-random-scores-teach"]
    spread, deviation = answers("what-random-scores-teach", chain, start_of(lesson))
    asks = [step.ask for step in lesson.steps if step.ask]
    assert asks[0].choice_of(spread) == "under 0.2"
    assert asks[1].choice_of(deviation) == "under 0.05"


def ask(**changes):
    return Ask(question="?", quantity="anchors", because="So.", **changes)


def test_a_guess_is_right_near_or_wrong():
    number = ask(tolerance=0.1)
    assert number.judge(110, 100) == "right"
    assert number.judge(110.1, 100) == "near"
    assert number.judge(75, 100) == "near"
    assert number.judge(74.9, 100) == "wrong"
    assert number.judge(0, 0) == "right"
    assert number.judge(1, 0) == "wrong"
    choice = ask(choices=("few", "some", "many"), upto=(9, 60))
    assert [choice.choice_of(value) for value in (0, 9, 9.5, 60, 61)] == [
        *("few", "few", "some", "some", "many")
    ]
    assert choice.judge("few", 9) == "right"
    assert choice.judge("some", 9) == "wrong"


def test_a_goal_counts_from_its_boundary_on():
    def nothing(_):
        raise AssertionError("a setting needs no stage")

    strides = Goal(setting="anchors.strides", entry=0, at_most=8)
    assert strides.reached(Settings(), nothing)
    far = Goal(setting="anchors.strides", entry=7, at_most=8)
    assert not far.reached(Settings(), nothing)
    sizes = Goal(setting="anchors.sizes", entry=1, equals=64)
    assert sizes.reached(Settings(), nothing)
    for goal, reached in [({"at_least": 0.7}, True), ({"at_least": 0.71}, False)]:
        assert Goal(setting="nms.iou_threshold", **goal).reached(Settings(), nothing) is reached


def test_a_goal_may_be_a_quantity(chain):
    few = Goal(quantity="anchors of level 4", at_most=507)
    assert few.reached(Settings(), chain(Settings()))
    absent = Goal(quantity="anchors of level 4", equals=0)
    one_level = changed(Settings(), {"anchors.strides": (16,), "anchors.sizes": ((64,),)})
    assert absent.reached(one_level, chain(one_level))


GOOD = """
order = 1
title = "A lesson"
about = "It is short."
page = "anchors"
[settings]
"anchors.strides" = [4, 8, 16, 32, 64]
[[steps]]
say = "Look."
[[steps]]
say = "Tell."
ask = { question = "How many?", quantity = "anchors", because = "So." }
"""


def test_a_lesson_is_a_file():
    lesson = read_lesson(GOOD)
    assert lesson.start().anchors.strides == (4, 8, 16, 32, 64)
    assert lesson.page_of(1) == "anchors"


BROKEN = {
    "not-toml": (GOOD + "= 3", "it must be TOML"),
    "unknown-key": (GOOD.replace("about", "abuot"), "about is missing"),
    "unknown-word": (GOOD.replace("order = 1", "order = 1\ncolour = 2"), "colour is not a word"),
    "unknown-page": (GOOD.replace('"anchors"\n[', '"kitchen"\n['), "page: "),
    "unknown-setting": (GOOD.replace("anchors.strides", "anchors.legs"), "'anchors.legs' is not"),
    "impossible": (GOOD.replace("[4, 8, 16, 32, 64]", "[0]"), "anchors.strides[0] must be in"),
    "impossible-together": (GOOD.replace("[4, 8, 16, 32, 64]", "[8, 16]"), "anchors.sizes"),
    "unknown-quantity": (GOOD.replace('quantity = "anchors"', 'quantity = "luck"'), "'luck'"),
    "unknown-control": (GOOD.replace('"Look."', '"Look."\ncontrol = "x"'), "got 'x'"),
    "no-question": (GOOD.replace('[[steps]]\nsay = "Look."', "", 1), "steps"),
    "ends-in-silence": (GOOD + '[[steps]]\nsay = "Bye."', "the last step must ask"),
}


def test_what_cannot_be_read_is_named_and_skipped(tmp_path):
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for name, (text, _) in BROKEN.items():
        (tmp_path / f"{name}.toml").write_text(text)
    read, problems = lessons(tmp_path)
    assert [*read] == ["good"]
    assert len(problems) == len(BROKEN) + 1
    told = {sentence.split()[2]: sentence for sentence in problems}
    for name, (_, words) in BROKEN.items():
        assert words in told[f"{name}.toml"]
    assert "binary.toml" in told


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        ({}, "a setting or a quantity"),
        ({"setting": "nms.iou_threshold", "quantity": "anchors", "equals": 1}, "only one"),
        ({"setting": "nms.iou_threshold"}, "must say equals"),
        ({"setting": "nms.luck", "equals": 1}, "'nms.luck'"),
        ({"quantity": "luck", "equals": 1}, "'luck'"),
    ],
)
def test_a_goal_that_cannot_be_is_refused(goal, words):
    with pytest.raises(ValidationError, match=words):
        Goal(**goal)


def test_every_quantity_has_words_and_a_number(chain):
    settings = changed(Settings(), {"scores.source": "noise", "image.side": 256})
    for quantity in QUANTITIES.values():
        assert quantity.words
        value = quantity.value(settings, chain(settings))
        assert quantity.text(value)[0].isdigit()
