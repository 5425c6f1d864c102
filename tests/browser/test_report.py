"""The report in a real Chromium: it asks nobody, complains of nothing, and is right at every width and on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from reports import trained

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDER_THAN_THE_PAGE = """() => [...document.querySelectorAll('main *')].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width && box.right > innerWidth + 1 && !one.closest('.scroll');
}).map(one => one.outerHTML.slice(0, 120))"""

SMALLEST_TEXT = """() => Math.min(...[...document.querySelectorAll('main *')]
    .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .map(one => parseFloat(getComputedStyle(one).fontSize) * (one.ownerSVGElement && one.closest('.plot')
        ? one.ownerSVGElement.getBoundingClientRect().width / one.ownerSVGElement.viewBox.baseVal.width : 1)))"""

LOW_CONTRAST = """() => {
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([red, green, blue]) => [red, green, blue]
        .map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    const ground = one => {
        for (; one; one = one.parentElement) {
            const colour = getComputedStyle(one).backgroundColor;
            if (colour !== 'rgba(0, 0, 0, 0)') return colour;
        }
    };
    return [...document.querySelectorAll('main :not(svg, svg *)')]
        .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
        .filter(one => {
            const ink = light(numbers(getComputedStyle(one).color)), paper = light(numbers(ground(one)));
            const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
            return contrast < (one.matches('.matrix td') ? 4 : 4.5);
        }).map(one => one.outerHTML.slice(0, 120));
}"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with mistakes; one class has a hostile name, another a long one."""
    folder = tmp_path_factory.mktemp("report")
    rng = np.random.default_rng(1)
    for channel, name in enumerate(("<img src=x onerror=alert(1)>", "나무", "a rather long name of a class " * 3)):
        (folder / "data" / name).mkdir(parents=True)
        for number in range(80):
            pixels = rng.integers(0, 200, (18, 20, 3), dtype=np.uint8)
            pixels[..., (channel + (number % 5 == 0)) % 3] //= 2
            Image.fromarray(pixels).save(folder / "data" / name / f"{number:03}-{'long' * 12}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDSTONE_CACHE", str(folder / "cache"))
        trained(folder / "data", folder / "run", epochs=4)
    return folder / "run" / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 760, 1440])
def test_it_is_right_at_every_width_in_light_and_dark(
    page_of: Callable[..., Page], made: Path, width: int, scheme: str
) -> None:
    page = page_of(made, viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(WIDER_THAN_THE_PAGE) == []
    assert page.evaluate(SMALLEST_TEXT) >= (12 if width >= 390 else 10)
    assert page.evaluate(LOW_CONTRAST) == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(246, 245, 241)" if scheme == "light" else "rgb(19, 20, 21)")
    drawn = page.evaluate("getComputedStyle(document.querySelector('.drawing svg > rect')).fill")
    assert drawn == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(27, 29, 31)")


@pytest.mark.parametrize("width", [390, 760])
def test_the_matrix_is_one_of_squares(page_of: Callable[..., Page], made: Path, width: int) -> None:
    page = page_of(made, viewport={"width": width, "height": 900})
    rows = "[...document.querySelectorAll('.matrix tbody tr')].map(one => one.getBoundingClientRect().height)"
    assert all(30 <= height <= 44 for height in page.evaluate(rows))


def test_every_picture_is_one_and_no_name_became_an_element(page_of: Callable[..., Page], made: Path) -> None:
    page = page_of(made)
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert page.evaluate("document.images.length") > 30
    assert page.evaluate("document.scripts.length") == 0
    assert "<img src=x onerror=alert(1)>" in page.inner_text("#data ~ .scroll")


def test_it_reads_the_same_without_scripts(page_of: Callable[..., Page], made: Path) -> None:
    texts = [page_of(made, java_script_enabled=on).locator("main").inner_text() for on in (True, False)]
    assert texts[0] == texts[1]
    assert "To repeat it" in texts[0]


def test_it_prints_on_a4(page_of: Callable[..., Page], made: Path) -> None:
    page = page_of(made, color_scheme="dark")
    paper = page.pdf(prefer_css_page_size=True)
    sizes = {tuple(map(float, size)) for size in _media_boxes(paper)}
    assert all(abs(width - 595.3) < 1 and abs(height - 841.9) < 1 for width, height in sizes)
    assert 3 <= paper.count(b"/Type /Page\n") <= 9
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 673, "height": 950})  # A4 less its margins, at 96 pixels an inch
    assert page.evaluate("document.documentElement.scrollWidth") <= 673
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(29, 28, 26)"
    cut = "[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
    assert page.evaluate(cut) == 0


def _media_boxes(paper: bytes) -> list[tuple[bytes, bytes]]:
    return re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)


def test_the_keyboard_reaches_what_scrolls(page_of: Callable[..., Page], made: Path) -> None:
    page = page_of(made, viewport={"width": 390, "height": 800})
    boxes = page.locator(".scroll")
    for place in range(boxes.count()):
        box = boxes.nth(place)
        assert box.get_attribute("tabindex") == "0"
        assert box.get_attribute("role") == "region"
        assert box.get_attribute("aria-label")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className").startswith("card drawing")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")
