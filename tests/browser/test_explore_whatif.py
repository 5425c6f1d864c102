"""What if a layer were another: sliders offer what torch accepts, and the map is what torch makes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from fieldstone.explain.explorer.payload import Seen
from fieldstone.geometry import Window
from step_pages import map_at, module_at, noise, read, seen_of, show, slide, write_any_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

Pages = Callable[..., "Page"]
STILL = {"reduced_motion": "reduce"}


def outputs(page: Page) -> Tensor:
    """All cells of the output as the stones show them at the last step."""
    page.locator(".transport-last").click()
    cells = read(page)["output"]
    rows, columns = max(cell["row"] for cell in cells) + 1, max(cell["column"] for cell in cells) + 1
    return torch.tensor([cell["value"] for cell in cells], dtype=torch.float32).reshape(rows, columns)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected.detach().float(), rtol=1e-5, atol=1e-6)


@pytest.fixture
def pooling(page_of: Pages, tmp_path: Path) -> tuple[Page, Seen]:
    seen = seen_of(["maxpool 3 stride=1"], noise(1, 8, 8))
    return show(page_of, seen, tmp_path, "1", **STILL), seen


def test_a_stride_by_its_slider(pooling: tuple[Page, Seen]) -> None:
    page, seen = pooling
    slider = page.get_by_role("slider", name="Stride")
    slider.focus()
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "whatif-stride"
    close(outputs(page), F.max_pool2d(map_at(seen, "input"), 3, 3)[0, 0])
    row = page.locator(".whatif-row", has=slider)
    assert row.locator("output").inner_text() == "3"
    assert row.locator(".whatif-was").inner_text() == "was 1"
    assert page.locator(".whatif dd").all_inner_texts() == ["0", "9"]  # what it sees of the image is the network's
    assert "⌊(8 + 2×0 − 1×(3−1) − 1) ÷ 3⌋ + 1 = 2" in page.locator(".whatif").inner_text()
    assert page.locator(".whatif-pair b").inner_text() == "2 × 2"
    assert "was 6 × 6" in page.locator(".whatif").inner_text()
    unread = Window((3, 3), (3, 3), (1, 1), ((0, 0), (0, 0))).unread((8, 8))
    assert f"rows: {unread[0]}, columns: {unread[1]}" in page.locator("[data-unread]").inner_text()
    edge = {(cell["row"], cell["column"]) for cell in read(page)["input"] if "grid-unread" in cell["kinds"]}
    assert edge == {(row, column) for row in range(8) for column in range(8) if row > 5 or column > 5}
    page.get_by_role("button", name="As in the network").click()
    close(outputs(page), map_at(seen, "1")[0, 0])
    assert row.locator(".whatif-was").inner_text() == ""


def test_another_kernel_and_another_kind_of_pooling(pooling: tuple[Page, Seen]) -> None:
    page, seen = pooling
    slide(page, "kernel", 4)
    slide(page, "padding", 2)
    slide(page, "dilation", 2)
    assert page.locator(".whatif dd").all_inner_texts() == ["0", "16 of 49"]
    given = map_at(seen, "input")
    close(outputs(page), F.max_pool2d(given, 4, 1, 2, dilation=2)[0, 0])
    page.get_by_role("radio", name="Average pooling").check()
    assert page.locator("h1").inner_text() == "Average pooling"
    assert page.locator("#whatif-dilation").is_disabled()
    assert "average pooling has no dilation" in page.locator("#whatif-dilation-note").inner_text()
    close(outputs(page), F.avg_pool2d(given, 4, 1, 2)[0, 0])


def test_a_trained_kernel_keeps_its_size(page_of: Pages, tmp_path: Path) -> None:
    seen = seen_of(["conv 4 3", "conv 3 3 stride=2"], noise(2, 11, 11)[:1])
    page = show(page_of, seen, tmp_path, "2", **STILL)
    assert page.locator("#whatif-kernel").count() == 0
    assert "A trained kernel keeps its size" in page.locator(".whatif").inner_text()
    slide(page, "stride", 1)
    slide(page, "padding", 1)
    slide(page, "dilation", 2)
    conv = module_at(seen, "2")
    close(outputs(page), F.conv2d(map_at(seen, "1"), conv.weight, conv.bias, 1, 1, 2)[0, 0])
    assert "Computed by this page" in page.locator(".whatif").inner_text()


def test_a_slider_says_which_end_it_has_and_why(page_of: Pages, tmp_path: Path) -> None:
    page = show(page_of, seen_of(["maxpool 5 padding=2"], noise(1, 40, 40)), tmp_path, "1", **STILL)
    kernel = page.locator("#whatif-kernel")
    assert [kernel.get_attribute(name) for name in ("min", "max")] == ["4", "16"]
    note = page.locator("#whatif-kernel-note").inner_text()
    assert note.startswith("Not below 4: padding may be half the kernel at most. Not above 16: the slider ends here")
    assert page.locator("#whatif-padding-note").inner_text().startswith("Not above 2: padding may be half the kernel")


def test_a_transposed_convolution(page_of: Pages, tmp_path: Path) -> None:
    seen = seen_of(["upconv 2 3 stride=2 output_padding=1"], noise(1, 3, 4))
    page = show(page_of, seen, tmp_path, "1", **STILL)
    slider = page.locator("#whatif-stride")
    assert slider.get_attribute("min") == "2"  # below, torch refuses the output padding of 1
    slide(page, "padding", 1)
    slide(page, "stride", 3)
    conv = module_at(seen, "1")
    expected = F.conv_transpose2d(map_at(seen, "input"), conv.weight, conv.bias, 3, 1, 1)[0, 0]
    close(outputs(page), expected)


LIMITS = """async cases => {
  const { changeable, offered, refusal } = await import("fieldstone/limits");
  const all = (layer, sides) => Object.fromEntries(changeable(layer).map(key => [key, offered(layer, sides, key)]));
  return cases.map(({ layer, sides }) => {
    const word = refusal(layer, sides);
    return { refusal: word, offered: word ? null : all(layer, sides) };
  });
}"""


def random_layer(random: np.random.Generator) -> tuple[dict[str, Any], list[int]]:
    """One that torch may accept or not, and the sides of a map."""
    one = lambda low, high: int(random.integers(low, high + 1))  # noqa: E731
    kind = str(random.choice(["conv", "conv", "upconv", "maxpool", "avgpool"]))
    kernel, stride, padding, dilation = one(1, 5), one(1, 4), one(0, 4), one(1, 3)
    layer: dict[str, Any] = {
        "type": kind, "kernel": [kernel] * 2, "stride": [stride] * 2, "padding": [[padding] * 2] * 2,
        "dilation": [1 if kind == "avgpool" else dilation] * 2,
    }  # fmt: skip
    if kind == "conv":
        layer |= {"groups": 1, "padding_mode": str(random.choice(["zeros", "reflect", "circular", "replicate"]))}
    if kind == "upconv":
        layer |= {"groups": 1, "output_padding": [one(0, 2)] * 2}
    if kind.endswith("pool"):
        layer |= {"ceil_mode": bool(one(0, 1))}
    return layer, [one(1, 8), one(1, 8)]


def accepts(layer: dict[str, Any], sides: list[int]) -> bool:
    """Whether torch computes the layer on a map of these sides."""
    given, kernel = torch.ones(1, 1, *sides), layer["kernel"]
    pads, stride, dilation = [pair[0] for pair in layer["padding"]], layer["stride"], layer["dilation"]
    weight = torch.ones(1, 1, *kernel)
    try:
        if layer["type"] == "conv":
            mode = {"zeros": "constant"}.get(layer["padding_mode"], layer["padding_mode"])
            made = F.conv2d(F.pad(given, [pads[1]] * 2 + [pads[0]] * 2, mode), weight, None, stride, 0, dilation)
        elif layer["type"] == "upconv":
            more = layer["output_padding"]
            made = F.conv_transpose2d(given, weight, None, stride, pads, more, dilation=dilation)
        elif layer["type"] == "maxpool":
            made = F.max_pool2d(given, kernel, stride, pads, dilation, layer["ceil_mode"])
        else:
            made = F.avg_pool2d(given, kernel, stride, pads, layer["ceil_mode"])
    except (RuntimeError, ValueError):
        return False
    return min(made.shape) > 0


@pytest.fixture(scope="module")
def random_layers() -> list[tuple[dict[str, Any], list[int]]]:
    random = np.random.default_rng(3)
    return [random_layer(random) for _ in range(600)]


def test_what_is_refused_is_what_torch_refuses(
    page_of: Pages, tmp_path: Path, random_layers: list[tuple[dict[str, Any], list[int]]]
) -> None:
    page = page_of(write_any_page(tmp_path))
    page.wait_for_selector("html[data-ready]", state="attached")
    answers = page.evaluate(LIMITS, [{"layer": layer, "sides": sides} for layer, sides in random_layers])
    expected = [accepts(layer, sides) for layer, sides in random_layers]
    assert 100 < sum(expected) < 500
    for (layer, sides), answer, accepted in zip(random_layers, answers, expected, strict=True):
        assert (answer["refusal"] is None) == accepted, (layer, sides, answer)


def test_sliders_offer_what_torch_accepts(
    page_of: Pages, tmp_path: Path, random_layers: list[tuple[dict[str, Any], list[int]]]
) -> None:
    """Every offered number is accepted; the first that is not offered is refused, or a word says why it is not."""
    page = page_of(write_any_page(tmp_path))
    page.wait_for_selector("html[data-ready]", state="attached")
    known = [(layer, sides) for layer, sides in random_layers if accepts(layer, sides)]
    answers = page.evaluate(LIMITS, [{"layer": layer, "sides": sides} for layer, sides in known])
    own = {"one", "alone", "single", "end"}  # where a slider ends although torch would go on
    for (layer, sides), answer in zip(known, answers, strict=True):
        for key, range_ in answer["offered"].items():
            if key == "dilation" and layer["type"] == "avgpool":
                continue
            for value in range(range_["least"], range_["most"] + 1):
                assert accepts(changed(layer, key, value), sides), (layer, sides, key, value)
            assert range_["above"], (layer, sides, key)
            assert accepts(changed(layer, key, range_["most"] + 1), sides) == (range_["above"] in own)
            if range_["below"]:
                assert not accepts(changed(layer, key, range_["least"] - 1), sides)


def changed(layer: dict[str, Any], key: str, value: int) -> dict[str, Any]:
    return layer | {key: [[value] * 2] * 2 if key == "padding" else [value] * 2}
