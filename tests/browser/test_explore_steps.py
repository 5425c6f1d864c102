"""Layers with windows, played step by step in a real browser: every number is torch's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from fieldstone.explain.explorer.payload import Seen
from step_pages import all_steps, grid, map_at, module_at, noise, places, played, seen_of, show

if TYPE_CHECKING:
    from playwright.sync_api import Page

Pages = Callable[..., "Page"]
STILL = {"reduced_motion": "reduce"}


def close(found: object, expected: object) -> None:
    torch.testing.assert_close(
        torch.as_tensor(found), torch.as_tensor(expected), rtol=1e-5, atol=1e-6, check_dtype=False
    )


def stated(step: dict[str, Any]) -> Tensor:
    """The input that the stones state, without padding, (1, 1, H, W)."""
    return grid([cell for cell in step["input"] if "grid-pad" not in cell["kinds"]])[None, None]


def test_max_pooling_played_to_the_end(page_of: Pages, tmp_path: Path) -> None:
    """Window, result, winner, the dots of its wins, and where the gradient goes; many values are there twice."""
    page = show(page_of, seen_of(["maxpool 3 stride=1 padding=1"], noise(1, 5, 5, levels=4)), tmp_path, "1")
    for step in played(page):
        given = stated(step).requires_grad_()
        made, winners = F.max_pool2d(given, 3, 1, 1, return_indices=True)
        windows = F.unfold(F.pad(given, [1] * 4, value=-torch.inf), 3)[0].T.reshape(25, 3, 3)
        row, column = divmod(step["step"], 5)
        close(grid(step["kernel"]), windows[step["step"]])
        close([step["own"], step["recorded"]], [made[0, 0, row, column].item()] * 2)
        winner = divmod(winners[0, 0, row, column].item(), 5)
        assert places(step["input"], "win") == [winner]
        wins = torch.bincount(winners.flatten()[: step["step"] + 1], minlength=25).tolist()
        dots = {(cell["row"], cell["column"]): cell["dots"] for cell in step["input"] if cell["dots"]}
        assert dots == {divmod(place, 5): count for place, count in enumerate(wins) if count}
        (gradient,) = torch.autograd.grad(made[0, 0, row, column], given)
        ((_, _, *place),) = gradient.nonzero().tolist()
        assert step["gradient"].endswith(f"input row {place[0] + 1}, column {place[1] + 1}.")
        largest = windows[step["step"]] == made[0, 0, row, column]
        assert ("the first one wins" in step["sentence"]) == (int(largest.sum()) > 1)
        assert step["lines"][0].count("−∞") == int(torch.isinf(windows[step["step"]]).sum())


@pytest.mark.parametrize("counts", [True, False], ids=["counting padding", "not counting it"])
def test_average_pooling_played_to_the_end(page_of: Pages, tmp_path: Path, counts: bool) -> None:
    block = f"avgpool 3 stride=2 padding=1 count_include_pad={str(counts).lower()}"
    page = show(page_of, seen_of([block], noise(1, 6, 5)), tmp_path, "1")
    for step in played(page):
        given = stated(step).requires_grad_()
        made = F.avg_pool2d(given, 3, 2, 1, count_include_pad=counts)
        row, column = divmod(step["step"], 3)
        close([step["own"], step["recorded"]], [made[0, 0, row, column].item()] * 2)
        (gradient,) = torch.autograd.grad(made[0, 0, row, column], given)
        number = round(1 / gradient.max().item())
        assert step["gradient"] == f"Gradient: each cell receives 1 ÷ {number} of it."
        assert step["sentence"].startswith(f"Output row {row + 1}, column {column + 1}. {number} values add up to")
        assert f"÷\n{number}\n" in step["lines"][0] or f"÷ {number}" in step["lines"][0].replace("\n", " ")
        pads = [cell["value"] for cell in step["kernel"] if "grid-pad" in cell["kinds"]]
        assert pads == [0.0] * int((F.unfold(F.pad(torch.ones(1, 1, 6, 5), [1] * 4), 3, stride=2)[0].T == 0)[
            step["step"]].sum())  # fmt: skip


def test_a_dilated_convolution_played_to_the_end(page_of: Pages, tmp_path: Path) -> None:
    seen = seen_of(["conv 1 3 padding=1 dilation=2"], noise(1, 6, 6))
    page = show(page_of, seen, tmp_path, "1")
    bias = module_at(seen, "1").bias
    for step in played(page):
        given, weight = stated(step), grid(step["kernel"])
        close(weight, module_at(seen, "1").weight[0, 0])
        made = F.conv2d(given, weight[None, None], bias, padding=1, dilation=2)
        row, column = divmod(step["step"], 4)
        close([step["own"], step["recorded"]], [made[0, 0, row, column].item()] * 2)
        taps = {(row - 1 + 2 * i, column - 1 + 2 * j) for i in range(3) for j in range(3)}
        inside = {(row - 1 + i, column - 1 + j) for i in range(5) for j in range(5)}
        assert set(places(step["input"], "tap")) == taps
        real = {place for place in inside - taps if min(place) >= 0 and max(place) < 6}
        assert set(places(step["input"], "skip")) == real
        assert page.locator(".beams-extent").count() == 1
        assert page.locator(".beams-tap").count() == 9


def test_a_convolution_of_many_channels_played_to_the_end(page_of: Pages, tmp_path: Path) -> None:
    """Each channel's sum, the largest first, what is left of them, Σ, bias and result."""
    seen = seen_of(["conv 12 3", "relu", "conv 3 3 stride=2"], noise(3, 9, 9))
    page = show(page_of, seen, tmp_path, "3")
    page.locator('[data-channels=output] [data-channel="2"]').click()
    conv, given = module_at(seen, "3"), map_at(seen, "2")
    each = F.conv2d(given.double(), conv.weight[2, :, None].double(), stride=2, groups=12)[0]
    made = F.conv2d(given.double(), conv.weight.double(), conv.bias.double(), stride=2)[0, 2]
    for step in played(page):
        row, column = divmod(step["step"], 3)
        sums = each[:, row, column]
        order = sums.abs().argsort(descending=True, stable=True)
        close([one["sum"] for one in step["sums"]], sums[order[:8]])
        assert all(abs(sums[one["channel"]].item() - one["sum"]) < 1e-6 for one in step["sums"])
        close(step["others"], [sums[order[8:]].sum().item()])
        close([step["own"], step["recorded"]], [made[row, column].item()] * 2)
        close(grid(step["kernel"]), conv.weight[2, 0])
        assert step["differs"] == ""
    assert step["lines"][1].startswith("Σ")


