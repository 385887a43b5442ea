"""What a lesson is: a start view, and a few steps that are complete once the reader did them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from explorer.editing import changed, get, paths
from explorer.lessons.quantities import QUANTITIES, Stage
from explorer.settings import Settings

# Keys of controls that are no single setting: a level's own slider, the preset.
_OTHER_CONTROLS = re.compile(r"(size|stride|ratio) \d|size base|size multiplier|preset")

NEAR = 0.25  # of the truth: a guess within it is near
Verdict = Literal["right", "near", "wrong"]

Text = Annotated[str, Field(min_length=1, max_length=600)]


class Part(BaseModel):
    """A piece of a lesson: unknown words are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Goal(Part):
    """Something to reach: a setting, a list's entry, or a quantity of the live state."""

    setting: str = ""
    entry: int | None = None  # which one of a list of numbers, from 0; of a level its first size
    quantity: str = ""
    equals: Any = None
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _names_one_thing_and_one_rule(self) -> Goal:
        if bool(self.setting) == bool(self.quantity):
            raise ValueError("goal must name a setting or a quantity, and only one of them")
        if self.setting and self.setting not in paths():
            raise ValueError(f"goal.setting must be a setting, got {self.setting!r}")
        if self.quantity and self.quantity not in QUANTITIES:
            raise ValueError(f"goal.quantity must be a known quantity, got {self.quantity!r}")
        if all(rule is None for rule in (self.equals, self.at_least, self.at_most)):
            raise ValueError("goal must say equals, at_least or at_most")
        return self

    def reached(self, settings: Settings, stage: Stage) -> bool:
        """Whether the reader has got there."""
        if self.setting:
            value = get(settings, self.setting)
            if self.entry is not None:
                value = value[self.entry] if self.entry < len(value) else None
                value = value[0] if isinstance(value, tuple) else value
        else:
            value = QUANTITIES[self.quantity].value(settings, stage)
        if value is None:
            return False
        if self.equals is not None and value != self.equals:
            return False
        low, high = self.at_least, self.at_most
        return (low is None or value >= low) and (high is None or value <= high)


class Ask(Part):
    """A question whose answer is computed from the live state.

    A number is right within `tolerance` of the answer, as a share of it. A choice is right where
    its entry in `choices` is the answer: a quantity's words, or the first whose `upto` is not less.
    """

    question: Text
    quantity: str
    tolerance: Annotated[float, Field(ge=0, le=1)] = 0.0
    choices: tuple[str, ...] = ()
    upto: tuple[float, ...] = ()  # of each choice but the last: the largest value that it means
    because: Text

    @model_validator(mode="after")
    def _fits(self) -> Ask:
        if self.quantity not in QUANTITIES:
            raise ValueError(f"ask.quantity must be a known quantity, got {self.quantity!r}")
        if self.choices and len(self.upto) != len(self.choices) - 1:
            raise ValueError(
                f"ask.upto must have one entry less than ask.choices ({len(self.choices)}), "
                f"got {len(self.upto)}"
            )
        if list(self.upto) != sorted(self.upto):
            raise ValueError(f"ask.upto must rise, got {self.upto}")
        return self

    def answer(self, settings: Settings, stage: Stage) -> float:
        """The truth, under the settings in force."""
        return float(QUANTITIES[self.quantity].value(settings, stage))

    def choice_of(self, value: float) -> str:
        """Which choice a value means."""
        place = sum(value > limit for limit in self.upto)
        return self.choices[place]

    def judge(self, guess: float | str, truth: float) -> Verdict:
        """How good a guess is, a number or one of the choices; near is within a quarter."""
        if self.choices:
            return "right" if guess == self.choice_of(truth) else "wrong"
        away = abs(float(guess) - truth)
        if away <= self.tolerance * abs(truth) + 1e-9:
            return "right"
        return "near" if away <= max(NEAR, 2 * self.tolerance) * abs(truth) else "wrong"


class Step(Part):
    """One thing to do, to predict or to answer."""

    say: Text
    page: str = ""  # stem of the page's file; "" is the lesson's own
    control: str = ""  # key of the control to highlight
    goal: Goal | None = None
    ask: Ask | None = None  # answered before the control unlocks where there is a goal too

    @model_validator(mode="after")
    def _control_exists(self) -> Step:
        if self.control and not is_control(self.control):
            raise ValueError(f"step.control must be a control's key, got {self.control!r}")
        if self.goal is not None and not (self.control or self.goal.quantity):
            raise ValueError("step.control must name the control that reaches the goal")
        return self


class Lesson(Part):
    """A start view and its steps; the last one ends with a question."""

    order: int
    title: Annotated[str, Field(min_length=1, max_length=80)]
    about: Text
    page: Literal[
        "overview", "anchors", "scores", "decoding", "proposals", "nms", "funnel", "recall",
        "matching", "atlas", "compare", "conventions",
    ]  # fmt: skip
    settings: dict[str, Any] = {}
    steps: Annotated[tuple[Step, ...], Field(min_length=2, max_length=8)]

    @model_validator(mode="after")
    def _can_begin_and_ends_with_a_question(self) -> Lesson:
        self.start()
        if self.steps[-1].ask is None:
            raise ValueError("the last step must ask a question")
        return self

    def start(self) -> Settings:
        """The settings that the lesson opens with.

        Raises:
            ValueError: one sentence, where they are impossible.
        """
        return changed(Settings(), {path: _tuples(v) for path, v in self.settings.items()})

    def page_of(self, step: int) -> str:
        """Where a step happens."""
        return self.steps[step].page or self.page


def is_control(key: str) -> bool:
    """Whether a control of some page has this key."""
    return key in paths() or _OTHER_CONTROLS.fullmatch(key) is not None


def _tuples(value: Any) -> Any:
    """TOML's arrays as the settings' tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
