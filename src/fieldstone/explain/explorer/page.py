"""The explorer as one HTML file: shell, style, modules and payload; nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

PAGE = Path(__file__).parent.with_name("page")
"""The folder of the shell, the style sheets and the modules. A module's name says which it is, whatever its folder."""

FIRST_STYLE = "style.css"


def html(payload: dict[str, Any]) -> str:
    """The page of a payload."""
    shell = Environment(autoescape=True).from_string((PAGE / "page.html.jinja").read_text(encoding="utf-8"))
    return shell.render(
        title=payload["title"],
        style=Markup(_styles()),
        imports=as_script(_imports()),
        payload=as_script(payload),
    )


def as_script(value: Any) -> Markup:
    """JSON that may stand inside a `script` element: no `<` in it can end that."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


@cache
def _styles() -> str:
    sheets = sorted(_files("css"), key=lambda path: path.name != FIRST_STYLE)
    return "\n".join(path.read_text(encoding="utf-8") for path in sheets)


@cache
def _imports() -> dict[str, dict[str, str]]:
    """An import map: each module by its bare name, as a `data:` address, which works in a page from a file too."""
    modules = {f"fieldstone/{path.stem}": path.read_bytes() for path in _files("js")}
    return {"imports": {name: _address(content) for name, content in modules.items()}}


def _files(kind: str) -> list[Path]:
    """Those of all folders, in the order of their names."""
    return sorted(PAGE.rglob(f"*.{kind}"), key=lambda path: path.name)


def _address(content: bytes) -> str:
    return f"data:text/javascript;base64,{base64.b64encode(content).decode()}"
