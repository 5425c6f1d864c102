"""The answer of a network of one logit, and of one that answers for each pixel."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import inf, nan
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

import fieldstone as fs
from explored_pages import randomised, seen_of, write_page
from fieldstone.explain.explorer.payload import Seen

if TYPE_CHECKING:
    from playwright.sync_api import Page

Pages = Callable[..., "Page"]
LANGUAGES = ["en-US", "ko-KR"]
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
