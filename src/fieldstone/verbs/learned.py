"""Learned weights as a beginning: whose they are, which of them a network takes, what they ask of the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from fieldstone.data.preprocessing import Preprocessing
from fieldstone.design import named
from fieldstone.design.design import Design
from fieldstone.design.walk import Row
from fieldstone.errors import DesignError, ModelError
from fieldstone.geometry import format_shape
from fieldstone.model.file import pack_keys, unpack_keys
from fieldstone.model.model import Model, load
from fieldstone.model.weight_files import kind_of
from fieldstone.training.halves import is_inside
from fieldstone.training.recipe import TRUNK, Recipe
from fieldstone.verbs.import_weights import import_weights
from fieldstone.verbs.preprocessing_text import numbers_text, size_text

SHOWN = 5


@dataclass(frozen=True)
class Start:
    """What of a network was learned before.

    Attributes:
        name: what the weights were called: a name, a run, or a file.
        learned, new: the paths of the blocks that hold weights.
        head: the path of the block that is sized by the classes.
        preprocessing: how images become its input.
        saw: how they did when the weights were learned.
        seen: the short keys of the images that the weights were trained or validated on.
        summed: whether weights for three channels were summed to one.
        notes: what is to be said of the weights since they were imported.
    """

    name: str
    learned: tuple[str, ...]
    new: tuple[str, ...]
    head: str
    preprocessing: Preprocessing
    saw: Preprocessing
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
            "saw": self.saw.to_json(),
            "images": pack_keys(self.seen),
            "summed": self.summed,
            "notes": list(self.notes),
        }

    def about(self, freeze: Sequence[str]) -> dict[str, Any]:
        """What a model file says of it: which blocks were learned before, of those the frozen ones, and the new."""
        frozen = [path for path in self.learned if any(_is_frozen(path, one, self.head) for one in freeze)]
        kept = [path for path in self.learned if path not in frozen]
        return {"name": self.name, "learned": kept, "frozen": frozen, "new": list(self.new)}

    def lines(self) -> list[str]:
        """What a person should know before it trains."""
        new = f"block {self.head} new" if self.new else "its head too, since the classes are the same"
        told = [f"start {self.name}: {len(self.learned)} blocks with learned weights, {new}"]
        told += [self._images(), *self.notes]
        if self.summed:
            told.append("the first layer's weights for three channels are summed to one, since the images are grey")
        return told

    def _images(self) -> str:
        """How images become the input, and whether that is as the weights know it."""
        now, before = size_text(self.preprocessing), size_text(self.saw)
        grey = ", in grey" if self.preprocessing.channels == 1 else ""
        numbers = numbers_text(self.preprocessing)
        if now == before:
            return f"images as these weights saw them: {now}{grey}; {numbers}"
        return f"images {now}{grey}, not as these weights saw them ({before}); {numbers}"

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            name=value["name"],
            learned=tuple(value["learned"]),
            new=tuple(value["new"]),
            head=value["head"],
            preprocessing=Preprocessing.from_json(value["preprocessing"]),
            saw=Preprocessing.from_json(value["saw"]),
            seen=unpack_keys(value["images"]),
            summed=value["summed"],
            notes=tuple(value["notes"]),
        )


def _is_frozen(path: str, freeze: str, head: str) -> bool:
    """Whether `freeze` names this block, one that holds it, or the trunk that it stands in."""
    return not is_inside(path, head) if freeze == TRUNK else is_inside(path, freeze)


def find_start(given: str | Path | Model, design: str | Path | Design | None) -> Model:
    """The model whose weights a training begins with, on the processor.

    Args:
        given: a name, a run, a model file, a model; or a state dict of another library, which needs `design`.

    Raises:
        DesignError: a design is given to a start that has one, or a state dict comes without.
        ModelError: it holds no weights that can be taken.
    """
    if not isinstance(given, Model) and _is_state_dict(given):
        if design is None:
            raise DesignError(
                "a state dict does not say which network it is of",
                file=str(given),
                fix="give --design NAME, as in --design resnet-18",
            )
        return import_weights(given, str(design), device="cpu")
    if design is not None:
        raise DesignError("--start brings its own design", fix="leave out --design")
    model = given if isinstance(given, Model) else load(given, device="cpu")
    if model.design is None:
        raise ModelError(
            "was trained as a network of your own: nobody knows which of its weights belong to its head",
            file=None if isinstance(given, Model) else str(given),
            fix="load it in Python and give it as network=",
        )
    return model


def _is_state_dict(given: str | Path) -> bool:
    """Whether it is a file of weights alone, which another program wrote."""
    return str(given) not in named.names() and kind_of(given) in ("safetensors", "torch")


def design_like(learned: Model, shape: tuple[int, ...] | None, channels: int, classes: int) -> Design:
    """The design of the learned weights for so many classes; of one channel where the images have one.

    Raises:
        DesignError: an input of another rank than the weights are for.
    """
    plan = learned.design
    assert plan is not None
    if shape is None:
        shape = (channels, *plan.input[1:]) if (channels, plan.input[0]) == (1, 3) else plan.input
    if len(shape) != len(plan.input):
        raise DesignError(
            f"an input of {format_shape(shape)} has another rank than the {format_shape(plan.input)} of the start",
            fix="give an input of the same rank, or leave it out",
        )
    return plan.resolve(input=shape, classes=classes)


def preprocessing_like(learned: Model, plan: Design, recipe: Recipe) -> Preprocessing:
    """That of the learned weights, for the input of the design; the recipe's way of resizing where it names one."""
    channels, *sides = plan.input
    before = learned.preprocessing
    if recipe.model_fields_set & {"resize", "resize_to"}:
        before = replace(before, size=(sides[0], sides[1]), resize=recipe.resize, resize_to=recipe.resize_to)
    return before.for_input(channels, (sides[0], sides[1]))


