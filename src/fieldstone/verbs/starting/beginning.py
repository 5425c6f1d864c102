"""What a training begins with: a design, a network of one's own, or learned weights; how images become its input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from fieldstone.data.dataset import Dataset
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.design.design import Design
from fieldstone.errors import DesignError, DeviceError
from fieldstone.geometry import Shape, format_shape
from fieldstone.model.inference import evaluating
from fieldstone.model.model import Model
from fieldstone.network.build import build
from fieldstone.network.initialise import initialise
from fieldstone.network.memory import within_memory
from fieldstone.tasks.task import Task
from fieldstone.training.recipe import Recipe
from fieldstone.verbs.choosing.design import choose_design
from fieldstone.verbs.starting.after_head import floor_of
from fieldstone.verbs.starting.learned import called, carry_over, design_like, find_held, find_start, preprocessing_like
from fieldstone.verbs.starting.own import LearnedWeights
from fieldstone.verbs.starting.start import Start


@dataclass(frozen=True)
class Beginning:
    """What trains, before its weights are made.

    Attributes:
        design: None where the network is one of the user's own.
        own: that network.
        learned: the model whose weights a design's network takes, None where all are drawn.
        start: how that model was named.
        held: the weights that the user's own network takes, None where it keeps those that it has.
        preprocessing: mean and standard deviation are still to be measured, unless learned weights bring theirs.
    """

    design: Design | None
    own: nn.Module | None
    learned: Model | None
    start: str | None
    preprocessing: Preprocessing
    held: LearnedWeights | None = None

    def resolve(self, classes: int) -> Beginning:
        """The same for another number of classes."""
        return replace(self, design=self.design and self.design.resolve(classes=classes))

    def refuse_misfit(self, outputs: int) -> None:
        """Fail before any image is decoded where the design does not end in one number an output."""
        if self.design is not None:
            _refuse_misfit(self.design, outputs)

    def network(self, task: Task, classes: tuple[str, ...], recipe: Recipe) -> tuple[nn.Module, Start | None]:
        """The network with its first weights, and what of them is learned."""
        outputs = task.outputs(len(classes))
        if self.design is None:
            assert self.own is not None
            _refuse_strange(self.own, (self.preprocessing.channels, *self.preprocessing.size), outputs)
            if self.held is None:
                return self.own, None
            return self.own, self.held.put_into(self.own, self.preprocessing, outputs, task.name, classes)
        network = built(self.design, outputs)
        initialise(network, recipe.init, recipe.seed)
        if self.learned is None:
            return network, None
        assert self.start is not None
        same_head = self.learned.classes == classes and self.learned.task.name == task.name
        return network, carry_over(
            self.start, self.learned, network, self.design, outputs, self.preprocessing, same_head=same_head
        )


def begin(
    dataset: Dataset,
    recipe: Recipe,
    *,
    design: str | Path | Design | None,
    network: nn.Module | None,
    start: str | Path | Model | None,
    shape: tuple[int, ...] | None,
    width: float | None,
) -> Beginning:
    """Settle what trains on a data set.

    Raises:
        DesignError: what was given does not go together, or is no design.
        ModelError: the start holds no weights that can be taken.
    """
    _refuse_together(design, network, start, shape, width)
    classes = len(dataset.classes)
    if network is not None:
        return _begin_own(network, start, shape, recipe)
    if start is not None:
        learned = find_start(start, design)
        assert learned.design is not None
        plan = design_like(learned, shape, dataset.channels, classes)
        preprocessing = preprocessing_like(learned.preprocessing, plan.input, recipe)
        return Beginning(plan, None, learned, called(start), preprocessing)
    plan = choose_design(design, dataset, shape, classes, width)
    return Beginning(plan, None, None, None, preprocessing_of(plan.input, recipe))


def built(plan: Design, outputs: int) -> nn.Module:
    """The network of a design. Layers draw weights when they are made; the caller's random numbers stay."""
    with torch.random.fork_rng([]):
        return build(plan, outputs)


