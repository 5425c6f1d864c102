"""Design: an input shape and a list of blocks, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from fieldstone.design import named, notation, printing
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.structure import Blocks, Structure, count
from fieldstone.design.codes import fault_of
from fieldstone.design.walk import Row, walk
from fieldstone.design.width import widen
from fieldstone.errors import DesignError
from fieldstone.geometry import Shape

MAX_BLOCKS = 10_000  # with every `repeat` unrolled
MAX_WIDTH = 100


@dataclass(frozen=True, repr=False, init=False)
class Design:
    """A network as data: the input shape (C, *sides) and the blocks from input to logits.

    Attributes:
        input: channels and one to three sides, above 0.
        layers: the blocks; given as texts (`"conv 10 3"`), as the lists and mappings of the notation, or ready.
        classes: how many classes it is meant for; None leaves it to the data.
        allow: codes of findings that are meant, each with its reason.
        file: where it was read from, for messages.

    Raises:
        DesignError: the blocks are no design, not exactly one of them is sized by `classes`, or a code is none or has
            no reason.
    """

    input: Shape
    layers: Blocks
    name: str = field(default="", kw_only=True)
    about: str = field(default="", kw_only=True)
    paper: str = field(default="", kw_only=True)
    classes: int | None = field(default=None, kw_only=True)
    allow: Mapping[str, str] = field(default_factory=dict, kw_only=True, hash=False)
    file: str | None = field(default=None, kw_only=True, compare=False)

    def __init__(
        self,
        input: Sequence[int],
        layers: Sequence[Any],
        *,
        name: str = "",
        about: str = "",
        paper: str = "",
        classes: int | None = None,
        allow: Mapping[str, str] | None = None,
        file: str | None = None,
    ) -> None:
        values: dict[str, Any] = {"name": name, "about": about, "paper": paper, "classes": classes, "file": file}
        values |= {"allow": dict(allow or {}), "input": tuple(input)}
        for key, value in values.items():
            object.__setattr__(self, key, value)
        object.__setattr__(self, "layers", self._blocks(layers))
        self._check_header()
        self._check_size()
        self._check_head()

    @classmethod
    def parse(cls, text: str, file: str | None = None) -> Design:
        """The design that a text describes; `file` is named in messages.

        Raises:
            DesignError: the text is no design; with its line.
        """
        return cls(**notation.read_fields(text, file), file=file)

    @classmethod
    def read(cls, path: str | Path) -> Design:
        """The design in a file.

        Raises:
            DesignError: the file cannot be read, or is no design.
        """
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except OSError as fault:
            raise DesignError(f"cannot be read: {fault.strerror}", file=str(path), fix="check the path") from fault
        except UnicodeDecodeError as fault:
            raise DesignError("is no UTF-8 text", file=str(path), fix="save it as UTF-8") from fault
        return cls.parse(text, str(path))

    @classmethod
    def named(cls, name: str) -> Design:
        """A design of the gallery.

        Raises:
            DesignError: there is none of that name.
        """
        return cls.parse(named.text(name), f"{name}.yaml")

    def to_text(self) -> str:
        """The notation; `parse` gives the same design again."""
        return printing.design_text(self)

    def __repr__(self) -> str:
        return self.to_text()

    def resolve(
        self, input: Sequence[int] | None = None, classes: int | None = None, width: float | None = None
    ) -> Design:
        """The same design with another input shape, number of classes or width, where they are given.

        Args:
            width: a factor for every number of filters or features; what it gives are multiples of 8 (see `widen`).

        Raises:
            DesignError: a number that is out of range; a width for a design of groups that does not walk.
        """
        changes: dict[str, Any] = {"input": input, "classes": classes}
        design = replace(self, **{key: value for key, value in changes.items() if value is not None})
        if width is None:
            return design
        if not 0 < width <= MAX_WIDTH:
            self._fail(f"width {width:g} is not above 0 and at most {MAX_WIDTH}", "give a factor such as 0.5")
        layers = widen(design.layers, width, lambda: design.walk(design.classes or 1))
        return replace(design, layers=layers, name=self.name and f"{self.name} x{width:g}")

    def walk(self, outputs: int, instead: Mapping[str, Block] | None = None) -> tuple[Row, ...]:
        """What happens at every block, in pre-order, each `repeat` unrolled.

        Args:
            outputs: the number that `classes` stands for.
            instead: by path, blocks to stand there in the place of the design's.

        Raises:
            DesignError: a block does not fit its input; with file, line, path, numbers and remedy.
        """
        return walk(self.input, self.layers, outputs, self.file, instead).rows

    def output_shape(self, outputs: int) -> Shape:
        """The shape that leaves the last block. Raises DesignError as `walk`."""
        return walk(self.input, self.layers, outputs, self.file).output_shape

    def _blocks(self, layers: Sequence[Any]) -> Blocks:
        if layers and all(isinstance(layer, Block) for layer in layers):
            return tuple(layers)
        return notation.read_layers(notation.entry_of(layers), self.file)

    def _check_header(self) -> None:
        text = "x".join(map(str, self.input))
        if notation.INPUT.read(text) is None:
            self._fail(f"input {self.input} {notation.INPUT.wrong(text)}", "give it as in (3, 64, 64)")
        if self.classes is not None and self.classes < 1:
            self._fail(f"classes {self.classes} is below 1", "give the number of classes")
        for wrong in filter(None, map(fault_of, self.allow.keys(), self.allow.values())):
            self._fail(*wrong)

    def _check_size(self) -> None:
        for block in self.layers:
            if (total := count(block)) > MAX_BLOCKS:
                self._fail(f"{block.text()}: it unrolls to {total:,} blocks, more than {MAX_BLOCKS:,}", line=block.line)
        if (total := sum(map(count, self.layers))) > MAX_BLOCKS:
            self._fail(f"the design unrolls to {total:,} blocks, more than {MAX_BLOCKS:,}")

    def _check_head(self) -> None:
        heads = [head for block in self.layers for head in _heads(block)]
        if not heads:
            self._fail("no block is sized by `classes`", "end it with `linear classes`")
        if len(heads) > 1:
            text, line = heads[1].text(), heads[1].line
            self._fail(f"{text}: `classes` stands in more than one place", "give all but the last a number", line=line)

    def _fail(self, message: str, fix: str = "repeat less", line: int | None = None) -> NoReturn:
        raise DesignError(message, file=self.file, line=line, fix=fix)


def _heads(block: Block) -> list[Block]:
    if isinstance(block, Structure):
        return [head for _, blocks in block.paths() for inner in blocks for head in _heads(inner)]
    return [block] if block.is_head else []
