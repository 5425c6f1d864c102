"""Training: from images to a run with a model in it, and on from where a run was interrupted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fieldstone.data.dataset import Dataset
from fieldstone.data.opening import open_data
from fieldstone.design.design import Design
from fieldstone.errors import DataError, DeviceError, RunError
from fieldstone.model.device import pick_device
from fieldstone.model.model import GIVE_CLASS, Model
from fieldstone.progress import Progress
from fieldstone.tasks.choice import task_name
from fieldstone.tasks.task import TASKS
from fieldstone.training.checkpoint import read_settings
from fieldstone.training.precision import best_precision
from fieldstone.training.recipe import Recipe
from fieldstone.training.run import Run
from fieldstone.verbs.choosing.sizes import parse_shape
from fieldstone.verbs.job.announcing import announcement
from fieldstone.verbs.job.job import Job, Trained
from fieldstone.verbs.starting.beginning import begin, built, preprocessing_of
from fieldstone.verbs.starting.recipe import refuse_unusable, refuse_without_start
from fieldstone.verbs.starting.start import Start

FEW_PHOTOS = 5000
"""Below so many colour photos to train on, learned weights are worth a word."""


def train(
    data: str | Path,
    *,
    design: str | Path | Design | None = None,
    network: nn.Module | None = None,
    start: str | Path | Model | None = None,
    input: str | Sequence[int] | None = None,
    width: float | None = None,
    recipe: str | Path | Recipe | None = None,
    task: str | None = None,
    out: str | Path | None = None,
    device: str | torch.device | None = None,
) -> Model:
    """Train a network on images and give back the model of the best epoch, or what else the recipe keeps.

    Args:
        data: a folder of class folders, a CSV file, IDX or CIFAR files, or `demo-digits`.
        design: a gallery name, a file, a run, a model or a `Design`; without it `vgg-small`.
        network: a module of your own in place of a design: (N, C, H, W) floats -> (N, outputs) logits.
        start: learned weights to begin with: `efficientnet-lite-0`, a run, a model, or a state dict with its `design`.
            It brings the design and the preprocessing; the head is new where the classes are others. With `network`,
            weights that fit that by name and shape, all but the head's.
        input: (C, H, W), or "CxHxW"; needed with `network` unless a model's weights bring it, else the design's or,
            for `vgg-small`, the data's.
        width: a factor for every number of filters or features of the design.
        recipe: how to train: a `Recipe`, or the name or file of one; without it `default`, and with `start` `finetune`.
        task: `binary` or `multiclass`; without it, binary for two classes.
        out: the run folder to make; without it `runs/1`, `runs/2`, …
        device: such as `cpu` or `cuda`; without it the accelerator, where there is one.

    Raises:
        FieldstoneError: data, design, recipe or run folder that cannot be used.
        KeyboardInterrupt: Ctrl-C; the run was saved, `fieldstone.resume` goes on with it.
    """
    with Progress() as progress:
        result = carry_out(
            data, design=design, network=network, start=start, shape=input, width=width, recipe=recipe, task=task,
            out=out, device=device, progress=progress,
        )  # fmt: skip
    return _finished(result)


def resume(run: str | Path, *, network: nn.Module | None = None) -> Model:
    """Go on with an interrupted training from its last step, to the same bits as an undisturbed one.

    Args:
        run: the run folder.
        network: the module that was trained, where it was one of your own.

    Raises:
        RunError: the run is finished, the data changed, or torch or the device is another.
    """
    with Progress() as progress:
        return _finished(go_on(run, network=network, progress=progress))


def default_recipe(start: object) -> Recipe:
    """The recipe where none is named."""
    return Recipe() if start is None else Recipe.named("finetune")


def carry_out(
    data: str | Path,
    *,
    progress: Progress,
    design: str | Path | Design | None = None,
    network: nn.Module | None = None,
    start: str | Path | Model | None = None,
    shape: str | Sequence[int] | None = None,
    width: float | None = None,
    recipe: str | Path | Recipe | None = None,
    task: str | None = None,
    out: str | Path | None = None,
    device: str | torch.device | None = None,
    threads: int | None = None,
    strict: bool = False,
) -> Trained:
    """`train`, with what the command line adds; an interrupted training is a result, not an exception."""
    began = time.perf_counter()
    asked = default_recipe(start) if recipe is None else Recipe.find(recipe)
    refuse_without_start(asked, start)
    chosen = pick_device(device)
    Run.refuse_existing(out)
    dataset = open_data(data, strict=strict, progress=progress)
    _refuse_without_training(dataset)
    beginning = begin(
        dataset, asked, design=design, network=network, start=start, shape=parse_shape(shape), width=width
    )
    task_of_data = TASKS[task_name(len(dataset.classes), task)]
    beginning.refuse_misfit(task_of_data.outputs(len(dataset.classes)))
    decoded = dataset.decode(beginning.preprocessing, progress=progress, strict=strict)
    classes = decoded.manifest.classes
    if classes != dataset.classes:  # one had damaged images alone
        beginning = beginning.resolve(len(classes))
        task_of_data = TASKS[task_name(len(classes), task)]
    train_rows = decoded.manifest.indices("train")
    if len(train_rows) < 2:
        raise DataError(f"{len(train_rows)} images are left to train on", file=str(data), fix="give at least two")
    settled = asked.resolved(
        images=len(train_rows), photos=_are_photos(dataset), precision=best_precision(chosen)
    ).replace(resize=decoded.preprocessing.resize, resize_to=decoded.preprocessing.resize_to)
    first_weights, learned = beginning.network(task_of_data, classes, settled)
    if learned is not None:
        refuse_unusable(first_weights, beginning.design, learned, settled)
    job = Job(
        data=_from_anywhere(data), task=task_of_data, design=beginning.design, network=first_weights, recipe=settled,
        decoded=decoded, device=chosen, threads=threads or torch.get_num_threads(), strict=strict, run=Run.create(out),
        progress=progress, began=began, start=learned,
    )  # fmt: skip
    job.write_plan()
    for line in announcement(job, augment_chosen=asked.augment is None):
        progress.say(line)
    if start is None and network is None and _are_photos(dataset) and len(train_rows) < FEW_PHOTOS:
        progress.say(
            f"{len(train_rows):,} photos are few to learn from nothing: "
            "--start efficientnet-lite-0 begins with what a network learned from a million"
        )
    return job.train()


def go_on(run: str | Path, *, progress: Progress, network: nn.Module | None = None) -> Trained:
    """`resume`, where an interrupted training is a result, not an exception."""
    began = time.perf_counter()
    folder = Run(Path(run))
    settings = read_settings(folder)
    if settings["torch"] != torch.__version__:
        raise RunError(
            f"was started with torch {settings['torch']}, this is torch {torch.__version__}: the bits would differ",
            file=str(run),
            fix=f"install torch {settings['torch']}, or start a new training",
        )
    if settings["plan"] != folder.plan_digest():
        raise RunError(
            "has another design.yaml or recipe.yaml than it began with", file=str(run), fix="start a new training"
        )
    recipe = Recipe.read(folder.recipe)
    plan = Design.read(folder.design) if folder.design.exists() else None
    if (plan is None) != (network is not None):
        raise RunError(
            "trains a network of your own, so its class is needed" if plan is None else "was built from its design",
            file=str(run),
            fix="leave network out" if plan else GIVE_CLASS,
        )
    chosen = _device_of(settings, folder)
    dataset = open_data(settings["data"], strict=settings["strict"], progress=progress)
    learned = _start_of(settings, folder)
    preprocessing = preprocessing_of(tuple(settings["input"]), recipe) if learned is None else learned.preprocessing
    decoded = dataset.decode(preprocessing, progress=progress, strict=settings["strict"])
    written = folder.read_json(folder.data)
    if decoded.manifest.fingerprint != written.get("fingerprint"):
        raise RunError(
            f"the data at {settings['data']} changed since this training began",
            file=str(run),
            fix="start a new training",
        )
    task = TASKS[task_name(len(decoded.manifest.classes), settings["task"])]
    if network is None:
        assert plan is not None
        network = built(plan, task.outputs(len(decoded.manifest.classes)))
    folder.remove_unfinished()
    decoded = replace(decoded, manifest=replace(decoded.manifest, path=written["path"]))  # as it was given
    job = Job(
        data=settings["data"], task=task, design=plan, network=network, recipe=recipe, decoded=decoded, device=chosen,
        threads=settings["threads"], strict=settings["strict"], run=folder, progress=progress, began=began,
        start=learned,
    )  # fmt: skip
    return job.train(again=True)


def _from_anywhere(data: str | Path) -> str:
    """The data's path as a later process finds it, wherever that is started; a name such as `demo-digits` as it is."""
    return str(Path(data).absolute()) if Path(data).exists() else str(data)


