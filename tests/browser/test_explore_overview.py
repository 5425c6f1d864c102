"""The overview of a network on an image, in a real browser: its numbers are torch's, its lines those of the design."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import fieldstone as fs
from explored_pages import seen_of, write_page
from fieldstone.explain.explorer.arrays import Arrays
from fieldstone.explain.explorer.page import html
from fieldstone.explain.explorer.payload import Seen

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SKIPS = fs.Design(
    input=(3, 32, 32),
    name="skips",
    layers=[
        "conv 12 3 padding=1",
        "save a",
        "relu",
        {"residual": ["conv 12 3 padding=1", "batchnorm", "relu", "depthwise 3 padding=1"]},
        {"branches concat": [["conv 8 1"], ["conv 8 3 padding=1"], []]},
        "concat a",
        "maxpool 2",
        "globalavgpool",
        "linear classes",
    ],
)


@pytest.fixture(scope="module")
def seen() -> Seen:
    return seen_of(fs.Design.named("three-conv"))


@pytest.fixture(scope="module")
def path(seen: Seen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(seen, tmp_path_factory.mktemp("page") / "page.html")


@pytest.fixture(scope="module")
def skips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(seen_of(SKIPS), tmp_path_factory.mktemp("page") / "skips.html")


def opened(page_of: Callable[..., Page], path: Path, **options: Any) -> Page:
    page = page_of(path, **options)
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def map_of(page: Page, path: str, channel: int = 0) -> Locator:
    return page.locator(f'.maps-map[data-path="{path}"][data-channel="{channel}"]')


def at(page: Page, path: str, channel: int, row: int, column: int, size: tuple[int, int]) -> dict[str, float]:
    """Where a cell's middle is on the picture of its map."""
    box = map_of(page, path, channel).bounding_box()
    assert box is not None
    return {"x": (column + 0.5) * box["width"] / size[1], "y": (row + 0.5) * box["height"] / size[0]}


@pytest.mark.parametrize(("block", "size"), [("1", 37), ("3", 17), ("4", 17), ("5", 7)])
def test_a_cell_that_is_pointed_at_has_the_recorded_value(
    page_of: Callable[..., Page], seen: Seen, path: Path, block: str, size: int
) -> None:
    page = opened(page_of, path)
    row, column = size // 2, size - 2
    map_of(page, block, 1).hover(position=at(page, block, 1, row, column, (size, size)))
    readout = page.locator(f'.readout[data-path="{block}"][data-channel="1"][data-row="{row}"][data-column="{column}"]')
    readout.wait_for()
    recorded = seen.recording.maps[block][1, row, column].item()
    assert float(readout.get_attribute("data-value") or "nothing") == pytest.approx(recorded, rel=1e-6)


def test_the_receptive_field_is_framed_on_the_image(page_of: Callable[..., Page], path: Path) -> None:
    page = opened(page_of, path)
    map_of(page, "5", 0).click(position=at(page, "5", 0, 2, 3, (7, 7)))
    page.locator('.readout[data-path="5"][data-row="2"][data-column="3"]').wait_for()
    page.locator(".strip .picture-mark").wait_for(state="visible")
    image, mark = (page.locator(f".strip .{name}").bounding_box() for name in ("picture", "picture-mark"))
    assert image is not None
    assert mark is not None
    pixel = image["width"] / 39
    found = [(mark["y"] - image["y"]) / pixel, (mark["x"] - image["x"]) / pixel, mark["height"] / pixel]
    assert found == pytest.approx([2 * 4, 3 * 4, 15], abs=0.1)  # jump 4, receptive field 15, no padding
    assert "15×15" in page.locator(".readout").inner_text()


def test_what_leads_to_a_cell_is_framed_on_the_maps_between(page_of: Callable[..., Page], path: Path) -> None:
    page = opened(page_of, path)
    map_of(page, "5", 0).click(position=at(page, "5", 0, 2, 3, (7, 7)))
    frame = map_of(page, "4", 2).locator(".maps-mark")
    frame.wait_for(state="visible")  # it is drawn in the next frame
    window, shown = frame.bounding_box(), map_of(page, "4", 2).bounding_box()
    assert window is not None
    assert shown is not None
    cell = shown["width"] / 17
    assert [(window["y"] - shown["y"]) / cell, window["height"] / cell] == pytest.approx([4, 5], abs=0.1)
    assert map_of(page, "5", 0).locator(".maps-cell").count() == 1
    assert map_of(page, "5", 1).locator(".maps-cell, .maps-mark").count() == 0
    assert map_of(page, "6", 0).locator(".maps-cell, .maps-mark").count() == 0


