"""About how wide a text is, where the reader's fonts are not known: those of the wider ones among the usual."""

from __future__ import annotations

from unicodedata import east_asian_width

NARROW = dict.fromkeys(" ,.:;il|!'", 0.3) | dict.fromkeys("()[]rtfj", 0.4) | dict.fromkeys("⌊⌋", 0.42)
WIDE = dict.fromkeys("×−+÷=≈∞→", 0.8) | dict.fromkeys("mwMW", 0.88)
USUAL = 0.62


def width_of(text: str, size: float) -> float:
    """In pixels, of letters of that size."""
    return size * sum(map(_share, text))


def _share(letter: str) -> float:
    if east_asian_width(letter) in "WF":
        return 0.98
    return NARROW.get(letter) or WIDE.get(letter) or USUAL