def carry_over(
    name: str,
    learned: Model,
    network: nn.Module,
    plan: Design,
    outputs: int,
    preprocessing: Preprocessing,
    *,
    same_head: bool,
) -> Start:
    """Give a new network the learned weights, all but the head's where that is for other classes.

    Raises:
        ModelError: weights that do not fit, as after `flatten` with another input; nothing is loaded then.
    """
    rows = plan.walk(outputs)
    head = next(row.path for row in rows if row.block.is_head)
    held = {key: tensor.cpu() for key, tensor in learned.network.state_dict().items()}
    wanted = network.state_dict()
    taken, misfits, summed = {}, [], False
    for key, tensor in wanted.items():
        if is_inside(key, head) and not same_head:
            continue
        old = held[key]
        if old.shape != tensor.shape and _sees_the_input(key, rows) and _is_sum(old, tensor):
            old, summed = _summed(old, learned.preprocessing), True
        if old.shape == tensor.shape:
            taken[key] = old
        else:
            misfits.append(f"{key} is {format_shape(tuple(old.shape))}, not {format_shape(tuple(tensor.shape))}")
    if misfits:
        more = f" and {len(misfits) - SHOWN} more" if len(misfits) > SHOWN else ""
        raise ModelError(
            f"its weights do not fit an input of {format_shape(plan.input)}: {', '.join(misfits[:SHOWN])}{more}",
            file=name,
            fix=f"leave out --input, or give {format_shape(learned.design.input if learned.design else plan.input)}",
        )
    network.load_state_dict({**wanted, **taken})
    paths = list(dict.fromkeys(_path_of(key, rows) for key in wanted))
    new = tuple(path for path in paths if path == head and not same_head)
    kept = tuple(path for path in paths if path not in new)
    notes = tuple(learned.about["data"].get("notes", ()))
    return Start(name, kept, new, head, preprocessing, learned.preprocessing, learned.seen, summed, notes)


def _path_of(key: str, rows: tuple[Row, ...]) -> str:
    """The path of the block that a tensor belongs to: the longest that its name begins with."""
    return max((row.path for row in rows if is_inside(key, row.path)), key=len)


def _sees_the_input(key: str, rows: tuple[Row, ...]) -> bool:
    return any("input" in row.sources for row in rows if row.path == _path_of(key, rows))


def _is_sum(old: Tensor, new: Tensor) -> bool:
    """Whether weights (out, 3, *kernel) can become (out, 1, *kernel)."""
    return old.dim() > 2 and old.shape[0] == new.shape[0] and old.shape[2:] == new.shape[2:] and new.shape[1] == 1


def _summed(weight: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Weights (out, channels, *kernel) on channels that are all the same: (out, 1, *kernel).

    Each channel was divided by its own deviation; now all are by their mean.
    """
    assert preprocessing.std is not None
    std = torch.tensor(preprocessing.std, dtype=torch.float64)
    ratio = (std.mean() / std).reshape(1, -1, *(1 for _ in weight.shape[2:]))
    return (weight.double() * ratio).sum(dim=1, keepdim=True).to(weight.dtype)
