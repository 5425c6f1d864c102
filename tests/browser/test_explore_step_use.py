"""The step view in use: keys alone, two languages, a phone, less motion, large maps, numbers that are not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from explored_pages import write_page
from fieldstone.explain.explorer.page import html
from fieldstone.explain.explorer.payload import Seen
from fieldstone.progress import Progress
from fieldstone.verbs import explore
from step_pages import map_at, noise, places, read, seen_of, show, stop_time, turn

if TYPE_CHECKING:
    from playwright.sync_api import Page

Pages = Callable[..., "Page"]
STILL = {"reduced_motion": "reduce"}
AXE = Path(__file__).parent / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def pool() -> Seen:
    return seen_of(["maxpool 3 stride=1 padding=1"], noise(1, 5, 5))


@pytest.fixture(scope="module")
def conv() -> Seen:
    return seen_of(["conv 40 3", "relu", "conv 24 5 stride=2 padding=2"], noise(3, 32, 30))


def step(page: Page) -> int:
    return int(page.locator(".step-view").get_attribute("data-step") or -1)


def test_keys_alone(page_of: Pages, tmp_path: Path, pool: Seen) -> None:
    page = show(page_of, pool, tmp_path, "1", **STILL)
    press = page.keyboard.press
    page.locator('[data-grid=output] [tabindex="0"]').focus()
    for key, expected in [
        ("ArrowRight", 1),
        ("ArrowDown", 6),
        ("ArrowUp", 1),
        ("End", 24),
        ("Home", 0),
        ("ArrowUp", 0),
    ]:
        press(key)
        assert step(page) == expected, key
    assert page.evaluate("document.activeElement.closest('[data-grid]').dataset.grid") == "output"
    press("+")
    assert page.locator(".transport-speed").input_value() == "2"
    page.locator('[data-grid=input] [tabindex="0"]').focus()
    for _ in range(3):
        press("ArrowDown")
        press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("row 4, column 4: ")
    press("Enter")
    assert step(page) == 2 * 5 + 2  # the first window that covers row 4, column 4
    press("Space")
    page.wait_for_function("document.querySelector('.step-view').dataset.step > 12")
    press("Space")
    page.locator(".transport-scrubber").focus()
    press("End")
    assert step(page) == 24
    text = page.locator(".transport-scrubber").get_attribute("aria-valuetext") or ""
    assert text.startswith("Step 25 / 25. Output row 5, column 5. The largest of 9 values is ")
    press("Escape")
    page.wait_for_selector(".step-view", state="detached")


def test_an_opened_pooling_stays_what_it_is(page_of: Pages, tmp_path: Path, pool: Seen) -> None:
    page = page_of(write_page(pool, tmp_path / "page.html"), **STILL)
    page.wait_for_selector("html[data-ready]", state="attached")
    page.locator('.entry-link[href="#/block/1"]').press("Enter")
    page.wait_for_selector(".step-view[data-step]")
    page.keyboard.press("ArrowRight")
    assert step(page) == 1
    assert page.locator("h1").inner_text() == "Max pooling"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.value") == "max"
    page.keyboard.press("ArrowRight")  # among radio buttons: the next one
    assert page.locator("h1").inner_text() == "Average pooling"
    assert page.evaluate("document.activeElement.value") == "avg"
    assert step(page) == 1


def test_tab_reaches_everything_in_reading_order(page_of: Pages, tmp_path: Path, pool: Seen) -> None:
    page = show(page_of, pool, tmp_path, "1", **STILL)
    turn(page, 3)
    page.locator("h1").evaluate("one => { one.tabIndex = -1; one.focus() }")
    where = """() => { const one = document.activeElement;
      return one.closest("[data-grid]")?.dataset.grid ?? (one.id || one.name || one.className) }"""
    found = []
    for _ in range(14):
        page.keyboard.press("Tab")
        found.append(page.evaluate(where))
    transport = [f"transport-{name}" for name in ("first", "previous", "play", "next", "last", "scrubber", "speed")]
    sliders = [f"whatif-{name}" for name in ("kernel", "stride", "padding", "dilation")]
    assert found[:14] == ["step-kind", "input", "output", *transport, *sliders]


def test_the_sentence_is_spoken_when_stepping_and_not_while_playing(page_of: Pages, tmp_path: Path, pool: Seen) -> None:
    page = show(page_of, pool, tmp_path, "1", **STILL)
    live = page.locator(".player-sentence")
    assert live.get_attribute("aria-live") == "polite"
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.step-view').dataset.step > 0")
    assert live.get_attribute("aria-live") == "off"
    page.get_by_role("button", name="Pause").click()
    assert live.get_attribute("aria-live") == "polite"


def test_korean_keeps_the_step_and_has_no_english_sentence(page_of: Pages, tmp_path: Path, pool: Seen) -> None:
    page = show(page_of, pool, tmp_path, "1", locale="ko-KR", **STILL)
    if page.evaluate("document.documentElement.lang") != "ko":
        page.locator("#language").click()
        page.wait_for_selector('.step-view[data-step="0"]')
    turn(page, 7)
    assert page.locator("h1").inner_text() == "최대 풀링"
    assert re.fullmatch(r"출력 2행 3열\. 값 9개의 최댓값: .+", read(page)["sentence"])
    words = page.locator(".step").inner_text()
    assert set(re.findall(r"[A-Za-z]{2,}", words)) <= {"maxpool", "stride", "padding", "PyTorch", "max", "ceil", "mode"}
    page.locator("#language").click()
    page.wait_for_selector('.step-view[data-step="7"]')
    assert page.locator("h1").inner_text() == "Max pooling"


def test_the_window_moves_then_cells_are_marked_then_the_result_is_written(
    page_of: Pages, tmp_path: Path, pool: Seen
) -> None:
    page = show(page_of, pool, tmp_path, "1")
    stop_time(page)
    page.get_by_role("button", name="Play").click()
    told = """() => [document.querySelectorAll("[data-grid=input] .grid-win").length,
      document.querySelector("[data-grid=output] [data-row='0'][data-column='1']").dataset.value !== "",
      document.querySelectorAll(".arithmetic-result").length]"""
    frame = """() => Number(document.querySelectorAll(".beams-frame")[1].getAttribute("x"))"""
    places = []
    for _ in range(4):  # of the 240 ms that the move takes
        page.clock.run_for(50)
        places.append(page.evaluate(frame))
    assert places == sorted(set(places))
    assert page.evaluate(told) == [0, False, 0]
    page.clock.run_for(200)
    assert page.evaluate(told) == [1, False, 0]
    page.clock.run_for(400)
    assert page.evaluate(told) == [1, True, 1]


def test_nothing_moves_where_less_motion_is_asked_for(page_of: Pages, tmp_path: Path, pool: Seen) -> None:
    page = show(page_of, pool, tmp_path, "1", **STILL)
    moved = page.evaluate("""() => {
      const frame = () => document.querySelector(".beams-frame[height]:last-of-type"), places = [];
      const window = () => document.querySelectorAll(".beams-frame")[1].getAttribute("x"), before = window();
      document.querySelector(".transport-next").click();
      return [before, window(), document.querySelector(".step-view").dataset.step] }""")
    assert moved[2] == "1"
    assert float(moved[1]) - float(moved[0]) == pytest.approx(page.evaluate(
        "document.querySelectorAll('[data-grid=input] .grid-stone')[1].transform.baseVal[0].matrix.e"
        " - document.querySelectorAll('[data-grid=input] .grid-stone')[0].transform.baseVal[0].matrix.e"))  # fmt: skip


@pytest.mark.parametrize("language", ["en-US", "ko-KR"])
@pytest.mark.parametrize("width", [390, 320])
def test_a_phone(page_of: Pages, tmp_path: Path, pool: Seen, conv: Seen, language: str, width: int) -> None:
    for seen, block in ((pool, "1"), (conv, "3")):
        screen = {"width": width, "height": 844}
        page = show(page_of, seen, tmp_path, block, viewport=screen, has_touch=True, locale=language, **STILL)
        wide = """width => [...document.querySelectorAll(".step *")].filter(
          one => one.checkVisibility() && one.getBoundingClientRect().right > width + 0.5).map(one => one.outerHTML)"""
        assert page.evaluate(wide, width) == []
        play = page.locator(".transport-play").bounding_box()
        assert play is not None
        assert play["y"] + play["height"] <= 844
        small = page.evaluate("""() => [...document.querySelectorAll(".step button, .step select, .step input")]
          .filter(one => one.checkVisibility()).map(one => [one.className, one.closest("label") ?? one])
          .map(([name, one]) => [name, one.getBoundingClientRect()]).filter(([, box]) => box.height && box.height < 24)
          .map(([name]) => name)""")
        assert small == []
        turn(page, 4)
        assert len(read(page)["output"]) <= 25


def test_a_large_map_is_a_canvas_with_a_lens(page_of: Pages, tmp_path: Path, conv: Seen) -> None:
    page = show(page_of, conv, tmp_path, "3", **STILL)
    given = map_at(conv, "2")[0, 0]
    made = map_at(conv, "3")[0, 0]
    for at in (0, 7, 100, 209):
        found, (row, column) = turn(page, at), divmod(at, made.shape[1])
        assert (
            max(len({cell["row"] for cell in found["input"]}), len({cell["column"] for cell in found["input"]})) <= 11
        )
        for cell in found["input"]:
            inside = 0 <= cell["row"] < given.shape[0] and 0 <= cell["column"] < given.shape[1]
            assert np.float32(cell["value"]) == (given[cell["row"], cell["column"]].item() if inside else 0)
            assert inside != ("grid-pad" in cell["kinds"])
        rows, columns = ([min(axis), max(axis)] for axis in zip(*window(found), strict=True))
        assert (rows[0], columns[0]) <= (2 * row - 2, 2 * column - 2)
        assert (rows[1], columns[1]) >= (2 * row + 2, 2 * column + 2)
        assert places(found["output"], "now") == [(row, column)]
    canvas = page.locator("canvas[data-map=output]")
    box = canvas.bounding_box()
    assert box is not None
    spot = {"x": box["width"] * 3.5 / made.shape[1], "y": box["height"] * 9.5 / made.shape[0]}
    canvas.hover(position=spot)
    assert page.locator(".lens-readout").last.inner_text().startswith("row 10, column 4 = ")
    canvas.click(position=spot)
    assert step(page) == 9 * made.shape[1] + 3


def window(found: dict[str, Any]) -> list[tuple[int, int]]:
    return [(cell["row"], cell["column"]) for cell in found["input"]]


def test_a_line_reads_the_stone_under_pointer_or_focus_exactly(page_of: Pages, tmp_path: Path, pool: Seen) -> None:
    page = show(page_of, pool, tmp_path, "1", viewport={"width": 390, "height": 1200}, **STILL)
    line, given = page.locator(".player-readout"), map_at(pool, "input")[0, 0]

    def told() -> tuple[str, np.float32]:
        place, _, value = line.inner_text().partition(" = ")
        return place, np.float32(value.replace("−", "-"))

    page.locator('[data-grid=input] [data-row="3"][data-column="2"]').hover()
    assert told() == ("row 4, column 3", given[3, 2].item())
    page.locator('[data-grid=input] [tabindex="0"]').focus()
    page.keyboard.press("ArrowRight")
    assert told() == ("row 1, column 2", given[0, 1].item())


def test_a_canvas_has_a_colour_a_value(page_of: Pages, tmp_path: Path, conv: Seen) -> None:
    """More is darker in the light, brighter in the dark, and no value is left out."""
    page = show(page_of, conv, tmp_path, "3", color_scheme="light", **STILL)
    given = map_at(conv, "2")[0, 0]
    assert given.min() >= 0  # after relu: from 0 to its maximum
    shades = {}
    for theme in ("light", "dark"):
        page.evaluate("""theme => { document.documentElement.dataset.theme = theme;
          document.dispatchEvent(new Event("themechange")) }""", theme)  # fmt: skip
        pixels = page.evaluate("""() => { const one = document.querySelector("canvas[data-map=input]");
          return [...one.getContext("2d").getImageData(0, 0, one.width, one.height).data] }""")
        shades[theme] = torch.tensor(pixels).reshape(*given.shape, 4)[..., 1].float()
    order = given.flatten().argsort()
    assert (shades["light"].flatten()[order].diff() <= 0).all()
    assert (shades["dark"].flatten()[order].diff() >= 0).all()


def changed_page(seen: Seen, path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    payload = explore.file_payload(seen, Progress.quiet())
    change(payload)
    path.write_text(html(payload), encoding="utf-8")
    return path


def test_a_result_that_differs_is_said(page_of: Pages, tmp_path: Path, pool: Seen) -> None:
    """The recorded map of another network: what it says is shown, and that this page's own result is another."""
    other = seen_of(["maxpool 3 stride=1 padding=1"], 255 - noise(1, 5, 5))
    theirs = explore.file_payload(other, Progress.quiet())["arrays"]["map/1"]
    path = changed_page(pool, tmp_path / "page.html", lambda payload: payload["arrays"].update({"map/1": theirs}))
    page = page_of(f"{path.as_uri()}#/block/1", **STILL)
    page.wait_for_selector(".step-view[data-step]")
    found = read(page)
    assert found["recorded"] == pytest.approx(map_at(other, "1")[0, 0, 0, 0].item(), rel=1e-6)
    assert found["own"] == pytest.approx(map_at(pool, "1")[0, 0, 0, 0].item(), rel=1e-6)
    assert found["differs"].startswith("This page's own result is ")


