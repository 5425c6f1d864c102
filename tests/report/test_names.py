"""Names of files, classes and designs that look like HTML, or are no UTF-8, stay text."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

import fieldstone as fs
from fieldstone.verbs.report import report
from reports import Page, trained

HOSTILE = "<img src=x onerror=alert(1)>"
NAMES = [HOSTILE, "\"'></style><script>alert(2)", "a & b &lt; ${7*7} {{7*7}} 나무"]


@pytest.fixture(scope="module")
def hostile(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos in three classes with such names; one file in each too."""
    folder = tmp_path_factory.mktemp("hostile") / "<b>data"
    for source, name in zip(sorted(photos.iterdir()), NAMES, strict=True):
        place = folder / name.replace("/", "∕")
        shutil.copytree(source, place)
        for number, file in enumerate(sorted(place.iterdir())):
            file.rename(place / f"{number}{HOSTILE}.png")
    (folder / NAMES[0] / f"broken{HOSTILE}.png").write_bytes(b"no image")
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows no such names")
def test_names_stay_text(hostile: Path, tmp_path: Path) -> None:
    run = tmp_path / "<i>run"
    trained(hostile, run, epochs=2, name=f"{HOSTILE}</svg><script>alert(3)</script>")
    report(run, data=hostile)
    page = Page.read(run / "report.html")
    assert page.all("script") == []
    assert {one["src"].partition(",")[0] for one in page.all("img") if one["src"]} <= {
        "data:image/png;base64", "data:image/jpeg;base64",
    }  # fmt: skip
    assert not [name for _, one in page.elements for name in one if name.startswith("on")]
    assert len(page.all("style")) == 1
    said = page.text()
    for name in NAMES:
        assert " ".join(name.replace("/", "∕").split()) in said
    assert f"broken{HOSTILE}.png: " in page.text("data")
    assert page.text("top").count("<i>run") >= 1
    assert f"{HOSTILE}</svg><script>alert(3)</script> on <b>data" in page.text("top")
    assert any((one["alt"] or "").endswith(f"{HOSTILE}.png") for one in page.all("img"))


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_a_name_that_is_no_utf8_is_escaped(photos: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(photos, data)
    folder = sorted(data.iterdir())[0]
    sorted(folder.iterdir())[0].rename(folder / os.fsdecode(b"\xff.png"))
    (folder / os.fsdecode(b"\xfe.png")).write_bytes(b"")
    trained(data, tmp_path / "run", epochs=1)
    text = (tmp_path / "run" / "report.html").read_bytes().decode("utf-8")
    assert "\\udcfe.png" in Page(text).text("data")
    assert fs.load(tmp_path / "run").classes
