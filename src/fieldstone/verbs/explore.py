"""Exploring: a network on one image, as a page that shows every window of every layer."""

from __future__ import annotations

import errno
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from fieldstone.data.decode import check_size, decode_image, opened, orientation, quiet, read_bytes, readable
from fieldstone.design.design import Design
from fieldstone.errors import FieldstoneError, ImageError
from fieldstone.explain.explorer.page import html
from fieldstone.explain.explorer.payload import Explored, Seen
from fieldstone.explain.explorer.server import HOST, Explorer
from fieldstone.explain.explorer.why import why
from fieldstone.files import write_page
from fieldstone.model.model import Model
from fieldstone.progress import Progress
from fieldstone.verbs.choosing.explorable import explorable

MOST_BYTES = 24 * 2**20
"""Of the arrays of a file; as text they are a third longer."""
ANSWERS = 3
"""Of so many classes a file says why."""


def explore(
    model: str | Path | Design | Model | nn.Module,
    image: str | Path,
    *,
    out: str | Path | None = None,
    input: tuple[int, ...] | None = None,
    device: str | None = None,
    port: int = 0,
    browser: bool = True,
    ready: Callable[[str], object] = print,
    progress: Progress | None = None,
) -> Path | None:
    """Look inside a network on one image: as a page that this machine serves until Ctrl-C, or as one HTML file.

    Args:
        model: a run, a model, a name such as `efficientnet-lite-0`, a module of your own or `package.module:Factory`,
            or a design, which then has its first weights.
        image: a file.
        out: the file to write; nothing is served then.
        input: (C, H, W), of a design another than its own; a module needs it.
        port: of the page; 0 takes a free one.
        browser: whether to open one.
        ready: is given the address once the page is there.

    Returns:
        The file, where one was asked for.

    Raises:
        FieldstoneError: there is no such model, the image cannot be read, the file not written, or the port is taken.
    """
    said = progress or Progress.quiet()
    explored = explorable(model, input, device)
    content = read_bytes(image)
    first = _look(explored, content, str(image))
    if out is not None:
        return _write(first, Path(out), said)
    with _server(first, lambda content, name: _look(explored, content, name), port) as server:
        ready(server.address)
        if browser and not webbrowser.open(server.address):
            said.say("no browser can be opened here: open the address in one on this machine")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            said.say("stopped")
    return None


def _look(explored: Explored, content: bytes, name: str) -> Seen:
    """Run a network on the bytes of an image file. Raises ImageError where it cannot be read."""
    try:
        with quiet(), readable(content):
            image = opened(content)
            check_size(image)
            original = image.size[::-1] if orientation(image) >= 5 else image.size
        pixels = decode_image(content, explored.preprocessing)
    except ImageError as fault:
        raise ImageError(fault.message, file=name, fix="give an image that Pillow can read") from fault
    return Seen.of(explored, Path(name).name, original, pixels)


def _write(seen: Seen, out: Path, progress: Progress) -> Path:
    """The page of one image as one file that needs nothing else; a page that is there is replaced."""
    payload = file_payload(seen, progress)
    try:
        write_page(out, html(payload))
    except OSError as fault:
        fix = "give a file in a folder that is there, such as page.html"
        reason = (fault.strerror or str(fault)).lower()
        raise FieldstoneError(f"cannot be written: {reason}", file=str(out), fix=fix) from fault
    return out


def file_payload(seen: Seen, progress: Progress) -> dict[str, Any]:
    """All that a file holds; what it leaves out of the arrays is a note."""
    best = [one["class"] for one in seen.told["outputs"]["probabilities"][:ANSWERS]]
    reasons = why(seen, best, progress)
    arrays = seen.arrays.written(MOST_BYTES)
    model, missing = seen.told["model"], sum("left_out" in one for one in arrays.values())
    if missing:
        left_out = {"key": "left_out", "values": {"kept": len(arrays) - missing, "all": len(arrays)}}
        model = {**model, "notes": [*model["notes"], left_out]}
    return {**seen.told, "model": model, "live": None, "why": reasons, "arrays": arrays}


def _server(first: Seen, look: Callable[[bytes, str], Seen], port: int) -> Explorer:
    try:
        return Explorer(first, look, port)
    except OSError as fault:
        if fault.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why_not = "is taken" if fault.errno == errno.EADDRINUSE else "is not for programs of this user"
        raise FieldstoneError(
            f"port {port} of {HOST} {why_not}", fix="give another, or leave --port out and take a free one"
        ) from fault
