"""Leaving: a design as one file of plain PyTorch. No torch."""

from __future__ import annotations

from pathlib import Path

from fieldstone.design.design import Design
from fieldstone.network.code import plain_code
from fieldstone.tasks.choice import outputs, task_name
from fieldstone.verbs.choosing.design import count_classes, find


def code(
    design: str | Path | Design,
    *,
    input: tuple[int, ...] | None = None,
    classes: int | None = None,
    width: float | None = None,
    task: str | None = None,
) -> str:
    """The text of a Python file that trains, tests, saves and loads the network; arguments as those of `inspect`."""
    given = find(design)
    found = given.design.resolve(input=input, width=width)
    number, _ = count_classes(found, classes)
    if task is None and classes is None:
        task = given.task
    return plain_code(found, number, outputs(task_name(number, task), number))
