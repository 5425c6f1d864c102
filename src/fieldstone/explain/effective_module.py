"""Effective receptive fields of any module: which pixels really move a value, as `effective` measures it of designs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import torch
from torch import Tensor, nn

from fieldstone.analysis.effective_field import EffectiveField
from fieldstone.analysis.module.calls import Value
from fieldstone.analysis.module.examine import run_watched, undisturbed
from fieldstone.analysis.module.stand_in import with_values
from fieldstone.design.walk import Row
from fieldstone.errors import DesignError
from fieldstone.explain.effective import SAMPLES, field_of, take_statistics
from fieldstone.geometry import Shape, Window
from fieldstone.progress import Bar

LEAVE_OUT = "leave --effective out"


def effective_fields_of_module(
    module: nn.Module,
    rows: Sequence[Row],
    shape: Shape,
    bar: Bar,
    *,
    name: str,
    inputs: Tensor | None = None,
    seed: int = 0,
) -> dict[str, EffectiveField]:
    """For each row with a sliding window, by path: how strongly each pixel moves the value in the middle of its map.

    A row is left out if no gradient comes back from it to the input, as from what is computed under `no_grad`. The
    module is left as it was: batch normalisation that has learned nothing yet takes the statistics of the noise in a
    copy.

    Args:
        rows: what `examine` found of it.
        shape: (C, *sides) of its input.
        name: what it is called.
        inputs: (N, C, *sides), as the module takes them, with the statistics that it has; without it normal noise.

    Raises:
        DesignError: it has no values, cannot be run, or nothing of it can be measured.
    """
    ranks = {row.path: len(row.window.kernel) for row in rows if isinstance(row.window, Window)}
    if not ranks:
        raise DesignError(f"{name} slides no window over its input, so it has no effective fields", fix=LEAVE_OUT)
    weights = list(chain(module.parameters(), module.buffers()))
    if any(one.is_meta for one in weights):
        fix = f"make it on a real device, or {LEAVE_OUT}"
        raise DesignError(f"{name} is on the meta device: without values there are no gradients", fix=fix)
    first = next((one for one in weights if one.is_floating_point()), torch.empty(0))
    with undisturbed():
        torch.manual_seed(seed)
        images = (torch.randn(SAMPLES, *shape) if inputs is None else inputs).to(first)
        settled = _settled(module, images, name) if inputs is None else module
        squares = _squares(settled, images, ranks, bar, name)
    if not squares:
        raise DesignError(f"no gradient comes back from the windows of {name} to its input", fix=LEAVE_OUT)
    return {path: field_of(squares[path] / len(images)) for path in ranks if path in squares}


def _squares(module: nn.Module, images: Tensor, ranks: Mapping[str, int], bar: Bar, name: str) -> dict[str, Tensor]:
    """By path the squares of the gradient at each pixel, (*sides), their mean over channels, their sum over images."""
    squares: dict[str, Tensor] = {}
    for image in images[:, None]:  # one at a time, (1, C, *sides): a module may lay windows into the batch
        image.requires_grad_()
        for path, middle in _middles(module, image, ranks, name).items():
            mix = torch.randn_like(middle)
            (gradient,) = torch.autograd.grad(middle, image, mix, retain_graph=True, allow_unused=True)
            if gradient is not None:
                squares[path] = squares.get(path, 0) + gradient.double().square().mean(dim=(0, 1))
        bar.advance(1)
    return squares


def _middles(module: nn.Module, image: Tensor, ranks: Mapping[str, int], name: str) -> dict[str, Tensor]:
    """What stands in the middle of the maps at some paths, copied before it is changed in place."""
    middles: dict[str, Tensor] = {}

    def watch(path: str, value: Value, made: Tensor) -> None:
        if path in ranks and made.requires_grad:
            middles[path] = made[_middle(made.shape, value.axes, ranks[path])].clone()

    run_watched(module, image.clone(), watch, name)  # a clone: it may be changed in place, which a leaf may not
    return middles


def _middle(shape: Shape, axes: Shape | None, rank: int) -> tuple[int | slice, ...]:
    """The index of all channels in the middle of a map, and of the batch, into which windows may be laid.

    Where it is not known which dimensions are sides, they are the last ones: so torch's layers have them.
    """
    sides = axes or range(len(shape) - rank, len(shape))
    return tuple(size // 2 if dim in (0, *sides) else slice(None) for dim, size in enumerate(shape))


def _settled(module: nn.Module, images: Tensor, name: str) -> nn.Module:
    """A copy that shares the parameters, its lazy layers sized, its batch normalisations with statistics."""
    settled = with_values(module)
    try:
        if _is_fresh(settled):
            take_statistics(settled, images)
        else:
            with torch.no_grad():
                settled(images[:1])
    except (Exception, SystemExit) as fault:  # the module's own code may raise anything, or be a program
        said = f"{type(fault).__name__}: {fault}".splitlines()[0]
        raise DesignError(f"{name} cannot be run on noise to measure it: {said}", fix=LEAVE_OUT) from fault
    return settled


def _is_fresh(module: nn.Module) -> bool:
    """Whether no batch normalisation has seen data: all statistics are those that torch begins with."""
    norms = [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    return bool(norms) and all(_is_first(part.running_mean, 0) and _is_first(part.running_var, 1) for part in norms)


def _is_first(statistics: Tensor | None, value: float) -> bool:
    return statistics is None or bool((statistics == value).all())
