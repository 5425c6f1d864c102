"""The explorer's views of normalisation, squeeze-and-excitation, resizing, padding and unpooling, against torch."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor

import fieldstone as fs
from explored_pages import seen_of, write_page
from fieldstone.explain.explorer.payload import Seen

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AXE = Path(__file__).parent / "axe-core" / "axe.min.js"
NORMALISED = [
    "groupnorm 4", "groupnorm 2 eps=0.3", "groupnorm 1 affine=false", "groupnorm 8", "instancenorm",
    "instancenorm affine=true eps=0.5", "instancenorm affine=true track_running_stats=true", "layernorm",
    "layernorm bias=false eps=0.2", "layernorm affine=false",
]  # fmt: skip
RESPONSES = [
    "localresponsenorm 5 alpha=0.7", "localresponsenorm 2 alpha=2 beta=0.5 k=2", "localresponsenorm 4 alpha=3 beta=1.3",
    "localresponsenorm 21 alpha=9",
]  # fmt: skip
EXCITED = [
    "squeezeexcite 2", "squeezeexcite 3 activation=silu gate=hardsigmoid", "squeezeexcite 8 gate=hardsigmoid",
    "squeezeexcite 1 activation=silu",
]  # fmt: skip
MOVED = [
    "upsample 2", "crop 4x2", "upsample 1x3 mode=bilinear", "crop 0x5", "upsample 2 mode=bilinear align_corners=true",
    "crop 0 before=3x4 after=2x5", "upsample 2x1 mode=bicubic", "crop 4x1",
    "upsample 1x2 mode=bicubic align_corners=true", "crop 1x3", "pixelshuffle 2", "pad 1 value=-0.75",
    "pad 0 before=0x1 after=2x0", "crop 3", "pad 2x1 mode=reflect", "crop 2x1", "pad 1x3 mode=circular",
    "pad 1 mode=replicate",
]  # fmt: skip
CHAINS = {
    "values": ["conv 8 3 padding=1", *NORMALISED, *RESPONSES, *EXCITED, "flatten", "groupnorm 7", "layernorm"],
    "places": ["conv 8 3 padding=1", "maxpool 3 stride=2 name=p", "conv 8 1", "maxunpool p", *MOVED, "flatten"],
}
BLOCKS = [
    (chain, place, text)
    for chain, layers in CHAINS.items()
    for place, text in enumerate(layers, 1)
    if text.split()[0] not in ("conv", "maxpool", "flatten")
]


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Seen, Path]]:
    """Of each chain what its network made of the noise, and its page."""
    folder = tmp_path_factory.mktemp("pages")
    made = {
        name: seen_of(fs.Design(input=(3, 7, 5), classes=2, layers=[*layers, "linear classes"]))
        for name, layers in CHAINS.items()
    }
    return {name: (seen, write_page(seen, folder / f"{name}.html")) for name, seen in made.items()}


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """One page for many views."""
    page = browser.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    yield page
    page.close()
    assert faults == []


def show(page: Page, path: Path, block: int | str) -> None:
    """The view of a block."""
    address = f"{path.as_uri()}#/block/{block}"
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("html[data-ready]", state="attached")
    page.wait_for_selector(".sheet-view[data-step]")


ALL = """channel => {
  const view = document.querySelector(".sheet-view"), scrubber = view.querySelector(".transport-scrubber");
  const chooser = document.querySelector(".sheet-stage .field-channel input");
  if (chooser) {
    chooser.value = channel + 1;
    chooser.dispatchEvent(new Event("input"));
  }
  const numbers = place => [...view.querySelectorAll(`${place} [data-value]`)].map(one => Number(one.dataset.value));
  return Array.from({ length: Number(view.dataset.steps) }, (_, step) => {
    scrubber.value = step + 1;
    scrubber.dispatchEvent(new Event("input"));
    const result = view.querySelector(".sheet-read .arithmetic-result");
    const stones = name => [...view.querySelectorAll(`[data-grid=${name}] .grid-stone`)].map(({ dataset, classList }) =>
      ({ at: [dataset.channel, dataset.row, dataset.column].map(Number), value: Number(dataset.value),
        kinds: [...classList] }));
    const { own, recorded } = result.dataset;
    return { step: Number(view.dataset.step), own: Number(own), recorded: Number(recorded),
      note: view.querySelector(".sheet-note").textContent, sentence: view.querySelector(".sheet-sentence").textContent,
      numbers: numbers(".sheet-read .arithmetic"), input: stones("input"), output: stones("output") };
  });
}"""


def all_cells(page: Page, channel: int) -> list[dict[str, Any]]:
    """What the view says of each cell of a channel, one after another."""
    found: list[dict[str, Any]] = page.evaluate(ALL, channel)
    return found


def channel_of(map: Tensor, channel: int) -> Tensor:
    """The values of a channel; of a vector all."""
    return map.flatten() if map.dim() == 1 else map[channel].flatten()


def doubly(seen: Seen, path: str, source: Tensor) -> Tensor:
    """What the block's module makes of a map in float64."""
    module = deepcopy(seen.explored.network.get_submodule(path)).double()
    with torch.no_grad():
        made: Tensor = module(source[None].double())[0]
    return made


