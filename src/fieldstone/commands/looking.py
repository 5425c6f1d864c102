"""`explore`: inside a network."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from fieldstone.commands import options
from fieldstone.commands.answers import DONE
from fieldstone.progress import Progress

Image = Annotated[str, typer.Argument(metavar="IMAGE", help="An image file.")]
Explorable = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="A run, a model, a gallery name, a design file, or package.module:Factory."),
]
Page = Annotated[
    str | None, typer.Option("-o", "--out", metavar="FILE", help="Write one HTML file, and serve nothing.")
]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Of the page; 0 takes a free one.")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Print the address, and open nothing.")]


def explore(
    model: Explorable, image: Image, out: Page = None, shape: options.Shape = None, port: Port = 0,
    no_browser: NoBrowser = False, device: options.Device = None, as_json: options.Json = False,
) -> int:  # fmt: skip
    """Look inside: every window of every layer, on your own image. Ctrl-C ends the page."""
    from fieldstone.verbs.choosing.sizes import parse_shape
    from fieldstone.verbs.explore import explore as verb

    def answer(what: str, value: str) -> None:
        print(json.dumps({what: value}) if as_json else value, flush=True)

    with Progress() as progress:
        page = verb(
            model, image, out=out, input=parse_shape(shape), device=device, port=port, browser=not no_browser,
            ready=lambda address: answer("address", address), progress=progress,
        )  # fmt: skip
    if page is not None:
        answer("page", str(page))
    return DONE
