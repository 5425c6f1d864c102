"""Training: from images to a run with a model in it, and on from where a run was interrupted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fieldstone.data.opening import open_data
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.design.design import Design
from fieldstone.errors import DataError, DesignError, DeviceError, RunError
from fieldstone.geometry import format_shape
from fieldstone.model.device import pick_device
from fieldstone.model.inference import evaluating
from fieldstone.model.model import Model
from fieldstone.network.build import build
from fieldstone.network.initialise import initialise
from fieldstone.network.memory import within_memory
from fieldstone.progress import Progress
from fieldstone.tasks.choice import task_name
from fieldstone.tasks.task import TASKS
from fieldstone.training.checkpoint import read_settings
from fieldstone.training.precision import best_precision
from fieldstone.training.recipe import Recipe
from fieldstone.training.run import Run
from fieldstone.verbs.choose_design import choose_design, parse_shape
from fieldstone.verbs.training_job import Job, Trained

DEFAULT_RECIPE = Recipe()


def train(
    data: str | Path,
    *,
    design: str | Path | Design | None = None,
    network: nn.Module | None = None,
    input: str | Sequence[int] | None = None,
    width: float | None = None,
    recipe: str | Path | Recipe = DEFAULT_RECIPE,
    task: str | None = None,
    out: str | Path | None = None,
    device: str | torch.device | None = None,
) -> Model:
    """Train a network on images and give back the model of the best epoch.

    Args:
        data: a folder of class folders, a CSV file, IDX or CIFAR files, or `demo-digits`.
        design: a gallery name, a file, a run, a model or a `Design`; without it `vgg-small`.
        network: a module of your own in place of a design: (N, C, H, W) floats -> (N, outputs) logits.
        input: (C, H, W), or "CxHxW"; needed with `network`, else the design's or, for `vgg-small`, the data's.
        width: a factor for every number of filters or features of the design.
        recipe: how to train: a `Recipe`, or the name or file of one.
        task: `binary` or `multiclass`; without it, binary for two classes.
        out: the run folder to make; without it `runs/1`, `runs/2`, …
        device: such as `cpu` or `cuda`; without it the accelerator, where there is one.

    Raises:
        FieldstoneError: data, design, recipe or run folder that cannot be used.
        KeyboardInterrupt: Ctrl-C; the run was saved, `fieldstone.resume` goes on with it.
    """
    with Progress() as progress:
        result = start(
            data, design=design, network=network, shape=input, width=width, recipe=recipe, task=task, out=out,
            device=device, progress=progress,
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


def start(
    data: str | Path,
    *,
    progress: Progress,
    design: str | Path | Design | None = None,
    network: nn.Module | None = None,
    shape: str | Sequence[int] | None = None,
    width: float | None = None,
    recipe: str | Path | Recipe = DEFAULT_RECIPE,
    task: str | None = None,
    out: str | Path | None = None,
    device: str | torch.device | None = None,
    threads: int | None = None,
    strict: bool = False,
) -> Trained:
    """`train`, with what the command line adds; an interrupted training is a result, not an exception."""
    began = time.perf_counter()
    if network is not None and (design is not None or width is not None or shape is None):
        raise DesignError(
            "a network of your own takes the place of a design and needs its input", fix="give input=(C, H, W)"
        )
    if network is not None and not isinstance(network, nn.Module):
        raise DesignError(f"network {network!r} is no torch.nn.Module", fix="give a module; a name goes to design=")
    shape, recipe = parse_shape(shape), Recipe.find(recipe)
    chosen = pick_device(device)
    Run.refuse_existing(out)
    dataset = open_data(data, strict=strict, progress=progress)
    plan = None if network is not None else choose_design(design, dataset, shape, len(dataset.classes), width)
    task_of_data = TASKS[task_name(len(dataset.classes), task)]
    if plan is not None:
        _refuse_misfit(plan, task_of_data.outputs(len(dataset.classes)))  # before any image is decoded
    decoded = dataset.decode(_preprocessing(plan.input if plan else shape, recipe), progress=progress, strict=strict)
    classes = decoded.manifest.classes
    if classes != dataset.classes:  # one had damaged images alone
        plan = plan and plan.resolve(classes=len(classes))
        task_of_data = TASKS[task_name(len(classes), task)]
    train_rows = decoded.manifest.indices("train")
    if len(train_rows) < 2:
        raise DataError(f"{len(train_rows)} images are left to train on", file=str(data), fix="give at least two")
    settled = recipe.resolved(
        images=len(train_rows),
        photos=dataset.form != "idx" and dataset.channels == 3,
        precision=best_precision(chosen),
    )
    outputs = task_of_data.outputs(len(classes))
    if plan is None:
        assert network is not None
        assert shape is not None
        _refuse_strange(network, shape, outputs)
    else:
        network = _built(plan, outputs)
        initialise(network, settled.init, settled.seed)
    job = Job(
        data=_from_anywhere(data), task=task_of_data, design=plan, network=network, recipe=settled, decoded=decoded,
        device=chosen, threads=threads or torch.get_num_threads(), strict=strict, run=Run.create(out),
        progress=progress, began=began,
    )  # fmt: skip
    job.write_plan()
    job.say_what(augment_chosen=recipe.augment is None)
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
            fix="in Python: fieldstone.resume(run, network=YourNetwork())" if plan is None else "leave out network=",
        )
    chosen = pick_device(settings["device"])
    dataset = open_data(settings["data"], strict=settings["strict"], progress=progress)
    decoded = dataset.decode(
        _preprocessing(tuple(settings["input"]), recipe), progress=progress, strict=settings["strict"]
    )
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
        network = _built(plan, task.outputs(len(decoded.manifest.classes)))
    folder.remove_unfinished()
    decoded = replace(decoded, manifest=replace(decoded.manifest, path=written["path"]))  # as it was given
    job = Job(
        data=settings["data"], task=task, design=plan, network=network, recipe=recipe, decoded=decoded, device=chosen,
        threads=settings["threads"], strict=settings["strict"], run=folder, progress=progress, began=began,
    )  # fmt: skip
    return job.train(again=True)


def _built(plan: Design, outputs: int) -> nn.Module:
    """The network of a design. Layers draw weights when they are made; the caller's random numbers stay."""
    with torch.random.fork_rng([]):
        return build(plan, outputs)