def _are_photos(dataset: Dataset) -> bool:
    """Whether these are colour photos, which a mirror leaves what they are."""
    return dataset.form != "idx" and dataset.channels == 3


def _refuse_without_training(dataset: Dataset) -> None:
    """Data whose every image has a part, none of them the one that trains."""
    given = {entry.given for entry in dataset.entries}
    if not given & {None, "train"}:
        folders = {entry.file.split("/")[0] for entry in dataset.entries}
        parts = sorted(folders if dataset.form == "folder" else map(str, given))
        raise DataError(
            f"has no training part, only {' and '.join(parts)}",
            file=dataset.path,
            fix="add one named train, or give class folders without parts, which are split by themselves",
        )


def _device_of(settings: dict[str, Any], run: Run) -> torch.device:
    """The device that an interrupted run was on."""
    try:
        return pick_device(settings["device"])
    except DeviceError as fault:
        raise RunError(
            f"was started on {settings['device']}, which this machine does not have: the bits would differ elsewhere",
            file=str(run.path),
            fix=f"go on on a machine with {settings['device']}, or start a new training",
        ) from fault


def _start_of(settings: dict[str, Any], run: Run) -> Start | None:
    """The learned weights that an interrupted run began with."""
    if settings.get("start") is None:
        return None
    try:
        return Start.from_json(settings["start"])
    except (KeyError, TypeError, ValueError) as fault:
        raise RunError("is damaged", file=str(run.resume_state), fix="start a new training") from fault


def _finished(result: Trained) -> Model:
    if result.report["stopped"] == "interrupted" or result.model is None:
        raise KeyboardInterrupt(f"{result.report['run']} can go on: fieldstone.resume({result.report['run']!r})")
    return result.model