@pytest.mark.parametrize(("block", "read"), [("3", 6), ("2", 1), ("1", 1)])
def test_the_chosen_map_is_joined_to_those_that_it_reads(
    page_of: Callable[..., Page], path: Path, block: str, read: int
) -> None:
    page = opened(page_of, path)
    map_of(page, block, 1).click()
    page.wait_for_function(f"() => document.querySelectorAll('.strip-ray').length === {read}")


def test_residuals_branches_and_skips_are_drawn(page_of: Callable[..., Page], skips: Path) -> None:
    page = opened(page_of, skips)
    for stage in ("residual 4", "branches 5"):
        page.get_by_role("button", name=stage).click()
    page.wait_for_selector(".strip-join")
    assert sorted(page.locator(".strip-join").all_text_contents()) == ["+", "⊕ concat", "⊕ concat", "⊕ concat"]
    # relu to the sum; the sum to the second branch and past both to the concat; the first branch to it; a to the end
    assert page.locator(".strip-arc").count() == 5


def test_what_is_folded_says_how_its_paths_meet_and_shows_where(page_of: Callable[..., Page], skips: Path) -> None:
    page = opened(page_of, skips)
    residual, branches = (page.locator(".strip-column").filter(has_text=name) for name in ("residual", "branches"))
    assert "its input is added" in residual.inner_text()
    assert "3 paths, joined by concat" in branches.inner_text()
    assert "28×32×32" in branches.inner_text()  # 8 + 8 + 12 channels
    shown = [column.locator(".maps-map").first.get_attribute("data-path") for column in (residual, branches)]
    assert shown == ["4", "5"]
    for column in (residual, branches):  # nothing of what is said is cut off
        assert column.locator(".entry-head").evaluate("head => head.scrollHeight <= head.clientHeight")


def test_a_shortcut_is_told_of(page_of: Callable[..., Page], tmp_path: Path) -> None:
    join = {"residual": {"body": ["conv 8 3 padding=1", "relu"], "shortcut": ["conv 8 1"]}}
    layers = ["conv 4 3", *["relu"] * 9, join, "globalavgpool", "linear classes"]
    page = opened(page_of, write_page(seen_of(fs.Design(input=(3, 9, 9), layers=layers)), tmp_path / "page.html"))
    assert "a shortcut is added" in page.locator(".strip-column").filter(has_text="residual").inner_text()


def test_more_maps_open_in_their_place(page_of: Callable[..., Page], path: Path) -> None:
    page = opened(page_of, path)
    shown = page.locator('.maps-map[data-path="1"]')
    assert shown.count() == 6
    page.get_by_role("button", name="Show 4 more maps of conv 10 3").press("Enter")
    assert shown.count() == 10
    assert page.evaluate("document.activeElement.dataset.more") == "1"
    page.keyboard.press("Enter")
    assert shown.count() == 6


def test_a_long_network_is_a_list_that_folds(page_of: Callable[..., Page], tmp_path: Path) -> None:
    stage = {"repeat 12": [{"residual": ["conv 8 3 padding=1", "relu"]}, "relu"]}
    design = fs.Design(
        input=(3, 16, 16), name="deep", layers=["conv 8 3 padding=1", stage, "globalavgpool", "linear classes"]
    )
    page = opened(page_of, write_page(seen_of(design), tmp_path / "page.html"))
    rows = page.locator(".list-row")
    assert rows.count() == 4
    assert "48 blocks" in rows.nth(1).inner_text()
    page.get_by_role("button", name="stage 2").click()
    assert rows.count() == 4 + 48
    assert page.locator(".list-join").count() == 12


