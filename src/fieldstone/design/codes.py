"""The codes of findings, where a design says which are meant. What each finds stands in the rules of `analysis`."""

from __future__ import annotations

from typing import NamedTuple

CODES = tuple(f"FS{number}" for number in (*range(101, 113), *range(201, 209), 301, 302))


class Fault(NamedTuple):
    """What is wrong, and what to do."""

    message: str
    fix: str


def unknown(code: str) -> Fault:
    """What is said of a text that is no code."""
    from difflib import get_close_matches  # only a fault needs it

    near = get_close_matches(code.upper(), CODES, n=1)
    fix = f"did you mean {near[0]}?" if near else f"the codes are {', '.join(CODES)}"
    return Fault(f"no finding has the code {code!r}", fix)


def fault_of(code: str, reason: str) -> Fault | None:
    """What is wrong with a finding that is allowed: its code, or that no reason is given."""
    if code not in CODES:
        return unknown(code)
    fix = f"say why it is meant, as in `{code}: as published`"
    return None if reason.strip() else Fault(f"allow.{code} has no reason", fix)
