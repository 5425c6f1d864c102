"""A real Chromium for the tests of pages, and a check that a page asks nobody and complains of nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

OF_THE_PAGE_ITSELF = {"file", "data", "blob"}
"""The schemes of addresses that leave the machine alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder needs a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window; a test that needs it skips where it, or Playwright, is not installed."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page_of(browser: Browser) -> Iterator[Callable[..., Page]]:
    """`page_of(path, **options)` opens a file or an address of 127.0.0.1; options are those of a Playwright context.

    When the test ends it fails on every error that a page wrote to the console or threw, and on every request to
    another host.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def watched(address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in OF_THE_PAGE_ITSELF and parts.hostname != "127.0.0.1":
            faults.append(f"a request to {address}")

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(f"on the console: {message.text}")

    def open_page(path: Path | str, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda fault: faults.append(f"thrown: {fault}"))
        page.on("request", lambda request: watched(request.url))
        page.goto(path.resolve().as_uri() if isinstance(path, Path) else path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []
