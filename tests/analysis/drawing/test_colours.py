"""Tints are those of CSS, and the numbers and words on them can be read."""

from __future__ import annotations

import pytest

from fieldstone.analysis.drawing.colours import PALETTE, mix


@pytest.mark.parametrize(
    ("one", "other", "share", "expected"),
    [
        ("#000000", "#FFFFFF", 0.5, "#636363"),
        ("#E9F1FB", "#91BDFA", 0.37, "#C8DEFB"),
        ("#232C3A", "#2E59A0", 0.37, "#283D5E"),
        ("#E6F4EB", "#79D4A1", 0.37, "#C0E9CF"),
        ("#202F27", "#166848", 0.37, "#214333"),
        ("#EFEDE7", "#F8AA6D", 0.37, "#F4D5BB"),
        ("#26282B", "#633FA0", 0.37, "#3B3254"),
        ("#FFFFFF", "#693ABB", 0.37, "#C3B8EA"),
        ("#1B1D1F", "#F5A15E", 0.37, "#644A38"),
    ],
)
def test_a_mix_is_chromiums(one: str, other: str, share: float, expected: str) -> None:
    """As Chromium 156 computes `color-mix(in oklab, other share, one)`."""
    assert mix(one, other, share) == expected


@pytest.mark.parametrize("role", PALETTE)
def test_the_ends_of_a_mix_are_its_colours(role: str) -> None:
    for one, other in ((PALETTE[role].light, PALETTE[role].dark), PALETTE[role][::-1]):
        assert mix(one, other, 0) == one
        assert mix(one, other, 1) == other


def luminance(colour: str) -> float:
    """Source: WCAG 2.1."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("tint", ["in-0", "in-1", "out-0", "out-1", "pos-0", "pos-1", "neg-0", "neg-1", "sunken"])
def test_text_on_a_tint_reads(tint: str) -> None:
    for paper, ink in zip(PALETTE[tint], PALETTE["text"], strict=True):
        assert contrast(paper, ink) >= 5.8


@pytest.mark.parametrize(
    ("ink", "paper"), [("on-out", "out"), ("on-mark", "mark"), ("muted", "surface"), ("pos", "surface")]
)
def test_other_texts_read(ink: str, paper: str) -> None:
    assert all(contrast(*pair) >= 4.5 for pair in zip(PALETTE[ink], PALETTE[paper], strict=True))
