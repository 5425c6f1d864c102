"""What one rule says of a network, for the tests of the rules."""

from __future__ import annotations

import re
from dataclasses import replace

import fieldstone as fs
from fieldstone.analysis.findings import Finding, find


def said(code: str, shape: tuple[int, ...], *layers: object, classes: int = 10, **options: object) -> list[Finding]:
    """The findings of that code; `options` are fields of the subject."""
    subject = fs.inspect(fs.Design(shape, layers), classes=classes).subject
    return [found for found in find(replace(subject, **options)) if found.code == code]  # type: ignore[arg-type]


def numbers(text: str) -> list[int]:
    """The whole numbers in a text, in order."""
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)]
