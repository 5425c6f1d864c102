"""Pages of one layer for the tests of the step view: chosen pixels, and what is read from the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

import fieldstone as fs
from explored_pages import randomised, write_page
from fieldstone.explain.explorer.payload import Seen
from fieldstone.verbs.choosing.explorable import explorable

if TYPE_CHECKING:
    from playwright.sync_api import Page

READ = """() => {
  const view = document.querySelector(".step-view"), number = element => Number(element.dataset.value);
  const cells = name => [...view.querySelectorAll(`[data-grid=${name}] .grid-stone`)].map(cell => ({
    row: Number(cell.dataset.row), column: Number(cell.dataset.column), channel: Number(cell.dataset.channel),
    value: cell.dataset.value === "" ? null : number(cell), kinds: [...cell.classList],
    dots: cell.querySelectorAll(".grid-dot").length, label: cell.getAttribute("aria-label") }));
  const result = view.querySelector(".arithmetic-result");
  return { step: Number(view.dataset.step), steps: Number(view.dataset.steps), input: cells("input"),
    kernel: cells("kernel"), output: cells("output"), own: Number(result.dataset.own),
    recorded: Number(result.dataset.recorded),
    lines: [...view.querySelectorAll(".arithmetic")].map(line => line.innerText),
    ...Object.fromEntries(["sentence", "gradient", "differs"].map(
      name => [name, view.querySelector(`.player-${name}`).innerText])),
    sums: [...view.querySelectorAll(".channels-sums li:not([hidden]) > button")].map(row => ({
      channel: Number(row.dataset.channel), sum: number(row.querySelector(".channels-value")) })),
    others: [...view.querySelectorAll(".channels-others:not([hidden]) .channels-value")].map(number) };
}"""


def seen_of(layers: Sequence[Any], pixels: np.ndarray[Any, Any]) -> Seen:
    """What a network of these layers, with random weights and biases, makes of the pixels, uint8 (C, H, W)."""
    design = fs.Design(input=pixels.shape, layers=[*layers, "globalavgpool", "linear classes"])
    explored = explorable(design, None, "cpu")
    randomised(explored.network)
    return Seen.of(explored, "pixels.png", (pixels.shape[2], pixels.shape[1]), pixels)


def noise(channels: int, height: int, width: int, levels: int = 256) -> np.ndarray[Any, Any]:
    """With few levels the largest value of a window is often there twice."""
    random = np.random.default_rng(7)
    return (random.integers(0, levels, (channels, height, width)) * (255 // (levels - 1))).astype(np.uint8)


def module_at(seen: Seen, path: str) -> nn.Module:
    return seen.explored.network.get_submodule(path)


def map_at(seen: Seen, path: str) -> Tensor:
    """(1, C, H, W), what a path gave."""
    made = seen.recording.maps[path]
    return made.reshape(1, *made.shape, *[1] * (3 - made.dim()))


def write_any_page(folder: Path) -> Path:
    """A page of some network, for tests that call the functions of its modules."""
    return write_page(seen_of(["relu"], noise(1, 3, 3)), folder / "page.html")


def show(page_of: Any, seen: Seen, folder: Path, block: str, **options: Any) -> Page:
    """The step view of a block."""
    path = write_page(seen, folder / "page.html")
    page: Page = page_of(f"{path.as_uri()}#/block/{block}", **options)
    page.wait_for_selector("html[data-ready]", state="attached")
    page.wait_for_selector(".step-view[data-step]")
    return page


def read(page: Page) -> dict[str, Any]:
    """All that the view says of its step."""
    found: dict[str, Any] = page.evaluate(READ)
    return found


def played(page: Page) -> Iterator[dict[str, Any]]:
    """Press play at the first step, and read each step once its result is written, to the end."""
    stop_time(page)
    first = read(page)
    yield first
    page.get_by_role("button", name="Play").click()
    for step in range(1, first["steps"]):
        for _ in range(20):  # the move takes 240 ms, the marks 420, the result 520
            page.clock.run_for(100)
            if page.locator(f'.step-view[data-step="{step}"]').count():
                break
        found = read(page)
        assert found["step"] == step
        yield found
    page.clock.run_for(600)
    assert page.get_by_role("button", name="Play").count() == 1  # it has stopped


def stop_time(page: Page) -> None:
    """From now on time passes by `page.clock.run_for` alone."""
    page.clock.install(time=0)
    page.clock.pause_at(1000)


def turn(page: Page, step: int) -> dict[str, Any]:
    """To a step, from 0, by the scrubber; without motion."""
    page.locator(".transport-scrubber").evaluate(
        "(one, value) => { one.value = value; one.dispatchEvent(new Event('input')) }", step + 1
    )
    return read(page)


ALL = """async () => {
  const [layers, parts, { open }] = await Promise.all(
    ["layers", "parts", "store"].map(name => import(`fieldstone/${name}`)));
  const payload = JSON.parse(document.getElementById("payload").textContent);
  const block = open(payload).block(location.hash.slice(8));
  const view = document.querySelector(".step-view"), scrubber = document.querySelector(".transport-scrubber");
  const [, , width] = parts.lifted(block.input_shape), [, , columns] = parts.lifted(block.output_shape);
  return Array.from({ length: Number(view.dataset.steps) }, (_, step) => {
    scrubber.value = step + 1;
    scrubber.dispatchEvent(new Event("input"));
    const result = view.querySelector(".arithmetic-result"), cell = [Math.floor(step / columns), step % columns];
    const read = layers.readings(parts.layerOf(block), parts.lifted(block.input_shape), cell);
    const { own, recorded } = result.dataset;
    return { step: Number(view.dataset.step), own: Number(own), recorded: Number(recorded),
      differs: view.querySelector(".player-differs").textContent, shown: Number(view.dataset.input),
      read: read.filter(one => one.source !== null).map(one => [Math.floor(one.source / width), one.source % width]) };
  });
}"""


def all_steps(page: Page) -> list[dict[str, Any]]:
    """What each step comes to, and which cells it reads; for a page without motion."""
    found: list[dict[str, Any]] = page.evaluate(ALL)
    return found


def slide(page: Page, key: str, value: int) -> None:
    """A slider of what-if to a value."""
    page.locator(f"#whatif-{key}").evaluate(
        "(one, value) => { one.value = value; one.dispatchEvent(new Event('input')) }", value
    )


def grid(cells: list[dict[str, Any]]) -> Tensor:
    """The values of a whole grid, by its rows and columns."""
    rows, columns = sorted({cell["row"] for cell in cells}), sorted({cell["column"] for cell in cells})
    values = {(cell["row"], cell["column"]): cell["value"] for cell in cells}
    return torch.tensor([[values[row, column] for column in columns] for row in rows], dtype=torch.float32)


def places(cells: list[dict[str, Any]], kind: str) -> list[tuple[int, int]]:
    return [(cell["row"], cell["column"]) for cell in cells if f"grid-{kind}" in cell["kinds"]]
