"""Where a user's own code raised, what it said, and which arguments it needs. No torch."""

from __future__ import annotations

import inspect
import traceback
from typing import Any, NamedTuple

OTHERS = ("torch", "fieldstone", "importlib", "_frozen_importlib")
"""Packages whose lines are not a user's."""


class Place(NamedTuple):
    """A line of a user's code; `raised` says whether it raised itself, and not what it called of torch."""

    file: str | None
    line: int | None
    raised: bool


def place(fault: BaseException) -> Place:
    """The last line of the user's on the way to a fault."""
    if isinstance(fault, SyntaxError):
        return Place(fault.filename, fault.lineno, raised=True)
    frames = [(frame, line) for frame, line in traceback.walk_tb(fault.__traceback__)]
    own = [number for number, (frame, _) in enumerate(frames) if _is_own(frame.f_globals.get("__name__", ""))]
    if not own:
        return Place(None, None, raised=False)
    frame, line = frames[own[-1]]
    return Place(frame.f_code.co_filename, line, raised=own[-1] == len(frames) - 1)


def _is_own(module: str) -> bool:
    return module.partition(".")[0] not in OTHERS


def said(fault: BaseException) -> str:
    """The kind of fault and the first line of what it says."""
    lines = str(fault).strip().splitlines()
    return f"{type(fault).__name__}: {lines[0].rstrip('.')}" if lines else type(fault).__name__


def needed(function: Any) -> list[str]:
    """The arguments without which it cannot be called; none where it is written in C: calling it will tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [one.name for one in parameters if one.default is one.empty and one.kind not in kinds]
