"""The live page in a real browser: another image, chosen or dropped, and why any class was answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from fieldstone.explain.explorer.server import MOST_SEEN, Explorer
from live_pages import bomb, png, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def server() -> Iterator[Explorer]:
    with serving() as explorer:
        yield explorer


def value_shown(page: Page, path: str) -> float:
    page.locator(f'.maps-map[data-path="{path}"]').first.focus()
    page.keyboard.press("Home")
    readout = page.locator(f'.readout[data-path="{path}"][data-row="0"][data-column="0"]')
    readout.wait_for()
    return float(readout.get_attribute("data-value") or "nothing")


def test_another_image_is_chosen(server: Explorer, page_of: Callable[..., Page]) -> None:
    page = page_of(server.address)
    page.wait_for_selector("html[data-ready]", state="attached")
    assert value_shown(page, "3") == pytest.approx(server.seen(1).recording.maps["3"][0, 0, 0].item(), rel=1e-6)
    page.locator("#image").set_input_files({"name": "second.png", "mimeType": "image/png", "buffer": png(1)})
    page.get_by_text("second.png · 3×39×39").wait_for()
    assert value_shown(page, "3") == pytest.approx(server.seen(2).recording.maps["3"][0, 0, 0].item(), rel=1e-6)


DROP = """([files, text]) => {
  const given = new DataTransfer();
  for (const [name, bytes] of files) given.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
  if (text) given.setData('text/plain', text);
  const drag = kind => new DragEvent(kind, { dataTransfer: given, bubbles: true, cancelable: true });
  return ['dragover', 'drop'].map(kind => !document.activeElement.dispatchEvent(drag(kind)));
}"""


def drop(page: Page, *files: tuple[str, bytes], text: str = "") -> list[bool]:
    """Dropped on what has the focus; whether the page took dragover and drop upon itself."""
    taken: list[bool] = page.evaluate(DROP, [[[name, list(data)] for name, data in files], text])
    return taken


def test_another_image_is_dropped(server: Explorer, page_of: Callable[..., Page]) -> None:
    page = page_of(server.address)
    page.wait_for_selector("html[data-ready]", state="attached")
    drop(page, ("dropped.png", png(2)))
    page.get_by_text("dropped.png · 3×39×39").wait_for()
    assert page.get_by_role("alert").inner_text() == ""


@pytest.mark.parametrize(
    ("locale", "expected"), [("en-US", "the first is taken: one.png"), ("ko-KR", "첫 번째 파일만 씁니다: one.png")]
)
def test_of_two_dropped_images_the_first_is_taken_and_that_is_said(
    server: Explorer, page_of: Callable[..., Page], locale: str, expected: str
) -> None:
    page = page_of(server.address, locale=locale)
    page.wait_for_selector("html[data-ready]", state="attached")
    drop(page, ("one.png", png(3)), ("two.png", png(4)))
    page.get_by_text("one.png · 3×39×39").wait_for()
    said = page.get_by_role("alert").inner_text()
    assert expected in said
    assert "2" in said
    drop(page, ("three.png", png(5)))
    page.get_by_text("three.png · 3×39×39").wait_for()
    assert page.get_by_role("alert").inner_text() == ""


@pytest.mark.parametrize(("locale", "expected"), [("en-US", "drop an image file"), ("ko-KR", "이미지 파일을 놓으세요")])
def test_dropped_text_is_no_image(server: Explorer, page_of: Callable[..., Page], locale: str, expected: str) -> None:
    page = page_of(f"{server.address}#/block/4", locale=locale)
    page.wait_for_selector(".transport")
    assert drop(page, text="cat.png") == [True, True]
    page.get_by_role("alert").get_by_text(expected).wait_for()
    page.locator(".field-channel input").focus()
    assert drop(page, text="3") == [False, False]  # a text field takes text


def test_the_keys_stay_with_another_image(server: Explorer, page_of: Callable[..., Page]) -> None:
    page = page_of(f"{server.address}#/block/3")
    page.wait_for_selector(".transport")
    drop(page, ("dropped.png", png(6)))
    page.wait_for_function("() => document.title.includes('dropped.png')")
    page.wait_for_function("() => document.activeElement.matches('.step-view')")


WRONG = {
    "no image": (b"no image", "not an image that Pillow can read", "읽을 수 있는 이미지가 아닙니다"),
    "cut": (png(3)[:200], "damaged", "손상된 파일입니다"),
    "bomb": (bomb(), "more than 178,956,970", "178,956,970개보다 많습니다"),
}
MARKUP = "<img src=x onerror=document.title=1>.png"


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_file_that_is_no_image_is_told_of(browser: Browser, server: Explorer, wrong: str, locale: str) -> None:
    """In the language of the page; a name that is markup is text, and so is what Pillow says."""
    content, english, korean = WRONG[wrong]
    page = browser.new_page(locale=locale)
    page.goto(server.address)
    page.wait_for_selector("html[data-ready]", state="attached")
    page.locator("#image").set_input_files({"name": MARKUP, "mimeType": "image/png", "buffer": content})
    fault = page.get_by_role("alert")
    fault.locator("p").wait_for()
    said = fault.locator("p").inner_text()
    assert said.startswith(f"{MARKUP}: ")
    assert [english in said, korean in said] == [locale == "en-US", locale == "ko-KR"]
    words = set(re.findall("[A-Za-z]{2,}", re.sub(r"\(.*\)", "", said.removeprefix(MARKUP))))
    assert locale == "en-US" or words <= {"Pillow"}
    assert fault.locator("img").count() == 0
    page.close()


def test_a_failing_network_is_told_of_in_korean(
    browser: Browser, server: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(content: bytes, name: str) -> None:
        raise RuntimeError("<b>not enough memory</b>")

    monkeypatch.setattr(server, "look", failing)
    page = browser.new_page(locale="ko-KR")
    page.goto(server.address)
    page.wait_for_selector("html[data-ready]", state="attached")
    page.locator("#image").set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": png(1)})
    page.get_by_text("신경망을 실행하지 못했습니다: <b>not enough memory</b>").wait_for()
    page.close()


def test_an_image_that_is_kept_no_longer_is_told_of_in_korean(browser: Browser, server: Explorer) -> None:
    page = browser.new_page(locale="ko-KR")
    page.goto(server.address)
    page.wait_for_selector("html[data-ready]", state="attached")
    for _ in range(MOST_SEEN):
        server.keep(server.seen(server.newest))
    page.evaluate("location.hash = '#/block/8'")
    page.locator(".sheet-missing").get_by_text("더 이상 보관되어 있지 않습니다").wait_for()
    page.close()


def test_a_live_page_tells_why_of_any_class(server: Explorer, page_of: Callable[..., Page]) -> None:
    page = page_of(f"{server.address}#/why")
    page.wait_for_selector(".figures-one >> nth=2")
    page.locator(".why-others").select_option("9")
    page.wait_for_function("() => document.querySelector('.figures-one p')?.innerText.includes('class 10')")


@pytest.mark.parametrize("block", ["3", "8"])
def test_space_scrolls_nothing_while_numbers_come(server: Explorer, page_of: Callable[..., Page], block: str) -> None:
    page = page_of(server.address, viewport={"width": 1024, "height": 250})
    page.wait_for_selector("html[data-ready]", state="attached")
    page.evaluate("""() => {
      const fetched = window.fetch, held = new Promise(letGo => { window.letGo = letGo });
      window.fetch = async (...asked) => { await held; return fetched(...asked) };
    }""")
    page.evaluate("block => { location.hash = `#/block/${block}` }", block)
    page.wait_for_function("() => document.activeElement.matches('.step-view, .sheet-view')")
    assert page.locator(".transport").count() == 0
    page.keyboard.press("Space")
    page.wait_for_timeout(300)
    assert page.evaluate("[scrollY, document.documentElement.scrollHeight > innerHeight]") == [0, True]
    page.evaluate("letGo()")
    page.wait_for_selector(".transport")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Pause").wait_for()