def _begin_own(
    network: nn.Module, start: str | Path | Model | None, shape: tuple[int, ...] | None, recipe: Recipe
) -> Beginning:
    """A network of the user's own; learned weights that say how images become their input bring that."""
    held = None if start is None else find_held(start)
    if held is None or held.preprocessing is None:
        if shape is None:
            raise DesignError(f"a network of your own {_NEEDS}", fix="give it, as in 3x64x64")
        return Beginning(None, network, None, None, preprocessing_of(shape, recipe), held)
    saw = held.preprocessing
    wanted = (saw.channels, *saw.size) if shape is None else shape
    _refuse_no_image(wanted)
    return Beginning(None, network, None, None, preprocessing_like(saw, wanted, recipe), held)


def _refuse_together(
    design: object, network: object, start: object, shape: Sequence[int] | None, width: float | None
) -> None:
    if network is not None and (design is not None or width is not None or (shape is None and start is None)):
        raise DesignError(f"a network of your own {_NEEDS}", fix="give it, as in 3x64x64")
    if network is not None and not isinstance(network, nn.Module):
        raise DesignError(f"network {network!r} is no torch.nn.Module", fix="give a module; a name goes to design=")
    if start is not None and width is not None:
        raise DesignError(
            f"learned weights have the width of their design, not {width:g} times it", fix="leave out --width"
        )


_NEEDS = "takes the place of a design and needs its input"


def _refuse_strange(network: nn.Module, shape: tuple[int, ...], outputs: int) -> None:
    """A network of the user's own that has nothing to train, or does not give one number an output."""
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise DesignError("the network has no parameter that trains", fix="give one whose parameters require gradients")
    first, images = next(network.parameters()), f"2 images of {format_shape(shape)}"
    too_large = DeviceError(
        f"{first.device} has too little memory for {images} in this network", fix="give smaller ones"
    )
    try:
        with evaluating(network), within_memory(too_large):
            given = network(torch.zeros(2, *shape, device=first.device))
    except RuntimeError as fault:
        raise DesignError(
            f"the network fails on {images} with {type(fault).__name__}: {fault}",
            fix="give the input that it takes, or mend its forward",
        ) from fault
    found = tuple(given.shape) if isinstance(given, torch.Tensor) else f"a {type(given).__name__}"
    if found != (2, outputs):
        raise DesignError(
            f"the network gives {found} for 2 images, and the task needs (2, {outputs})",
            fix=f"end it in {_numbers(outputs)} an image, or give another task",
        )


def _refuse_misfit(plan: Design, outputs: int) -> None:
    """A design whose blocks do not fit, or that does not end in one number an output, below 0 where it is alone."""
    shape = plan.output_shape(outputs)
    if shape != (outputs,):
        everywhere = ", an answer for every place" if len(shape) > 1 else ""
        raise DesignError(
            f"ends in {format_shape(shape)}{everywhere}, and the task needs {_numbers(outputs)} an image",
            file=plan.file,
            fix="end it with `linear classes`, or with globalavgpool after `conv classes 1`",
        )
    floor = floor_of(plan.walk(outputs)) if outputs == 1 else None
    if floor is not None:
        raise DesignError(
            f"{floor.block.keyword} after the head leaves no answer below 0, and one output for two classes has to be "
            "below 0 for the first of them",
            file=plan.file,
            path=floor.path,
            fix="give --task multiclass, an output for each, or take it out",
        )


def _numbers(count: int) -> str:
    return f"{count} numbers" if count > 1 else "1 number"


def preprocessing_of(shape: tuple[int, ...] | None, recipe: Recipe) -> Preprocessing:
    """How images become the input of a design; mean and standard deviation are still to be measured."""
    _refuse_no_image(shape or ())
    assert shape is not None
    return Preprocessing(size=(shape[1], shape[2]), channels=shape[0], resize=recipe.resize, resize_to=recipe.resize_to)


def _refuse_no_image(shape: Shape) -> None:
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise DesignError(
            f"an input of {format_shape(shape)} is not one of images",
            fix="give one or three channels, a height and a width, as in 3x64x64",
        )
