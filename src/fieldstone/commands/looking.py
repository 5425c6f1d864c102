"""`explore`: inside a network."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from fieldstone.commands import options
from fieldstone.commands.answers import DONE

Image = Annotated[str, typer.Argument(metavar="IMAGE", help="An image file.")]
ModelOrDesign = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="A run, a model, a gallery name, a design file, or package.module:Factory."),
]
Page = Annotated[
    str | None, typer.Option("-o", "--out", metavar="FILE", help="Write one HTML file, and serve nothing.")
]


def explore(
    model: ModelOrDesign, image: Image, out: Page = None, device: options.Device = None, as_json: options.Json = False
) -> int:
    """Look inside: every window of every layer, on your own image."""
    from fieldstone.verbs.explore import explorable, write_page

    page = write_page(explorable(model, device), image, out or "page.html")
    print(json.dumps({"page": str(page)}) if as_json else page)
    return DONE
