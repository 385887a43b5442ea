"""A reader who does what a lesson asks: the changes of settings that reach its goals."""

from explorer.editing import changed, get
from explorer.presets import PRESETS


def wanted(goal):
    """The value that a goal wants."""
    if None not in (goal.at_least, goal.at_most):
        return round((goal.at_least + goal.at_most) / 2, 2)
    return next(v for v in (goal.equals, goal.at_least, goal.at_most) if v is not None)


def presets_that_reach(goal, settings):
    """The names of the presets that put a goal's setting on its value."""
    applied = {name: preset.apply(settings) for name, preset in PRESETS.items()}
    return [name for name, view in applied.items() if get(view, goal.setting) == goal.equals]


def done(step, settings):
    """The settings after a reader has done a step with its own control."""
    goal = step.goal
    if goal is None:
        return settings
    if step.control == "preset":
        (name,) = [
            n for n in presets_that_reach(goal, settings) if n in ("torchvision", "detectron2")
        ]
        return PRESETS[name].apply(settings)
    value = wanted(goal)
    if goal.entry is not None:
        entries = list(get(settings, goal.setting))
        entries[goal.entry] = (value,) if goal.setting == "anchors.sizes" else value
        value = tuple(entries)
    return changed(settings, {goal.setting: value})
