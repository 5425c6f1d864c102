"""Which design is meant: a gallery name, a file, a run or a model; and the input that fits the data. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from fieldstone.design import named
from fieldstone.design.design import Design
from fieldstone.errors import DesignError

DEFAULT = "vgg-small"
MODEL = "model.safetensors"
OWN = "a network of your own, of which there is no design"


class HasSizes(Protocol):
    """What a data set tells of its images."""

    @property
    def channels(self) -> int: ...

    @property
    def median_size(self) -> tuple[int, int]: ...


def find_design(given: str | Path | Design) -> Design:
    """The design that a name, a file, a run folder or a model file means.

    Raises:
        DesignError: there is no such thing, or it holds no design.
    """
    if isinstance(given, Design):
        return given
    if str(given) in named.names():
        return Design.named(str(given))
    path = Path(given)
    if path.is_dir():
        if not (path / "design.yaml").is_file():
            if (path / "recipe.yaml").is_file():  # a run
                raise DesignError(f"trained {OWN}", file=str(path), fix="give a run that a design made")
            raise DesignError(
                "holds no design.yaml", file=str(path), fix="give a gallery name, a file, or a run folder"
            )
        return Design.read(path / "design.yaml")
    if path.suffix == ".safetensors":
        return _design_of_model(path)
    if path.is_file() or path.suffix in (".yaml", ".yml"):
        return Design.read(path)
    return Design.named(str(given))  # which says what the names are


def trained_task(given: str | Path | Design) -> str | None:
    """The task of the model that a run or a model file holds; None of any other design."""
    if isinstance(given, Design) or str(given) in named.names():
        return None
    file = Path(given) / MODEL if Path(given).is_dir() else Path(given)
    if file.suffix != ".safetensors" or not file.is_file():
        return None
    from fieldstone.model.file import read_model_file

    return str(read_model_file(file).fields["task"])


def choose_design(
    given: str | Path | Design | None,
    data: HasSizes,
    shape: tuple[int, ...] | None,
    classes: int,
    width: float | None = None,
) -> Design:
    """The design to train, its input, classes and width settled.

    Without one it is `vgg-small`. A gallery design that accepts a range of inputs takes channels and side from the
    data, unless a shape is given: the shorter side of the median image, clamped to the range.
    """
    wanted = DEFAULT if given is None else given
    design = find_design(wanted)
    sides = None if isinstance(wanted, Design) else named.input_sides(str(wanted))
    if shape is None and sides is not None:
        side = min(max(min(data.median_size), sides[0]), sides[1])
        shape = (data.channels, side, side)
    return design.resolve(input=shape, classes=classes, width=width)


def parse_shape(given: str | Sequence[int] | None) -> tuple[int, ...] | None:
    """`3x64x64` as (3, 64, 64), and so a list of these numbers; nothing as None.

    Raises:
        DesignError: it is not numbers joined by x.
    """
    if given is None:
        return None
    text = "x".join(map(str, given)) if isinstance(given, list | tuple) else str(given)
    parts = text.lower().split("x")
    if not all(part.isdecimal() and int(part) > 0 for part in parts) or not 2 <= len(parts) <= 4:
        raise DesignError(f"input {given!r} is no shape", fix="write channels and sides, as in 3x64x64")
    return tuple(int(part) for part in parts)


def _design_of_model(path: Path) -> Design:
    from fieldstone.model.file import read_model_file

    text = read_model_file(path).fields["design"]
    if not isinstance(text, str):
        raise DesignError(f"holds {OWN}", file=str(path), fix="give a model that a design made")
    return Design.parse(text, file=str(path))
