"""Which design is meant: a gallery name, a file, a run or a model; and the input that fits the data. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from fieldstone.design import named
from fieldstone.design.design import Design
from fieldstone.design.walk import Row
from fieldstone.errors import DesignError
from fieldstone.model.packages import INSTALL, SHIPPED, installed, not_installed
from fieldstone.model.weight_files import kind_of

DEFAULT = "vgg-small"
CLASSES = 10
"""How many classes are assumed where nothing says it."""
MODEL = "model.safetensors"
FATES = ("learned", "frozen", "new")
"""What can have become of a block's weights: taken from others, taken and kept as they were, drawn anew."""
OWN = "a network of your own, of which there is no design"


class HasSizes(Protocol):
    """What a data set tells of its images."""

    @property
    def channels(self) -> int: ...

    @property
    def median_size(self) -> tuple[int, int]: ...


@dataclass(frozen=True)
class Found:
    """A design, and what is known where a run or a model brought it, or a package has weights for it.

    Attributes:
        task: what it was trained for.
        start: what a model file says of the learned weights that it began with: `learned`, `frozen` and `new` paths.
        is_learned: whether all of its weights were learned elsewhere.
        missing: that they would be, and how to install them.
    """

    design: Design
    task: str | None = None
    start: Mapping[str, Any] | None = None
    is_learned: bool = False
    missing: str | None = None

    def weights(self, rows: Iterable[Row], classes: int) -> dict[str, str]:
        """By path, whether a block's weights are `learned`, `frozen` or `new`; nothing where all have one fate.

        Args:
            classes: how many classes the head has now.
        """
        if self.start is not None:
            return {path: fate for fate in FATES for path in self.start[fate]}
        if not self.is_learned:
            return {}
        other = classes != self.design.classes
        return {row.path: "new" if other and row.block.is_head else "learned" for row in rows if row.params}


def find_design(given: str | Path | Design) -> Design:
    """The design that a name, a file, a run folder or a model file means.

    Raises:
        DesignError: there is no such thing, or it holds no design.
    """
    return find(given).design


def find(given: str | Path | Design) -> Found:
    """The same, with what is known of its weights; a model file is read once."""
    if isinstance(given, Design):
        return Found(given)
    if str(given) in named.names():
        return _of_gallery(str(given))
    path = Path(given)
    if path.is_dir():
        return _of_run(path)
    if path.suffix == ".safetensors" or kind_of(path) is not None:
        return _of_model(path)
    if path.is_file() or path.suffix in (".yaml", ".yml"):
        return Found(Design.read(path))
    if len(path.parts) > 1:
        raise DesignError("is not there", file=str(given), fix="give a gallery name, a design file, a run or a model")
    return Found(Design.named(str(given)))  # which says what the names are


def _of_gallery(name: str) -> Found:
    design = Design.named(name)
    if name in SHIPPED and installed(name) is None:
        return Found(design, missing=f"{not_installed(name)}; {INSTALL}")
    return Found(design, is_learned=name in SHIPPED)


def _of_run(path: Path) -> Found:
    if not (path / "design.yaml").is_file():
        if (path / "recipe.yaml").is_file():  # a run
            raise DesignError(f"trained {OWN}", file=str(path), fix="give a run that a design made")
        raise DesignError("holds no design.yaml", file=str(path), fix="give a gallery name, a file, or a run folder")
    design = Design.read(path / "design.yaml")
    return replace(_of_model(path / MODEL), design=design) if (path / MODEL).is_file() else Found(design)


def model_file(given: str | Path | Design) -> Path | None:
    """The model that a run or a model file holds; None of any other design."""
    if isinstance(given, Design) or str(given) in named.names():
        return None
    file = Path(given) / MODEL if Path(given).is_dir() else Path(given)
    return file if kind_of(file) == "model" else None


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


def count_classes(design: Design, asked: int | None) -> tuple[int, str]:
    """How many classes a head has, and where that number is from: what was asked, the design's, else 10."""
    if asked is not None:
        return asked, "as asked"
    return (design.classes, "the design's") if design.classes else (CLASSES, "assumed")


def _of_model(path: Path) -> Found:
    from fieldstone.model.file import read_model_file

    fields = read_model_file(path).fields
    if not isinstance(fields["design"], str):
        raise DesignError(f"holds {OWN}", file=str(path), fix="give a model that a design made")
    design, data = Design.parse(fields["design"], file=str(path)), fields["data"]
    return Found(design, fields["task"], data.get("start"), is_learned="weights" in data)
