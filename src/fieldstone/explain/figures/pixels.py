"""Figures as pixels: the SVG of each frame, drawn by resvg."""

from __future__ import annotations

import importlib.util
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageFont

from fieldstone.analysis.drawing.ink import text_of
from fieldstone.errors import FieldstoneError, MissingExtraError
from fieldstone.explain.figures.film import Film

PNG_SCALE, GIF_SCALE = 2, 4
"""A PNG is so many times as wide as its SVG; a frame of a GIF is drawn so large, and reduced."""
TABLE = 256
MOST, BETWEEN = TABLE - 1, 24
"""Colours of a palette; and how many of them, at least, lie on the edges between the colours that are drawn.

One of the table is no colour: it leaves what the frame before shows, and a frame is nearly all of that.
"""
UNKNOWN = "\U0010fffd"
"""A character that is for private use alone: how it looks is how any looks that no font has."""
SAMPLE = 32
Packed = np.ndarray[tuple[int], np.dtype[np.int64]]
"""Colours, each as one number."""


@dataclass(frozen=True)
class Fonts:
    """Where glyphs come from.

    Attributes:
        files: fonts besides those that are installed.
        installed: whether those are looked at.
    """

    files: tuple[str, ...] = ()
    installed: bool = True


def require_resvg() -> None:
    """Raises MissingExtraError where resvg is not installed."""
    if importlib.util.find_spec("resvg_py") is None:
        raise MissingExtraError("pixels need the package resvg-py", fix="pip install 'fieldstone[figures]'")


def png(film: Film, frame: int, theme: str, fonts: Fonts) -> bytes:
    """One frame, at twice its size.

    Raises:
        FieldstoneError: no font has one of its characters.
    """
    svg = film.still(frame, theme)
    check_glyphs(svg, film.family, fonts)
    return _drawn(svg, PNG_SCALE, fonts)


def gif(film: Film, theme: str, loop: int | None, fonts: Fonts) -> bytes:
    """All frames, in one palette.

    Args:
        loop: how often it plays; None for ever.

    Raises:
        FieldstoneError: no font has one of its characters.
    """
    svgs = [film.still(frame, theme) for frame in range(len(film.frames))]
    check_glyphs("".join(svgs), film.family, fonts)
    frames = [Image.open(io.BytesIO(_drawn(svg, GIF_SCALE, fonts))).convert("RGB").reduce(GIF_SCALE) for svg in svgs]
    drawn = {int(colour, 16) for svg in svgs for colour in re.findall("#([0-9A-F]{6})", svg)}
    shown = _in_one_palette(frames, drawn)
    times = [frame.milliseconds for frame in film.frames]
    repeats = {} if loop == 1 else {"loop": 0 if loop is None else loop - 1}
    held = io.BytesIO()
    levels = bytes(shown[0].getpalette() or ()).ljust(3 * TABLE, b"\0")
    more = {"append_images": shown[1:], "duration": times if len(times) > 1 else times[0], "disposal": 1}
    shown[0].save(held, "GIF", save_all=True, optimize=True, palette=levels, **more, **repeats)
    return held.getvalue()


def _in_one_palette(frames: Sequence[Image.Image], drawn: Set[int]) -> list[Image.Image]:
    """The frames in the colours that are drawn and the most frequent between them, each pixel in the nearest.

    Fewer colours make a smaller file.
    """
    found = [np.unique(_packed(frame), return_inverse=True, return_counts=True) for frame in frames]
    seen: Counter[int] = Counter()
    for colours, _, counts in found:
        seen.update(dict(zip(colours.tolist(), counts.tolist(), strict=True)))
    between = [colour for colour, _ in seen.most_common() if colour not in drawn]
    palette = np.array([*sorted(drawn & seen.keys()), *between[:BETWEEN]][:MOST], np.int64)
    levels = [level for colour in _parts(palette).tolist() for level in colour]
    shown = []
    for frame, (colours, places, _) in zip(frames, found, strict=True):
        away = ((_parts(colours)[:, None] - _parts(palette)[None]) ** 2).sum(axis=2)  # (colours, palette)
        image = Image.frombytes("P", frame.size, away.argmin(axis=1).astype(np.uint8)[places].tobytes())
        image.putpalette(levels)
        shown.append(image)
    return shown


def _parts(colours: Packed) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Red, green and blue."""
    return np.stack([colours >> shift & 255 for shift in (16, 8, 0)], axis=1)


def _packed(frame: Image.Image) -> Packed:
    pixels = np.asarray(frame).astype(np.int64)  # (H, W, 3)
    return (pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]).ravel()


def check_glyphs(svg: str, family: str, fonts: Fonts) -> None:
    """Raises FieldstoneError where no font has a character of the texts."""
    texts = re.findall(r">([^<>]+)<", re.sub(r"<(title|desc|style)>.*?</\1>", "", svg, flags=re.DOTALL))
    letters = sorted({letter for text in texts for letter in unescape(text) if not letter.isspace()})
    lost = list(_without_glyph(letters, family, fonts))
    if lost:
        shown = " ".join(lost[:8]) + (" …" if len(lost) > 8 else "")
        raise FieldstoneError(f"no font has a glyph for {shown}", fix="give --font, the file of a font that has")


def _without_glyph(letters: Sequence[str], family: str, fonts: Fonts) -> Iterator[str]:
    """Those that look like nothing, or like a character that no font has."""
    shown = [*letters, UNKNOWN]
    style = f'font-family="{family}" font-size="{SAMPLE // 2}" text-anchor="middle"'
    texts = [
        f'<text x="{(place + 0.5) * SAMPLE}" y="{0.7 * SAMPLE}">{text_of(letter)}</text>'
        for place, letter in enumerate(shown)
    ]
    size = f'width="{SAMPLE * len(shown)}" height="{SAMPLE}"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><g {style}>{"".join(texts)}</g></svg>'
    alpha = Image.open(io.BytesIO(_drawn(svg, 1, fonts))).convert("RGBA").getchannel("A")
    cells = [alpha.crop((place * SAMPLE, 0, (place + 1) * SAMPLE, SAMPLE)) for place in range(len(shown))]
    for letter, cell in zip(letters, cells[:-1], strict=True):
        if cell.getbbox() is None or ImageChops.difference(cell, cells[-1]).getbbox() is None:
            yield letter


def _drawn(svg: str, scale: int, fonts: Fonts) -> bytes:
    from resvg_py import svg_to_bytes

    return svg_to_bytes(
        svg_string=svg, zoom=scale, skip_system_fonts=not fonts.installed, font_files=list(fonts.files) or None
    )


def family_of(file: Path) -> str:
    """What the font in a file is called.

    Raises:
        FieldstoneError: it is no font.
    """
    try:
        name = ImageFont.truetype(str(file)).getname()[0]
    except OSError as fault:
        raise FieldstoneError("is no font that can be read", file=str(file), fix="give a .ttf, .otf or .ttc") from fault
    return re.sub(r"[^\w -]", "", name or file.stem)  # within quotes of CSS, within XML
