"""Receptive fields where a map is resized like a saved one: against gradients of every value, at every block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

import fieldstone as fs
from fieldstone.network.build import build

DOWN_AND_UP = [
    "conv 2 3", "save a", "conv 2 3 stride=2 padding=1", "save b", "conv 2 3 stride=2 padding=1", "conv 2 3 padding=1",
    "upconv 2 4 stride=2 padding=1", "upsample like=b", "concat b", "conv 2 3 padding=same", "upconv 2 4 stride=2",
    "crop 2 after=1 before=2", "concat a crop=true", "conv 2 5", "upsample like=input mode=linear", "conv classes 1",
]  # fmt: skip
DRIFTING = [
    "conv 2 3 padding=1", "save a", "avgpool 3 stride=2", "conv 2 3 dilation=3", "upsample like=a", "concat a",
    "conv 2 3", "adaptiveavgpool 11", "conv 2 2", "upsample like=a mode=linear", "conv classes 1",
]  # fmt: skip


def most_pixels(design: fs.Design) -> Iterator[tuple[str, int]]:
    """At each block that makes a map: the pixels from the first to the last that move a value, of the one with most."""
    network = build(design, 1).double()
    made: dict[str, Tensor] = {}

    def keep(path: str) -> Any:
        return lambda _module, _given, output: made.__setitem__(path, output)

    for weight in network.parameters():
        weight.data.fill_(1.0)
    for path, part in network.named_modules():
        part.register_forward_hook(keep(path))
    pixels = torch.ones(1, *design.input, dtype=torch.float64, requires_grad=True)
    network(pixels)
    for row in design.walk(1):
        if row.path in made:
            yield row.path, max(_moving(value, pixels) for value in made[row.path].sum(dim=1)[0])


def _moving(value: Tensor, pixels: Tensor) -> int:
    (gradient,) = torch.autograd.grad(value, pixels, retain_graph=True)
    places = (gradient[0, 0].abs() > 1e-9).nonzero().flatten()
    return int(places[-1] - places[0]) + 1 if len(places) else 0


@pytest.mark.parametrize("side", [50, 60, 97, 98, 99, 100, 131, 133])
@pytest.mark.parametrize("layers", [DOWN_AND_UP, DRIFTING])
def test_the_field_is_what_moves_the_value_that_sees_most(layers: list[str], side: int) -> None:
    design = fs.Design((1, side), layers)
    fields = {row.path: row.receptive_field for row in design.walk(1)}
    for path, most in most_pixels(design):
        assert (path, fields[path]) == (path, (most,))
