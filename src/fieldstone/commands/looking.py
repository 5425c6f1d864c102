"""`explore`: inside a network."""

from __future__ import annotations

import json
from typing import Any

from fieldstone.commands import options
from fieldstone.commands.answers import DONE
from fieldstone.commands.parsing import command, flag, whole, word
from fieldstone.commands.using import loaded
from fieldstone.progress import Progress


@command(
    word("model", metavar="MODEL", help="A run, a model, a gallery name, a design file, or package.module:Factory."),
    word("image", metavar="IMAGE", help="An image file."),
    word("-o", "--out", metavar="FILE", help="Write one HTML file, and serve nothing."),
    options.NETWORK,
    options.SHAPE,
    word("--port", type=whole(0, 65535), default=0, metavar="N", help="Of the page; 0 takes a free one [0]."),
    flag("--no-browser", help="Print the address, and open nothing."),
    options.DEVICE,
    options.JSON,
)
def explore(
    *, model: str, image: str, out: str | None, network: str | None, shape: str | None, port: int, no_browser: bool,
    device: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Look inside: every window of every layer, on your own image. Ctrl-C ends the page."""
    from fieldstone.verbs.choosing.sizes import parse_shape
    from fieldstone.verbs.explore import explore as verb

    def answer(what: str, value: str) -> None:
        print(json.dumps({what: value}) if as_json else value, flush=True)

    given: dict[str, Any] = {"model": model, "device": device}
    if network is not None:
        given = {"model": loaded(model, network, device)}
    with Progress() as progress:
        page = verb(
            image=image, out=out, input=parse_shape(shape), port=port, browser=not no_browser,
            ready=lambda address: answer("address", address), progress=progress,
            **given,
        )  # fmt: skip
    if page is not None:
        answer("page", str(page))
    return DONE
