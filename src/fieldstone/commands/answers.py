"""How answers and faults leave: on standard output or standard error, and as an exit status."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

from fieldstone.errors import FieldstoneError

DONE, ANSWER_IS_A_FAULT, NOT_DONE, INTERRUPTED = 0, 1, 2, 130


def print_answer(answer: Any, as_json: bool) -> None:
    """One object for programs, or the text for people, on standard output."""
    print(json.dumps(answer.to_json()) if as_json else repr(answer))


def failed(fault: FieldstoneError, as_json: bool) -> int:
    """Say what could not be done; the exit status of that."""
    if not (as_json and _printed(json.dumps({"error": fault.to_json()}), sys.stdout)):
        _printed(f"fieldstone: {fault}", sys.stderr)  # where nobody can be told, the status still says it
    return NOT_DONE


def _printed(text: str, stream: TextIO) -> bool:
    try:
        print(text, file=stream, flush=True)
    except OSError:
        drop_output()
        return False
    return True


def drop_output() -> bool:
    """What is still buffered goes nowhere: its place is gone or full, and Python would complain when it exits.

    Returns whether standard output is among it.
    """
    dropped = []
    for stream, own in ((sys.stdout, sys.__stdout__), (sys.stderr, sys.__stderr__)):
        if own is not None and stream is own and not own.isatty():
            try:
                own.flush()
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), own.fileno())
                dropped.append(own)
    return sys.__stdout__ in dropped
