"""What a network begins with that was learned before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from fieldstone.data.preprocessing import Preprocessing
from fieldstone.data.preprocessing_text import numbers_text, size_text
from fieldstone.model.file import pack_keys, unpack_keys
from fieldstone.training.freezing import is_frozen


@dataclass(frozen=True)
class Start:
    """What of a network was learned before.

    Attributes:
        name: what the weights were called: a name, a run, or a file.
        learned, new: the paths of the blocks that hold weights.
        head: the path of the block that is sized by the classes; None where it cannot be told.
        preprocessing: how images become its input.
        saw: how they did when the weights were learned; None where nobody knows.
        seen: the short keys of the images that the weights were trained or validated on.
        summed: whether weights for three channels were summed to one.
        notes: what is to be said of the weights since they were imported.
    """

    name: str
    learned: tuple[str, ...]
    new: tuple[str, ...]
    head: str | None
    preprocessing: Preprocessing
    saw: Preprocessing | None
    seen: frozenset[bytes]
    summed: bool = False
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """What `resume.json` keeps."""
        return {
            "name": self.name,
            "learned": list(self.learned),
            "new": list(self.new),
            "head": self.head,
            "preprocessing": self.preprocessing.to_json(),
            "saw": None if self.saw is None else self.saw.to_json(),
            "images": pack_keys(self.seen),
            "summed": self.summed,
            "notes": list(self.notes),
        }

    def about(self, freeze: Sequence[str]) -> dict[str, Any]:
        """What a model file says of it: which blocks were learned before, of those the frozen ones, and the new."""
        frozen = [path for path in self.learned if any(is_frozen(path, one, self.head) for one in freeze)]
        kept = [path for path in self.learned if path not in frozen]
        return {"name": self.name, "learned": kept, "frozen": frozen, "new": list(self.new)}

    def lines(self, block: str = "block") -> list[str]:
        """What a person should know before it trains.

        Args:
            block: what a part of the network is called that holds weights.
        """
        told = [f"start {self.name}: {len(self.learned)} {block}s with learned weights{self._of_head(block)}"]
        told += [self._images(), *self.notes]
        if self.summed:
            told.append("the first layer's weights for three channels are summed to one, since the images are grey")
        return told

    def _of_head(self, block: str) -> str:
        """What became of the head, where it is known which that is."""
        if self.new:
            return f", {block} {' and '.join(self.new)} new"
        if self.head is None:
            return ""
        return ", its head too, " + ("since the classes are the same" if self.saw else "which has as many outputs")

    def _images(self) -> str:
        """How images become the input, and whether that is as the weights know it."""
        now = size_text(self.preprocessing) + (", in grey" if self.preprocessing.channels == 1 else "")
        if self.saw is None:
            return f"images {now}, mean and std those of the training images: a state dict does not say what it saw"
        before, numbers = size_text(self.saw), numbers_text(self.preprocessing)
        if size_text(self.preprocessing) == before:
            return f"images as these weights saw them: {now}; {numbers}"
        return f"images {now}, not as these weights saw them ({before}); {numbers}"

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            name=value["name"],
            learned=tuple(value["learned"]),
            new=tuple(value["new"]),
            head=value["head"],
            preprocessing=Preprocessing.from_json(value["preprocessing"]),
            saw=None if value["saw"] is None else Preprocessing.from_json(value["saw"]),
            seen=unpack_keys(value["images"]),
            summed=value["summed"],
            notes=tuple(value["notes"]),
        )
