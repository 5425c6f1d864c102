"""Which network is looked into: a trained one, a design with its first weights, or a module of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from fieldstone.analysis.module.examine import examine
from fieldstone.analysis.module.stand_in import with_values
from fieldstone.analysis.rule import Subject
from fieldstone.analysis.summary import Summary
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.design.design import Design
from fieldstone.errors import DesignError
from fieldstone.explain.explorer.modules import parts_of_module
from fieldstone.explain.explorer.parts import parts_of
from fieldstone.explain.explorer.payload import Explored
from fieldstone.geometry import Shape, format_shape
from fieldstone.model.device import pick_device
from fieldstone.model.inference import place
from fieldstone.model.model import Model, load
from fieldstone.model.packages import SHIPPED
from fieldstone.network.build import build
from fieldstone.network.initialise import initialise
from fieldstone.tasks.choice import task_name
from fieldstone.tasks.task import TASKS
from fieldstone.verbs.choosing.design import count_classes, find_design, model_file
from fieldstone.verbs.choosing.module import make_module, module_input, names_module

SEED = 0


def explorable(given: str | Path | Design | Model | nn.Module, shape: Shape | None, device: str | None) -> Explored:
    """The network that a design, a run, a model or a name means.

    Raises:
        FieldstoneError: there is no such thing, or its input is no image.
    """
    if isinstance(given, Model):
        if shape is not None or device is not None:
            raise DesignError("a model has its own input and device", fix="leave input and device out")
        return _trained(given, str(given.run or "a model"))
    if isinstance(given, nn.Module):
        if device is not None:
            raise DesignError("a module stays on the device that it is on", fix="leave device out, or move it before")
        return _own(with_values(given), type(given).__name__, _checked(module_input(shape, None), None))
    if names_module(given):
        shape = _checked(module_input(shape, None), None)
        return _own(make_module(str(given)).to(pick_device(device)).eval(), str(given), shape)
    if not isinstance(given, Design) and (model_file(given) is not None or str(given) in SHIPPED):
        if shape is not None:
            raise DesignError(
                f"{given} was trained, and takes images of its own size",
                fix="leave --input out; a design takes another",
            )
        return _trained(load(given, device=device), str(given))
    return _untrained(find_design(given).resolve(input=shape), str(given), device)


def _trained(model: Model, name: str) -> Explored:
    known: dict[str, Any] = {
        "trained": True, "network": model.network, "task": model.task, "classes": model.classes,
        "preprocessing": model.preprocessing,
    }  # fmt: skip
    if model.design is None:
        shape = (model.preprocessing.channels, *model.preprocessing.size)
        summary = examine(model.network, shape, name=type(model.network).__name__)
        return Explored(summary.name, parts=parts_of_module(summary), rows=summary.rows, is_own=True, **known)
    rows = model.design.walk(model.task.outputs(len(model.classes)))
    parts = parts_of(Subject(model.design.input, rows))
    return Explored(model.design.name or Path(name).name, parts=parts, rows=rows, **known)


def _untrained(design: Design, name: str, device: str | None) -> Explored:
    shape = _checked(design.input, design.file)
    classes, _ = count_classes(design, None)
    task = TASKS[task_name(classes, None)]
    rows = design.walk(task.outputs(classes))
    network = build(design, task.outputs(classes))
    initialise(network, "kaiming", SEED)
    return Explored(
        name=design.name or Path(name).stem, trained=False, network=place(network, pick_device(device)).eval(),
        rows=rows, parts=parts_of(Subject(shape, rows)), task=task, classes=_numbered(classes),
        preprocessing=_preprocessing(shape), notes=("untrained",),
    )  # fmt: skip


def _own(module: nn.Module, name: str, shape: Shape) -> Explored:
    summary = examine(module, shape, name=name)
    outputs = summary.outputs or _map_channels(summary)
    task = TASKS["binary" if outputs == 1 else "multiclass"]
    return Explored(
        name=name, trained=True, network=module, rows=summary.rows, parts=parts_of_module(summary), task=task,
        classes=_numbered(max(2, outputs)), preprocessing=_preprocessing(shape), notes=("as_made",), is_own=True,
    )  # fmt: skip


def _map_channels(summary: Summary) -> int:
    """Of a module that answers for each pixel, how many logits each has; 1 of any other."""
    left = [row.output_shape for row in summary.rows if row.path in summary.subject.leaving[:1]]
    return left[0][0] if left and len(left[0]) == 3 else 1


def _checked(shape: Shape, file: str | None) -> Shape:
    """The shape of one image. Raises DesignError of any other."""
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise DesignError(
            f"an input of {format_shape(shape)} is not one of images",
            file=file,
            fix="explore a network that takes one or three channels, a height and a width, as in 3x64x64",
        )
    return shape


def _preprocessing(shape: Shape) -> Preprocessing:
    """Of a network that has seen no image: every channel from about -2 to 2."""
    channels, height, width = shape
    return Preprocessing(size=(height, width), channels=channels, mean=(0.5,) * channels, std=(0.25,) * channels)


def _numbered(classes: int) -> tuple[str, ...]:
    return tuple(f"class {number}" for number in range(1, classes + 1))
