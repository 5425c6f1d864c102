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
"""The folder of the shell, the style sheets and the modules."""

FIRST_STYLE = "style.css"


def html(payload: dict[str, Any]) -> str:
    """The page of a payload."""
    shell = Environment(autoescape=True).from_string(_text("page.html.jinja"))
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


def _text(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


@cache
def _styles() -> str:
    names = sorted(path.name for path in PAGE.glob("*.css"))
    return "\n".join(_text(name) for name in sorted(names, key=lambda name: name != FIRST_STYLE))


@cache
def _imports() -> dict[str, dict[str, str]]:
    """An import map: each module by its bare name, as a `data:` address, which works in a page from a file too."""
    modules = {f"fieldstone/{path.stem}": path.read_bytes() for path in sorted(PAGE.glob("*.js"))}
    return {"imports": {name: _address(content) for name, content in modules.items()}}


def _address(content: bytes) -> str:
    return f"data:text/javascript;base64,{base64.b64encode(content).decode()}"