def test_numbers_that_a_file_left_out(
    page_of: Pages, tmp_path: Path, conv: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore, "MOST_BYTES", 40_000)
    page = page_of(f"{write_page(conv, tmp_path / 'page.html').as_uri()}#/block/3")
    page.wait_for_selector(".glimpse canvas")
    text = page.locator(".step-view").inner_text()
    assert "Not in this file" in text
    assert "fieldstone explore" in text
    assert page.locator(".glimpse .lens-canvas").count() == 2


def test_numbers_that_are_not_finite(page_of: Pages, tmp_path: Path) -> None:
    seen = seen_of(["conv 1 1", "maxpool 2", "avgpool 2 stride=1"], noise(1, 8, 8))
    with torch.no_grad():
        seen.explored.network.get_submodule("1").weight.fill_(3e38)
    seen = Seen.of(seen.explored, "pixels.png", (8, 8), np.array(seen.pixels))
    for block in ("1", "2", "3"):
        page = show(page_of, seen, tmp_path, block, **STILL)
        made = map_at(seen, block)[0, 0].flatten()
        for at in (0, len(made) - 1):
            found = turn(page, at)
            torch.testing.assert_close(torch.tensor(found["recorded"]), made[at], equal_nan=True)
            assert found["differs"] == ""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing(page_of: Pages, tmp_path: Path, pool: Seen, conv: Seen, theme: str, width: int) -> None:
    """Source: Deque's axe-core, in the version that stands beside this file."""
    for seen, block in ((pool, "1"), (conv, "3")):
        screen = {"width": width, "height": 900}
        page = show(page_of, seen, tmp_path, block, viewport=screen, color_scheme=theme, **STILL)
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        turn(page, 3)
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document.querySelector('#view')).then(done => done.violations)")
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
