"""The page's arithmetic of window layers (layers.js), held equal to torch and to `geometry` over random settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import fieldstone
from fieldstone.geometry import Moves, Resized, Transposed, Window

if TYPE_CHECKING:
    from playwright.sync_api import Page

LAYERS = Path(fieldstone.__file__).parent / "explain" / "page" / "numbers" / "layers.js"
EACH = 120  # random settings of each kind
RUN = """async ([source, cases]) => {
  const layers = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  return cases.map(({ layer, input, shape, weight, bias, cells }) => {
    const settings = weight ? { weight: Float32Array.from(weight), bias: bias && Float32Array.from(bias) } : {};
    const made = layers.compute(layer, Float32Array.from(input), shape, settings);
    return { ...made, data: [...made.data], winners: made.winners && [...made.winners],
      size: layers.outputSize(layer, shape.slice(1)), unread: layers.unread(layer, shape.slice(1)),
      formulas: layers.slides(layer) ? [0, 1].map(axis =>
        layers.formula(layer, shape[axis + 1], axis).map(part => part.text).join("")) : [],
      readings: cells.map(cell => layers.readings(layer, shape, cell)) };
  });
}"""


@dataclass(frozen=True)
class Case:
    """A layer as the page knows it, its input (1, C, H, W), and what torch and `geometry` make of it."""

    layer: dict[str, Any]
    input: Tensor
    expected: Tensor
    moves: Moves
    weight: Tensor | None = None
    bias: Tensor | None = None
    winners: Tensor | None = None

    @property
    def sides(self) -> tuple[int, ...]:
        return tuple(self.input.shape[2:])

    @property
    def cells(self) -> list[list[int]]:
        """Some cells of the output: the corners and the middle."""
        height, width = self.expected.shape[2:]
        return [[0, 0], [height // 2, width // 2], [height - 1, width - 1]]

    def to_json(self) -> dict[str, Any]:
        return {
            "layer": self.layer,
            "input": self.input.flatten().tolist(),
            "shape": list(self.input.shape[1:]),
            "weight": None if self.weight is None else self.weight.flatten().tolist(),
            "bias": None if self.bias is None else self.bias.tolist(),
            "cells": self.cells,
        }


def some(random: np.random.Generator, low: int, high: int) -> tuple[int, int]:
    first, second = random.integers(low, high + 1, 2).tolist()
    return first, second


def an_input(random: np.random.Generator, channels: int) -> Tensor:
    """Few whole numbers in some, so that the largest is often there twice."""
    shape = (1, channels, *some(random, 3, 11))
    values = random.integers(-2, 3, shape) if random.random() < 0.5 else random.normal(size=shape)
    return torch.tensor(values, dtype=torch.float32)


def padded(values: Tensor, padding: list[tuple[int, int]], mode: str = "constant", value: float = 0.0) -> Tensor:
    pads = [*padding[1], *padding[0]]
    return F.pad(values.double(), pads, mode, value) if mode == "constant" else F.pad(values.double(), pads, mode)


def fits(moves: Moves, sides: tuple[int, ...]) -> bool:
    return min(moves.output_sizes(sides)) > 0


def a_conv(random: np.random.Generator) -> Case | None:
    groups = int(random.choice([1, 1, 2, 3]))
    channels, filters = groups * int(random.integers(1, 3)), groups * int(random.integers(1, 4))
    values, kernel, stride, dilation = (
        an_input(random, channels),
        some(random, 1, 4),
        some(random, 1, 3),
        some(random, 1, 3),
    )
    mode = str(random.choice(["zeros", "zeros", "reflect", "replicate", "circular"]))
    padding = [some(random, 0, 2), some(random, 0, 2)]
    moves = Window(kernel, stride, dilation, tuple(padding))
    if not fits(moves, tuple(values.shape[2:])):
        return None
    weight = torch.tensor(random.normal(size=(filters, channels // groups, *kernel)), dtype=torch.float32)
    bias = torch.tensor(random.normal(size=filters), dtype=torch.float32) if random.random() < 0.6 else None
    around = padded(values, padding, "constant" if mode == "zeros" else mode)
    made = F.conv2d(around, weight.double(), None if bias is None else bias.double(), stride, 0, dilation, groups)
    layer = {"type": "conv", "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    return Case({**layer, "groups": groups, "padding_mode": mode}, values, made, moves, weight, bias)


def an_upconv(random: np.random.Generator) -> Case | None:
    groups = int(random.choice([1, 1, 2]))
    channels, filters = groups * int(random.integers(1, 3)), groups * int(random.integers(1, 3))
    values, kernel, stride, dilation, padding = (
        an_input(random, channels),
        some(random, 1, 4),
        some(random, 1, 3),
        some(random, 1, 2),
        some(random, 0, 2),
    )
    most = [max(pair) - 1 for pair in zip(stride, dilation, strict=True)]
    more = tuple(int(random.integers(0, one + 1)) for one in most)
    moves = Transposed(kernel, stride, dilation, padding, more)
    if not fits(moves, tuple(values.shape[2:])):
        return None
    weight = torch.tensor(random.normal(size=(channels, filters // groups, *kernel)), dtype=torch.float32)
    bias = torch.tensor(random.normal(size=filters), dtype=torch.float32) if random.random() < 0.6 else None
    made = F.conv_transpose2d(
        values.double(),
        weight.double(),
        None if bias is None else bias.double(),
        stride,
        padding,
        more,
        groups,
        dilation,
    )
    layer = {"type": "upconv", "kernel": kernel, "stride": stride, "padding": [(pad, pad) for pad in padding]}
    layer |= {"dilation": dilation, "groups": groups, "output_padding": more}
    return Case(layer, values, made, moves, weight, bias)


def a_pool(random: np.random.Generator, kind: str) -> Case | None:
    values, kernel, stride = an_input(random, int(random.integers(1, 4))), some(random, 1, 4), some(random, 1, 4)
    dilation = some(random, 1, 2) if kind == "maxpool" else (1, 1)
    pads = tuple(int(random.integers(0, side // 2 + 1)) for side in kernel)
    ceil_mode, include = bool(random.random() < 0.5), bool(random.random() < 0.5)
    moves = Window(kernel, stride, dilation, tuple((pad, pad) for pad in pads), ceil_mode)
    if not fits(moves, tuple(values.shape[2:])):
        return None
    layer = {"type": kind, "kernel": kernel, "stride": stride, "padding": moves.padding, "dilation": dilation}
    layer |= {"ceil_mode": ceil_mode, "count_include_pad": include}
    if kind == "avgpool":
        made = F.avg_pool2d(values.double(), kernel, stride, pads, ceil_mode, include)
        return Case(layer, values, made, moves)
    made, winners = F.max_pool2d(values.double(), kernel, stride, pads, dilation, ceil_mode, return_indices=True)
    return Case(layer, values, made, moves, winners=None if moves.misses(tuple(values.shape[2:])) else winners)


def a_max_pool(random: np.random.Generator) -> Case | None:
    return a_pool(random, "maxpool")


def an_average_pool(random: np.random.Generator) -> Case | None:
    return a_pool(random, "avgpool")


def an_adaptive_pool(random: np.random.Generator) -> Case:
    values, sizes = an_input(random, int(random.integers(1, 4))), some(random, 1, 6)
    whole = random.random() < 0.3
    sizes = (1, 1) if whole else sizes
    moves = Resized(sizes, "adaptive")
    layer = {"keepdims": True} if whole else {"sizes": sizes}
    kind = "global" if whole else "adaptive"
    if random.random() < 0.5:
        made = F.adaptive_avg_pool2d(values.double(), sizes)
        return Case({"type": f"{kind}avgpool", **layer}, values, made, moves)
    made, winners = F.adaptive_max_pool2d(values.double(), sizes, return_indices=True)
    return Case({"type": f"{kind}maxpool", **layer}, values, made, moves, winners=winners)


MAKERS = [a_conv, an_upconv, a_max_pool, an_average_pool, an_adaptive_pool]


def cases_of(make: Callable[[np.random.Generator], Case | None], number: int) -> list[Case]:
    random, found = np.random.default_rng(number), []
    while len(found) < EACH:
        case = make(random)
        found += [] if case is None else [case]
    return found


def computed(page: Page, cases: list[Case]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = page.evaluate(RUN, [LAYERS.read_text(), [case.to_json() for case in cases]])
    return answers


@pytest.fixture
def page(page_of: Callable[..., Page]) -> Page:
    return page_of("about:blank")


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_it_computes_what_torch_computes(page: Page, make: Callable[[np.random.Generator], Case | None]) -> None:
    cases = cases_of(make, 1)
    for case, answer in zip(cases, computed(page, cases), strict=True):
        assert answer["shape"] == list(case.expected.shape[1:]), case.layer
        own = torch.tensor(answer["data"], dtype=torch.float32).reshape(case.expected.shape)
        torch.testing.assert_close(own, case.expected.float(), rtol=1e-6, atol=1e-6, msg=str(case.layer))
        if case.winners is not None:
            assert answer["winners"] == case.winners.flatten().tolist(), case.layer


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_its_windows_are_those_of_geometry(page: Page, make: Callable[[np.random.Generator], Case | None]) -> None:
    cases = cases_of(make, 2)
    for case, answer in zip(cases, computed(page, cases), strict=True):
        assert tuple(answer["size"]) == case.moves.output_sizes(case.sides), case.layer
        if isinstance(case.moves, Window):
            assert tuple(answer["unread"]) == case.moves.unread(case.sides), case.layer
        ends = [formula.split("= ")[-1] for formula in answer["formulas"]]
        assert ends == [str(size) for size in answer["size"]][: len(ends)], case.layer
        for cell, readings in zip(case.cells, answer["readings"], strict=True):
            assert places(readings) == expected_places(case, cell), case.layer


def places(readings: list[dict[str, Any]]) -> set[tuple[int, int]]:
    return {(reading["row"], reading["column"]) for reading in readings}


def expected_places(case: Case, cell: list[int]) -> set[tuple[int, int]]:
    """The places that `geometry` gives; those that torch never looks at, outside the padding, left out."""
    rows, columns = (reads.at(place) for reads, place in zip(case.moves.reads(case.sides), cell, strict=True))
    moves = case.moves
    most = [side - 1 for side in case.sides]
    least = [0, 0]
    if isinstance(moves, Window):
        most = [side + after - 1 for side, (_, after) in zip(case.sides, moves.padding, strict=True)]
        least = [-before for before, _ in moves.padding]
    return {(r, c) for r in rows if least[0] <= r <= most[0] for c in columns if least[1] <= c <= most[1]}


def test_a_reading_says_which_cell_is_copied_into_the_padding(page: Page) -> None:
    """The value of each tap, padding included, is the one that torch's own padding puts there."""
    cases = [case for case in cases_of(a_conv, 3) if case.layer["padding_mode"] != "zeros"]
    for case, answer in zip(cases, computed(page, cases), strict=True):
        (top, _), (left, _) = case.layer["padding"]
        around = padded(case.input, case.layer["padding"], case.layer["padding_mode"])[0, 0]
        for readings in answer["readings"]:
            own = [case.input[0, 0].flatten()[reading["source"]].item() for reading in readings]
            assert own == [around[reading["row"] + top, reading["column"] + left].item() for reading in readings]


@pytest.mark.parametrize("worst", [nan, inf, -inf])
def test_what_is_not_finite_passes_as_in_torch(page: Page, worst: float) -> None:
    cases = [case for make in (a_max_pool, an_average_pool) for case in cases_of(make, 4)[:40]]
    for case in cases:
        case.input[0, 0, 1, 1] = case.input[0, 0, 0, 2] = worst
    for case, answer in zip(cases, computed(page, cases), strict=True):
        layer, pads = case.layer, [pad for pad, _ in case.layer["padding"]]
        if layer["type"] == "avgpool":
            expected = F.avg_pool2d(
                case.input, layer["kernel"], layer["stride"], pads, layer["ceil_mode"], layer["count_include_pad"]
            )
        else:
            slide = (layer["kernel"], layer["stride"], pads, layer["dilation"], layer["ceil_mode"])
            expected = F.max_pool2d(case.input, *slide)
        own = torch.tensor(answer["data"], dtype=torch.float32).reshape(expected.shape)
        torch.testing.assert_close(own, expected, rtol=1e-5, atol=1e-5, equal_nan=True, msg=str(layer))
