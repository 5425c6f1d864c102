"""What one rule says of a network."""

from __future__ import annotations

from typing import Any

import fieldstone as fs
from fieldstone.analysis.findings import Finding, find
from fieldstone.analysis.rule import Subject


def said(code: str, shape: tuple[int, ...], layers: list[Any], *, outputs: int = 10, **options: Any) -> list[Finding]:
    """The findings of that code; `options` are fields of `Subject`."""
    subject = Subject(shape, fs.Design(shape, layers).walk(outputs), **{"classes": outputs, **options})
    return [finding for finding in find(subject) if finding.code == code]
