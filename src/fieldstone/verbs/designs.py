"""Listing the gallery. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fieldstone.analysis.summary import Summary
from fieldstone.design import named
from fieldstone.geometry import format_shape
from fieldstone.verbs.inspect import inspect


@dataclass(frozen=True, repr=False)
class Gallery:
    """Every named design, inspected at its own input and classes."""

    summaries: tuple[Summary, ...]

    def to_json(self) -> dict[str, Any]:
        """What `fieldstone designs --json` prints."""
        listed = [
            {
                "name": one.design.name,
                "about": one.design.about,
                "paper": one.design.paper,
                "input": list(one.design.input),
                "sides": None if (sides := named.input_sides(one.design.name)) is None else list(sides),
                "classes": one.classes,
                "params": one.params,
                "macs": one.macs,
            }
            for one in self.summaries
        ]
        return {"designs": listed}

    def __repr__(self) -> str:
        return "\n".join(
            f"{one.design.name:<12} {_inputs(one):<22} {one.params:>11,} parameters  {one.design.about}"
            for one in self.summaries
        )


def list_gallery() -> Gallery:
    """The gallery in the order of its names."""
    return Gallery(tuple(inspect(name) for name in named.names()))


def _inputs(one: Summary) -> str:
    sides = named.input_sides(one.design.name)
    return format_shape(one.design.input) + (f" (sides {sides[0]} to {sides[1]})" if sides else "")
