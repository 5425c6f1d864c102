"""The explorer's page of filters: kernels with their weights, and dead filters counted, against torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

import fieldstone as fs
from explored_pages import randomised, seen_of, write_page
from fieldstone.explain.explorer.payload import Seen
from fieldstone.verbs import explore

if TYPE_CHECKING:
    from playwright.sync_api import Page

DESIGN = fs.Design(
    input=(3, 24, 24),
    classes=3,
    layers=[
        "conv 20 5", "batchnorm", "relu", "maxpool 2", "conv 30 3 groups=2", "maxpool 2", "relu", "upconv 6 2 stride=2",
        {"residual": ["conv 6 1", "batchnorm"]}, "relu", "flatten", "linear classes",
    ],
)  # fmt: skip
SILENT = (0, 4, 19)
FAINT = 8
EMPTY = (3, 7)


def muted(network: nn.Module) -> None:
    """Some filters of the first layer that never speak, some of the second without weights."""
    randomised(network)
    first, norm, second = (network.get_submodule(path) for path in ("1", "2", "5"))
    assert isinstance(first.weight, Tensor)
    assert isinstance(norm.weight, Tensor)
    assert isinstance(norm.bias, Tensor)
    assert isinstance(second.weight, Tensor)
    norm.bias.data[list(SILENT)] = -1000
    norm.weight.data[FAINT], norm.bias.data[FAINT] = 0, 0.004
    second.weight.data[EMPTY[0]] = 0
    second.weight.data[EMPTY[1]] = second.weight.abs().max() * 9e-4
    second.weight.data[9] = second.weight.abs().max() * 2e-3


@pytest.fixture(scope="module")
def seen() -> Seen:
    return seen_of(DESIGN, muted)


@pytest.fixture(scope="module")
def path(seen: Seen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(seen, tmp_path_factory.mktemp("page") / "page.html")


@pytest.fixture
def page(page_of: Callable[..., Page], path: Path) -> Page:
    page = page_of(f"{path.as_uri()}#/filters")
    page.wait_for_selector(".filters-grids canvas")
    return page


def opened(page: Page, path: str) -> None:
    page.locator(f'.filters-table tr[data-path="{path}"] button').click()
    page.wait_for_function(
        "(path) => document.querySelector('.filters-kernels h2').textContent.startsWith(path)", arg=path
    )
    page.wait_for_selector(".filters-grids canvas")


def choose(page: Page, filter: int, input: int) -> None:
    for place, value in enumerate((filter, input)):
        page.locator(".filters-choosers input").nth(place).fill(str(value + 1))


def stones(page: Page) -> Tensor:
    cells = page.locator('[data-grid="kernel"] .grid-stone')
    return torch.tensor([float(text) for text in cells.evaluate_all("(all) => all.map(one => one.dataset.value)")])


def weight_of(seen: Seen, path: str) -> Tensor:
    weight = seen.explored.network.get_submodule(path).weight
    assert isinstance(weight, Tensor)
    return weight.detach()


@pytest.mark.parametrize(("block", "filter", "input"), [("1", 0, 0), ("1", 17, 2), ("5", 29, 9), ("9.body.1", 5, 3)])
def test_a_kernel_in_numbers(page: Page, seen: Seen, block: str, filter: int, input: int) -> None:
    opened(page, block)
    choose(page, filter, input)
    torch.testing.assert_close(stones(page), weight_of(seen, block)[filter, input].flatten(), rtol=1e-6, atol=0)


def test_a_kernel_of_a_transposed_convolution(page: Page, seen: Seen) -> None:
    opened(page, "8")
    choose(page, 4, 21)
    torch.testing.assert_close(stones(page), weight_of(seen, "8")[21, 4].flatten(), rtol=1e-6, atol=0)


def test_dead_filters_are_counted_in_two_ways(page: Page, seen: Seen) -> None:
    page.wait_for_selector('tr[data-path="9.body.1"] .filters-why')
    rows = page.locator(".filters-table tbody tr")
    counts = rows.evaluate_all(
        "(all) => all.map(row => [row.dataset.path, row.cells[2].dataset.count, row.cells[3].dataset.count])"
    )
    after_first, after_second = seen.recording.maps["3"], seen.recording.maps["7"]
    silent = [int((one.flatten(1) == 0).all(1).sum()) for one in (after_first, after_second)]
    assert silent[0] == len(SILENT)
    assert counts == [
        ["1", "0", str(silent[0])],
        ["5", str(len(EMPTY)), str(silent[1])],
        ["8", "0", None],
        ["9.body.1", "0", None],
    ]
    assert page.locator('[data-total="dead"]').inner_text() == str(len(EMPTY))
    assert page.locator('[data-total="silent"]').inner_text() == f"{sum(silent)} of 50 counted"


def test_what_is_said_of_a_dead_filter(page: Page) -> None:
    choose(page, SILENT[1], 0)
    assert "0 everywhere" in page.locator(".filters-facts").inner_text()
    opened(page, "5")
    choose(page, EMPTY[0], 0)
    assert "nearly 0" in page.locator(".filters-facts").inner_text()
    choose(page, 9, 0)
    assert "nearly 0" not in page.locator(".filters-facts").inner_text()


def test_first_kernels_as_images(page: Page, seen: Seen) -> None:
    weight = weight_of(seen, "1")
    expected = (127.5 + 127.5 * weight / weight.abs().max()).round().permute(0, 2, 3, 1)  # (O, C, h, w) -> (O, h, w, C)
    assert page.locator(".filters-thumbs button").count() == 20
    for filter in (0, 19):
        pixels = page.locator(f'[data-filter="{filter}"] canvas').evaluate(
            "(canvas) => Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)"
        )
        shown = torch.tensor(pixels).reshape(5, 5, 4)
        assert (shown[..., :3] - expected[filter]).abs().max() <= 1
        assert (shown[..., 3] == 255).all()
    opened(page, "5")
    assert page.locator(".filters-thumbs").count() == 0


def test_a_click_on_the_page_of_grids_chooses_a_kernel(page: Page, seen: Seen) -> None:
    opened(page, "5")
    canvas = page.locator(".filters-grids canvas")
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": 40 + 36 * 2 + 15, "y": 36 * 4 + 15})
    chosen = [int(page.locator(".filters-choosers input").nth(place).input_value()) - 1 for place in (0, 1)]
    assert chosen[1] == 2
    torch.testing.assert_close(stones(page), weight_of(seen, "5")[chosen[0], 2].flatten(), rtol=1e-6, atol=0)


def test_the_page_turns_with_the_filter(page_of: Callable[..., Page], tmp_path: Path) -> None:
    design = fs.Design(input=(1, 8, 8), classes=3, layers=["conv 64 1", "conv 256 3", "flatten", "linear classes"])
    seen = seen_of(design)
    page = page_of(f"{write_page(seen, tmp_path / 'page.html').as_uri()}#/filters")
    page.wait_for_selector(".filters-grids canvas")
    opened(page, "2")
    choose(page, 200, 63)
    assert "Filters 193 to 208 of 256" in page.locator(".filters-grids p").inner_text()
    assert "of 64" in page.locator(".filters-grids p").inner_text()
    torch.testing.assert_close(stones(page), weight_of(seen, "2")[200, 63].flatten(), rtol=1e-6, atol=0)


def test_weights_that_are_left_out_are_said(
    page_of: Callable[..., Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore, "MOST_BYTES", 60_000)
    page = page_of(f"{write_page(seen_of(DESIGN), tmp_path / 'page.html').as_uri()}#/filters")
    page.wait_for_selector(".filters-grids canvas")
    page.wait_for_selector('tr[data-path="9.body.1"] .filters-why')
    assert page.locator(".filters-why", has_text="not in this file").count() > 0


def test_no_convolution(page_of: Callable[..., Page], tmp_path: Path) -> None:
    design = fs.Design(input=(1, 6, 6), classes=3, layers=["flatten", "linear classes"])
    page = page_of(f"{write_page(seen_of(design), tmp_path / 'page.html').as_uri()}#/filters")
    page.get_by_text("no convolution").wait_for()


def test_korean_on_a_phone(page_of: Callable[..., Page], path: Path) -> None:
    page = page_of(f"{path.as_uri()}#/filters", viewport={"width": 390, "height": 844}, locale="ko-KR")
    page.wait_for_selector(".filters-grids canvas")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert "죽은 필터" in page.locator(".filters-meaning").inner_text()


@pytest.mark.parametrize(
    ("layer", "said"),
    [("depthwise 3", "Filters 1 to 4 of 4, each with one input channel."), ("conv 4 3", "each with 4 input channels")],
)
def test_input_channels_are_counted_in_words(
    page_of: Callable[..., Page], tmp_path: Path, layer: str, said: str
) -> None:
    design = fs.Design(input=(1, 9, 9), classes=3, layers=["conv 4 1", layer, "globalavgpool", "linear classes"])
    page = page_of(f"{write_page(seen_of(design), tmp_path / 'page.html').as_uri()}#/filters")
    opened(page, "2")
    assert said in page.locator(".filters-kernels").inner_text()
