"""Links of the chain as the table of stages calls them: results first, then settings.

Where a function of the core takes just that, the table names it itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from explorer.core import candidates, images, layout, nearest, truth
from explorer.core.matching import Closest, Matches, find_closest, match_boxes, match_closest
from explorer.core.planted import draw_noise, full_deltas, plant_scores
from explorer.core.samples import sample_bytes
from explorer.settings import Anchors, Codec, Filter, Image, Match, Planted, Scene


def open_image(image: Image, scene: Scene, uploads: Mapping[str, bytes]) -> images.Picture:
    """The network's input: a sample, a scene painted now, or what this reader uploaded."""
    name = image.picture
    if name == truth.SCENE:
        return images.fit_photo(truth.paint(scene).photo, image.side, image.fit)
    data = uploads[name] if name.startswith("upload:") else sample_bytes(name)
    return images.fit_photo(images.open_photo(data), image.side, image.fit)


def draw(grid: layout.Grid, seed: int) -> tuple[Tensor, Tensor]:
    """The noise of planted scores, before it is scaled."""
    return draw_noise(grid.starts[-1], seed)


def regress(
    anchors: layout.AnchorSet,
    objects: truth.GroundTruth,
    closest: Closest | None,
    weights: tuple[float, ...],
) -> Tensor:
    """The deltas of planted scores at full regression, for any anchors and box coder."""
    return full_deltas(anchors.boxes, objects.boxes, weights, closest)


def plant(
    anchors: layout.AnchorSet,
    objects: truth.GroundTruth,
    closest: Closest | None,
    drawn: tuple[Tensor, Tensor],
    full: Tensor,
    planted: Planted,
    seed: int,
    weights: tuple[float, ...],
) -> candidates.HeadOutput:
    """Scores and deltas from the ground truth: what two sliders scale is known already."""
    strength = planted.noise, planted.regression
    known = {"closest": closest, "drawn": drawn, "full": full}
    return plant_scores(anchors.boxes, objects.boxes, *strength, seed, weights, **known)


def select(
    picture: images.Picture,
    grid: layout.Grid,
    lay: Callable[[], layout.AnchorSet],
    head: candidates.HeadOutput,
    decoded: Tensor | None,
    codec: Codec,
    rules: Filter,
    anchors: Anchors,
) -> candidates.Candidates:
    """The boxes that reach NMS, from the anchors of these alone."""
    unlaid = layout.Unlaid(grid, anchors, lay)
    return candidates.select_candidates(picture, grid, unlaid, head, decoded, codec, rules)


def closest(anchors: layout.AnchorSet, objects: truth.GroundTruth) -> Closest | None:
    """Who overlaps whom most, whatever the thresholds."""
    return find_closest(anchors.boxes, objects.boxes)


def match(
    anchors: layout.AnchorSet, objects: truth.GroundTruth, closest: Closest | None, match: Match
) -> Matches:
    """Which anchors the objects claim."""
    rules = match.high, match.low, match.low_quality
    if closest is None:
        return match_boxes(anchors.boxes, objects.boxes, *rules)
    return match_closest(closest, *rules)


def best_anchors(
    grid: layout.Grid, objects: truth.GroundTruth, anchors: Anchors
) -> tuple[Tensor, Tensor]:
    """What the anchors reach with each object before any head moves them."""
    return nearest.best_anchors(grid, anchors, objects.boxes)
