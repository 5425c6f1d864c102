"""The section on the data: how many images of each class in each part, and what some of them look like."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fieldstone.data.split import PARTS
from fieldstone.report.examination import Answer
from fieldstone.report.facts import Facts
from fieldstone.report.pictures import Picture, picture
from fieldstone.report.wording import image_name

MOST_CLASSES = 50
CLASSES_PICTURED = 10
PICTURES_OF_A_CLASS = 4


class ClassRow(NamedTuple):
    """A class: its images in each part, and some that train with their names."""

    name: str
    counts: tuple[int, ...]
    examples: list[tuple[str, Picture]]


class Seen(NamedTuple):
    """An image that was asked about, what was said of it, and the image itself."""

    answer: Answer
    picture: Picture

    @property
    def is_right(self) -> bool:
        return self.answer.truth == self.answer.given


def class_rows(facts: Facts) -> list[ClassRow]:
    """The classes in their order; of very many, those with the most images."""
    counts = _counts(facts)
    order = list(range(len(counts)))
    if len(counts) > MOST_CLASSES:
        order = sorted(np.argsort(-counts.sum(axis=1), kind="stable")[:MOST_CLASSES].tolist())
    pictured = set(order[:CLASSES_PICTURED])
    return [
        ClassRow(
            facts.manifest.classes[target],
            tuple(counts[target].tolist()),
            _examples(facts, target) if target in pictured else [],
        )
        for target in order
    ]


def totals(facts: Facts) -> tuple[int, ...]:
    """The images of each part."""
    return tuple(len(facts.manifest.indices(part)) for part in PARTS)


def seen(facts: Facts, answers: list[Answer]) -> list[Seen]:
    """The images of some answers."""
    assert facts.examination is not None
    return [Seen(answer, picture(facts.examination.images[answer.row])) for answer in answers]


def _counts(facts: Facts) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """(classes, parts)."""
    counts = np.zeros((len(facts.manifest.classes), len(PARTS)), np.int64)
    for row in facts.manifest.rows:
        counts[row.target, PARTS.index(row.split)] += 1
    return counts


def _examples(facts: Facts, target: int) -> list[tuple[str, Picture]]:
    """Images of a class that train, evenly out of all."""
    if facts.decoded is None:
        return []
    train = facts.manifest.indices("train")
    rows = train[facts.manifest.targets[train] == target]
    places = np.linspace(0, len(rows) - 1, min(PICTURES_OF_A_CLASS, len(rows))).round().astype(int)
    named = [(facts.manifest.rows[row], facts.decoded.images[row]) for row in rows[places]]
    return [(image_name(row.file, row.index), picture(pixels)) for row, pixels in named]
