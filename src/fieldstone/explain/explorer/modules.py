"""A module of the user's own as an explorer shows it: its calls are the parts."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn

from fieldstone.analysis.module.calls import Value, tensors
from fieldstone.analysis.module.examine import run_watched
from fieldstone.analysis.summary import Summary
from fieldstone.design.names import INPUT
from fieldstone.explain.explorer.parts import Part
from fieldstone.explain.explorer.recording import Recording
from fieldstone.geometry import Shape


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
    shapes = {part.path: part.output_shape for part in parts}

    def watch(path: str, value: Value, made: Tensor) -> None:
        if path in shapes:
            laid = _in_order(made.detach(), value).reshape(shapes[path])
            maps[path] = laid.float().cpu().contiguous().clone()  # what made it may be changed in place

    given = image[None].to(next((one for one in module.parameters()), image))
    mode = module.training
    try:
        run_watched(module.eval(), given, watch, type(module).__name__)
        with torch.inference_mode():
            result = next(tensors(module(given)))
    finally:
        module.train(mode)
    logits = result[0].float().cpu()
    return Recording(maps, logits.reshape(1) if logits.dim() == 0 else logits)


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
