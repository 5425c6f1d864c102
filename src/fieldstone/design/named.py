"""The gallery: designs by name."""

from __future__ import annotations

from pathlib import Path

from fieldstone.design.notation import nearest
from fieldstone.errors import DesignError

GALLERY = Path(__file__).with_name("gallery")

# Designs that accept a range of square inputs with 1 or 3 channels: the smallest and the largest side.
INPUT_SIDES = {"vgg-small": (28, 64)}


def names() -> list[str]:
    """The names of the gallery's designs, sorted."""
    return sorted(path.stem for path in GALLERY.glob("*.yaml"))


def input_sides(name: str) -> tuple[int, int] | None:
    """The smallest and largest side of a design that accepts a range of inputs; None for one that has its own."""
    return INPUT_SIDES.get(name)


def text(name: str) -> str:
    """The text of a design in the gallery.

    Raises:
        DesignError: there is none of that name.
    """
    if name not in names():
        near = nearest(name, names())
        fix = f"did you mean {near}?" if near else f"the designs are {', '.join(names())}"
        raise DesignError(f"there is no design {name!r}", fix=fix)
    return (GALLERY / f"{name}.yaml").read_text(encoding="utf-8")