@pytest.mark.parametrize(("chain", "place", "text"), BLOCKS, ids=[text for _, _, text in BLOCKS])
def test_every_cell_is_reckoned_as_torch_does(
    page: Page, chains: dict[str, tuple[Seen, Path]], chain: str, place: int, text: str
) -> None:
    seen, path = chains[chain]
    maps, block = seen.recording.maps, str(place)
    made, source = maps[block], maps[str(place - 1)]
    show(page, path, block)
    for channel in sorted({0, len(made) - 1} if made.dim() == 3 else {0}):
        found = all_cells(page, channel)
        own, recorded = (torch.tensor([one[key] for one in found], dtype=torch.float64) for key in ("own", "recorded"))
        assert torch.equal(recorded.float(), channel_of(made, channel))
        if not text.startswith("maxunpool"):
            expected = channel_of(doubly(seen, block, source), channel)
            torch.testing.assert_close(own, expected, rtol=2e-5, atol=2e-5 * float(expected.abs().max()))
        torch.testing.assert_close(own, recorded, rtol=2e-5, atol=2e-5 * float(recorded.abs().max()))
        assert not [one["note"] for one in found if "own result" in one["note"]]
        check_stones(found, source, made)


def check_stones(found: list[dict[str, Any]], source: Tensor, made: Tensor) -> None:
    """The stones hold the float32 of the map before and of the map after; the cell of the step is marked."""
    for one in found:
        for name, map in (("input", source), ("output", made)):
            for stone in one[name]:
                place = stone["at"][-1:] if map.dim() == 1 else stone["at"]
                assert torch.tensor(stone["value"], dtype=torch.float32) == map[tuple(place)]
        (now,) = [stone for stone in one["output"] if "grid-now" in stone["kinds"]]
        assert now["value"] == one["recorded"]


@pytest.mark.parametrize("text", [*NORMALISED, "groupnorm 7"])
def test_mean_and_variance_are_those_of_the_part(page: Page, chains: dict[str, tuple[Seen, Path]], text: str) -> None:
    seen, path = chains["values"]
    place = CHAINS["values"].index(text) + 1
    module: Any = seen.explored.network.get_submodule(str(place))
    source = seen.recording.maps[str(place - 1)].double()
    show(page, path, place)
    parts = {"groupnorm": getattr(module, "num_groups", 0), "instancenorm": len(source), "layernorm": 1}[
        text.split()[0]
    ]
    groups = source.reshape(parts, -1)
    variances, means = torch.var_mean(groups, dim=1, correction=0)
    if getattr(module, "running_mean", None) is not None:
        variances, means = module.running_var.double(), module.running_mean.double()
    last = all_cells(page, len(source) - 1)[-1]
    weight, bias = (getattr(module, name, None) for name in ("weight", "bias"))
    scale, shift = (
        float(one.detach().flatten()[-1]) if one is not None else usual for one, usual in ((weight, 1), (bias, 0))
    )
    expected = [float(source.flatten()[-1]), float(means[-1]), float(variances[-1]), module.eps, scale, shift]
    assert last["numbers"] == pytest.approx(expected, rel=1e-6, abs=1e-9)
    named = {1: "all values", len(source): f"channel {len(source)}"}.get(parts, f"group {parts}, channels")
    assert named in last["sentence"]
    said = "running statistics of the training" if "track" in text else f"of {groups.shape[1]:,} values of this image"
    assert said in last["note"]


