"""Numbers as people read them: whole ones bare, others rounded, a true minus; and whether a line is true as written."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite, isnan


def number(value: float) -> str:
    """`3`, `0.25`, `−12.5`, `0.003`, `1.24e−5`, `−∞`, `NaN`."""
    if isnan(value):
        return "NaN"
    text = _size(abs(value)) if isfinite(value) else "∞"
    return f"−{text}" if value < 0 else text


def factor(value: float) -> str:
    """A number within a sum or product: a negative one in brackets."""
    text = number(value)
    return f"({text})" if text.startswith("−") else text


def _size(size: float) -> str:
    if size >= 100_000 or 0 < size < 0.001:
        digits, _, power = f"{size:.2e}".partition("e")
        return f"{digits}e{int(power)}".replace("-", "−")
    if size == int(size):
        return str(int(size))
    if size < 0.0995:  # two decimals would leave less than two digits of it
        return f"{size:.2g}"
    return f"{size:.{2 if size < 100 else 1 if size < 1000 else 0}f}"


def exact(value: float) -> Fraction | None:
    """The number that is written for a value; None for one that is not finite."""
    return Fraction(number(value).replace("−", "-")) if isfinite(value) else None


def equals(sides: list[Fraction | None], result: float) -> str:
    """`=` where the written numbers add up to the written result, otherwise `≈`; `=` among infinite ones."""
    shown = exact(result)
    if shown is None or any(side is None for side in sides):
        return "="
    return "=" if sum(side for side in sides if side is not None) == shown else "≈"
