"""`report`: what came of a training, as a page."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from fieldstone.commands import options
from fieldstone.commands.answers import DONE
from fieldstone.progress import Progress


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The folder that a training made, such as runs/1.")],
    data: Annotated[
        str | None, typer.Option(metavar="DATA", help="Images to test on [those that validated are shown].")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="The page to make [report.html in the run].")
    ] = None,
    as_json: options.Json = False,
) -> int:
    """Write what came of a training as one page of HTML."""
    from fieldstone.verbs.report import report as verb

    with Progress() as progress:
        place = verb(run, data=data, out=out, progress=progress)
    print(json.dumps({"report": str(place)}) if as_json else f"report {place}")
    return DONE
