"""How the rules say numbers."""

from __future__ import annotations

from fieldstone.design.blocks.window import folded
from fieldstone.geometry import format_shape

SIDES = {1: ("value",), 2: ("row", "column"), 3: ("plane", "row", "column")}
"""What one step along each side is called, by the number of sides."""


def short(sizes: tuple[int, ...]) -> str:
    """(3, 3) as `3`, (3, 5) as `3x5`: as it is written in a design."""
    return format_shape(folded(sizes))


def pixels(sizes: tuple[float, ...]) -> str:
    """(4, 2.5) as `4x2.5`: always one number a side."""
    return "x".join(f"{size:g}" for size in sizes)


def percent(share: float) -> str:
    """A share that is neither nothing nor all is never said to be 0% or 100%."""
    return f"{min(max(share, 0.01), 0.99) if 0 < share < 1 else share:.0%}"


def plural(count: float, name: str) -> str:
    """`1 block`, `3 blocks`, `1.5 blocks`, `1,500,000 blocks`."""
    number = f"{count:,}" if isinstance(count, int) else f"{count:,.2f}".rstrip("0").rstrip(".")
    return f"{number} {name}{'' if count == 1 else 's'}"
