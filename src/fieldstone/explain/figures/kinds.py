"""The kinds of figures: what each shows, which settings it has, and what they are where nothing is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fieldstone.analysis.rules.wording import plural
from fieldstone.design.blocks.window import folded
from fieldstone.design.design import Design
from fieldstone.design.notation import entry_of, read_layers
from fieldstone.design.walk import walk
from fieldstone.errors import FieldstoneError
from fieldstone.explain.arrays import Array
from fieldstone.explain.figures import numbers
from fieldstone.explain.figures.gridding import Gridding, paths
from fieldstone.explain.figures.growth import Growth
from fieldstone.explain.figures.modes import Modes
from fieldstone.explain.figures.sighted import layers_of
from fieldstone.explain.figures.sizes import Sizes
from fieldstone.explain.figures.spread import Scattered
from fieldstone.explain.figures.stage import Look, Picture
from fieldstone.explain.figures.windowed import Windowed
from fieldstone.explain.trace import Trace
from fieldstone.explain.tracers import trace
from fieldstone.geometry import format_shape

MOST_SIDE, MOST_CHANNELS, MOST_FIELD = 15, 4, 25
"""A map of more cells has no place for numbers; so many channels stand under each other; a field without numbers."""
MODES = ("zeros", "reflect", "replicate", "circular")

Settings = Mapping[str, Any]
"""By name; of a size (rows, columns)."""


@dataclass(frozen=True)
class Kind:
    """A kind of figure.

    Attributes:
        settings: those that it has, with what they are where nothing is said.
        make: the picture of complete settings.
        cell: its cells in pixels, where nothing is said.
    """

    about: str
    settings: Settings
    make: Callable[[Settings, Look], Picture]
    cell: float = 48


def make(name: str, given: Settings, look: Look, cell: float | None) -> Picture:
    """The picture of a kind, by its name.

    Args:
        cell: in the place of the look's; None for what the kind has.

    Raises:
        FieldstoneError: there is no such kind, it has not one of the settings, or cannot show what they make.
    """
    if name not in KINDS:
        raise FieldstoneError(f"there is no figure {name!r}", fix=f"give one of {', '.join(KINDS)}")
    kind = KINDS[name]
    foreign = [setting for setting in given if setting not in kind.settings]
    if foreign:
        option = f"--{foreign[0].replace('_', '-')}"
        has = ", ".join(f"--{setting.replace('_', '-')}" for setting in kind.settings)
        raise FieldstoneError(f"a figure of {name} has no {option}", fix=f"it has {has}")
    for source, instead in (("values", "input"), ("values", "channels"), ("weight", "kernel")):
        if source in given and instead in given:
            fix = f"leave --{instead} out"
            raise FieldstoneError(f"--{source} says what --{instead} is", fix=fix)
    return kind.make({**kind.settings, **given}, replace(look, cell=kind.cell if cell is None else cell))


def _pooling(block: str) -> Callable[[Settings, Look], Picture]:
    def made(given: Settings, look: Look) -> Picture:
        values = _values(given)
        return _windowed(trace(_text(block, given), values), look)

    return made


def _convolution(given: Settings, look: Look) -> Picture:
    values = _values(given)
    weight = _weight(given, len(values))
    given = {**given, "kernel": weight.shape[1:]}
    return _windowed(trace(_text("conv 1", given), values, weight=weight[None], bias=given["bias"]), look)


def _one_channel(given: Settings) -> Array:
    values = _values(given)
    if len(values) > 1:
        many = f"its values have {len(values)} channels, and one is drawn"
        raise FieldstoneError(many, fix="give one table of numbers")
    return values


def _transposed(given: Settings, look: Look) -> Picture:
    values = _one_channel(given)
    weight = _weight(given, 1)
    text = _text("upconv 1", {**given, "kernel": weight.shape[1:]})
    found = trace(text, values, weight=weight[None], bias=given["bias"])
    _check_sides("output", found.output.shape[1:])
    return Scattered(found, look, f"{text}: {_sizes(found)}")


def _modes(given: Settings, look: Look) -> Picture:
    values = _one_channel(given)
    side, most = min(values.shape[1:]), max(given["padding"])
    if most >= side:
        fix = f"give --padding {side - 1} or less, or a larger map" if side > 1 else "give a larger map"
        raise FieldstoneError(f"reflect cannot mirror {most} cells of a map with {side} a side", fix=fix)
    one = np.ones((1, 1, 1, 1))
    text = _text("conv 1", {**given, "kernel": (1, 1)})
    traces = {mode: trace(f"{text} padding_mode={mode}", values, weight=one) for mode in MODES}
    _check_sides("padded input", traces["zeros"].padded.shape[1:])
    return Modes(traces, look, f"padding={format_shape(folded(given['padding']))}: {', '.join(MODES)}")


def _gridding(given: Settings, look: Look) -> Picture:
    rows, columns = given["kernel"]
    if rows != columns:
        raise FieldstoneError("gridding is drawn for kernels of equal sides", fix=f"give --kernel {rows}")
    lists = given["dilations"]
    for dilations in lists:
        side = len(paths(rows, dilations))
        if side > MOST_FIELD:
            fix = "give fewer or smaller ones"
            said = ",".join(map(str, dilations))
            raise FieldstoneError(f"dilations {said} see {side}x{side} cells, more than {MOST_FIELD} a side", fix=fix)
    listed = " and ".join(", ".join(map(str, dilations)) for dilations in lists)
    return Gridding(rows, lists, look, f"conv {rows}, dilation {listed}: the input cells that one value reads")


def _growth(given: Settings, look: Look) -> Picture:
    design: Design = given["design"] or Design.named("three-conv")
    name = design.name or "the design"
    rows = design.walk(design.classes or 1)
    return Growth(layers_of(name, design.input, rows), look, f"{name}: receptive field")


def _sized(given: Settings, look: Look) -> Picture:
    text = _text("maxpool", given)
    layers = read_layers(entry_of([text]), None)
    (row,) = walk((given["channels"], *given["input"]), layers, 0, None).rows
    return Sizes(row, look, f"{text}: {format_shape(row.input_shape)} → {format_shape(row.output_shape)}")


def _windowed(found: Trace, look: Look) -> Picture:
    _check_sides("padded input", found.padded.shape[1:])
    _check_sides("output", found.output.shape[1:])
    return Windowed(found, look, f"{found.block.text()}: {_sizes(found)}")


def _sizes(found: Trace) -> str:
    return f"{format_shape(found.input.shape)} → {format_shape(found.output.shape)}"


def _text(block: str, given: Settings) -> str:
    """The block in Fieldstone's notation, options that change nothing left out."""
    kernel = given["kernel"]
    stride = kernel if block.endswith("pool") else (1, 1)
    words = [block, format_shape(folded(kernel))]
    usual = {"stride": stride, "padding": (0, 0), "dilation": (1, 1), "padding_mode": "zeros"}
    for option, value in usual.items():
        if (own := given.get(option, value)) != value:
            words.append(f"{option}={own if isinstance(own, str) else format_shape(folded(own))}")
    return " ".join(words)


