"""What if a pooling rounded its size up, or counted padding otherwise: as torch does it, with both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from step_pages import map_at, noise, read, seen_of, show, slide, turn, write_any_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

Pages = Callable[..., "Page"]
STILL = {"reduced_motion": "reduce"}
EACH = 250
TRACES = """async cases => {
  const [{ Trace }, { changed }, { overhang }] = await Promise.all(
    ["trace", "limits", "layers"].map(name => import(`fieldstone/${name}`)));
  return cases.map(({ layer, changes, values, sides }) => {
    const made = changed(layer, changes), trace = new Trace(made, Float32Array.from(values), [1, ...sides], null);
    const steps = Array.from({ length: trace.steps }, (_, step) => trace.at(step, 0, 0));
    return { size: trace.size, over: overhang(made, sides), steps: steps.map(({ own, sum, count, winner, taps }) => ({
      own, sum, count, winner: winner?.source ?? null, read: taps.filter(tap => tap.source !== null).length })) };
  });
}"""


def a_case(random: np.random.Generator) -> dict[str, Any]:
    """A pooling as a network may have it, and a change of its kind and options."""
    one = lambda low, high: int(random.integers(low, high + 1))  # noqa: E731
    kernel, stride = [one(1, 4), one(1, 4)], [one(1, 4), one(1, 4)]
    sides = [one(4, 9), one(4, 9)]
    kind = str(random.choice(["maxpool", "avgpool"]))
    counted = {"count_include_pad": bool(one(0, 1))} if kind == "avgpool" else {}
    pads = [[pad, pad] for pad in (one(0, kernel[0] // 2), one(0, kernel[1] // 2))]
    layer = {"type": kind, "kernel": kernel, "stride": stride, "padding": pads, "dilation": [1, 1]}
    options = {"ceil_mode": bool(one(0, 1)), "count_include_pad": bool(one(0, 1))}
    changes = {"type": str(random.choice(["maxpool", "avgpool"])), **options}
    values = random.normal(size=sides).astype(np.float32).flatten().tolist()
    return {"layer": layer | {"ceil_mode": False} | counted, "changes": changes, "values": values, "sides": sides}


def made(case: dict[str, Any], values: Tensor, divisor: int | None = None) -> Any:
    """By torch: of an average its values, of a max those and where they stand."""
    layer, changes = case["layer"], case["changes"]
    pads, ceil_mode = [pad for pad, _ in layer["padding"]], changes["ceil_mode"]
    if changes["type"] == "maxpool":
        return F.max_pool2d(values, layer["kernel"], layer["stride"], pads, 1, ceil_mode, return_indices=True)
    counted = changes["count_include_pad"]
    return F.avg_pool2d(values, layer["kernel"], layer["stride"], pads, ceil_mode, counted, divisor)


def test_changed_options_come_to_what_torch_comes_to(page_of: Pages, tmp_path: Path) -> None:
    """The divisor too: what torch divides a map of ones by."""
    random = np.random.default_rng(11)
    cases = [a_case(random) for _ in range(EACH)]
    page = page_of(write_any_page(tmp_path))
    page.wait_for_selector("html[data-ready]", state="attached")
    hanging = 0
    for case, answer in zip(cases, page.evaluate(TRACES, cases), strict=True):
        given = torch.tensor(case["values"]).reshape(1, 1, *case["sides"])
        ones, steps = torch.ones_like(given, dtype=torch.float64), answer["steps"]
        hanging += any(answer["over"])
        if case["changes"]["type"] == "maxpool":
            expected, winners = made(case, given)
            assert [step["winner"] for step in steps] == winners.flatten().tolist(), case
        else:
            expected, cells = made(case, given.double()), made(case, ones, 1)
            assert [step["read"] for step in steps] == cells.flatten().tolist(), case
            divisors = (cells / made(case, ones)).flatten()
            assert [step["count"] for step in steps] == pytest.approx(divisors.tolist()), case
        assert answer["size"] == list(expected.shape[2:]), case
        own = torch.tensor([step["own"] for step in steps])
        torch.testing.assert_close(own, expected.flatten().to(own), rtol=1e-5, atol=1e-6)
    assert hanging > 30


def test_windows_hang_over_the_edge_as_far_as_they_reach(page_of: Pages, tmp_path: Path) -> None:
    """Beyond the padding lie so many cells more of the last window as torch's size has room for."""
    random = np.random.default_rng(12)
    cases = [case | {"changes": {"ceil_mode": True}} for case in (a_case(random) for _ in range(EACH))]
    page = page_of(write_any_page(tmp_path))
    page.wait_for_selector("html[data-ready]", state="attached")
    for case, answer in zip(cases, page.evaluate(TRACES, cases), strict=True):
        layer = case["layer"]
        for axis, out in enumerate(answer["size"]):
            ends = (out - 1) * layer["stride"][axis] - layer["padding"][axis][0] + layer["kernel"][axis]
            assert answer["over"][axis] == max(0, ends - case["sides"][axis] - layer["padding"][axis][1]), case


