"""The page's modules as they are handed to a browser."""

from __future__ import annotations

import base64
import re

from fieldstone.explain.explorer.page import PAGE, html

IMPORTED = re.compile(rb'(?:from|import) "fieldstone/(\w+)"')


def test_every_module_has_a_name_of_its_own_and_imports_names_that_there_are() -> None:
    modules = list(PAGE.rglob("*.js"))
    names = [path.stem for path in modules]
    assert sorted(set(names)) == sorted(names), "two folders have a module of one name"
    written = html({"title": "a"})
    for path in modules:
        address = base64.b64encode(path.read_bytes()).decode()
        assert f'"fieldstone/{path.stem}": "data:text/javascript;base64,{address}"' in written
        assert {name.decode() for name in IMPORTED.findall(path.read_bytes())} <= set(names), path


def test_a_style_sheet_stands_beside_its_module() -> None:
    for sheet in set(PAGE.rglob("*.css")) - {PAGE / "style.css"}:
        assert sheet.with_suffix(".js").exists(), sheet
        assert sheet.read_text(encoding="utf-8") in html({"title": "a"})
