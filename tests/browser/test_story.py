"""A value's story: the part of the image that the page frames is the receptive field, for any cell of any map."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from fieldstone.analysis.rule import Subject
from fieldstone.design.blocks.pooling import Pool
from fieldstone.design.blocks.shape import Flatten
from fieldstone.design.design import Design
from fieldstone.design.named import names
from fieldstone.explain.explorer.page import html
from fieldstone.explain.explorer.parts import Part, layer_of, parts_of, reach_of
from fieldstone.network.build import build

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CELLS = 60  # of each design


def walked(design: Design) -> tuple[tuple[Part, ...], list[dict[str, Any]]]:
    """The parts of a design and, of each, what the page has to know to tell a story."""
    parts = parts_of(Subject(design.input, design.walk(10)))
    shapes = {"input": design.input, **{part.path: part.output_shape for part in parts}}
    blocks = [
        {
            "path": part.path,
            "sources": list(part.sources),
            "output_shape": list(part.output_shape),
            "layer": layer_of(part),
            "reach": reach_of(part, shapes),
        }
        for part in parts
    ]
    return parts, blocks


@pytest.fixture(scope="module")
def storyteller(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page in which stories can be asked for."""
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_text(html({"title": "stories", **EMPTY}), encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    yield page
    page.close()


EMPTY: dict[str, Any] = {
    "trained": True,
    "live": None,
    "why": None,
    "model": {"name": "stories", "task": "multiclass", "classes": [], "params": 0, "notes": []},
    "image": {"name": "none", "src": "data:,", "width": 1, "height": 1, "original": [1, 1], "preprocessing": {}},
    "input": {"shape": [1, 1, 1], "array": "none"},
    "outputs": {"per_pixel": False, "map": None, "logits": [], "probabilities": []},
    "blocks": [],
    "arrays": {"none": {"shape": [1, 1, 1], "left_out": "0 B"}},
}


def stories(page: Page, design: Design, blocks: Sequence[Any], cells: Sequence[Any]) -> list[dict[str, Any]]:
    """Of each cell (path, channel or None, row, column) the parts that lead to it, by path."""
    payload = {**EMPTY, "blocks": blocks, "input": {"shape": list(design.input), "array": "none"}}
    found: list[dict[str, Any]] = page.evaluate(
        """async ([payload, cells]) => {
          const [{ open }, { story }] = await Promise.all([import("fieldstone/store"), import("fieldstone/story")]);
          const opened = open(JSON.parse(payload));
          return cells.map(cell => Object.fromEntries(story(opened, ...cell)));
        }""",
        [json.dumps(payload), cells],
    )
    return found


def seen(part: Part, row: int, column: int) -> tuple[list[int], list[int]]:
    """The receptive field of a cell by the walk of the design, rows and columns, without what is padding."""
    assert part.field is not None
    spans = [(axis.span(place), axis.pixels) for axis, place in zip(part.field.axes, (row, column), strict=True)]
    rows, columns = ([max(0, span[0]), min(pixels - 1, span[1])] for span, pixels in spans if span is not None)
    return rows, columns


def random_cells(parts: Sequence[Part], number: int) -> list[tuple[Part, int | None, int, int]]:
    """A part, a channel (None for any), a row and a column; of a flattened map one number, and where it was."""
    random = np.random.default_rng(0)
    places: list[tuple[Part, int | None, int, int]] = []
    for _ in range(number):
        part = parts[random.integers(len(parts))]
        is_flat = isinstance(part.block, Flatten)
        shape = part.input_shape if is_flat else part.output_shape
        channels, height, width = shape if len(shape) == 3 else (shape[0], 1, 1)
        channel, row, column = (int(random.integers(size)) for size in (channels, height, width))
        places.append((part, (channel * height + row) * width + column if is_flat else None, row, column))
    return places


def cell_of(part: Part, channel: int | None, row: int, column: int) -> tuple[str, int | None, int, int]:
    return (part.path, channel, row, column) if channel is None else (part.path, channel, 0, 0)


GALLERY = [name for name in names() if len(Design.named(name).input) == 3]


@pytest.mark.parametrize("name", GALLERY)
def test_a_story_ends_in_the_receptive_field(storyteller: Page, name: str) -> None:
    design = Design.named(name)
    parts, blocks = walked(design)
    hangs_over = any(isinstance(part.block, Pool) and part.block.ceil_mode for part in parts)
    places = random_cells([part for part in parts if is_placed(part)], CELLS)
    told = stories(storyteller, design, blocks, [cell_of(*place) for place in places])
    for story, (part, _, row, column) in zip(told, places, strict=True):
        found, field = (story["input"]["rows"], story["input"]["columns"]), seen(part, row, column)
        if hangs_over:  # the arithmetic of a field goes on past the map that a last window hangs over
            assert all(first == one and last <= other for (first, last), (one, other) in zip(found, field, strict=True))
        else:
            assert found == field, (part.path, part.text, row, column)


def is_placed(part: Part) -> bool:
    """Whether its cells have a place that its field is told of: all but those of vectors between flatten and linear."""
    assert part.field is not None
    return len(part.output_shape) == 3 or isinstance(part.block, Flatten) or part.field.saw_everything


DESIGNS: dict[str, list[Any]] = {
    "dilated, strided, padded": [
        "conv 4 3 dilation=3 padding=2",
        "avgpool 3 stride=2 padding=1",
        "conv 4 5x3 stride=2x1",
    ],
    "transposed and dilated": ["conv 4 3 stride=2", "upconv 4 3 stride=2 dilation=2", "conv 4 3 dilation=2 padding=2"],
    "a kernel smaller than its stride": ["conv 4 2 stride=3", "upconv 4 1 stride=3", "conv 4 3 dilation=3 padding=3"],
    "resized": ["conv 4 3 stride=2", "upsample 3 mode=bilinear", "conv 4 3", "adaptiveavgpool 7x5", "upsample 2"],
    "residuals": ["conv 3 3", {"residual": ["conv 3 3 padding=1", {"residual": ["conv 3 5 padding=2"]}]}, "avgpool 2"],
    "borders that are copied": [
        "conv 4 3 padding=1 padding_mode=circular",
        "conv 4 5 padding=3 padding_mode=reflect",
        "pad 2 mode=replicate",
        "conv 4 3 padding=2 stride=2 padding_mode=circular",
    ],
    "uneven": [
        "conv 4 2 padding=same",
        "avgpool 3 stride=2 ceil_mode=true",
        "pad 2 before=1",
        "separable 4 3 stride=2",
    ],
    "cropped": [
        "conv 4 5",
        "save a",
        "conv 4 3",
        "avgpool 2",
        "upsample 2",
        "concat a crop=true",
        "conv 4 3",
        "crop 1",
    ],
    "branches": [
        {"branches concat": [["conv 2 1"], ["conv 2 3 padding=1"], ["depthwise 5 padding=2"], []]},
        "conv 2 2",
    ],
    "groups": ["conv 6 3 groups=3", "depthwise 3", "conv 4 3 stride=2 groups=2"],
    "a skip": ["conv 3 3", "save a", "conv 3 3 padding=1 groups=3", "concat a", "conv 6 1 groups=6"],
    "shuffled": ["conv 8 3", "pixelshuffle 2", "depthwise 3"],
    "shuffled channel by channel": ["concat input", "save b", "concat b", "pixelshuffle 2", "crop 1"],
    "over the channels": ["depthwise 3", "localresponsenorm 2", "avgpool 2 stride=1", "softmax"],
    "halved channels": ["conv 4 3", "glu", "pad 2x1 mode=reflect"],
    "resized by four": ["conv 3 3 stride=2", "upsample 2 mode=bicubic", "squeezeexcite 2", "crop 3x5"],
    "transposed by groups": ["depthwise 3 stride=2", "upconv 6 3 stride=3 groups=3", "avgpool 2 padding=1"],
    "flattened": ["depthwise 3", "avgpool 3 stride=2", "flatten"],
}


@pytest.mark.parametrize("name", DESIGNS)
def test_a_story_ends_at_the_pixels_that_move_the_value(storyteller: Page, name: str) -> None:
    head = ["linear classes"] if name == "flattened" else ["globalavgpool", "linear classes"]
    design = Design((3, 23, 20), [*DESIGNS[name], *head])
    network = build(design, 10).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(0.5, 1.0)  # no term takes another away
    parts, blocks = walked(design)
    random = np.random.default_rng(1)
    cells = [
        (part.path, [int(random.integers(size)) for size in part.output_shape]) for part in parts for _ in range(12)
    ]
    told = stories(storyteller, design, blocks, [(path, *(*cell, 0, 0)[:3]) for path, cell in cells])
    for story, (path, cell) in zip(told, cells, strict=True):
        assert story.get("input") == moved_by(network, path, design.input, cell), (path, cell)


def moved_by(network: nn.Module, path: str, shape: tuple[int, ...], cell: Sequence[int]) -> dict[str, list[int]] | None:
    """The first and last channel, row and column of the image whose pixels move a value, by its gradient."""
    kept: list[torch.Tensor] = []
    hook = network.get_submodule(path).register_forward_hook(lambda module, args, output: kept.append(output[0]))
    image = torch.rand(1, *shape, dtype=torch.float64, requires_grad=True)
    network(image)
    hook.remove()
    (gradient,) = torch.autograd.grad(kept[0][tuple(cell)], image, allow_unused=True, materialize_grads=True)
    axes = [axis.unique() for axis in gradient[0].nonzero(as_tuple=True)]
    if not len(axes[0]):
        return None
    ends = ([int(axis[0]), int(axis[-1])] for axis in axes)
    return dict(zip(("channels", "rows", "columns"), ends, strict=True))


def test_a_story_frames_the_windows_between(storyteller: Page) -> None:
    design = Design.named("three-conv")
    _, blocks = walked(design)
    (story,) = stories(storyteller, design, blocks, [("5", 7, 2, 3)])
    assert story["5"] == {"channels": [7, 7], "rows": [2, 2], "columns": [3, 3]}
    assert story["4"] == {"channels": [0, 19], "rows": [4, 8], "columns": [6, 10]}
    assert story["2"] == {"channels": [0, 9], "rows": [8, 20], "columns": [12, 24]}
    assert story["input"] == {"channels": [0, 2], "rows": [8, 22], "columns": [12, 26]}
