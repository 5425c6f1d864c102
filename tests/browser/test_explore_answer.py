"""The answer of a network of one logit, and of one that answers for each pixel."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import fieldstone as fs
from explored_pages import randomised, seen_of, write_page
from fieldstone.explain.explorer.payload import Seen
from fieldstone.verbs import explore
from fieldstone.verbs.choosing.explorable import explorable

if TYPE_CHECKING:
    from playwright.sync_api import Page

Pages = Callable[..., "Page"]
LANGUAGES = ["en-US", "ko-KR"]
AXE = Path(__file__).parent / "axe-core" / "axe.min.js"
BINARY = fs.Design(input=(1, 9, 9), classes=2, layers=["conv 4 3", "relu", "flatten", "linear classes"])


def opened(page_of: Pages, seen: Seen, folder: Path, address: str = "#/", **options: object) -> Page:
    page = page_of(write_page(seen, folder / "page.html").as_uri() + address, **options)
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def with_bias(value: float) -> Callable[[nn.Module], None]:
    def change(network: nn.Module) -> None:
        randomised(network)
        bias = network.get_submodule("4").bias
        assert isinstance(bias, Tensor)
        bias.data.fill_(value)

    return change


def shown_share(share: float) -> str:
    """As a percentage is written: never rounded to none or all."""
    return "NaN" if share != share else {0.0: "0 %", 1.0: "100 %"}.get(share, "< 0.1 %")


@pytest.mark.parametrize("bias", [inf, -inf, nan, 40.0])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sigmoid_of_any_logit(page_of: Pages, tmp_path: Path, bias: float, language: str) -> None:
    """Infinite ones too: 1 and 0 are exact there, and NaN has no winner; 40 rounds to 1, and leaves the other some."""
    seen = seen_of(BINARY, with_bias(bias))
    logit = seen.recording.logits
    shares = [float(torch.sigmoid(-logit)[0]), float(torch.sigmoid(logit)[0])]
    page = opened(page_of, seen, tmp_path, locale=language)
    won = [] if bias != bias else [1 if bias > 0 else 0]
    bars = page.locator(".classes li")
    first = int(bars.first.get_attribute("data-class") or -1)
    assert bars.locator(".classes-share").all_inner_texts() == [shown_share(shares[one]) for one in (first, 1 - first)]
    heavy = [row.evaluate("row => getComputedStyle(row).fontWeight") == "600" for row in bars.all()]
    assert heavy == [bool(won), False]
    assert not won or first == won[0]

    page.evaluate("location.hash = '#/block/4'")
    card = page.locator(".answer")
    card.wait_for()
    assert [int(row.get_attribute("data-class") or -1) for row in card.locator(".softmax-chosen").all()] == won
    for place in (0, 1):
        row = card.locator(f'[data-class="{place}"]')
        assert row.locator("td").nth(1).inner_text() == shown_share(shares[place])
    text = card.inner_text().replace("\n", " ")
    assert ("≈" if bias == 40.0 else "=") in card.locator(".arithmetic").inner_text()
    said = {"en-US": ("infinite", "neither class wins"), "ko-KR": ("무한대", "어느 클래스도 이기지 않습니다")}[language]
    assert [word in text for word in said] == [bias in (inf, -inf), bias != bias]
    assert not re.search("own result|페이지의 계산", text)


PIXELS = fs.Design(input=(3, 12, 10), classes=7, layers=["conv 6 3 padding=1", "relu", "conv classes 3"])
OWN = """from torch import nn


def segmenting():
    return nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Conv2d(5, 4, 1))
"""


def bars_are(page: Page, seen: Seen, row: int, column: int) -> None:
    """The page names the pixel, and its bars are torch's softmax (of one logit, sigmoid) of it, largest first."""
    logits = seen.recording.logits[:, row, column].double()
    shares = logits.softmax(0) if len(logits) > 1 else torch.sigmoid(torch.cat([-logits, logits]))
    answer = page.locator(f'.pixels[data-row="{row}"][data-column="{column}"]')
    answer.wait_for()
    assert f"row {row + 1}, column {column + 1} of" in answer.locator(".pixels-at").inner_text()
    order = shares.argsort(descending=True)[:5]
    rows = answer.locator("li")
    assert [int(one.get_attribute("data-class") or -1) for one in rows.all()] == order.tolist()
    values = [float(one.get_attribute("data-value") or "nan") for one in rows.all()]
    assert values == pytest.approx(shares[order].tolist(), rel=1e-5)


def test_a_pixel_is_pointed_at_chosen_and_moved_by_keys(page_of: Pages, tmp_path: Path) -> None:
    seen = seen_of(PIXELS)
    page = opened(page_of, seen, tmp_path, viewport={"width": 1280, "height": 900})
    bars_are(page, seen, 4, 3)  # of 10 x 8: the middle
    pixels = page.locator(".pixels-map")
    box = pixels.bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(8 / 10, rel=0.02)
    at = {"x": box["width"] * 6.5 / 8, "y": box["height"] * 2.5 / 10}
    pixels.hover(position=at)
    bars_are(page, seen, 2, 6)
    page.locator("h1").hover()
    bars_are(page, seen, 4, 3)
    pixels.click(position=at)
    page.locator("h1").hover()
    bars_are(page, seen, 2, 6)
    readout = page.locator('.readout[data-path="3"][data-row="2"][data-column="6"]')  # its story too
    assert int(readout.get_attribute("data-channel") or -1) == int(seen.recording.logits[:, 2, 6].argmax())
    pixels.focus()
    for key, place in {
        "ArrowLeft": (2, 5),
        "ArrowDown": (3, 5),
        "End": (9, 7),
        "ArrowRight": (9, 7),
        "Home": (0, 0),
    }.items():
        page.keyboard.press(key)
        bars_are(page, seen, *place)
    page.locator('.maps-map[data-path="3"]').first.click(position={"x": 1, "y": 43})
    bars_are(page, seen, 9, 0)
    page.locator(".pixels-list").get_by_role("button", name="2 more").click()
    assert page.locator(".pixels li").count() == 7


