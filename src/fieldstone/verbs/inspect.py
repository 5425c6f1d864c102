"""Inspecting: a design, checked before anything runs. No torch, unless a module is given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldstone.analysis.findings import silenced
from fieldstone.analysis.summary import Summary, summarise
from fieldstone.design.design import Design
from fieldstone.errors import DesignError
from fieldstone.progress import Progress
from fieldstone.tasks.choice import INSPECTED, outputs, task_name
from fieldstone.verbs.choosing.design import count_classes, find
from fieldstone.verbs.choosing.module import module_input, names_module
from fieldstone.verbs.choosing.sizes import parse_shape, read_bytes, read_sides

if TYPE_CHECKING:
    from torch import nn


def inspect(
    design: str | Path | Design | nn.Module,
    input: str | tuple[int, ...] | None = None,
    *,
    classes: int | None = None,
    width: float | None = None,
    task: str | None = None,
    object: int | str | tuple[int, ...] | None = None,
    memory: int | str | None = None,
    batch_size: int = 1,
    select: str | Iterable[str] | None = None,
    ignore: str | Iterable[str] = (),
    effective: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Every block's output, parameters, multiply-adds and receptive field, and what is wrong with a design.

    Args:
        design: a gallery name, a file, a run, a model or a `Design`; or any `torch.nn.Module`, itself or as
            `package.module:Factory`.
        input: (C, *sides), or as in `3x64x64`; without it the design's own. A module needs it.
        classes: without it the design's, else 10.
        width: a factor for every number of filters or features.
        task: what the outputs mean; without it the trained one of a run or a model, else binary for two classes, and
            multiclass or one answer a pixel for more.
        object: pixels a side of what is to be recognised, as in 32 or `32x48`.
        memory: what a training step may take, in bytes or as in `8GiB`.
        batch_size: images in that step.
        effective: whether to measure effective receptive fields: by the module or the trained network of a run or a
            model, else by one with first weights. It loads torch.
        select, ignore: codes of findings or their beginnings, as in `FS1,FS203`; without `select` all.

    Raises:
        DesignError: there is no such design, a block does not fit its input, or an argument is not as above.
    """
    if classes is not None and (not isinstance(classes, int) or classes < 1):
        raise DesignError(f"classes {classes!r} is no number of classes", fix="give a whole number from 1 on")
    if isinstance(input, str):
        input = parse_shape(input)
    if batch_size < 1:
        raise DesignError(f"batch_size {batch_size} is below 1", fix="give the number of images in a step")
    asked: dict[str, Any] = {"memory": None if memory is None else read_bytes(memory), "batch_size": batch_size}
    asked |= {"task": task, "silent": silenced(None if select is None else _listed(select), _listed(ignore))}

    def object_size(shape: tuple[int, ...]) -> tuple[int, ...] | None:
        return None if object is None else read_sides(object, shape[1:])

    if names_module(design) or not isinstance(design, str | Path | Design):
        from fieldstone.verbs.inspect_module import inspect_module

        shape = module_input(input, width)
        asked |= {"object_size": object_size(shape), "effective": effective, "progress": progress}
        return inspect_module(design, shape, classes, **asked)
    given = find(design)
    if given.missing is not None and progress is not None:
        progress.say(given.missing)
    found = given.design.resolve(input=input, width=width)
    number, source = count_classes(found, classes)
    if task is None and classes is None:
        asked["task"] = task = given.task
    made = outputs(task_name(number, task, INSPECTED), number)
    summary = summarise(found, number, source, made, object_size=object_size(found.input), **asked)
    if width is None:
        summary = replace(summary, weights=given.weights(summary.rows, number))
    if effective:
        from fieldstone.verbs.effective import measure

        return measure(design, found, summary, progress or Progress.quiet())
    return summary


def _listed(codes: str | Iterable[str]) -> list[str]:
    return codes.split(",") if isinstance(codes, str) else list(codes)
