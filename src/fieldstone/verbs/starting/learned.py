"""Learned weights as a beginning: whose they are, which of them a network takes, what they ask of the images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from fieldstone.data.preprocessing import Preprocessing
from fieldstone.design import named
from fieldstone.design.design import Design
from fieldstone.design.walk import Row
from fieldstone.errors import DesignError, ModelError
from fieldstone.geometry import Shape, format_shape
from fieldstone.model.model import GIVE_CLASS, UNNAMED, Model, stored
from fieldstone.model.weight_files import kind_of
from fieldstone.network.paths import is_inside
from fieldstone.training.recipe import Recipe
from fieldstone.verbs.starting.after_head import paths_from
from fieldstone.verbs.starting.own import LearnedWeights
from fieldstone.verbs.starting.start import Start
from fieldstone.verbs.weights.import_weights import import_weights

SHOWN = 5


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
        return import_weights(given, str(design), device="cpu", without_head=True)
    if design is not None:
        raise DesignError("--start brings its own design", fix="leave out --design")
    held = given if isinstance(given, Model) else stored(given)
    if (held.design if isinstance(held, Model) else held.known["design"]) is None:
        raise ModelError(
            "was trained as a network of your own, so its class is needed",
            file=None if isinstance(given, Model) else str(given),
            fix=GIVE_CLASS,
        )
    return held if isinstance(held, Model) else held.model(device="cpu")


def find_held(given: str | Path | Model) -> LearnedWeights:
    """The weights that a training of a network of the user's own begins with.

    Raises:
        ModelError: there are none.
    """
    if isinstance(given, Model):
        return LearnedWeights.of_model(given, called(given))
    return LearnedWeights.of_state_dict(given) if _is_state_dict(given) else LearnedWeights.of_file(given)


def called(start: str | Path | Model) -> str:
    """How it is said what a training begins with."""
    if not isinstance(start, Model):
        return str(start)
    return UNNAMED if start.run is None else str(start.run)


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


def preprocessing_like(before: Preprocessing, input: Shape, recipe: Recipe) -> Preprocessing:
    """That of learned weights, for an input (C, H, W); the recipe's way of resizing where it names one."""
    channels, *sides = input
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
    """Give a new network the learned weights, all but those from the head on where that is for other classes.

    Raises:
        ModelError: weights that do not fit, as after `flatten` with another input; nothing is loaded then.
    """
    rows = plan.walk(outputs)
    head = next(row.path for row in rows if row.block.is_head)
    after = frozenset() if same_head else paths_from(head, rows)
    held = {key: tensor.cpu() for key, tensor in learned.network.state_dict().items()}
    wanted = network.state_dict()
    taken, misfits, summed = {}, [], False
    for key, tensor in wanted.items():
        if _path_of(key, rows) in after:
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
    new = tuple(path for path in paths if path in after)
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
