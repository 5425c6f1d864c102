"""`data` and `train`: what images there are, and a network trained on them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fieldstone.commands import options
from fieldstone.commands.answers import DONE, INTERRUPTED, print_answer
from fieldstone.commands.parsing import command, word
from fieldstone.errors import DataError, RecipeError
from fieldstone.progress import Progress

if TYPE_CHECKING:
    from fieldstone.training.recipe import Recipe


@command(options.DATA, options.JSON, options.STRICT)
def data(*, path: str, as_json: bool, strict: bool) -> int:
    """Say what a data set holds: form, classes, sizes, damaged files."""
    from fieldstone.data.opening import open_data

    with Progress() as progress:
        dataset = open_data(path, strict=strict, progress=progress).check(progress, strict=strict)
    print_answer(dataset, as_json)
    return DONE


@command(
    word("path", nargs="?", metavar="DATA", help="What to train on; not with --resume."),
    word("--design", metavar="DESIGN", help="A gallery name, a file, a run or a model [vgg-small]."),
    word(
        "--start",
        metavar="START",
        help="Learned weights: efficientnet-lite-0, -1 or -2, a run, a model; or a state dict's file.",
    ),
    options.NETWORK,
    options.SHAPE,
    options.WIDTH,
    word("--recipe", metavar="RECIPE", help="default, quick, sgd, thorough, features, finetune, or a file."),
    word("--epochs", metavar="N", help="How often every image is seen."),
    word("--batch-size", metavar="N", help="Images a step."),
    word("--seed", metavar="N", help="The same seed gives the same weights."),
    options.TASK,
    word("--resize", metavar="HOW", help="crop, letterbox or stretch."),
    word("--set", dest="settings", action="append", metavar="KEY=VALUE", help="Any field of the recipe."),
    word("--out", metavar="RUN", help="The run folder to make [runs/1, runs/2, ...]."),
    options.DEVICE,
    options.THREADS,
    options.STRICT,
    word("--resume", metavar="RUN", help="Go on with an interrupted run."),
    options.JSON,
)
def train(
    *, path: str | None, design: str | None, start: str | None, network: str | None, shape: str | None,
    width: float | None, recipe: str | None, epochs: str | None, batch_size: str | None, seed: str | None,
    task: str | None, resize: str | None, settings: list[str] | None, out: str | None, device: str | None,
    threads: int | None, strict: bool, resume: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Train a network on images and keep the best in a run."""
    from fieldstone.verbs import train as verb
    from fieldstone.verbs.choosing.module import own_network
    from fieldstone.verbs.choosing.sizes import parse_shape
    from fieldstone.verbs.job.outcome import summary

    named = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "resize": resize}
    with Progress() as progress:
        if resume is not None:
            given: dict[str, Any] = {
                "DATA": path,
                "--design": design,
                "--start": start,
                "--input": shape,
                "--width": width,
            }
            given |= {"--recipe": recipe, "--task": task, "--out": out, "--set": settings, "--device": device}
            given |= {"--threads": threads}
            given |= {f"--{name.replace('_', '-')}": value for name, value in named.items()}
            _refuse([name for name, value in given.items() if value is not None], "--resume takes all from the run")
            result = verb.go_on(resume, network=own_network(network), progress=progress)
        elif path is None:
            raise DataError("no data is named", fix="give a folder of images, or demo-digits; or --resume RUN")
        else:
            chosen = _recipe(recipe, verb.default_recipe(start), named, settings or [])
            own = own_network(network, chosen.seed)
            result = verb.carry_out(
                path, progress=progress, design=design, network=own, start=start, shape=parse_shape(shape), width=width,
                task=task, recipe=chosen, out=out, device=device, threads=threads, strict=strict,
            )  # fmt: skip
        stopped = result.report["stopped"] == "interrupted"
        if stopped:
            own_too = "" if network is None else f" --network {network}"
            progress.say(f"go on with: fieldstone train --resume {shlex.quote(result.report['run'])}{own_too}")
    if as_json:
        print(json.dumps(result.report))
    elif not stopped:
        print(summary(result.report))
    return INTERRUPTED if stopped else DONE


def _recipe(name: str | None, default: Recipe, named: dict[str, Any], settings: Iterable[str]) -> Recipe:
    """Later wins: the recipe, or the default one; named options; `--set`."""
    from fieldstone.training.recipe import Recipe, parse_setting

    chosen = {field: value for field, value in named.items() if value is not None}
    fields = dict(parse_setting(setting) for setting in settings)
    return (default if name is None else Recipe.find(name)).replace(**{**chosen, **fields})


def _refuse(names: list[str], why: str) -> None:
    if names:
        raise RecipeError(f"{', '.join(names)} cannot be given here: {why}", fix="leave it out")