@pytest.mark.parametrize("text", EXCITED)
def test_a_gate_comes_from_the_means_of_all_channels(
    page: Page, chains: dict[str, tuple[Seen, Path]], text: str
) -> None:
    seen, path = chains["values"]
    place = CHAINS["values"].index(text) + 1
    module: Any = deepcopy(seen.explored.network.get_submodule(str(place))).double().requires_grad_(False)
    means = seen.recording.maps[str(place - 1)].double().mean(dim=(1, 2))
    squeezed = module.activation(module.reduce(means[:, None, None]))[:, 0, 0]
    gates = module.gate(module.expand(squeezed[:, None, None]))[:, 0, 0]
    show(page, path, place)
    for name, expected in (("means", means), ("squeezed", squeezed), ("gates", gates)):
        shown = page.locator(f"[data-grid={name}] .grid-stone").evaluate_all(
            "all => all.map(one => +one.dataset.value)"
        )
        assert shown == pytest.approx(expected.tolist(), rel=1e-5, abs=1e-7)
    page.locator('[data-grid=gates] [data-column="5"]').click()
    assert page.locator(".sheet-stage .field-channel input").input_value() == "6"
    assert float(str(page.locator("[data-grid=gate] .grid-stone").get_attribute("data-value"))) == pytest.approx(
        gates[5]
    )
    number = len(squeezed) - 1
    page.locator(f'[data-grid=squeezed] [data-column="{number}"]').click()
    for box, values, layer, at in ((0, means, module.reduce, number), (1, squeezed, module.expand, 5)):
        terms = values * layer.weight[at].flatten()
        rows = page.locator(".sheet-aside .sheet-box").nth(box)
        listed = rows.locator("tr[data-index]").evaluate_all(
            "all => all.map(one => [+one.dataset.index, +one.querySelector('[data-value]').dataset.value])"
        )
        assert [value for _, value in listed] == pytest.approx(
            [float(terms[int(index)]) for index, _ in listed], 1e-4, 1e-7
        )
        total = float(str(rows.locator(".linear-total [data-value]").get_attribute("data-value")))
        assert total == pytest.approx(float(terms.sum() + layer.bias[at]), rel=1e-5)


def kinds(stones: list[dict[str, Any]], kind: str) -> set[tuple[int, int]]:
    return {(row, column) for _, row, column in (one["at"] for one in stones if f"grid-{kind}" in one["kinds"])}


@pytest.mark.parametrize(("text", "top", "left"), [("pad 1 value=-0.75", 1, 1), ("pad 2x1 mode=reflect", 2, 1)])
def test_padding_is_dashed(page: Page, chains: dict[str, tuple[Seen, Path]], text: str, top: int, left: int) -> None:
    _, path = chains["places"]
    place = CHAINS["places"].index(text) + 1
    show(page, path, place)
    first = all_cells(page, 0)[0]
    seen_cells = {(row, column) for _, row, column in (one["at"] for one in first["output"])}
    assert kinds(first["output"], "pad") == {at for at in seen_cells if at[0] < top or at[1] < left} - {(0, 0)}
    assert kinds(first["output"], "pad")
    word = "where −0.75 stands" if "value" in text else "copies row 3, column 2"
    assert word in first["sentence"]
    assert page.locator(".field-frame-in.field-bare").count() == (1 if "value" in text else 0)


def test_what_a_crop_cuts_is_marked(page: Page, chains: dict[str, tuple[Seen, Path]]) -> None:
    seen, path = chains["places"]
    place = CHAINS["places"].index("crop 1x3") + 1
    show(page, path, place)
    first = all_cells(page, 0)[0]
    assert seen.recording.maps[str(place)].shape[1:] == (4, 4)
    shown = {(row, column) for _, row, column in (one["at"] for one in first["input"])}
    assert kinds(first["input"], "cut") == {(row, column) for row, column in shown if row < 1 or column < 3}
    assert "row 2, column 4 of channel 1" in first["sentence"]


def test_a_blend_is_written_with_its_weights(page: Page, chains: dict[str, tuple[Seen, Path]]) -> None:
    seen, path = chains["places"]
    place = CHAINS["places"].index("upsample 1x3 mode=bilinear") + 1
    source, made = (seen.recording.maps[str(at)][0].double() for at in (place - 1, place))
    show(page, path, place)
    found = all_cells(page, 0)[3 * made.shape[1] + 11]  # (11 + 1/2) / 3 - 1/2 is a third of the way from 3 to 4
    values, weights = torch.tensor(found["numbers"]).reshape(-1, 2).T
    assert weights.tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0], abs=1e-6)
    assert values[:2].tolist() == source[3, 3:5].tolist()
    assert float((values * weights).sum()) == pytest.approx(float(made[3, 11]), rel=1e-5)


@pytest.mark.parametrize(
    "text", ["groupnorm 4", "layernorm", "localresponsenorm 5 alpha=0.7", "squeezeexcite 2", "pixelshuffle 2", "pad 1"]
)
def test_a_result_that_is_not_the_recorded_one_is_said(page: Page, tmp_path: Path, text: str) -> None:
    seen = seen_of(fs.Design(input=(3, 5, 5), classes=2, layers=["conv 8 1", text, "flatten", "linear classes"]))
    with torch.inference_mode():
        seen.recording.maps["2"].flatten()[1] += 0.01
    show(page, write_page(seen, tmp_path / "page.html"), 2)
    found = all_cells(page, 0)
    assert [one["step"] for one in found if "This page's own result is" in one["note"]] == [1]
