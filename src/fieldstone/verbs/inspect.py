"""Inspecting: a design, checked before anything runs. No torch."""

from __future__ import annotations

from pathlib import Path

from fieldstone.analysis.summary import Summary, summarise
from fieldstone.design.design import Design
from fieldstone.tasks.choice import INSPECTED, outputs, task_name
from fieldstone.verbs.choose_design import find_design

CLASSES = 10
"""How many classes are assumed where nothing says it."""


def inspect(
    design: str | Path | Design,
    *,
    input: tuple[int, ...] | None = None,
    classes: int | None = None,
    width: float | None = None,
    task: str | None = None,
) -> Summary:
    """Every block's output, parameters, multiply-adds and receptive field, and what is wrong with a design.

    Args:
        design: a gallery name, a file, a run, a model or a `Design`.
        input: (C, *sides); without it the design's own.
        classes: without it the design's, else 10.
        width: a factor for every number of filters or features.
        task: what the outputs mean; without it binary for two classes, and multiclass or one answer a pixel for more.

    Raises:
        DesignError: there is no such design, or a block does not fit its input.
    """
    found = find_design(design).resolve(input=input, width=width)
    number, source = count_classes(found, classes)
    return summarise(found, number, source, outputs(task_name(number, task, INSPECTED), number), task)


def count_classes(design: Design, asked: int | None) -> tuple[int, str]:
    """How many classes a head has, and where that number is from: what was asked, the design's, else 10."""
    if asked is not None:
        return asked, "as asked"
    return (design.classes, "the design's") if design.classes else (CLASSES, "assumed")
