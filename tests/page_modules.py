"""A page that holds modules of the explorer and nothing else, for tests that call their functions."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import fieldstone

FOLDER = Path(fieldstone.__file__).parent / "explain" / "page"


def write_page(folder: Path, *names: str) -> Path:
    """A page whose `window.modules` has the named modules (they may import any other of the explorer)."""
    imports = {
        f"fieldstone/{path.stem}": f"data:text/javascript;base64,{base64.b64encode(path.read_bytes()).decode()}"
        for path in sorted(FOLDER.glob("*.js"))
    }
    lines = [f'import * as {name} from "fieldstone/{name}";' for name in names]
    path = folder / "modules.html"
    path.write_text(
        f'<!doctype html><meta charset="utf-8"><script type="importmap">{json.dumps({"imports": imports})}</script>'
        f'<script type="module">{"".join(lines)}window.modules = {{{",".join(names)}}};</script>'
    )
    return path
