"""Inspecting: a design, checked before anything runs. No torch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fieldstone.analysis.findings import silenced
from fieldstone.analysis.summary import Summary, summarise
from fieldstone.design.design import Design
from fieldstone.errors import DesignError
from fieldstone.progress import Progress
from fieldstone.tasks.choice import INSPECTED, outputs, task_name
from fieldstone.verbs.choose_design import find_design
from fieldstone.verbs.sizes import read_bytes, read_sides

CLASSES = 10
"""How many classes are assumed where nothing says it."""


def inspect(
    design: str | Path | Design,
    *,
    input: tuple[int, ...] | None = None,
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
        design: a gallery name, a file, a run, a model or a `Design`.
        input: (C, *sides); without it the design's own.
        classes: without it the design's, else 10.
        width: a factor for every number of filters or features.
        task: what the outputs mean; without it binary for two classes, and multiclass or one answer a pixel for more.
        object: pixels a side of what is to be recognised, as in 32 or `32x48`.
        memory: what a training step may take, in bytes or as in `8GiB`.
        batch_size: images in that step.
        effective: whether to measure effective receptive fields: by the trained network of a run or a model, else by
            one with first weights. It loads torch.
        select, ignore: codes of findings or their beginnings, as in `FS1,FS203`; without `select` all.

    Raises:
        DesignError: there is no such design, a block does not fit its input, or an argument is not as above.
    """
    if batch_size < 1:
        raise DesignError(f"batch_size {batch_size} is below 1", fix="give the number of images in a step")
    found = find_design(design).resolve(input=input, width=width)
    number, source = count_classes(found, classes)
    summary = summarise(
        found, number, source, outputs(task_name(number, task, INSPECTED), number),
        silent=silenced(None if select is None else _listed(select), _listed(ignore)),
        task=task,
        object_size=None if object is None else read_sides(object, found.input[1:]),
        memory=None if memory is None else read_bytes(memory),
        batch_size=batch_size,
    )  # fmt: skip
    if effective:
        from fieldstone.verbs.effective import measure

        return measure(design, found, summary, progress or Progress.quiet())
    return summary


def _listed(codes: str | Iterable[str]) -> list[str]:
    return codes.split(",") if isinstance(codes, str) else list(codes)


def count_classes(design: Design, asked: int | None) -> tuple[int, str]:
    """How many classes a head has, and where that number is from: what was asked, the design's, else 10."""
    if asked is not None:
        return asked, "as asked"
    return (design.classes, "the design's") if design.classes else (CLASSES, "assumed")
