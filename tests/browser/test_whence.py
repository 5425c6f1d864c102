"""What the view of a resized map writes about places is true as it is written, and what torch reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.nn import functional

import fieldstone as fs
from explored_pages import seen_of, write_page

if TYPE_CHECKING:
    from playwright.sync_api import Page

Pages = Callable[..., "Page"]
FLOAT32 = {
    "en-US": "PyTorch multiplies by 2 ÷ 82 as a float32, 0.0243902430",
    "ko-KR": "PyTorch는 2 ÷ 82의 float32 값(0.0243902430)을 곱하므로",
}
TOLD = """steps => {
  const view = document.querySelector(".sheet-view"), scrubber = view.querySelector(".transport-scrubber");
  const said = name => {
    const formula = view.querySelector(`[data-formula=${name}]`);
    return [formula.textContent, formula.parentElement.querySelector("[data-place]").textContent];
  };
  return steps.map(step => {
    scrubber.value = step + 1;
    scrubber.dispatchEvent(new Event("input"));
    return { row: said("row"), column: said("column"), note: view.querySelector(".sheet-note").textContent };
  });
}"""


def opened(page_of: Pages, folder: Path, shape: tuple[int, int, int], layer: str, **options: object) -> Page:
    """The view of a layer that begins a design."""
    seen = seen_of(fs.Design(input=shape, classes=2, layers=[layer, "globalavgpool", "linear classes"]))
    page = page_of(f"{write_page(seen, folder / 'page.html').as_uri()}#/block/1", **options)
    page.wait_for_selector(".sheet-view[data-step]")
    return page


def worked_out(text: str) -> int:
    """`⌊41 × 2 ÷ 82⌋` in whole numbers, as nobody rounds."""
    found = re.fullmatch(r"⌊([\d.]+) × ([\d.]+)(?: ÷ ([\d.]+))?⌋", text)
    assert found, text
    first, second, divisor = (Fraction(Decimal(one or "1")) for one in found.groups())
    return floor(first * second / divisor)


@pytest.mark.parametrize("language", list(FLOAT32))
def test_the_formula_of_the_nearest_cell_is_true(page_of: Pages, tmp_path: Path, language: str) -> None:
    """In float32 a 41st of 41 is below 1: torch reads the cell before."""
    page = opened(page_of, tmp_path, (1, 2, 2), "upsample 41", locale=language)
    read = functional.interpolate(torch.arange(2.0)[None, None], scale_factor=41)[0, 0].int().tolist()
    assert read[41] == 0
    told: list[dict[str, Any]] = page.evaluate(TOLD, [at * 82 + 81 - at for at in range(82)])
    for at, one in enumerate(told):
        for name, place in (("row", at), ("column", 81 - at)):
            text, result = one[name]
            assert text.startswith(f"⌊{place} ×")
            assert worked_out(text) == int(result) == read[place]
    assert [at for at, one in enumerate(told) if FLOAT32[language] in one["note"]] == [40, 41]


def test_an_axis_of_one_place_lies_at_0(page_of: Pages, tmp_path: Path) -> None:
    """Where corners are aligned its formula would divide by 0."""
    page = opened(page_of, tmp_path, (1, 1, 4), "upsample 1x2 mode=bilinear align_corners=true")
    lines = page.locator(".whence-place p").all_inner_texts()
    assert lines == ["row 0", "column 0 × (4 − 1) ÷ (8 − 1) = 0"]
