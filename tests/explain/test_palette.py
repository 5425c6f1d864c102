"""The colours of the page and of the report are those of the drawings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fieldstone
from fieldstone.analysis.drawing.colours import PALETTE

SHEETS = ("explain/page/style.css", "report/style.css")


def properties(text: str) -> dict[str, list[str]]:
    """Each custom property with its values, in the order in which they stand."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"--([a-z0-9-]+):\s*(#[0-9A-Fa-f]{6})\b", text):
        found.setdefault(name, []).append(value.upper())
    return found


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_style_sheet_has_the_colours_of_the_drawings(sheet: str) -> None:
    known = properties((Path(fieldstone.__file__).parent / sheet).read_text(encoding="utf-8"))
    shared = known.keys() & PALETTE.keys()
    assert len(shared) >= 12
    for name in shared:
        tone = PALETTE[name]
        assert {tone.light.upper(), tone.dark.upper()} <= {*known[name]}, name  # paper is white in print
