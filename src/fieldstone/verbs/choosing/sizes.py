"""Sizes that people write: sides in pixels, and amounts of memory. No torch."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fieldstone.design.notation import INPUT
from fieldstone.errors import DesignError, FieldstoneError
from fieldstone.geometry import format_shape

UNITS = {"b": 1} | {f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)}
UNITS |= {f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)}


def parse_shape(given: str | Sequence[int] | None) -> tuple[int, ...] | None:
    """`3x64x64` as (3, 64, 64), and so a list of these numbers; nothing as None.

    Raises:
        DesignError: it is not channels and one to three sides joined by x.
    """
    if given is None:
        return None
    text = "x".join(map(str, given)) if isinstance(given, list | tuple) else str(given)
    parts = text.lower().split("x")
    if not all(part.isdecimal() and int(part) > 0 for part in parts) or not 2 <= len(parts) <= 4:
        raise DesignError(f"input {given!r} is not {INPUT.says}", fix="write it as in 3x64x64")
    return tuple(int(part) for part in parts)


def read_sides(given: int | str | tuple[int, ...], sides: tuple[int, ...]) -> tuple[int, ...]:
    """`32`, or one number a side as in `32x48`, for an input with these sides.

    Raises:
        DesignError: it is not that.
    """
    numbers = given if isinstance(given, tuple) else str(given).lower().split("x")
    if not all(str(number).isdecimal() and int(number) > 0 for number in numbers) or len(numbers) not in (
        1,
        len(sides),
    ):
        many = "1 side" if len(sides) == 1 else f"{len(sides)} sides"
        text = "x".join(map(str, numbers))
        raise DesignError(
            f"object {text!r} is no size of what is in an input of {many}",
            fix=f"write pixels, as in 32 or {format_shape((32, 48, 64)[: len(sides)])}",
        )
    return tuple(int(number) for number in numbers) * (len(sides) if len(numbers) == 1 else 1)


def read_bytes(given: int | str) -> int:
    """`8GiB` or `500MB` as bytes; a number by itself is bytes.

    Raises:
        DesignError: it is no amount above 0.
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) *([a-z]*)", str(given).lower())
    count = int(float(match[1]) * UNITS[match[2] or "b"]) if match and (match[2] or "b") in UNITS else 0
    if count < 1:
        raise DesignError(f"memory {str(given)!r} is no amount", fix="write a number and a unit, as in 8GiB or 500MB")
    return count


def read_pair(name: str, given: str) -> tuple[int, int]:
    """`3` or `3x2` as rows and columns; only padding may be 0.

    Raises:
        FieldstoneError: it is not that.
    """
    parts = given.lower().split("x")
    least = 0 if name == "padding" else 1
    if len(parts) > 2 or not all(part.isdecimal() and int(part) >= least for part in parts):
        raise FieldstoneError(f"{name} {given!r} is no size", fix="write rows and columns, as in 3 or 3x2")
    return int(parts[0]), int(parts[-1])


def read_list(given: str) -> tuple[int, ...]:
    """`1,2,3` as these numbers, none below 1.

    Raises:
        FieldstoneError: it is not that.
    """
    parts = given.split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise FieldstoneError(f"dilations {given!r} are no numbers", fix="write one a layer, as in 1,2,3")
    return tuple(int(part) for part in parts)
