"""Lessons as a reader goes through them, and a teacher's link in another browser."""

import pytest
from playwright.sync_api import expect

from explorer.lessons import lessons
from tests.lessons.walking import wanted

pytestmark = pytest.mark.e2e

SHIPPED = lessons()[0]
BY_HAND = {"why-159882-anchors", "the-same-network-in-two-libraries"}  # step by step, below


def begin(reader, name):
    """From the list of lessons to the first step."""
    reader.page.goto(f"{reader.address}/lessons?scores.source=noise&image.side=256")
    reader.page.locator(f".st-key-begin-{name} button").click()
    says(reader, f"step 1 of {len(SHIPPED[name].steps)}")
    reader.settle()


def panel(reader):
    return reader.page.locator(".st-key-lesson").first


def says(reader, text):
    """Wait until the panel says something."""
    expect(panel(reader)).to_contain_text(text)


def button(reader, label):
    return panel(reader).get_by_role("button", name=label, exact=True)


def go_on(reader, label="Next"):
    expect(button(reader, label)).to_be_visible()
    button(reader, label).click()


def outlined(reader, key):
    """Whether a control is on the screen, with the lesson's outline."""
    control = reader.page.locator(f".st-key-{key}").first
    expect(control).to_be_in_viewport()
    expect(control).to_have_css("outline-style", "solid")
    return control


def test_a_lesson_by_keyboard_from_guess_to_reveal(reader):
    begin(reader, "why-159882-anchors")
    outlined(reader, "view-level").get_by_role("radio", name="P2").press("Space")
    go_on(reader)

    slider = outlined(reader, "stride-0").locator("input[type=range]").first
    expect(slider).to_be_disabled()
    guess = panel(reader).locator("input[type=number]")
    guess.fill("40000")
    guess.press("Enter")
    says(reader, "Your guess: 40,000. Now see.")
    expect(slider).to_be_enabled()
    reader.slide(slider, 8)
    says(reader, "Your guess: 40,000. It is 30,000.")
    says(reader, "not so")
    says(reader, SHIPPED["why-159882-anchors"].steps[1].ask.because)
    reader.screenshot("lesson_reveal")
    go_on(reader)

    says(reader, "step 3 of 4")
    reader.slide(slider, 4)
    go_on(reader)

    says(reader, "step 4 of 4")
    button(reader, "about three quarters").press("Enter")
    says(reader, "right")
    go_on(reader, "Finish")
    says(reader, "1 of 2 guesses were right")
    reader.settle()


def pick(reader, preset):
    reader.page.locator(".st-key-preset").get_by_role("combobox").click()
    reader.page.get_by_role("option", name=preset, exact=True).click()


def move(reader, control, goal):
    """Bring a slider, a switch, a list or a row of buttons to a goal, as a person would."""
    slider = control.locator("input[type=range]").first
    value = wanted(goal)
    if slider.count():
        expect(slider).to_be_enabled()
        if goal.equals is None and goal.at_most is None:
            slider.press("End")
        else:
            reader.slide(slider, value)
    elif isinstance(value, bool):
        control.locator("label").first.click()
    elif control.get_by_role("combobox").count():
        control.get_by_role("combobox").click()
        reader.page.get_by_role("option", name=value, exact=True).click()
    else:
        control.get_by_role("radio", name=value, exact=True).click()


def guess(reader, ask):
    if ask.choices:
        button(reader, ask.choices[0]).click()
    else:
        panel(reader).locator("input[type=number]").fill("2")
        button(reader, "Guess").click()
    says(reader, "Your guess: ")


@pytest.mark.parametrize("name", [name for name in SHIPPED if name not in BY_HAND])
def test_every_other_lesson_is_gone_through(reader, name):
    begin(reader, name)
    pages = [SHIPPED[name].page_of(number) for number in range(len(SHIPPED[name].steps))]
    for number, step in enumerate(SHIPPED[name].steps, 1):
        says(reader, f"step {number} of {len(pages)}")
        if number > 1 and pages[number - 1] != pages[number - 2]:
            panel(reader).get_by_role("button", name="Go to ").click()
        if step.ask:
            guess(reader, step.ask)
        if step.goal:
            move(
                reader,
                outlined(reader, step.control.replace(".", "-").replace(" ", "-")),
                step.goal,
            )
        if step.ask:
            says(reader, step.ask.because)
        reader.settle()
        go_on(reader, "Next" if number < len(SHIPPED[name].steps) else "Finish")
    asked = sum(step.ask is not None for step in SHIPPED[name].steps)
    says(reader, f" of {asked} guesses were right")
    reader.settle()


def test_a_lesson_by_mouse_through_the_sidebar(reader):
    begin(reader, "the-same-network-in-two-libraries")
    preset = outlined(reader, "preset")
    expect(preset.get_by_role("combobox")).to_be_disabled()
    button(reader, "half as wide").click()
    expect(preset.get_by_role("combobox")).to_be_enabled()
    pick(reader, "torchvision")
    says(reader, "It is half as wide (0.50). ")
    go_on(reader)
    panel(reader).locator("input[type=number]").fill("61")
    button(reader, "Guess").click()
    says(reader, "Your guess: 61 px. It is 61 px.")
    go_on(reader)
    pick(reader, "detectron2")
    go_on(reader)
    panel(reader).locator("input[type=number]").fill("64")
    button(reader, "Guess").click()
    go_on(reader, "Finish")
    says(reader, "3 of 3 guesses were right")
    button(reader, "Leave").click()
    expect(panel(reader)).to_be_hidden()
    reader.settle()
    assert "lesson." not in reader.page.url


def test_a_teacher_builds_a_link_and_a_class_opens_it(reader, readers):
    reader.page.goto(f"{reader.address}/lesson_builder?scores.source=noise&image.side=256")
    page = reader.page
    page.locator(".st-key-build_page").get_by_role("combobox").click()
    page.get_by_role("option", name="Proposals", exact=True).click()
    for key, words in (("title", "Two people?"), ("question", "Where is the threshold?")):
        page.locator(f".st-key-build_{key} input").fill(words)
        page.locator(f".st-key-build_{key} input").press("Enter")
    page.get_by_role("button", name="NMS IoU threshold").click()
    link = page.locator("[data-testid=stCode] code")
    expect(link).to_contain_text("lesson.show=nms.iou_threshold")
    expect(link).to_contain_text("lesson.question=Where")
    page.get_by_text("Preview", exact=True).click()
    frame = page.frame_locator("iframe")
    expect(frame.locator(".st-key-lesson").first).to_contain_text("Two people?")

    someone = readers()
    address = link.inner_text().strip()
    assert address.startswith(reader.address)
    someone.open(address.removeprefix(reader.address))
    says(someone, "Where is the threshold?")
    expect(someone.page.locator(".st-key-nms-iou_threshold").first).to_be_in_viewport()
    for key in ("nms-score_threshold", "image-side", "preset", "upload"):
        expect(someone.page.locator(f".st-key-{key}").first).to_be_hidden()
    expect(someone.page.get_by_role("link", name="Anchors")).to_be_visible()
    someone.screenshot("teachers_link")
    assert someone.complaints == []
    button(someone, "Leave").click()
    expect(someone.page.locator(".st-key-preset").first).to_be_visible()


def test_a_newcomer_is_shown_around(reader):
    reader.open("/")
    tour = reader.page.locator(".st-key-tour").first
    for number in range(1, 5):
        expect(tour).to_contain_text(f"{number} of 4")
        tour.get_by_role("button").first.click()
    expect(reader.page.locator(".st-key-tour_next")).to_have_count(0)
    reader.settle()