def _values(given: Settings) -> Array:
    """(channels, rows, columns)."""
    if given["values"] is not None:
        values = numbers.read_table(Path(given["values"]))
        shape = values.shape
    else:
        shape = (given.get("channels", 1), *given["input"])
    if shape[0] > MOST_CHANNELS:
        fix = f"give at most {MOST_CHANNELS}"
        raise FieldstoneError(f"{shape[0]} channels have no place in a figure", fix=fix)
    _check_sides("input", shape[1:])
    return values if given["values"] is not None else numbers.digits(shape, given["seed"])


def _weight(given: Settings, channels: int) -> Array:
    """(channels, rows, columns)."""
    if given["weight"] is None:
        _check_sides("kernel", given["kernel"])
        return numbers.weights((channels, *given["kernel"]), given["seed"])
    weight = numbers.read_table(Path(given["weight"]))
    if len(weight) != channels:
        raise FieldstoneError(
            f"has {plural(len(weight), 'channel')}, the input {channels}", file=str(given["weight"]),
            fix="write a kernel for each channel of the input, an empty line between them",
        )  # fmt: skip
    return weight


def _check_sides(what: str, sides: tuple[int, ...]) -> None:
    if max(sides) > MOST_SIDE:
        fix = f"give at most {MOST_SIDE}x{MOST_SIDE}"
        raise FieldstoneError(f"the {what} is {format_shape(sides)}, too large to be shown with numbers", fix=fix)


RANDOM: Settings = {"input": (5, 5), "values": None, "seed": 0}
WINDOW: Settings = {**RANDOM, "kernel": (3, 3), "stride": (1, 1), "padding": (0, 0)}
WEIGHTED: Settings = {**WINDOW, "dilation": (1, 1), "weight": None, "bias": None}
UPCONV: Settings = {**WEIGHTED, "input": (3, 3), "stride": (2, 2)}
CONV: Settings = {**WEIGHTED, "padding_mode": "zeros", "channels": 1}
GRIDDING: Settings = {"kernel": (3, 3), "dilations": ((2, 2, 2), (1, 2, 3))}
SIZES: Settings = {
    "input": (39, 39),
    "channels": 10,
    "kernel": (3, 3),
    "stride": (1, 1),
    "padding": (0, 0),
    "dilation": (1, 1),
}

KINDS: dict[str, Kind] = {
    "maxpool": Kind("max pooling", {**WINDOW, "dilation": (1, 1), "channels": 1}, _pooling("maxpool")),
    "avgpool": Kind("average pooling", {**WINDOW, "channels": 1}, _pooling("avgpool")),
    "conv": Kind("convolution", CONV, _convolution),
    "upconv": Kind("transposed convolution", UPCONV, _transposed),
    "padding": Kind("padding modes", {**RANDOM, "input": (4, 4), "padding": (2, 2)}, _modes, cell=40),
    "gridding": Kind("cells that dilated layers read", GRIDDING, _gridding, cell=28),
    "field": Kind("a receptive field, back to the input", {"design": None}, _growth),
    "sizes": Kind("output size of pooling", SIZES, _sized),
    "dilation": Kind("dilated convolution", {**CONV, "input": (7, 7), "dilation": (2, 2)}, _convolution),
    "stride": Kind("convolution that skips", {**CONV, "stride": (2, 2)}, _convolution),
    "channels": Kind(
        "convolution over channels", {**CONV, "input": (4, 4), "channels": 3, "bias": 1}, _convolution, cell=40
    ),
}
