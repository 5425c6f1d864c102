"""The explorer's views of layers without a window, in a real browser, against torch's own numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import fieldstone as fs
from explored_pages import randomised, seen_of, write_page
from fieldstone.explain.explorer.payload import Seen
from fieldstone.verbs import explore

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

HOSTILE = "<img src=x onerror=alert(1)>"
DESIGN = fs.Design(
    input=(3, 24, 24),
    classes=12,
    layers=[
        "conv 8 3 padding=1", "batchnorm", "relu",
        {"residual": ["conv 8 3 padding=1", "batchnorm"]},
        "maxpool 2",
        {"branches concat": [["conv 4 1"], ["conv 6 3 padding=1", "leakyrelu"], []]},
        "save skip", "conv 18 3 padding=1", "sigmoid", "multiply skip", "glu", "prelu num_parameters=channels",
        "dropout 0.2", "softmax", "groupnorm 3", "flatten", "linear 64", "batchnorm", "gelu", "linear classes",
    ],
)  # fmt: skip
VIEWS = ("2", "3", "4", "6", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20")


@pytest.fixture(scope="module")
def seen() -> Seen:
    return seen_of(DESIGN)


@pytest.fixture(scope="module")
def path(seen: Seen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(seen, tmp_path_factory.mktemp("page") / "page.html")


@pytest.fixture
def shown(page_of: Callable[..., Page], path: Path) -> Callable[..., Page]:
    """`shown(block path)` opens its view."""

    def show(block: str, **options: Any) -> Page:
        page = page_of(f"{path.as_uri()}#/block/{block}", **options)
        page.wait_for_selector(".transport-scrubber")
        return page

    return show


def go(page: Page, step: int) -> None:
    """To a step, counted from 0, by the scrubber."""
    scrubber = page.locator(".transport-scrubber")
    scrubber.evaluate(
        "(element, value) => { element.value = value; element.dispatchEvent(new Event('input')) }", step + 1
    )


def choose(page: Page, channel: int) -> None:
    page.locator(".field-channel input").fill(str(channel + 1))


def number(locator: Locator, name: str = "value") -> float:
    return float(str(locator.get_attribute(f"data-{name}")))


def numbers(locator: Locator, name: str = "value") -> list[float]:
    return [float(text) for text in locator.evaluate_all("(all, name) => all.map(one => one.dataset[name])", name)]


def close(ours: float, theirs: Tensor | float, relative: float = 1e-5) -> None:
    torch.testing.assert_close(torch.tensor(ours), torch.as_tensor(theirs), rtol=relative, atol=1e-6, check_dtype=False)


def stone(page: Page, grid: str, channel: int, row: int, column: int) -> Locator:
    cell = f'[data-channel="{channel}"][data-row="{row}"][data-column="{column}"]'
    return page.locator(f'[data-grid="{grid}"] {cell}')


@pytest.mark.parametrize("output", [0, 9, 63])
def test_linear(shown: Callable[..., Page], seen: Seen, output: int) -> None:
    layer = seen.explored.network.get_submodule("17")
    assert isinstance(layer, nn.Linear)
    page = shown("17")
    go(page, output)
    input = seen.recording.maps["16"]
    whole = input.double() @ layer.weight.detach().double().T + layer.bias.detach().double()
    terms = input * layer.weight[output].detach()
    cells = page.locator('[data-grid="kernel"] .grid-stone')
    places = [int(place) for place in numbers(cells, "index")]
    largest = terms.abs().topk(len(places)).indices.sort().values
    assert places == largest.tolist()
    assert numbers(cells) == pytest.approx(input[largest].tolist(), rel=1e-6)
    assert numbers(cells, "weight") == pytest.approx(layer.weight[output, largest].tolist(), rel=1e-6)
    close(number(page.locator(".sheet-read .arithmetic-result"), "recorded"), seen.recording.maps["17"][output])
    close(number(page.locator(".sheet-read .arithmetic-result"), "own"), whole[output])
    order = terms.abs().sort(descending=True).indices
    close(number(page.locator(".linear-rest [data-value]")), terms[order[6:]].sum(), 1e-4)
    assert numbers(page.locator(".linear-list tr[data-index]"), "index") == order[:8].tolist()
    close(number(page.locator(".linear-others td[data-value]")), terms[order[8:]].sum(), 1e-4)
    close(number(page.locator(".linear-total td[data-value]")), whole[output])


def test_linear_says_where_an_input_came_from(shown: Callable[..., Page], seen: Seen) -> None:
    layer = seen.explored.network.get_submodule("17")
    page = shown("17")
    terms = seen.recording.maps["16"] * layer.weight[0].detach()  # type: ignore[index]
    channel, row, column = np.unravel_index(int(terms.abs().argmax()), seen.recording.maps["15"].shape)
    text = f"channel {channel + 1}, row {row + 1}, column {column + 1}"
    assert page.locator(".linear-list tr").first.locator("td").first.inner_text() == text


@pytest.mark.parametrize("cell", [(0, 0, 0), (2, 11, 3), (8, 6, 11)])
def test_flatten(shown: Callable[..., Page], seen: Seen, cell: tuple[int, int, int]) -> None:
    shape = seen.recording.maps["15"].shape
    index = int(torch.arange(shape.numel()).reshape(shape)[cell])
    page = shown("16")
    go(page, index)
    assert page.locator(".sheet-read .arithmetic-result").get_attribute("data-index") == str(index)
    value = seen.recording.maps["16"][index]
    close(number(stone(page, "input", *cell)), value)
    close(number(page.locator(f'[data-grid="output"] [data-row="{index}"]')), value)
    assert page.locator(".field-channel input").input_value() == str(cell[0] + 1)


@pytest.mark.parametrize(("block", "cell"), [("2", (5, 3, 20)), ("18", (0, 0, 41))])
def test_batch_normalisation(shown: Callable[..., Page], seen: Seen, block: str, cell: tuple[int, int, int]) -> None:
    layer = seen.explored.network.get_submodule(block)
    assert isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)
    layer.requires_grad_(False)
    assert layer.running_mean is not None
    assert layer.running_var is not None
    before, after = seen.recording.maps["1" if block == "2" else "17"], seen.recording.maps[block]
    page = shown(block)
    if block == "2":
        choose(page, cell[0])
    go(page, cell[1] * before.shape[-1] + cell[2])
    channel = cell[0] if block == "2" else cell[2]
    place = cell if block == "2" else cell[2:]
    parts = numbers(page.locator(".sheet-read .arithmetic [data-value]"))
    expected = [
        before[place],
        layer.running_mean[channel],
        layer.running_var[channel],
        layer.eps,
        layer.weight[channel],
    ]
    assert parts == pytest.approx([*map(float, expected), float(layer.bias[channel])], rel=1e-6)
    close(number(page.locator(".sheet-read .arithmetic-result"), "own"), after[place])
    close(number(page.locator(".sheet-read .arithmetic-result"), "recorded"), after[place])
    values = (before[channel] if block == "2" else before).numpy().flatten()
    counts = numbers(page.locator('[data-histogram="before"] rect'), "count")
    low, high = min(0, values.min()), max(0, values.max())
    assert np.abs(np.array(counts) - np.histogram(values, len(counts), (low, high))[0]).sum() <= 2


@pytest.mark.parametrize(
    ("block", "before", "channel"),
    [("3", "2", 6), ("6.2.2", "6.2.1", 1), ("9", "8", 17), ("12", "11", 4), ("19", "18", 0)],
)
def test_activation(shown: Callable[..., Page], seen: Seen, block: str, before: str, channel: int) -> None:
    x, y = seen.recording.maps[before], seen.recording.maps[block]
    page = shown(block)
    if x.dim() == 3:
        choose(page, channel)
    else:
        x, y = x[None, None], y[None, None]
    columns = x.shape[-1]
    for row, column in ((0, 0), (x.shape[1] - 1, 7)):
        go(page, row * columns + column)
        dot = page.locator(".curve-dot")
        close(number(dot, "x"), x[channel, row, column])
        close(number(dot, "y"), y[channel, row, column])
        close(number(page.locator(".sheet-read .arithmetic-result"), "own"), y[channel, row, column])
        close(number(stone(page, "input", channel, row, column)), x[channel, row, column])
        close(number(stone(page, "output", channel, row, column)), y[channel, row, column])
    zeros = numbers(page.locator("[data-zeros]"), "zeros")
    assert zeros[-1] == int((y == 0).sum())
    assert len(zeros) == 1 or zeros[0] == int((y[channel] == 0).sum())


def test_gated_linear_unit(shown: Callable[..., Page], seen: Seen) -> None:
    x, y = seen.recording.maps["10"], seen.recording.maps["11"]
    page = shown("11")
    choose(page, 3)
    go(page, 30)
    close(number(page.locator(".curve-dot"), "x"), x[3 + 9].flatten()[30])
    close(number(page.locator(".sheet-read .arithmetic-result"), "own"), y[3].flatten()[30])


def test_softmax_over_the_channels(shown: Callable[..., Page], seen: Seen) -> None:
    x, y = seen.recording.maps["13"], seen.recording.maps["14"]
    page = shown("14")
    choose(page, 2)
    go(page, 17)
    row, column = divmod(17, x.shape[2])
    close(number(page.locator(".sheet-read .arithmetic-result"), "own"), y[2, row, column])
    powers = (x[:, row, column].double() - x[:, row, column].double().max()).exp()
    for channel in range(9):
        own = numbers(page.locator(f'.softmax [data-class="{channel}"] td[data-value]'))
        assert own == pytest.approx([float(powers[channel]), float(y[channel, row, column])], rel=1e-5)
    close(number(page.locator(".softmax-sum td[data-value]")), powers.sum())


@pytest.mark.parametrize("cell", [(0, 0, 0), (7, 23, 11)])
def test_add(shown: Callable[..., Page], seen: Seen, cell: tuple[int, int, int]) -> None:
    maps = seen.recording.maps
    page = shown("4")
    choose(page, cell[0])
    go(page, cell[1] * 24 + cell[2])
    sources = [maps["4.body.2"][cell], maps["3"][cell]]
    assert numbers(page.locator(".sheet-read .arithmetic [data-value]")) == pytest.approx(
        [float(one) for one in sources], rel=1e-5, abs=1e-6
    )
    assert numbers(stone(page, "input", *cell)) == pytest.approx([float(one) for one in sources], rel=1e-5, abs=1e-6)
    close(number(page.locator(".sheet-read .arithmetic-result"), "own"), sources[0] + sources[1])
    close(number(page.locator(".sheet-read .arithmetic-result"), "recorded"), maps["4"][cell])


def test_multiply(shown: Callable[..., Page], seen: Seen) -> None:
    maps = seen.recording.maps
    page = shown("10")
    choose(page, 12)
    go(page, 50)
    sources = [float(maps[path][12].flatten()[50]) for path in ("6", "9")]
    assert sorted(numbers(page.locator(".sheet-read .arithmetic [data-value]"))) == pytest.approx(
        sorted(sources), rel=1e-5
    )
    close(number(page.locator(".sheet-read .arithmetic-result"), "own"), maps["10"][12].flatten()[50])


@pytest.mark.parametrize(
    ("channel", "source", "own"), [(3, "6.1.1", 3), (4, "6.2.2", 0), (9, "6.2.2", 5), (17, "5", 7)]
)
def test_concat(shown: Callable[..., Page], seen: Seen, channel: int, source: str, own: int) -> None:
    maps = seen.recording.maps
    page = shown("6")
    choose(page, channel)
    go(page, 77)
    row, column = divmod(77, 12)
    value = maps[source][own, row, column]
    assert f"channel {own + 1} of {source}," in page.locator(".sheet-sentence").inner_text()
    close(number(stone(page, "input", own, row, column)), value)
    close(number(stone(page, "output", channel, row, column)), value)
    close(number(page.locator(".sheet-read .arithmetic-result"), "recorded"), maps["6"][channel, row, column])


def test_answer_of_many_classes(shown: Callable[..., Page], seen: Seen) -> None:
    logits = seen.recording.logits.double()
    shares = logits.softmax(0)
    page = shown("20")
    rows = page.locator(".answer tr[data-class]")
    order = shares.argsort(descending=True)
    assert [int(place) for place in numbers(rows, "class")] == order[:10].tolist()
    for place in order[:10].tolist():
        own = numbers(page.locator(f'.answer [data-class="{place}"] [data-value]'))
        expected = [logits[place], (logits[place] - logits.max()).exp(), shares[place]]
        assert own == pytest.approx([float(one) for one in expected], rel=1e-5)
    rest = numbers(page.locator(".softmax-others td[data-value]"))
    assert rest == pytest.approx(
        [float((logits[order[10:]] - logits.max()).exp().sum()), float(shares[order[10:]].sum())], rel=1e-4
    )


def test_answer_of_two_classes(page_of: Callable[..., Page], tmp_path: Path) -> None:
    design = fs.Design(input=(1, 6, 6), classes=2, layers=["flatten", "linear classes"])
    seen = seen_of(design)
    page = page_of(f"{write_page(seen, tmp_path / 'page.html').as_uri()}#/block/2")
    result = page.locator(".answer .arithmetic-result")
    probability = seen.recording.logits.double().sigmoid()[0]
    close(number(result, "own"), probability)
    close(number(result, "recorded"), probability)
    other = page.locator('.answer [data-class="0"] [data-value]')
    close(number(other), 1 - probability)


@pytest.mark.parametrize("block", VIEWS)
def test_every_view_fits_a_phone_in_korean(shown: Callable[..., Page], block: str) -> None:
    page = shown(block, viewport={"width": 390, "height": 844}, locale="ko-KR")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert re.search(r"[가-힣]", page.locator(".sheet-sentence").inner_text())


def test_keyboard_alone(shown: Callable[..., Page]) -> None:
    page = shown("3")
    page.locator('[data-grid="output"] [tabindex="0"]').focus()
    start = int(str(page.locator(".sheet-view").get_attribute("data-step")))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.locator(".sheet-view").get_attribute("data-step") == str(start + 24 + 1)
    focused = page.evaluate("[document.activeElement.dataset.row, document.activeElement.dataset.column]")
    assert focused == [str((start + 25) // 24), str((start + 25) % 24)]
    page.locator(".transport-next").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".sheet-view").get_attribute("data-step") == str(start + 26)
    page.keyboard.press("End")
    assert page.locator(".sheet-view").get_attribute("data-step") == str(24 * 24 - 1)
    page.keyboard.press("Escape")
    page.wait_for_function("() => location.hash === '#/'")


def test_the_chosen_cell_survives_another_language(shown: Callable[..., Page]) -> None:
    page = shown("3")
    choose(page, 4)
    go(page, 100)
    page.locator("#language").click()
    page.wait_for_function("() => document.documentElement.lang === 'ko'")
    page.wait_for_selector('.sheet-view[data-step="100"]')
    assert page.locator(".field-channel input").input_value() == "5"


def test_a_large_weight_is_left_out_and_said(
    page_of: Callable[..., Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore, "MOST_BYTES", 200_000)
    design = fs.Design(input=(1, 20, 20), classes=3, layers=["flatten", "linear 256", "relu", "linear classes"])
    seen = seen_of(design)
    page = page_of(f"{write_page(seen, tmp_path / 'page.html').as_uri()}#/block/2")
    missing = page.locator(".sheet-missing")
    missing.wait_for()
    assert "not in this file" in missing.inner_text()
    go(page, 200)
    close(number(stone(page, "output", 0, 0, 200)), seen.recording.maps["2"][200])


def test_values_that_are_no_numbers(page_of: Callable[..., Page], tmp_path: Path) -> None:
    def broken(network: nn.Module) -> None:
        randomised(network)
        network.get_submodule("1").bias.data[:] = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.5])  # type: ignore[operator, union-attr]

    design = fs.Design(
        input=(1, 9, 9), classes=3, layers=["conv 4 3", "batchnorm", "gelu", "flatten", "linear classes"]
    )
    seen = seen_of(design, broken)
    address = write_page(seen, tmp_path / "page.html").as_uri()
    for block, channel, expected in (("2", 0, "NaN"), ("2", 1, "Infinity"), ("2", 2, "-Infinity"), ("3", 0, "NaN")):
        page = page_of(f"{address}#/block/{block}")
        page.wait_for_selector(".transport-scrubber")
        choose(page, channel)
        assert stone(page, "output", channel, 3, 3).get_attribute("data-value") == expected
    for block in ("4", "5"):
        page_of(f"{address}#/block/{block}").wait_for_selector(".transport-scrubber")


def test_names_of_classes_stay_text(page_of: Callable[..., Page], tmp_path: Path) -> None:
    design = fs.Design(input=(1, 6, 6), classes=2, layers=["flatten", "linear 3", "relu", "linear classes"])
    seen = seen_of(design, classes=(HOSTILE, "</script><i>"))
    page = page_of(f"{write_page(seen, tmp_path / 'page.html').as_uri()}#/block/4")
    page.wait_for_selector(".answer")
    assert HOSTILE in page.locator(".answer").inner_text()
    assert page.locator(".answer img, .answer i").count() == 0


def test_it_plays_to_the_end_and_stops(shown: Callable[..., Page], seen: Seen) -> None:
    page = shown("20", reduced_motion="reduce")
    page.locator(".transport-speed").select_option("4")
    go(page, 9)
    page.locator(".transport-play").click()
    page.wait_for_selector('.sheet-view[data-step="11"]')
    page.wait_for_selector('.transport-play[aria-label="Play"]')
    close(number(page.locator(".sheet-view .arithmetic-result"), "recorded"), seen.recording.logits[11])


def test_a_cell_that_is_chosen_ends_the_playing(shown: Callable[..., Page]) -> None:
    page = shown("3")
    page.locator(".transport-play").click()
    page.wait_for_selector('.transport-play[aria-label="Pause"]')
    stone(page, "output", 0, 12, 10).click()
    page.wait_for_selector('.transport-play[aria-label="Play"]')
    page.wait_for_timeout(1200)
    assert page.locator(".sheet-view").get_attribute("data-step") == str(12 * 24 + 10)


def test_closing_a_view_ends_its_playing(shown: Callable[..., Page]) -> None:
    page = shown("3")
    page.locator(".transport-play").click()
    page.evaluate("location.hash = '#/block/2'")
    page.wait_for_selector("h1:has-text('Batch')")
    page.wait_for_timeout(1200)


def test_numbers_that_do_not_arrive_are_said(shown: Callable[..., Page]) -> None:
    page = shown("3")
    page.evaluate("""async () => {
      const { open } = await import("fieldstone/store"), { prototype } = open({ blocks: [] }).constructor;
      prototype.array = () => Promise.reject(new Error("the line is cut"));
    }""")
    page.evaluate("location.hash = '#/block/17'")
    page.get_by_text("did not arrive: the line is cut").wait_for()
    page.evaluate("location.hash = '#/filters'")
    page.locator(".filters-kernels").get_by_text("did not arrive: the line is cut").wait_for()
    assert page.locator(".filters-table .filters-why").first.inner_text() == "did not arrive"


def test_concat_of_a_map_whose_centre_is_cut(page_of: Callable[..., Page], tmp_path: Path) -> None:
    layers = ["conv 3 1", "save wide", "conv 4 5", "concat wide crop=true", "flatten", "linear classes"]
    seen = seen_of(fs.Design(input=(1, 12, 14), classes=3, layers=layers))
    page = page_of(f"{write_page(seen, tmp_path / 'page.html').as_uri()}#/block/4")
    page.wait_for_selector(".transport-scrubber")
    order = next(block for block in seen.told["blocks"] if block["path"] == "4")["sources"]
    first = 0
    for source in order:
        channels = seen.recording.maps[source].shape[0]
        choose(page, first + 1)
        go(page, 3 * 10 + 6)
        by = 2 if source == "1" else 0
        value = seen.recording.maps[source][1, 3 + by, 6 + by]
        close(number(stone(page, "input", 1, 3 + by, 6 + by)), value)
        close(number(page.locator(".sheet-read .arithmetic-result"), "own"), value)
        close(number(page.locator(".sheet-read .arithmetic-result"), "recorded"), value)
        stone(page, "input", 1, 4 + by, 7 + by).click()
        assert page.locator(".sheet-view").get_attribute("data-step") == str(4 * 10 + 7)
        first += channels
