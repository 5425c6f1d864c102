"""What follows the head of a design."""

from __future__ import annotations

from collections.abc import Sequence

from fieldstone.design.walk import Row

NEVER_BELOW_0 = ("relu", "relu6")
"""Activations that may stand behind a head of several outputs, as in SqueezeNet."""


def paths_from(head: str, rows: Sequence[Row]) -> frozenset[str]:
    """The paths of the head, and of all that works on what it gives."""
    found = {head}
    for row in rows:
        if found.intersection(row.sources):
            found.add(row.path)
    return frozenset(found)


def floor_of(rows: Sequence[Row]) -> Row | None:
    """The activation after the head that leaves no answer below 0; None without one, or where weights follow it."""
    head = next(row.path for row in rows if row.block.is_head)
    behind = paths_from(head, rows) - {head}
    after = [row for row in rows if row.path in behind]
    for number, row in enumerate(after):
        if row.block.keyword in NEVER_BELOW_0 and not any(later.params for later in after[number:]):
            return row
    return None
