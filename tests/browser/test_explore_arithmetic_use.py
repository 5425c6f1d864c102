"""The views of normalisation, gates, resizing and padding in use: phone, Korean, themes, keyboard, what is missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import fieldstone as fs
from explored_pages import seen_of, write_page
from fieldstone.explain.explorer.payload import Seen
from fieldstone.verbs.choosing.explorable import explorable

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = Path(__file__).parent / "axe-core" / "axe.min.js"
LAYERS = [
    "conv 16 3 padding=1", "groupnorm 4", "instancenorm", "layernorm", "localresponsenorm 5", "squeezeexcite 2",
    "maxpool 2 name=p", "conv 16 1", "maxunpool p", "pad 2 mode=reflect", "crop 1", "pixelshuffle 2",
    "upsample 2 mode=bilinear", "upsample 2", "upsample 1 mode=bicubic", "pad 1 value=0.5",
]  # fmt: skip
VIEWS = [str(place) for place, text in enumerate(LAYERS, 1) if text.split()[0] not in ("conv", "maxpool")]


@pytest.fixture(scope="module")
def seen() -> Seen:
    layers = [*LAYERS, "globalavgpool", "linear classes"]
    return seen_of(fs.Design(input=(3, 14, 14), classes=3, layers=layers))


@pytest.fixture(scope="module")
def path(seen: Seen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(seen, tmp_path_factory.mktemp("page") / "page.html")


Shown = Callable[..., "Page"]


@pytest.fixture
def shown(page_of: Callable[..., Page], path: Path) -> Shown:
    """`shown(block path)` opens its view."""

    def show(block: str, **options: Any) -> Page:
        page = page_of(f"{path.as_uri()}#/block/{block}", **options)
        page.wait_for_selector(".sheet-view[data-step]")
        return page

    return show


BLOCK = "JSON.parse(document.getElementById('payload').textContent).blocks.find(({ path }) => path === block)"


def turn(page: Page, block: str) -> None:
    """To another block of the same page."""
    page.evaluate("block => { location.hash = `#/block/${block}` }", block)
    notation = page.evaluate(f"block => ({BLOCK}).notation", block)
    page.wait_for_function("notation => document.title.startsWith(notation)", arg=notation)
    page.wait_for_selector(".sheet-view[data-step]")


def test_every_view_fits_a_phone_in_korean(shown: Shown) -> None:
    page = shown(VIEWS[0], viewport={"width": 390, "height": 844}, locale="ko-KR")
    for block in VIEWS:
        turn(page, block)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, block
        for place in ("h1", ".sheet-sentence"):
            assert re.search(r"[가-힣]", page.locator(place).inner_text()), (block, place)
        fields = page.locator(".sheet-stage .field").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect().y)"
        )
        boxes = page.locator(".sheet-stage > :is(.gather, .sheet-row) .field-stones").evaluate_all(
            "all => all.filter(one => one.closest('.field')).map(one => Math.round(one.getBoundingClientRect().bottom))"
        )
        assert len(fields) >= 2
        assert len(set(boxes)) == 1, block  # input and output stand side by side


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(shown: Shown, theme: str, width: int) -> None:
    """Source: Deque's axe-core, in the version that stands beside this file."""
    screen = {"width": width, "height": 900}
    page = shown(VIEWS[0], viewport=screen, color_scheme=theme, reduced_motion="reduce")
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    page.evaluate(AXE.read_text())
    for block in VIEWS:
        turn(page, block)
        found = page.evaluate("axe.run(document.querySelector('#view')).then(done => done.violations)")
        assert [(block, one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_keyboard_alone(shown: Shown) -> None:
    page = shown("13")  # 17 × 17 values, two of the result for each along both sides
    page.locator('[data-grid="output"] [tabindex="0"]').focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    view = page.locator(".sheet-view")
    width = int(str(page.evaluate(f"block => ({BLOCK}).output_shape[2]", "13")))
    assert view.get_attribute("data-step") == str(2 * width + 1)
    page.locator('[data-grid="input"] [tabindex="0"]').focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    focused = page.evaluate("[document.activeElement.dataset.row, document.activeElement.dataset.column].map(Number)")
    step = int(str(view.get_attribute("data-step")))
    assert focused == [step // width // 2, 3]
    assert step % width in (6, 7)
    page.keyboard.press("End")
    page.keyboard.press("Escape")
    page.wait_for_function("() => location.hash === '#/'")


@pytest.mark.parametrize(
    ("block", "cell", "step"), [("10", (3, 4), (5, 6)), ("11", (0, 0), None), ("12", (5, 6), (10, 12))]
)
def test_a_cell_of_the_input_leads_to_where_it_goes(
    shown: Shown, seen: Seen, block: str, cell: tuple[int, int], step: tuple[int, int] | None
) -> None:
    """Of a map that is reflected to its own place, of what a crop cuts nowhere."""
    page = shown(block)
    before = page.locator(".sheet-view").get_attribute("data-step")
    page.evaluate(
        """([block, row, column]) => {
          const cells = [...document.querySelectorAll("[data-grid=input] .grid-stone")];
          const canvas = document.querySelector(".field canvas"), box = canvas.getBoundingClientRect();
          const [, rows, columns] = (BLOCK).input_shape;
          canvas.dispatchEvent(new MouseEvent("click", { clientX: box.left + (column + 0.5) * box.width / columns,
            clientY: box.top + (row + 0.5) * box.height / rows, bubbles: true }));
        }""".replace("BLOCK", BLOCK),
        [block, *cell],
    )
    width = seen.recording.maps[block].shape[2]
    expected = before if step is None else str(step[0] * width + step[1])
    assert page.locator(".sheet-view").get_attribute("data-step") == expected


@pytest.mark.parametrize(("block", "words"), [("4", "The numbers γ and β of this layer"), ("6", "The weights of this")])
def test_numbers_that_a_file_leaves_out_are_said(
    page_of: Callable[..., Page], path: Path, block: str, words: str
) -> None:
    page = page_of(f"{path.as_uri()}#/")
    page.wait_for_selector("html[data-ready]", state="attached")
    page.evaluate(
        """async block => {
          const { layer } = BLOCK, name = layer.gamma ?? layer.expand, { open } = await import("fieldstone/store");
          const { prototype } = open({ blocks: [] }).constructor, { array, about } = prototype;
          prototype.array = function (asked) {
            return asked === name ? Promise.resolve(null) : array.call(this, asked);
          };
          prototype.about = function (asked) {
            return asked === name ? { shape: [1], left_out: "9 MiB" } : about.call(this, asked);
          };
        }""".replace("BLOCK", BLOCK),
        block,
    )
    page.evaluate("block => { location.hash = `#/block/${block}` }", block)
    missing = page.locator(".sheet-missing")
    missing.wait_for()
    assert words in missing.inner_text()
    assert "9 MiB, not in this file" in missing.inner_text()
    assert page.locator('[data-grid="output"] .grid-now').count() == 1


def test_a_module_of_ones_own(page_of: Callable[..., Page], tmp_path: Path) -> None:
    explored = explorable("normalised_by_hand:Net", (3, 8, 10), "cpu")
    pixels = np.random.default_rng(1).integers(0, 256, (3, 8, 10), dtype=np.uint8)
    page = page_of(f"{write_page(Seen.of(explored, 'x.png', (10, 8), pixels), tmp_path / 'page.html').as_uri()}#/")
    page.wait_for_selector("html[data-ready]", state="attached")
    for path, title in (
        ("group", "Group normalisation"), ("layer", "Layer normalisation"), ("instance", "Instance normalisation"),
        ("batch", "Batch normalisation"), ("response", "Local response normalisation"), ("up", "Upsampling: bilinear"),
        ("shuffle", "Pixel shuffle"),
    ):  # fmt: skip
        turn(page, path)
        assert page.locator("h1").inner_text() == title
        result = page.locator(".sheet-read .arithmetic-result")
        own, recorded = (float(str(result.get_attribute(f"data-{name}"))) for name in ("own", "recorded"))
        assert own == pytest.approx(recorded, rel=1e-4, abs=1e-5)
        assert "own result" not in page.locator(".sheet-note").inner_text()