def outputs(page: Page) -> Tensor:
    page.locator(".step-view").press("End")
    cells = read(page)["output"]
    rows, columns = max(cell["row"] for cell in cells) + 1, max(cell["column"] for cell in cells) + 1
    return torch.tensor([cell["value"] for cell in cells], dtype=torch.float32).reshape(rows, columns)


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected.detach().float(), rtol=1e-5, atol=1e-6)


def test_an_average_by_its_switches(page_of: Pages, tmp_path: Path) -> None:
    seen = seen_of(["avgpool 3 stride=2 padding=1"], noise(1, 8, 8))
    page, given = show(page_of, seen, tmp_path, "1", **STILL), map_at(seen, "input")
    ceil, counts = (
        page.get_by_role("switch", name="Round the size up"),
        page.get_by_role("switch", name="Count padding"),
    )
    assert [one.is_checked() for one in (ceil, counts)] == [False, True]
    counts.focus()
    page.keyboard.press("Space")
    assert page.evaluate("document.activeElement.id") == "whatif-count_include_pad"
    close(outputs(page), F.avg_pool2d(given, 3, 2, 1, False, False)[0, 0])
    assert "count_include_pad=false" in turn(page, 0)["sentence"]
    ceil.check()
    close(outputs(page), F.avg_pool2d(given, 3, 2, 1, True, False)[0, 0])
    assert "⌈(8 + 2×1 − 1×(3−1) − 1) ÷ 2⌉ + 1 = 5" in page.locator(".whatif").inner_text()
    assert "rows: 1, columns: 1" in page.locator("#whatif-ceil_mode-note").inner_text()
    assert page.locator(".switches-row .whatif-was").all_inner_texts() == ["was off", "was on"]
    counts.check()
    close(outputs(page), F.avg_pool2d(given, 3, 2, 1, True, True)[0, 0])
    last = read(page)
    assert "5 of its 9 cells are not there" in last["sentence"]
    assert "÷4" in "".join(last["lines"]).replace("\n", "")  # 2×2 cells within the padding, one of them real
    page.get_by_role("button", name="As in the network").click()
    assert [one.is_checked() for one in (ceil, counts)] == [False, True]
    close(outputs(page), map_at(seen, "1")[0, 0])


def test_a_max_by_its_switch_and_as_an_average(page_of: Pages, tmp_path: Path) -> None:
    seen = seen_of(["maxpool 3 stride=3 ceil_mode=true"], noise(1, 8, 8))
    page, given = show(page_of, seen, tmp_path, "1", **STILL), map_at(seen, "input")
    ceil, counts = page.locator("#whatif-ceil_mode"), page.locator("#whatif-count_include_pad")
    assert ceil.is_checked()
    assert not counts.is_visible()
    ceil.uncheck()
    close(outputs(page), F.max_pool2d(given, 3, 3)[0, 0])
    page.get_by_role("radio", name="Average pooling").check()
    slide(page, "padding", 1)
    counts.uncheck()
    close(outputs(page), F.avg_pool2d(given, 3, 3, 1, False, False)[0, 0])
    slide(page, "padding", 0)
    assert "Without padding it changes nothing" in page.locator("#whatif-count_include_pad-note").inner_text()
    page.get_by_role("radio", name="Max pooling").check()
    ceil.check()
    assert page.get_by_role("button", name="As in the network").is_hidden()  # a max counts nothing: all is as it was
    close(outputs(page), map_at(seen, "1")[0, 0])


def test_a_size_that_cannot_be_rounded_down(page_of: Pages, tmp_path: Path) -> None:
    seen = seen_of(["maxpool 3 stride=3 ceil_mode=true"], noise(1, 2, 2))
    page = show(page_of, seen, tmp_path, "1", **STILL)
    assert page.locator("#whatif-ceil_mode").is_disabled()
    assert "no window would fit" in page.locator("#whatif-ceil_mode-note").inner_text()


def test_a_window_behind_the_map_is_left_out(page_of: Pages, tmp_path: Path) -> None:
    """Rounded up there would be 3 windows; the third would begin at 4, in the padding behind the map of 4."""
    seen = seen_of(["avgpool 2 stride=3 padding=1 ceil_mode=true"], noise(1, 4, 4))
    assert F.avg_pool2d(map_at(seen, "input"), 2, 3, 1, True).shape[2:] == (2, 2)
    page = show(page_of, seen, tmp_path, "1", **STILL)
    assert "⌉ + 1 − 1 = 2" in page.locator(".whatif").inner_text()
    assert "would begin behind the map" in page.locator("#whatif-ceil_mode-note").inner_text()


def test_another_kind_drops_what_it_cannot_take(page_of: Pages, tmp_path: Path) -> None:
    """A kernel of 7 fits the average; dilated by 2, as the max is, it would not."""
    seen = seen_of(["maxpool 2 stride=1 dilation=2"], noise(1, 8, 8))
    page, given = show(page_of, seen, tmp_path, "1", **STILL), map_at(seen, "input")
    page.get_by_role("radio", name="Average pooling").check()
    slide(page, "kernel", 7)
    close(outputs(page), F.avg_pool2d(given, 7, 1)[0, 0])
    page.get_by_role("radio", name="Max pooling").check()
    close(outputs(page), F.max_pool2d(given, 2, 1, dilation=2)[0, 0])
