"""The frame of a window on the whole map: it stays within its card and crosses nothing, however large the padding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from step_pages import noise, seen_of, show

if TYPE_CHECKING:
    from playwright.sync_api import Page

FRAME = """() => {
  const box = element => element.getBoundingClientRect(), halo = 2.5;
  const frame = box(document.querySelector(".player-maps .lens-frame"));
  const card = box(document.querySelector(".step-view"));
  const crosses = ({ left, right, top, bottom }) => left < frame.right + halo && right > frame.left - halo
    && top < frame.bottom + halo && bottom > frame.top - halo;
  const others = [...document.querySelectorAll(".player-maps button, .player-maps h2, .player-maps .lens-readout")];
  return { isSeen: frame.width >= 4 && frame.height >= 4, crossed: others.filter(one => crosses(box(one)))
      .map(one => one.outerHTML), isInside: frame.left - halo > card.left && frame.right + halo < card.right
      && frame.top - halo > card.top && frame.bottom + halo < card.bottom };
}"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("layer", ["depthwise 3 padding=2 dilation=2", "conv 4 3 padding=6"])
def test_frames_on_maps_stay_in_their_card(
    page_of: Callable[..., Page], tmp_path: Path, layer: str, width: int
) -> None:
    seen = seen_of([layer], noise(3, 48, 40))
    page = show(page_of, seen, tmp_path, "1", viewport={"width": width, "height": 900}, reduced_motion="reduce")
    for key in ("Home", "End"):
        page.locator('[data-grid=output] [tabindex="0"]').focus()
        page.keyboard.press(key)
        assert page.evaluate(FRAME) == {"isSeen": True, "isInside": True, "crossed": []}, key
