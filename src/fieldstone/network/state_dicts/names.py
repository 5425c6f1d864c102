"""How other libraries call the layers of the gallery's networks: tables of names, as data. No torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TABLES = Path(__file__).with_name("tables")

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


@dataclass(frozen=True)
class Names:
    """The names that one library gives to the layers of one network.

    Attributes:
        library: whose they are.
        layers: the prefixes of its tensors, in the order of our layers that hold tensors.
        ignored: prefixes of tensors that the network here does without, such as those of auxiliary heads.
    """

    library: str
    layers: tuple[str, ...]
    ignored: tuple[str, ...] = ()


def known() -> list[str]:
    """The gallery's designs that have a table, sorted."""
    return sorted(path.stem for path in TABLES.glob("*.yaml"))


def names_of(design: str) -> tuple[Names, ...]:
    """What each library calls the layers of a design of the gallery; none where no library has it."""
    place = TABLES / f"{design}.yaml"
    if not place.is_file():
        return ()
    table: Mapping[str, Any] = yaml.safe_load(place.read_text(encoding="utf-8"))
    return tuple(_names(library, entry) for library, entry in table.items())


def _names(library: str, entry: Mapping[str, list[str]]) -> Names:
    layers = tuple(name for line in entry["layers"] for name in expand(line))
    return Names(library, layers, tuple(entry.get("ignored", ())))


def expand(line: str) -> Iterator[str]:
    """The names that a line stands for: words, `a.{b,c}` for two, `a.{1..3}` for three, as in a shell.

    The last braces of a word vary fastest.
    """
    for word in line.split():
        yield from _expand_word(word)


def _expand_word(word: str) -> Iterator[str]:
    found = _BRACES.search(word)
    if found is None:
        yield word
        return
    for choice in _choices(found[1]):
        for rest in _expand_word(word[found.end() :]):
            yield word[: found.start()] + choice + rest


def _choices(inside: str) -> list[str]:
    bounds = _RANGE.fullmatch(inside)
    if bounds is None:
        return inside.split(",")
    return [str(number) for number in range(int(bounds[1]), int(bounds[2]) + 1)]
