"""Where a random block goes: the map and the names that it meets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from fieldstone.design.blocks.block import Block
from fieldstone.design.names import Map, Names
from fieldstone.design.walk import Walker
from fieldstone.errors import DesignError
from fieldstone.geometry import numel

OUTPUTS = 5
MOST = 2000  # values of a channel


@dataclass
class Place:
    """Where the next block goes: the map that comes in, the names it sees, how deep it stands."""

    here: Map
    names: Names
    depth: int = 0
    blocks: list[Block] = field(default_factory=list)

    def put(self, *blocks: Block) -> bool:
        """Append the blocks if they walk from here; whether they did."""
        names, here = dict(self.names), self.here
        walker = Walker(OUTPUTS, None, lambda: None)
        try:
            for block in blocks:
                here = walker.block(block, "1", here, names)
        except DesignError:
            return False
        if here.shape[0] > (4000 if len(here.shape) == 1 else 64) or numel(here.shape[1:]) > MOST:
            return False
        self.here, self.names = here, names
        self.blocks += blocks
        return True

    @property
    def maps(self) -> dict[str, Map]:
        """The saved maps in sight."""
        return {name: kept for name, kept in self.names.items() if isinstance(kept, Map)}

    def inside(self) -> Place:
        return Place(self.here, dict(self.names), self.depth + 1)


def sizes(draw: DrawFn, rank: int, least: int, most: int) -> tuple[int, ...]:
    numbers = st.integers(least, most)
    return draw(st.one_of(numbers.map(lambda n: (n,)), st.tuples(*[numbers] * rank)))


def rank_of(place: Place) -> int:
    return max(1, len(place.here.shape) - 1)


def plain(*choices: Block) -> Strategy:
    """One of some blocks."""
    return lambda draw, place: void(place.put(draw(st.sampled_from(choices))))


def void(_: object) -> None:
    """For lambdas that are called for their effect."""


Strategy = Callable[[DrawFn, Place], None]
