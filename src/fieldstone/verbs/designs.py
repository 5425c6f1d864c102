"""Listing the gallery. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fieldstone.analysis.summary import Summary
from fieldstone.design import named
from fieldstone.design.design import Design
from fieldstone.geometry import format_shape
from fieldstone.verbs.inspect import inspect


@dataclass(frozen=True, repr=False)
class Gallery:
    """Every named design, inspected at its own input and classes."""

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
        return "\n".join(
            f"{design.name:<12} {_inputs(design):<22} {one.params:>11,} parameters  {design.about}"
            for design, one in self.entries
        )


def list_gallery() -> Gallery:
    """The gallery in the order of its names."""
    return Gallery(tuple((design, inspect(design)) for design in map(Design.named, named.names())))


def _inputs(design: Design) -> str:
    sides = named.input_sides(design.name)
    return format_shape(design.input) + (f" (sides {sides[0]} to {sides[1]})" if sides else "")
