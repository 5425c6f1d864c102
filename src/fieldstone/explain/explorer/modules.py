"""A module of the user's own as an explorer shows it: its calls are the parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from fieldstone.analysis.module.calls import Value, tensors
from fieldstone.analysis.module.examine import run_watched, undisturbed
from fieldstone.analysis.module.faults import said
from fieldstone.analysis.module.record import Watch
from fieldstone.analysis.summary import Summary
from fieldstone.design.names import INPUT
from fieldstone.errors import DesignError
from fieldstone.explain.explorer.classes import logit_for, weighted
from fieldstone.explain.explorer.parts import Part
from fieldstone.explain.explorer.recording import Recording
from fieldstone.geometry import Shape
from fieldstone.model.inference import in_evaluation_mode


def parts_of_module(summary: Summary) -> tuple[Part, ...]:
    """What ran, in order."""
    return tuple(
        Part(
            row.path, row.bound, row.block.text(), row.sources, _laid(row.input_shape), _laid(row.output_shape),
            row.params, row.macs, row.field,
        )
        for row in summary.rows
    )  # fmt: skip


def record_module(module: nn.Module, parts: Sequence[Part], image: Tensor) -> Recording:
    """Run a module once, in evaluation mode. The arguments are those of `record`."""
    maps: dict[str, Tensor] = {INPUT: image}
    spatial: dict[str, Tensor] = {}
    shapes = {part.path: part.output_shape for part in parts}

    def watch(path: str, value: Value, made: Tensor) -> None:
        if path in shapes:
            laid = _in_order(made.detach(), value).reshape(shapes[path])
            maps[path] = laid.float().cpu().contiguous().clone()  # what made it may be changed in place
            if len(value.sides) == 2 and max(value.sides) > 1:
                spatial[path] = made

    with in_evaluation_mode(module):
        answer = next(tensors(_watched(module, image, watch)))
        with torch.inference_mode():
            result = _answer(module, image)
    last = _last_reached(answer, spatial)
    return Recording(maps, _of_one_image(result).float().cpu(), last, bool(spatial) and last is None)


def module_activation(module: nn.Module, path: str, image: Tensor, place: int) -> Tensor:
    """What `class_activation` gives, of a module of the user's own."""
    found: list[tuple[Value, Tensor]] = []

    def watch(made_at: str, value: Value, made: Tensor) -> None:
        if made_at == path:
            found.append((value, made))

    with in_evaluation_mode(module):
        answer = next(tensors(_watched(module, image, watch)))
    ((value, maps),) = found
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(logit_for(answer.reshape(-1), place), maps)
    return weighted(*(_in_order(one, value).reshape(value.shape) for one in (maps, gradient)))


class OneByOne(nn.Module):
    """A module of the user's own that gives logits, (N, outputs), as it was recorded: one image at a time."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: Tensor) -> Tensor:
        with undisturbed():
            answers = [_answer(self.module, image) for image in images]
        return torch.stack([one.reshape(-1) for one in answers])


def _watched(module: nn.Module, image: Tensor, watch: Watch) -> Any:
    with torch.enable_grad():
        given = _given(module, image).requires_grad_().clone()  # no leaf: it may be changed in place
    return run_watched(module, given, watch, type(module).__name__)


def _answer(module: nn.Module, image: Tensor) -> Tensor:
    try:
        return next(tensors(module(_given(module, image))))
    except (Exception, SystemExit) as fault:  # the module's own code may raise anything, or be a program
        message = f"{type(module).__name__} cannot be run on this image: {said(fault)}"
        raise DesignError(message, fix="mend its forward, or give another image") from fault


def _of_one_image(answer: Tensor) -> Tensor:
    """(outputs,) or (outputs, *sides), also where the module takes away dimensions of one, the batch's too."""
    alone = answer[0] if answer.dim() and len(answer) == 1 else answer
    return alone.reshape(1) if alone.dim() == 0 else alone


def _given(module: nn.Module, image: Tensor) -> Tensor:
    """A copy of an image as the module takes it, (1, C, H, W), on its device and of its type."""
    return image[None].to(next(module.parameters(), image), copy=True)


def _last_reached(answer: Tensor, maps: Mapping[str, Tensor]) -> str | None:
    """The path of the last of some maps that a gradient comes back to from the answer."""
    open_ones = {path: one for path, one in maps.items() if one.requires_grad}
    if not open_ones or not answer.requires_grad:
        return None
    try:
        gradients = torch.autograd.grad(answer.sum(), list(open_ones.values()), allow_unused=True)
    except RuntimeError:  # something on the way has no gradient
        return None
    reached = [path for path, gradient in zip(open_ones, gradients, strict=True) if gradient is not None]
    return reached[-1] if reached else None


def _in_order(made: Tensor, value: Value) -> Tensor:
    """One image's channels, then its sides, however the module lays them."""
    axes = tuple(value.axes or ())
    rest = [dim for dim in range(made.dim()) if dim not in axes]
    return made.permute((*rest, *axes))


def _laid(shape: Shape) -> Shape:
    """Numbers, or maps of rows and columns: (C,) or (C, H, W)."""
    if len(shape) in (1, 3):
        return shape
    return (1, *shape) if len(shape) == 2 else (prod(shape[:-2]), *shape[-2:])