LAYERS = [
    (["conv 4 3 padding=1 padding_mode=reflect"], "1"),
    (["conv 4 3x2 stride=2x1 padding=2 padding_mode=circular"], "1"),
    (["conv 4 2 padding=same padding_mode=replicate"], "1"),
    (["conv 6 3", "conv 9 3 groups=3 dilation=2"], "2"),
    (["conv 4 1", "depthwise 3 padding=1 multiplier=2"], "2"),
    (["separable 5 3"], "1.depthwise"),
    (["separable 5 3"], "1.pointwise"),
    (["upconv 4 3 stride=2 padding=1 output_padding=1"], "1"),
    (["conv 4 1", "upconv 6 2 stride=3 groups=2 output_padding=2"], "2"),
    (["upconv 2 3 dilation=2"], "1"),
    (["maxpool 2 dilation=2 stride=1"], "1"),
    (["maxpool 3 stride=2 ceil_mode=true"], "1"),
    (["avgpool 2 padding=same ceil_mode=true"], "1"),
    (["avgpool 4 stride=3 padding=2 ceil_mode=true count_include_pad=false"], "1"),
    (["adaptiveavgpool 3x5"], "1"),
    (["adaptivemaxpool 4"], "1"),
    (["globalmaxpool keepdims=true"], "1"),
    (["conv 5 5", "globalavgpool keepdims=true"], "2"),
]  # fmt: skip


@pytest.mark.parametrize(("layers", "block"), LAYERS, ids=lambda value: value if isinstance(value, str) else value[-1])
def test_every_kind_of_layer_comes_to_the_recorded_result(
    page_of: Pages, tmp_path: Path, layers: list[str], block: str
) -> None:
    """Of the last channel, all steps; and what the window reads is what leads to it in torch."""
    seen = seen_of(layers, noise(3, 8, 7, levels=9))
    page = show(page_of, seen, tmp_path, block, **STILL)
    before = next(one for one in seen.told["blocks"] if one["path"] == block)["sources"][0]
    given, made = map_at(seen, before).clone().requires_grad_(), map_at(seen, block)
    channel = made.shape[1] - 1
    page.locator("[data-channels] [aria-checked=true]").last.press("End")
    again = run(seen, block, given)
    steps = all_steps(page)
    assert len(steps) == made.shape[2] * made.shape[3]
    close([[step["own"], step["recorded"]] for step in steps], made[0, channel].flatten()[:, None].expand(-1, 2))
    assert {step["differs"] for step in steps} == {""}
    for step in steps:
        row, column = divmod(step["step"], made.shape[3])
        (gradient,) = torch.autograd.grad(again[0, channel, row, column], given, retain_graph=True)
        reached = {tuple(place) for place in gradient[0, step["shown"]].nonzero().tolist()}
        assert reached <= {tuple(place) for place in step["read"]}


def run(seen: Seen, block: str, given: Tensor) -> Tensor:
    """A block on an input, (1, C, H, W), as torch's own module computes it."""
    made: Tensor = module_at(seen, block)(given)
    return made.reshape(*made.shape, *[1] * (4 - made.dim()))
