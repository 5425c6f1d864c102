"""The kinds of values that a block is written with: how each is read, written, and named in a message."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Any


class Classes(Enum):
    """Stands for the task's outputs."""

    CLASSES = "classes"


CLASSES = Classes.CLASSES
Filters = int | Classes
Sizes = tuple[int, ...]  # one number for every axis, or one per axis
Padding = tuple[int, ...] | str  # numbers, or "same", or "causal"

LARGEST = 999_999_999  # of whole numbers: nine digits


@dataclass(frozen=True)
class Kind:
    """`read` gives the value of a text, None if it is not of this kind; `write` gives the text back."""

    says: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str

    def wrong(self, text: str) -> str:
        """What is wrong with a text that `read` does not take."""
        smaller = re.sub(r"[0-9]{10,}", str(LARGEST), text)
        if smaller != text and self.read(smaller) is not None:
            return f"is above {LARGEST:,}, the largest number"
        return f"is not {self.says}"


def _sizes(least: int) -> Callable[[str], Any]:
    def read(text: str) -> Sizes | None:
        if not re.fullmatch(r"[0-9]{1,9}(x[0-9]{1,9}){0,2}", text):
            return None
        numbers = tuple(map(int, text.split("x")))
        return numbers if min(numbers) >= least else None

    return read


def _count(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) and int(text) > 0 else None


def _padding(*words: str) -> Callable[[str], Padding | None]:
    def read(text: str) -> Padding | None:
        if text == "valid":
            return (0,)
        return text if text in words else _sizes(0)(text)

    return read


def write_sizes(sizes: Padding) -> str:
    """(3, 5) as `3x5`."""
    return sizes if isinstance(sizes, str) else "x".join(map(str, sizes))


def number(low: float, high: float, says: str) -> Kind:
    """A decimal number in a closed range."""

    def read(text: str) -> float | None:
        if not re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?", text):
            return None
        value = float(text)
        return value if low <= value <= high and abs(value) < inf else None

    return Kind(says, read, lambda value: f"{value:g}" if float(f"{value:g}") == value else repr(value))


def choice(*words: str) -> Kind:
    """One of some words."""
    return Kind(" or ".join(words), lambda text: text if text in words else None)


COUNT = Kind("a whole number above 0", _count)
FILTERS = Kind(
    "a whole number above 0, or `classes`",
    lambda text: CLASSES if text == "classes" else _count(text),
    lambda value: "classes" if value is CLASSES else str(value),
)
SIZES = Kind("a whole number above 0 (or one per side, as in 3x5)", _sizes(1), write_sizes)
NATURALS = Kind("a whole number (or one per side, as in 1x2)", _sizes(0), write_sizes)
PADDING = Kind("a whole number (or one per side, as in 1x2), `same` or `valid`", _padding("same"), write_sizes)
CONV_PADDING = Kind(
    "a whole number (or one per side, as in 1x2), `same`, `valid` or `causal`", _padding("same", "causal"), write_sizes
)
FLAG = Kind("true or false", {"true": True, "false": False}.get, lambda value: "true" if value else "false")
NAME = Kind(
    "a name (a letter, then letters, digits, _ or -)",
    lambda text: text if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text) else None,
)
PROBABILITY = number(0, 1, "a number from 0 to 1")
POSITIVE = number(5e-324, inf, "a number above 0")
NOT_NEGATIVE = number(0, inf, "a number of 0 or more")
REAL = number(-inf, inf, "a number")
