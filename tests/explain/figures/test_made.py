"""The figures of the guide are what the program draws; Korean and English ones differ in words alone."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from fieldstone.cli import run

FOLDER = Path(__file__).parents[3] / "docs" / "figures"

spec = importlib.util.spec_from_file_location("make_figures", FOLDER.with_name("make_figures.py"))
assert spec is not None
assert spec.loader is not None
make_figures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make_figures)

COMMANDS: dict[str, list[str]] = make_figures.commands()


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.endswith(".svg")])
def test_the_guides_figures_to_the_character(name: str, tmp_path: Path) -> None:
    """All are written anew by `make figures`; look at them then."""
    assert run([*COMMANDS[name], str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_text(encoding="utf-8") == (FOLDER / name).read_text(encoding="utf-8")


def test_every_figure_is_there_and_no_other() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*COMMANDS, "grid.csv", "kernel.csv", "cross.csv"}


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.endswith(".ko.svg")])
def test_korean_figures_have_no_english_word(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    body = re.sub(r"<(title|style)>.*?</\1>", "", text, flags=re.DOTALL)
    words = set(
        re.findall(r"[A-Za-z]{2,}", " ".join(re.findall(r">([^<>]+)<", body)).replace("&lt;", "<").replace("&gt;", ">"))
    )
    assert words <= {"max", "maxpool", "conv", "stride"}
    assert re.search("[가-힣]", body)
    assert 'xml:lang="ko"' in text
