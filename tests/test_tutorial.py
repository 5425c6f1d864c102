"""The tutorial runs from top to bottom, and prints what stands under each block; figures of trainings may differ."""

from __future__ import annotations

import re
import shlex
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from PIL import Image

from fieldstone.cli import run

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [DOCS / "tutorial.en.md", DOCS / "tutorial.ko.md"]
BLOCK = re.compile(r"^```(yaml|sh|python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TRAINED = ("fieldstone train", "fieldstone test", "fieldstone predict", ".test(")
"""What follows these is measured: numbers may differ from machine to machine."""


def blocks_of(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def printed(kind: str, text: str) -> str:
    """What a block writes to standard output."""
    said = StringIO()
    with redirect_stdout(said):
        if kind == "python":
            exec(compile(text, "tutorial", "exec"), {})
        else:
            for line in text.splitlines():
                assert run(shlex.split(line, comments=True)[1:]) == 0, line
    return said.getvalue()


def shape(text: str) -> str:
    """The text with each number as #, and runs of blanks as one."""
    return re.sub(r"[ ]+", " ", re.sub(r"\d[\d,.]*", "#", text)).strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_runs_and_prints_what_stands_under_it(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new").mkdir()
    Image.new("L", (28, 28), 7).save(tmp_path / "new" / "1.png")
    compared = 0
    output, measured = "", False
    for kind, text in blocks_of(page):
        if kind == "yaml":
            named = re.search(r"^name: (.*)$", text, re.MULTILINE)
            assert named is not None
            Path(f"{named[1]}.yaml").write_text(text, encoding="utf-8")
        elif kind == "text":
            compared += 1
            assert (shape(output) if measured else output) == (shape(text) if measured else text)
        else:
            output, measured = printed(kind, text), any(word in text for word in TRAINED)
    assert compared >= 10


def test_both_languages_have_the_same_blocks_and_figures() -> None:
    english, korean = (page.read_text(encoding="utf-8") for page in PAGES)
    assert blocks_of(PAGES[0]) == blocks_of(PAGES[1])
    figures = [
        [one.replace(".ko.svg", ".svg") for one in re.findall(r"\]\((figures/.*?)\)", text)]
        for text in (english, korean)
    ]
    assert figures[0] == figures[1]
    for text in (english, korean):
        for figure in re.findall(r"\]\((figures/.*?)\)", text):
            assert (DOCS / figure).is_file(), figure


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_order_is_the_tutorials(page: Path) -> None:
    headings = re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(headings) == 5  # a simple network, pooling, its summary, dilation, the example in PyTorch
