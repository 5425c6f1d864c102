"""How other libraries call the layers of the gallery's networks, and read images for them: as data. No torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

TABLES = Path(__file__).with_name("tables")
PIXELS = Path(__file__).with_name("pixels.yaml")

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_DIGITS = 8


@dataclass(frozen=True)
class Pixels:
    """How a library reads images for a network, at the input that its design has.

    The shorter side becomes `resize_to` and the centre is cut; x = pixel / divided_by, then (x - mean) / std.
    """

    resize_to: int
    divided_by: float
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class Names:
    """The names that one library gives to the layers of one network.

    Attributes:
        library: whose they are.
        layers: the prefixes of its tensors, in the order of our layers that hold tensors; the last is the head.
        pixels: what the network's images are like.
        ignored: prefixes of tensors that the network here does without, such as those of auxiliary heads.
        note: what a person should know of it.
        assumed: what is taken for granted when weights are imported, and the options that say otherwise.
        files: by the first 8 digits of their SHA-256, what is `known` of them and their `resize_to`, or why `refused`.
    """

    library: str
    layers: tuple[str, ...]
    pixels: Pixels
    ignored: tuple[str, ...] = ()
    note: str = ""
    assumed: str = ""
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    def of_file(self, sha256: str) -> tuple[Pixels, Mapping[str, Any]]:
        """How images are read for the weights of one file, and what is known of that file."""
        known = self.files.get(sha256[:_DIGITS], {})
        return replace(self.pixels, resize_to=known.get("resize_to", self.pixels.resize_to)), known


def known() -> list[str]:
    """The gallery's designs that have a table, sorted."""
    return sorted(path.stem for path in TABLES.glob("*.yaml"))


def names_of(design: str) -> tuple[Names, ...]:
    """What each library calls the layers of a design of the gallery; none where no library has it."""
    place = TABLES / f"{design}.yaml"
    return tuple(_names(library, entry) for library, entry in _read(place).items()) if place.is_file() else ()


def _names(library: str, entry: Mapping[str, Any]) -> Names:
    layers = tuple(name for line in entry["layers"] for name in expand(line))
    numbers = _read(PIXELS)[entry["pixels"]]
    pixels = Pixels(entry["resize_to"], numbers["divided_by"], tuple(numbers["mean"]), tuple(numbers["std"]))
    ignored, files = tuple(entry.get("ignored", ())), entry.get("files", {})
    return Names(library, layers, pixels, ignored, entry.get("note", ""), entry.get("assumed", ""), files)


def _read(place: Path) -> Mapping[str, Any]:
    table: Mapping[str, Any] = yaml.safe_load(place.read_text(encoding="utf-8"))
    return table


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
