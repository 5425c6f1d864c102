"""`report`: what came of a training, as a page."""

from __future__ import annotations

import json

from fieldstone.commands import options
from fieldstone.commands.answers import DONE
from fieldstone.commands.parsing import command, word
from fieldstone.progress import Progress


@command(
    word("run", metavar="RUN", help="The folder that a training made, such as runs/1."),
    word("--data", metavar="DATA", help="Images to test on [those that validated are shown]."),
    options.NETWORK,
    word("-o", "--out", metavar="FILE", help="The page to make [report.html in the run]."),
    options.JSON,
)
def report(*, run: str, data: str | None, network: str | None, out: str | None, as_json: bool) -> int:
    """Write what came of a training as one page of HTML."""
    from fieldstone.verbs.choosing.module import own_network
    from fieldstone.verbs.report import report as verb

    own = own_network(network)
    with Progress() as progress:
        place = verb(run, data=data, out=out, network=own, progress=progress)
    print(json.dumps({"report": str(place)}) if as_json else f"report {place}")
    return DONE
