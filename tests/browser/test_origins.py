"""Which cells a resized, shuffled, padded, cropped or unpooled map takes, and how much of each, against torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

import fieldstone as fs
from explored_pages import seen_of, write_page
from fieldstone.analysis.rule import Subject
from fieldstone.explain.explorer.parts import Part, layer_of, parts_of
from fieldstone.network.build import build

if TYPE_CHECKING:
    from playwright.sync_api import Page

SHAPES = [(1, 4, 5), (2, 6, 3), (1, 1, 4)]
MODES = ["nearest", "bilinear", "bilinear align_corners=true", "bicubic", "bicubic align_corners=true"]
BORDERS = [
    "pad 1", "pad 2x1 value=3.5", "pad 0 before=1 after=2 value=-1", "pad 1 mode=replicate", "pad 3x1 mode=replicate",
    "pad 0 before=0x2 after=1 mode=replicate", "pad 2 mode=reflect", "pad 0x2 mode=reflect",
    "pad 0 before=2 after=0x1 mode=reflect", "pad 2x3 mode=circular", "pad 0 before=1x3 after=4x0 mode=circular",
    "crop 1", "crop 1x0", "crop 0 before=0x1", "crop 0 before=1 after=2x1",
]  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    seen = seen_of(fs.Design(input=(1, 4, 4), classes=2, layers=["flatten", "linear classes"]))
    return write_page(seen, tmp_path_factory.mktemp("page") / "page.html")


@pytest.fixture
def page(page_of: Callable[..., Page], path: Path) -> Page:
    page = page_of(path)
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def built(shape: tuple[int, ...], *layers: str) -> tuple[tuple[Part, ...], nn.Module]:
    """The parts of a design that begins with these layers, and its network."""
    design = fs.Design(input=shape, classes=2, layers=[*layers, "globalavgpool", "linear classes"])
    return parts_of(Subject(design.input, design.walk(2))), build(design, 2).eval()


ORIGINS = """async ([layer, from, to, pool, pooled]) => {
  const [origins, parts] = await Promise.all(["origins", "parts"].map(name => import(`fieldstone/${name}`)));
  const owners = pool ? origins.ownersOf(parts.layerOf({ layer: pool }),
    { data: new Float32Array(pooled.data), shape: pooled.shape }) : null;
  const found = [];
  for (let channel = 0; channel < to[0]; channel++)
    for (let row = 0; row < to[1]; row++)
      for (let column = 0; column < to[2]; column++)
        found.push(origins.originOf(layer, from, to, { channel, row, column }, owners).taps);
  return found;
}"""


def weights(page: Page, part: Part, pool: tuple[Part, Tensor] | None = None) -> Tensor:
    """(values after, values before): how much of each the page says that a value takes."""
    pooled = (
        [layer_of(pool[0]), {"data": pool[1].flatten().tolist(), "shape": list(pool[1].shape)}] if pool else [None] * 2
    )
    taken = page.evaluate(ORIGINS, [layer_of(part), list(part.input_shape), list(part.output_shape), *pooled])
    table = torch.zeros(len(taken), *part.input_shape)
    for row, taps in zip(table, taken, strict=True):
        for tap in taps:
            row[tap["channel"], tap["row"], tap["column"]] += tap["weight"]
    return table.flatten(1)


def slopes(module: nn.Module, shape: tuple[int, ...]) -> Tensor:
    """The same of torch: how a value moves with each value before it, one of them at a time."""
    each = torch.eye(torch.Size(shape).numel()).reshape(-1, *shape)
    moved: Tensor = module(each) - module(torch.zeros_like(each))
    return moved.flatten(1).T


def check(page: Page, text: str, shape: tuple[int, ...]) -> None:
    (part, *_), network = built(shape, text)
    torch.testing.assert_close(
        weights(page, part), slopes(network.get_submodule("1"), shape), rtol=0, atol=2e-6, msg=f"{text} of {shape}"
    )


@pytest.mark.parametrize("mode", MODES)
def test_resized(page: Page, mode: str) -> None:
    for factor in ("1", "2", "3", "5", "2x3", "1x4"):
        for shape in SHAPES:
            check(page, f"upsample {factor} mode={mode}", shape)


@pytest.mark.parametrize("mode", MODES)
def test_resized_to_sides_that_are_no_multiples(page: Page, mode: str) -> None:
    for kernel in ("3x7", "9x2", "5", "13x4", "1"):
        layers = ["save wide", f"avgpool {kernel} stride=1", f"upsample like=wide mode={mode}"]
        parts, network = built((1, 13, 10), *layers)
        part = next(part for part in parts if part.block.keyword == "upsample")
        expected = slopes(network.get_submodule(part.path), part.input_shape)
        torch.testing.assert_close(weights(page, part), expected, rtol=0, atol=2e-6, msg=kernel)


def test_the_nearest_cell_is_torchs_in_float32(page: Page) -> None:
    """Of 41 times as many places 1 / 41 in float32 puts some before the cell that they begin."""
    for factor in (7, 41, 47, 49, 55, 61, 82, 83):
        check(page, f"upsample 1x{factor}", (1, 1, 40))


def test_shuffled(page: Page) -> None:
    for factor in (1, 2, 3):
        for channels in (1, 3):
            check(page, f"pixelshuffle {factor}", (channels * factor**2, 2, 3))


def test_borders(page: Page) -> None:
    for text in BORDERS:
        for shape in ((1, 4, 5), (2, 5, 4)):
            check(page, text, shape)


@pytest.mark.parametrize(
    "pool",
    ["2", "3", "2x3", "3 stride=2", "3 stride=2 padding=1", "2 stride=3", "2 padding=1", "3 stride=2 ceil_mode=true"],
)
def test_unpooled(page: Page, pool: str) -> None:
    """Where windows overlap the last of them stays, as in torch."""
    names: dict[str, Tensor] = {}
    shape = (2, 7, 8)
    parts, network = built(shape, f"maxpool {pool} name=p", "maxunpool p")
    image = torch.randint(-3, 4, shape).float()  # many equal values
    pooled = torch.randn(1, *parts[1].input_shape)
    network.get_submodule("1")(image[None], names)
    expected = network.get_submodule("2")(pooled, names).flatten()
    torch.testing.assert_close(weights(page, parts[1], (parts[0], image)) @ pooled.flatten(), expected, rtol=0, atol=0)
