"""The sections on what the model gets right: per class, which classes it confuses."""

from __future__ import annotations

from typing import NamedTuple

from fieldstone.report.examination import Examination

MOST_IN_MATRIX = 20
MOST_CLASSES = 50
LONGEST_NAME = 22
TINTS = 8
"""The tints of the matrix from none of a row's images to all of them."""


class ClassFigures(NamedTuple):
    """One class; None where there is nothing to divide by."""

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    images: int


class Cell(NamedTuple):
    """Images of one class that were given one class, and the tint of their share of the row."""

    images: int
    tint: int
    is_right: bool


class MatrixRow(NamedTuple):
    """A true class."""

    name: str
    cells: list[Cell]

    @property
    def short(self) -> str:
        """The name with its middle left out where it is long: names often differ in their ends."""
        return self.name if len(self.name) <= LONGEST_NAME else f"{self.name[:13]}…{self.name[-8:]}"


def per_class(examination: Examination) -> list[ClassFigures]:
    """Every class in its order; of very many, those with the lowest F1 first."""
    counts = examination.figures["confusion"]
    given = [sum(column) for column in zip(*counts, strict=True)]
    rows = [
        ClassFigures(
            name,
            row["precision"] if given[place] else None,
            row["recall"] if row["images"] else None,
            row["f1"] if row["images"] or given[place] else None,
            row["images"],
        )
        for place, (name, row) in enumerate(examination.figures["per_class"].items())
    ]
    if len(rows) <= MOST_CLASSES:
        return rows
    known = [row for row in rows if row.images]
    return sorted(known, key=lambda row: row.f1 or 0.0)[:MOST_CLASSES]


def stands_upright(rows: list[MatrixRow]) -> bool:
    """Whether the names over the columns of a matrix are too long to lie."""
    return len(rows) > 6 and max(len(row.name) for row in rows) > 4


def matrix(examination: Examination) -> list[MatrixRow]:
    """A row a true class, a column a given one; empty where there are more classes than can be read."""
    if len(examination.classes) > MOST_IN_MATRIX:
        return []
    return [
        MatrixRow(
            name,
            [
                Cell(images, round(TINTS * images / max(1, sum(counts))), place == column)
                for column, images in enumerate(counts)
            ],
        )
        for place, (name, counts) in enumerate(zip(examination.classes, examination.figures["confusion"], strict=True))
    ]