def test_a_thousand_blocks_and_maps_draw_what_is_in_sight(page_of: Callable[..., Page], tmp_path: Path) -> None:
    layers = [*["conv 16 1", "relu"] * 498, "conv 1024 1", "relu", "globalavgpool", "linear classes"]
    design = fs.Design(input=(3, 8, 8), name="deepest", layers=layers)
    page = opened(page_of, write_page(seen_of(design), tmp_path / "page.html"))
    assert page.locator(".list-row").count() == 1000
    page.wait_for_selector('.maps-map[data-path="1"]')
    assert page.locator(".maps-map").count() < 1000
    page.locator(".list-row").nth(996).scroll_into_view_if_needed()
    page.locator('[data-more="997"]').click()
    assert page.locator('.maps-map[data-path="997"]').count() == 1024
    page.wait_for_function("""() => [...document.querySelectorAll('.maps-map[data-path="997"] canvas')]
        .some(canvas => canvas.width === 8)""")
    drawn = page.evaluate("[...document.querySelectorAll('canvas')].filter(canvas => canvas.width === 8).length")
    assert 0 < drawn < 1024


def test_what_a_file_has_not_is_said(page_of: Callable[..., Page], seen: Seen, tmp_path: Path) -> None:
    arrays = Arrays(dict(seen.arrays.tensors))
    payload = {**json.loads(json.dumps(seen.told)), "live": None, "why": None, "arrays": arrays.written(50_000)}
    (tmp_path / "page.html").write_text(html(payload), encoding="utf-8")
    page = opened(page_of, tmp_path / "page.html")
    column = page.locator('.strip-column[data-place="0"]')
    assert "1 not in this file" in column.inner_text()  # 9 of 10 maps have a preview
    map_of(page, "1", 2).hover(position=at(page, "1", 2, 1, 1, (37, 37)))
    page.locator('.readout[data-path="1"][data-channel="2"]').wait_for()
    recorded = seen.recording.maps["1"][2, 1, 1].item()
    assert float(page.locator(".readout").get_attribute("data-value") or "nothing") == pytest.approx(recorded, rel=1e-6)


def test_keys_alone_tell_a_story(page_of: Callable[..., Page], seen: Seen, path: Path) -> None:
    page = opened(page_of, path)
    page.locator("h1").evaluate("heading => { heading.tabIndex = -1; heading.focus() }")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.path") == "3":
            break
    for key in ("PageDown", "Home", "ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    readout = page.locator('.readout[data-path="3"][data-channel="1"][data-row="2"][data-column="1"]')
    readout.wait_for()
    recorded = seen.recording.maps["3"][1, 2, 1].item()
    assert float(readout.get_attribute("data-value") or "nothing") == pytest.approx(recorded, rel=1e-6)
    assert readout.get_attribute("aria-live") == "polite"
    page.keyboard.press("Enter")
    page.wait_for_url("**#/block/3")


def test_a_vector_has_a_cell_a_number(page_of: Callable[..., Page], seen: Seen, path: Path) -> None:
    page = opened(page_of, path)
    map_of(page, "8").focus()
    for key in ("Home", "ArrowDown", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    readout = page.locator('.readout[data-path="8"][data-channel="1"]')
    readout.wait_for()
    assert float(readout.get_attribute("data-value") or "nothing") == pytest.approx(
        seen.recording.logits[1].item(), rel=1e-6
    )
    assert "the whole image" in readout.inner_text()


def test_the_classes_stand_with_their_probabilities(page_of: Callable[..., Page], seen: Seen, path: Path) -> None:
    page = opened(page_of, path)
    expected = seen.recording.logits.double().softmax(0)
    rows = page.locator(".classes li")
    assert rows.count() == 5
    shown = {
        int(row.get_attribute("data-class") or -1): float(row.get_attribute("data-value") or "nan")
        for row in rows.all()
    }
    assert list(shown) == expected.argsort(descending=True)[:5].tolist()
    assert list(shown.values()) == pytest.approx(expected[list(shown)].tolist(), rel=1e-5)
    page.get_by_role("button", name="5 more").click()
    assert rows.count() == 10


@pytest.mark.parametrize("name", ["path", "skips"])
def test_a_phone_shows_a_block_a_row(page_of: Callable[..., Page], request: pytest.FixtureRequest, name: str) -> None:
    page = opened(page_of, request.getfixturevalue(name), viewport={"width": 390, "height": 844})
    assert page.locator(".strip").count() == 0
    assert page.locator(".list-row").count() > 7
    answer, first = page.locator(".classes").bounding_box(), page.locator(".list-row").first.bounding_box()
    assert answer is not None
    assert first is not None
    assert answer["y"] < first["y"]
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_an_untrained_network_is_called_so(page_of: Callable[..., Page], path: Path) -> None:
    page = opened(page_of, path)
    assert "untrained" in page.locator("h1").inner_text()
    assert "(untrained)" in page.title()
