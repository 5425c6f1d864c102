"""Size of the explorer's offline pages, and how long a browser takes until they can be used.

    python benchmarks/pages.py [--rounds 7]

Each page is made of one photo-like image of noise and opened in Chromium (Debian's package, driven by Playwright) in a
context of its own, in turns; the time is from the navigation to the page's own sign that it is ready.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import fieldstone as fs
from machine import machine

PAGES = {"three-conv": 1_000_000, "vgg-small": 8_000_000, "resnet-50": 40_000_000}
"""By design the bytes that its page may have."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=7)
    rounds = options.parse_args().rounds
    print(machine(), f"n = {rounds} in turns")
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        pages = {name: page(name, Path(place)) for name in PAGES}
        chromium = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        seconds: dict[str, list[float]] = {name: [] for name in pages}
        for _ in range(rounds):
            for name, file in pages.items():
                seconds[name].append(ready_after(chromium, file))
        for name, file in pages.items():
            took = seconds[name]
            print(
                f"{name:<11} {file.stat().st_size:>11,} bytes (at most {PAGES[name]:,})  "
                f"ready after {statistics.median(took):.2f} s ({min(took):.2f} to {max(took):.2f})"
            )


def page(name: str, folder: Path) -> Path:
    """The page of an untrained design on an image of noise."""
    photo = folder / "noise.png"
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(photo)
    made = fs.explore(name, photo, out=folder / f"{name}.html")
    assert made is not None
    return made


def ready_after(browser: Browser, file: Path) -> float:
    """Seconds until the page says that it is ready."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        tab = context.new_page()
        start = time.perf_counter()
        tab.goto(file.as_uri())
        tab.wait_for_selector("html[data-ready]", state="attached")
        return time.perf_counter() - start
    finally:
        context.close()


if __name__ == "__main__":
    main()
