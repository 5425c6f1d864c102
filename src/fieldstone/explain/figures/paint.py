"""Colours of a figure by name: a class of the SVG is a role of the palette, or a tint of one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isnan

from fieldstone.analysis.drawing.colours import PALETTE, Tone

THEMES = ("light", "dark", "auto")
DARK = "@media(prefers-color-scheme:dark)"

TINTS = {"in": ("in-0", "in-1"), "out": ("out-0", "out-1"), "pos": ("sunken", "pos-1"), "neg": ("sunken", "neg-1")}
"""From a value of 0 to the largest of a map; `pos` and `neg` in maps that have both signs."""

SEEN_THROUGH = {"beam": (0.055, 0.075), "ray": (0.28, 0.36), "hatch": (0.55, 0.55)}
"""How opaque, on light and on dark ground."""


def tint(role: str, value: float, most: float) -> str:
    """The class of a value's tint in a map whose values reach from 0 to `most`."""
    share = 0.0 if isnan(value) or most == 0 else min(1.0, max(0.0, value / most))
    return f"{role}_{round(100 * share)}"


def signed_tint(value: float, most: float) -> str:
    """The same of a map with both signs, or of weights."""
    return "sunken" if value == 0 or isnan(value) else tint("pos" if value > 0 else "neg", abs(value), most)


def style(classes: Iterable[str], theme: str) -> str:
    """The rules of these classes; of `auto` light ones, and dark ones where the reader's page is dark."""
    rules = {name: _rules(name) for name in sorted(set(classes))}
    known = {name: pair for name, pair in rules.items() if pair is not None}
    light, dark = ("".join(f".{name}{{{pair[side]}}}" for name, pair in known.items()) for side in (0, 1))
    return {"light": light, "dark": dark, "auto": f"{light}{DARK}{{{dark}}}"}[theme]


def _rules(name: str) -> tuple[str, str] | None:
    """What a class says on light and on dark ground; None of one that is not about colour."""
    if name in SEEN_THROUGH:
        paint = "fill" if name == "beam" else "stroke"
        tone = PALETTE["edge" if name == "hatch" else "text"]
        light, dark = SEEN_THROUGH[name]
        return f"{paint}:{tone.light};opacity:{light}", f"{paint}:{tone.dark};opacity:{dark}"
    paint, _, role = name.rpartition("s-") if name.startswith("s-") else ("", "", name)
    found = _tone(role)
    if found is None:
        return None
    what = "stroke" if name.startswith("s-") else "fill"
    return f"{what}:{found.light}", f"{what}:{found.dark}"


def _tone(role: str) -> Tone | None:
    if role in PALETTE:
        return PALETTE[role]
    tinted = re.fullmatch(r"(in|out|pos|neg)_(\d+)", role)
    if tinted is None:
        return None
    start, end = (PALETTE[one] for one in TINTS[tinted[1]])
    return start.mixed(end, int(tinted[2]) / 100)