def test_each_pixel_has_the_grey_of_its_class(page_of: Pages, tmp_path: Path) -> None:
    seen = seen_of(PIXELS)
    page = opened(page_of, seen, tmp_path)
    page.locator(".pixels li").first.wait_for()
    found, scale = page.evaluate("""async () => {
      const { mapColour } = await import("fieldstone/colours"), canvas = document.querySelector(".pixels canvas");
      const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return [{ data: [...data], width, height }, Array.from({ length: 7 }, (_, place) => mapColour(place / 6))];
    }""")
    classes = seen.recording.logits.argmax(0)
    assert (found["height"], found["width"]) == tuple(classes.shape)
    colours = np.array(found["data"]).reshape(-1, 4)[:, :3]
    np.testing.assert_allclose(colours, np.array(scale)[classes.flatten().numpy()], atol=2)
    assert len(classes.unique()) > 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_logit_a_pixel_is_of_two_classes(page_of: Pages, tmp_path: Path, language: str) -> None:
    design = fs.Design(input=(1, 9, 9), classes=2, layers=["conv 4 3", "relu", "conv classes 1"])
    seen = seen_of(design)
    page = opened(page_of, seen, tmp_path, locale=language, viewport={"width": 390, "height": 844})
    if language == "en-US":
        bars_are(page, seen, 3, 3)
    said = {"en-US": "Probability of class 2", "ko-KR": "class 2의 확률"}[language]
    assert said in page.locator(".pixels-note").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert language == "en-US" or "4행 4열" in page.locator(".pixels-at").inner_text()


def test_a_chosen_pixel_of_one_logit_is_of_the_first_channel(page_of: Pages, tmp_path: Path) -> None:
    """A positive logit stands for the second class, but the map has one channel."""
    seen = seen_of(fs.Design(input=(1, 9, 9), classes=2, layers=["conv 4 3", "relu", "conv classes 1"]))
    logits = seen.recording.logits[0]
    row, column = divmod(int(logits.argmax()), logits.shape[1])
    assert logits[row, column] > 0
    page = opened(page_of, seen, tmp_path)
    pixels = page.locator(".pixels-map")
    box = pixels.bounding_box()
    assert box is not None
    height, width = logits.shape
    pixels.click(position={"x": box["width"] * (column + 0.5) / width, "y": box["height"] * (row + 0.5) / height})
    bars_are(page, seen, row, column)
    readout = page.locator(f'.readout[data-path="3"][data-row="{row}"][data-column="{column}"]')
    assert readout.get_attribute("data-channel") == "0"
    assert np.float32(readout.get_attribute("data-value") or "nan") == np.float32(logits[row, column])


def test_a_pixel_that_is_not_finite_has_no_winner(page_of: Pages, tmp_path: Path) -> None:
    def broken(network: nn.Module) -> None:
        bias = network.get_submodule("3").bias
        assert isinstance(bias, Tensor)
        bias.data[2] = nan

    page = opened(page_of, seen_of(PIXELS, broken), tmp_path)
    assert "no class wins" in page.locator(".pixels-list").inner_text()
    assert page.locator(".classes-won").count() == 0


def test_of_a_large_answer_a_file_has_every_so_many_pixels(
    page_of: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore, "MOST_BYTES", 200_000)
    seen = seen_of(fs.Design(input=(1, 300, 140), layers=["conv classes 3"], classes=3))
    page = opened(page_of, seen, tmp_path)
    bars_are(page, seen, 147, 66)  # the middle, 148 and 68, as far as multiples of 3 go
    assert "one of 3 rows" in page.locator(".pixels-note").inner_text()
    page.locator(".pixels-map").focus()
    page.keyboard.press("ArrowUp")
    bars_are(page, seen, 144, 66)


def test_a_module_of_ones_own_answers_for_each_pixel(
    page_of: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "segmenting_by_hand.py").write_text(OWN, encoding="utf-8")
    explored = explorable("segmenting_by_hand:segmenting", (3, 12, 12), "cpu")
    assert len(explored.classes) == 4
    pixels = np.random.default_rng(3).integers(0, 256, (3, 12, 12), dtype=np.uint8)
    seen = Seen.of(explored, "noise.png", (12, 12), pixels)
    page = opened(page_of, seen, tmp_path)
    bars_are(page, seen, 4, 4)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing(page_of: Pages, tmp_path: Path, width: int, theme: str) -> None:
    """Class names that are markup stay text there."""
    names = ("<img src=x onerror=alert(1)>", *(f"class {number}" for number in range(6)))
    seen = seen_of(PIXELS, classes=names)
    page = opened(page_of, seen, tmp_path, viewport={"width": width, "height": 900}, color_scheme=theme)
    page.locator(".pixels-list").get_by_role("button", name="2 more").click()
    assert names[0] in page.locator(".pixels-list").inner_text()
    assert page.locator(".pixels img").count() == 0
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run().then(({ passes, violations }) => [passes.length, violations])")
    assert found[0] > 10
    assert found[1] == []
