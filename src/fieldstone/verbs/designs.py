"""Listing the gallery. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fieldstone.analysis.summary import Summary
from fieldstone.analysis.table import table
from fieldstone.design import named
from fieldstone.design.design import Design
from fieldstone.geometry import format_shape
from fieldstone.verbs.inspect import inspect

HEADINGS = ("name", "input", "parameters", "multiply-adds", "about")
UNITS = {"": " ", "3": "k", "6": "M", "9": "G", "12": "T"}


@dataclass(frozen=True, repr=False)
class Gallery:
    """Every named design at its own input and classes, not looked through for findings."""

    entries: tuple[tuple[Design, Summary], ...]

    def to_json(self) -> dict[str, Any]:
        """What `fieldstone designs --json` prints."""
        listed = [
            {
                "name": design.name,
                "about": design.about,
                "paper": design.paper,
                "input": list(design.input),
                "sides": None if (sides := named.input_sides(design.name)) is None else list(sides),
                "classes": one.classes,
                "params": one.params,
                "macs": one.macs,
            }
            for design, one in self.entries
        ]
        return {"designs": listed}

    def __repr__(self) -> str:
        return "\n".join(table([HEADINGS, *(_cells(*entry) for entry in self.entries)], right=(2, 3)))


def list_gallery() -> Gallery:
    """The gallery in the order of its names."""
    return Gallery(tuple((design, inspect(design, ignore="FS")) for design in map(Design.named, named.names())))


def _cells(design: Design, summary: Summary) -> tuple[str, ...]:
    sides = named.input_sides(design.name)
    shape = format_shape(design.input) + (f" ({sides[0]} to {sides[1]})" if sides else "")
    return (design.name, shape, _short(summary.params), _short(summary.macs), design.about)


def _short(number: int) -> str:
    """Three digits and a unit of thousands: 25557032 as `25.6 M`."""
    digits, _, power = Decimal(f"{number:.2e}").to_eng_string().partition("E+")
    return f"{digits} {UNITS[power]}"
