"""Numbers and names as the report writes them."""

from __future__ import annotations

from math import isfinite, isnan, sqrt

from markupsafe import Markup, escape

from fieldstone.data.manifest import printable

CONFIDENT = 1.959964
"""The normal distribution's quantile for 95 %."""


def percent(share: float | None) -> str:
    """`91.3 %`; 0 and 100 only where they are exact, a dash where there is none."""
    if share is None:
        return "–"
    if isnan(share):
        return "NaN"
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    text = f"{100 * share:.1f} %"
    return {"100.0 %": "> 99.9 %", "0.0 %": "< 0.1 %"}.get(text, text)


def figure(value: float | None) -> str:
    """Three digits or more of a number: `0.0567`, `1.24`, `1,234`, `2.34e−6`, `NaN`."""
    if value is None:
        return "–"
    if isnan(value):
        return "NaN"
    sign, size = "−" if value < 0 else "", abs(value)
    if not isfinite(size):
        return f"{sign}∞"
    if size >= 100_000 or 0 < size < 0.001:
        digits, _, power = f"{size:.2e}".partition("e")
        return f"{sign}{digits}e{int(power)}".replace("-", "−")
    if size == int(size) or size >= 1000:
        return f"{sign}{size:,.0f}"
    return sign + (f"{size:.3g}" if size < 1 else f"{size:.{2 if size < 100 else 1}f}")


def tick(value: float) -> str:
    """A round number at an axis: `0`, `0.25`, `1,500`, `2e−6`."""
    if value and not 0.001 <= abs(value) < 100_000:
        digits, _, power = f"{value:.0e}".partition("e")
        return f"{digits}e{int(power)}".replace("-", "−")
    return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}").replace("-", "−")


def share_tick(value: float) -> str:
    """A round share at an axis: `75 %`, `97.5 %`."""
    return f"{100 * value:.4g} %"


def duration(seconds: float) -> str:
    """`17.4 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def counted(number: int, thing: str) -> str:
    """`1 image`, `2,000 images`."""
    plural = f"{thing}es" if thing.endswith("s") else f"{thing}s"
    return f"{number:,} {thing if number == 1 else plural}"


def image_name(file: str, index: int | None) -> str:
    """Which image it is: its file, and its place where the file is a container of many."""
    return printable(file if index is None else f"{file}, image\N{NO-BREAK SPACE}{index:,}")


def breakable(name: str) -> Markup:
    """A file's name that may go on in another line after a slash."""
    return escape(name).replace("/", Markup("/<wbr>"))


def likely_range(share: float, images: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share that was counted on so many images.

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927.
    """
    square = CONFIDENT**2 / images
    middle = (share + square / 2) / (1 + square)
    reach = CONFIDENT * sqrt(share * (1 - share) / images + square / (4 * images)) / (1 + square)
    return middle - reach if share > 0 else 0.0, middle + reach if share < 1 else 1.0