def _from_anywhere(data: str | Path) -> str:
    """The data's path as a later process finds it, wherever that is started; a name such as `demo-digits` as it is."""
    return str(Path(data).absolute()) if Path(data).exists() else str(data)


def _refuse_strange(network: nn.Module, shape: tuple[int, ...], outputs: int) -> None:
    """A network of the user's own that has nothing to train, or does not give one number an output."""
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise DesignError("the network has no parameter that trains", fix="give one whose parameters require gradients")
    first, images = next(network.parameters()), f"2 images of {format_shape(shape)}"
    too_large = DeviceError(
        f"{first.device} has too little memory for {images} in this network", fix="give smaller ones"
    )
    try:
        with evaluating(network), within_memory(too_large):
            given = network(torch.zeros(2, *shape, device=first.device))
    except RuntimeError as fault:
        raise DesignError(
            f"the network fails on {images} with {type(fault).__name__}: {fault}",
            fix="give the input that it takes, or mend its forward",
        ) from fault
    found = tuple(given.shape) if isinstance(given, torch.Tensor) else f"a {type(given).__name__}"
    if found != (2, outputs):
        raise DesignError(
            f"the network gives {found} for 2 images, and the task needs (2, {outputs})",
            fix=f"end it in {outputs} numbers an image, or give another task",
        )


def summary(report: dict[str, Any]) -> str:
    """A training's report as a person reads it."""
    validation = report["validation"]
    best = "the last epoch is kept, since no image validates"
    if validation is not None:
        best = f"best epoch {report['best_epoch']} by probability of truth, validation {validation['accuracy']:.2%}"
    stopped = ", stopped early" if report["stopped"] == "early" else ""
    return (
        f"{report['epochs']} epochs in {report['seconds']:.1f} s at {report['images_per_second']:,.0f} images/s"
        f"{stopped}; {best}\nmodel {report['model']}"
    )


def _refuse_misfit(plan: Design, outputs: int) -> None:
    """A design whose blocks do not fit, or that does not end in one number an output."""
    shape = plan.output_shape(outputs)
    if shape != (outputs,):
        raise DesignError(
            f"ends in {format_shape(shape)}, and the task needs {outputs} number{'s' if outputs > 1 else ''} an image",
            file=plan.file,
            fix="end it with `linear classes`, or with globalavgpool after `conv classes 1`",
        )


def _preprocessing(shape: tuple[int, ...] | None, recipe: Recipe) -> Preprocessing:
    """How images become the input of a design; mean and standard deviation are still to be measured."""
    if shape is None or len(shape) != 3 or shape[0] not in (1, 3):
        raise DesignError(
            f"an input of {format_shape(shape or ())} is not one of images",
            fix="give one or three channels, a height and a width, as in 3x64x64",
        )
    return Preprocessing(size=(shape[1], shape[2]), channels=shape[0], resize=recipe.resize, resize_to=recipe.resize_to)


def _finished(result: Trained) -> Model:
    if result.report["stopped"] == "interrupted" or result.model is None:
        raise KeyboardInterrupt(f"{result.report['run']} can go on: fieldstone.resume({result.report['run']!r})")
    return result.model
