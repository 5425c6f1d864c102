"""Drawing figures of what a block computes, as SVG, PNG or GIF. No torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fieldstone.analysis.drawing.colours import SANS
from fieldstone.analysis.rules.wording import plural
from fieldstone.errors import FieldstoneError
from fieldstone.explain.figures.film import Film
from fieldstone.explain.figures.grid import LEAST_CELL, MOST_CELL
from fieldstone.explain.figures.kinds import Settings, make
from fieldstone.explain.figures.paint import THEMES
from fieldstone.explain.figures.pixels import Fonts, family_of, gif, png, require_resvg
from fieldstone.explain.figures.stage import Look, filmed
from fieldstone.explain.figures.words import WORDS
from fieldstone.files import written_whole
from fieldstone.verbs.choosing.design import find_design

FORMS = (".svg", ".png", ".gif")
MOST_STEPS = 64
"""A film of more is watched by nobody to its end."""


@dataclass(frozen=True)
class Form:
    """How a figure leaves.

    Attributes:
        step: the one that stands, from 1; None for the last.
        loop: how often a film plays; None for ever.
        font: a file with a font.
        cell: pixels of a cell; None for what the kind has.
    """

    animate: bool = False
    step: int | None = None
    theme: str = "auto"
    loop: int | None = None
    smooth: bool = False
    font: str | None = None
    cell: float | None = None


@dataclass(frozen=True, repr=False)
class Drawn:
    """A figure that was written."""

    file: str
    title: str
    width: int
    height: int
    steps: int
    size: int

    def to_json(self) -> dict[str, Any]:
        """`size` is in bytes."""
        return dict(vars(self))

    def __repr__(self) -> str:
        steps, kilobytes = plural(self.steps, "step"), f"{self.size / 1000:,.1f} kB"
        return f"{self.file}: {self.title}, {steps}, {self.width}x{self.height}, {kilobytes}"


def figure(kind: str, path: str, settings: Settings, look: Look, form: Form) -> Drawn:
    """Draw a figure into a file; one that is there is replaced.

    Args:
        kind: one of `explain.figures.kinds`.
        settings: what it is of; what is left out is as that kind has it. A `design` is one as `inspect` takes it.

    Raises:
        FieldstoneError: something that is asked for cannot be drawn, or the file cannot be written.
        MissingExtraError: it is for pixels, and resvg is not installed.
    """
    suffix = _suffix(path)
    animated = form.animate or suffix == ".gif"
    _check(look, form, suffix, animated)
    fonts = Fonts() if form.font is None else Fonts((form.font,))
    film = _film(kind, settings, look, form)
    if animated and len(film.steps) > MOST_STEPS:
        fix = "give a smaller --input, a larger --stride, or a figure that stands"
        raise FieldstoneError(f"{len(film.steps)} steps are more than the {MOST_STEPS} of a film", fix=fix)
    content = _content(film, suffix, form, fonts)
    _write(path, content)
    return Drawn(path, film.title, film.width, film.height, len(film.steps), len(content))


def _film(kind: str, settings: Settings, look: Look, form: Form) -> Film:
    if "design" in settings:
        settings = {**settings, "design": find_design(settings["design"])}
    film = filmed(make(kind, settings, look, form.cell), form.smooth)
    if form.smooth and len(film.frames) == len(film.steps):
        raise FieldstoneError(f"nothing moves in this figure of {kind}", fix="leave --smooth out")
    return film if form.font is None else replace(film, family=f"'{family_of(Path(form.font))}', {SANS}")


def _suffix(path: str) -> str:
    """What form a file is to have."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMS:
        raise FieldstoneError(f"the figure's file {path!r} has none of {', '.join(FORMS)}", fix="such as -o max.svg")
    if suffix != ".svg":
        require_resvg()
    return suffix


def _check(look: Look, form: Form, suffix: str, animated: bool) -> None:
    """Raises FieldstoneError for what no figure has."""
    if form.cell is not None and not LEAST_CELL <= form.cell <= MOST_CELL:
        raise FieldstoneError(
            f"a cell of {form.cell:g} pixels cannot be drawn", fix=f"give --cell {LEAST_CELL} to {MOST_CELL}"
        )
    for name, value, known in (("theme", form.theme, THEMES), ("language", look.language, tuple(WORDS))):
        if value not in known:
            raise FieldstoneError(f"there is no {name} {value!r}", fix=f"give one of {', '.join(known)}")
    if suffix == ".png" and form.animate:
        raise FieldstoneError("a PNG stands still", fix="give -o a .gif or .svg, or leave --animate out")
    if animated and form.step is not None:
        raise FieldstoneError("a film has all steps, so --step says nothing", fix="leave it out")
    if not animated and (form.smooth or form.loop is not None):
        name = "--smooth" if form.smooth else "--loop"
        raise FieldstoneError(f"{name} is for a film", fix="add --animate, or give -o a .gif")


def _content(film: Film, suffix: str, form: Form, fonts: Fonts) -> bytes:
    theme = "light" if form.theme == "auto" else form.theme
    if suffix == ".gif":
        return gif(film, theme, form.loop, fonts)
    if form.animate:
        return film.animated(form.theme, form.loop).encode()
    frame = film.steps[_step(film, form.step)]
    return film.still(frame, form.theme).encode() if suffix == ".svg" else png(film, frame, theme, fonts)


def _step(film: Film, asked: int | None) -> int:
    if asked is None:
        return len(film.steps) - 1
    if not 1 <= asked <= len(film.steps):
        fix = f"give 1 to {len(film.steps)}" if len(film.steps) > 1 else "leave --step out: it has one"
        raise FieldstoneError(f"there is no step {asked}", fix=fix)
    return asked - 1


def _write(path: str, content: bytes) -> None:
    try:
        with written_whole(Path(path)) as beside:
            beside.write_bytes(content)
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        fix = "give a file in a folder that is there"
        raise FieldstoneError(f"cannot be written: {reason}", file=path, fix=fix) from fault
