"""Colours and types of every drawing: what comes in is blue, what leaves is green, all else is ink and stone."""

from __future__ import annotations

from typing import NamedTuple


class Tone(NamedTuple):
    """A colour on light and on dark ground, each `#RRGGBB`."""

    light: str
    dark: str

    def mixed(self, other: Tone, share: float) -> Tone:
        """This much of the other, 0 to 1, and the rest of this."""
        return Tone(mix(self.light, other.light, share), mix(self.dark, other.dark, share))


PALETTE: dict[str, Tone] = {
    "paper": Tone("#F6F5F1", "#131415"),
    "surface": Tone("#FFFFFF", "#1B1D1F"),
    "sunken": Tone("#EFEDE7", "#26282B"),
    "line": Tone("#DCD9D0", "#383B3F"),
    "edge": Tone("#87837A", "#7F8288"),
    "text": Tone("#1D1C1A", "#F1EFE9"),
    "muted": Tone("#5E5B53", "#A9A7A0"),
    "in": Tone("#184EA1", "#79A9F3"),
    "in-0": Tone("#E9F1FB", "#232C3A"),
    "in-1": Tone("#91BDFA", "#2E59A0"),
    "out": Tone("#0A7D4C", "#79E8B0"),
    "out-0": Tone("#E6F4EB", "#202F27"),
    "out-1": Tone("#79D4A1", "#166848"),
    "on-out": Tone("#FFFFFF", "#131415"),
    "mark": Tone("#FFD24A", "#FFD24A"),
    "on-mark": Tone("#1D1C1A", "#1D1C1A"),
    "pos": Tone("#B85207", "#F5A15E"),
    "pos-0": Tone("#FCF1EA", "#312620"),
    "pos-1": Tone("#F8AA6D", "#814720"),
    "neg": Tone("#693ABB", "#BB9AF4"),
    "neg-0": Tone("#F4F2FB", "#2A2636"),
    "neg-1": Tone("#C5B0F9", "#633FA0"),
    "bad": Tone("#B7191C", "#FB8276"),
}
"""Every role: grounds and lines, text, what comes in and leaves with the ends of its tints, the largest, the signs."""

INK, MUTED, EDGE, HAIRLINE = (PALETTE[role].light for role in ("text", "muted", "edge", "line"))
SURFACE, PAPER, SUNKEN = (PALETTE[role].light for role in ("surface", "paper", "sunken"))
INPUT, INPUT_TINT, OUTPUT, OUTPUT_TINT = (PALETTE[role].light for role in ("in", "in-0", "out", "out-0"))
SANS = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Apple SD Gothic Neo', 'Malgun Gothic', "
    "'Noto Sans KR', 'Noto Sans CJK KR', 'Liberation Sans', 'DejaVu Sans', sans-serif"
)
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', 'DejaVu Sans Mono', monospace"

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]

# Ottosson, "A perceptual color space for image processing", 2020; the same as CSS Color 4 has them.
LMS: Matrix = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
LAB: Matrix = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
FROM_LAB: Matrix = (
    (1.0, 0.3963377774, 0.2158037573),
    (1.0, -0.1055613458, -0.0638541728),
    (1.0, -0.0894841775, -1.2914855480),
)
FROM_LMS: Matrix = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)


def mix(one: str, other: str, share: float) -> str:
    """`color-mix(in oklab, other share, one)` of CSS, as `#RRGGBB`."""
    pair = zip(_oklab(one), _oklab(other), strict=True)
    lightness, a, b = (start + (end - start) * share for start, end in pair)
    roots = _times(FROM_LAB, (lightness, a, b))
    red, green, blue = _times(FROM_LMS, (roots[0] ** 3, roots[1] ** 3, roots[2] ** 3))
    return "#" + "".join(f"{round(255 * _shown(light)):02X}" for light in (red, green, blue))


def _oklab(colour: str) -> Triple:
    red, green, blue = (_light(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    cones = _times(LMS, (red, green, blue))
    return _times(LAB, (cones[0] ** (1 / 3), cones[1] ** (1 / 3), cones[2] ** (1 / 3)))


def _times(matrix: Matrix, vector: Triple) -> Triple:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third


def _light(shown: float) -> float:
    """What a part of an sRGB colour sends out. Source: IEC 61966-2-1."""
    return shown / 12.92 if shown <= 0.04045 else ((shown + 0.055) / 1.055) ** 2.4


def _shown(light: float) -> float:
    """The other way, within what a screen has."""
    light = min(1.0, max(0.0, light))
    return light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
