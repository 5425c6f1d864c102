"""What the explorer says where a network is unusual: no finite answer, no class to tell of, a module of one's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import fieldstone as fs
from explored_pages import randomised, seen_of, write_page
from fieldstone.explain.explorer.payload import Seen
from fieldstone.verbs.choosing.explorable import explorable
from step_pages import noise, show
from step_pages import seen_of as layers_seen

if TYPE_CHECKING:
    from playwright.sync_api import Page

Pages = Callable[..., "Page"]
LANGUAGES = ["en-US", "ko-KR"]
INFINITE = fs.Design(input=(1, 9, 9), classes=3, layers=["conv 4 3", "relu", "flatten", "linear classes"])
MODULE = """import torch
from torch import nn


class Halved(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 3)

    def forward(self, images):
        return self.head(self.conv(images).div(2.0).mean((2, 3)))


class Cut(Halved):
    def forward(self, images):
        return super().forward(images).detach()
"""


def infinite(network: nn.Module) -> None:
    randomised(network)
    bias = network.get_submodule("4").bias
    assert isinstance(bias, Tensor)
    bias.data[:] = torch.tensor([float("inf"), float("inf"), -float("inf")])


def own(folder: Path, name: str = "Halved") -> Seen:
    (folder / "halved.py").write_text(MODULE, encoding="utf-8")
    explored = explorable(f"halved:{name}", (3, 12, 12), "cpu")
    return Seen.of(explored, "noise.png", (10, 10), np.zeros((3, 12, 12), np.uint8))


def per_pixel() -> Seen:
    explored = explorable(fs.Design(input=(3, 8, 8), classes=3, layers=["conv classes 1"]), None, "cpu")
    return Seen.of(explored, "noise.png", (10, 10), np.zeros((3, 8, 8), np.uint8))


def opened(page_of: Pages, seen: Seen, folder: Path, address: str = "#/", language: str = "en-US") -> Page:
    page = page_of(write_page(seen, folder / "page.html").as_uri() + address, locale=language)
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_that_is_not_finite_has_no_winner(page_of: Pages, tmp_path: Path, language: str) -> None:
    seen = seen_of(INFINITE, infinite)
    assert seen.recording.logits.softmax(0).isnan().all()
    page = opened(page_of, seen, tmp_path, language=language)
    answer = page.locator(".classes")
    said = {"en-US": "not finite: no class wins", "ko-KR": "유한한 수가 아닙니다"}[language]
    assert said in answer.inner_text()
    assert answer.locator(".classes-share").all_inner_texts() == ["NaN"] * 3
    weights = answer.locator("li").evaluate_all("rows => rows.map(row => getComputedStyle(row).fontWeight)")
    assert weights == ["400"] * 3
    page.evaluate("location.hash = '#/block/4'")
    page.wait_for_selector(".answer")
    told = page.locator(".answer").inner_text()
    assert page.locator(".softmax-chosen").count() == 0
    assert not re.search("the same|결과는 같습니다|%", told)
    assert "m = ∞" in told


def test_a_finite_answer_has_a_winner(page_of: Pages, tmp_path: Path) -> None:
    page = opened(page_of, seen_of(INFINITE), tmp_path)
    weights = page.locator(".classes li").evaluate_all("rows => rows.map(row => getComputedStyle(row).fontWeight)")
    assert weights == ["600", "400", "400"]
    page.evaluate("location.hash = '#/block/4'")
    page.wait_for_selector(".softmax-chosen")
    assert "the shares stay the same" in page.locator(".answer").inner_text()


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_operation_has_its_own_name(
    page_of: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    seen = own(tmp_path)
    page = opened(page_of, seen, tmp_path, "#/block/div", language)
    assert page.locator("h1").inner_text() == "Tensor.div"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("infinite", "the answer is not finite"),
        ("cut", "no gradient comes back"),
        ("pixels", "point at a cell of its last map"),
        ("flat", "no map is left before its answer"),
    ],
)
def test_why_there_is_no_why_is_said(
    page_of: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, said: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    flat = fs.Design(input=(1, 6, 6), classes=2, layers=["flatten", "linear classes"])
    made: dict[str, Callable[[], Seen]] = {
        "infinite": lambda: seen_of(INFINITE, infinite),
        "cut": lambda: own(tmp_path, "Cut"),
        "pixels": per_pixel,
        "flat": lambda: seen_of(flat),
    }
    seen = made[kind]()
    page = opened(page_of, seen, tmp_path, "#/why")
    assert said in page.locator(".why").inner_text()
    assert page.locator(".why-class").count() == 0
    page.locator("#language").click()
    page.get_by_text("보여 줄 것이 없습니다").wait_for()
    assert not re.search("[A-Za-z]{2,}", page.locator(".why").inner_text())


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_is_told_of_a_module_of_ones_own(
    page_of: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    page = opened(page_of, own(tmp_path), tmp_path, "#/why", language)
    page.wait_for_selector(".figures-one >> nth=2")
    assert "Tensor.div" in page.locator(".figures-one p").first.inner_text()  # its last map
    assert page.locator(".why-class").count() == 3


def test_notes_are_in_the_language_of_the_page(page_of: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for seen, said in ((seen_of(INFINITE), "it has learned nothing"), (own(tmp_path), "as its factory made them")):
        page = opened(page_of, seen, tmp_path)
        assert said in page.locator(".notes").inner_text()
        page.locator("#language").click()
        page.get_by_text("가중치").wait_for()
        found = page.locator(".notes").inner_text()
        assert set(re.findall("[A-Za-z]{2,}", found)) <= {"fieldstone", "explore"}


def test_a_note_counts_what_a_file_holds(page_of: Pages, tmp_path: Path) -> None:
    seen = seen_of(INFINITE)
    seen.told["model"]["notes"].append({"key": "left_out", "values": {"kept": 5, "all": 11}})
    page = opened(page_of, seen, tmp_path)
    assert "this file holds 5 of 11 arrays" in page.locator(".notes").inner_text()
    page.locator("#language").click()
    page.get_by_text("배열 11개 중 작은 것부터 5개만").wait_for()


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        ("conv 4 3", "Convolution"),
        ("conv 4 3 dilation=2", "Convolution, dilated"),
        ("conv 4 3 groups=2", "Grouped convolution"),
        ("depthwise 3", "Depthwise convolution"),
        ("depthwise 3 padding=2 dilation=2", "Depthwise convolution, dilated"),
        ("upconv 4 3 dilation=2", "Transposed convolution, dilated"),
    ],
)
def test_a_layer_is_called_what_it_is(page_of: Pages, tmp_path: Path, layer: str, name: str) -> None:
    page = show(page_of, layers_seen(["conv 4 1", layer], noise(1, 9, 9)), tmp_path, "2")
    assert page.locator("h1").inner_text() == name
