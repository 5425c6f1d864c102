"""A figure as frames, and as SVG: one frame that stands, or all of them as a film of CSS without script."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from fieldstone.analysis.drawing.colours import SANS
from fieldstone.analysis.drawing.ink import rectangle, text_of
from fieldstone.explain.figures.paint import style

STEP, LAST, MOVE = 1200, 2600, 40
"""Milliseconds that a step stands, the last step, and a frame of a move."""


class Piece(NamedTuple):
    """An element of the drawing; those of a higher layer lie above."""

    layer: int
    ink: str


@dataclass(frozen=True)
class Frame:
    """What is seen for a while; `says` is that in words."""

    pieces: tuple[Piece, ...]
    milliseconds: int
    says: str


Run = tuple[int, int]
"""The first and the last frame in which an element is seen."""


@dataclass(frozen=True)
class Film:
    """All frames of a figure.

    Attributes:
        width, height: in pixels, whole ones.
        steps: of each step its frame; other frames are on the way to one.
        family: the fonts, as CSS lists them.
    """

    title: str
    language: str
    width: int
    height: int
    frames: tuple[Frame, ...]
    steps: tuple[int, ...]
    family: str = SANS

    @property
    def milliseconds(self) -> int:
        """How long it takes to see all of it."""
        return sum(frame.milliseconds for frame in self.frames)

    def still(self, frame: int, theme: str) -> str:
        """One frame as the text of an SVG file."""
        pieces = sorted(self.frames[frame].pieces, key=lambda piece: piece.layer)
        return self._svg("\n".join(piece.ink for piece in pieces), self.frames[frame].says, theme, "")

    def animated(self, theme: str, loop: int | None) -> str:
        """All frames as the text of an SVG file; one that shows the last one where motion is not wanted.

        Args:
            loop: how often it plays; None for ever.
        """
        runs = self._runs()
        lines = []
        for run, pieces in groupby(runs, key=lambda pair: pair[1]):
            inks = "\n".join(piece.ink for piece, _ in pieces)
            lines.append(inks if run == self._always else f'<g class="{_name(run)}">\n{inks}\n</g>')
        return self._svg("\n".join(lines), self.frames[-1].says, theme, self._motion({run for _, run in runs}, loop))

    @property
    def _always(self) -> Run:
        return 0, len(self.frames) - 1

    def _runs(self) -> list[tuple[Piece, Run]]:
        """Every element once for each while that it is seen, what lies under others first."""
        seen: dict[Piece, list[int]] = {}
        for place, frame in enumerate(self.frames):
            for piece in frame.pieces:
                seen.setdefault(piece, []).append(place)
        runs = [(piece, run) for piece, places in seen.items() for run in _runs_of(places)]
        return sorted(runs, key=lambda pair: (pair[0].layer, pair[1]))

    def _motion(self, runs: Iterable[Run], loop: int | None) -> str:
        often = "infinite" if loop is None else str(loop)
        moving = sorted(set(runs) - {self._always})
        if not moving:
            return ""
        names = ",".join(f".{_name(run)}" for run in moving)
        rules = [f"{names}{{visibility:hidden;animation:{self.milliseconds}ms step-end {often} both}}"]
        rules += [f".{_name(run)}{{animation-name:{_name(run)}{self._at_rest(run)}}}" for run in moving]
        rules += [f"@keyframes {_name(run)}{{{self._keyframes(run)}}}" for run in moving]
        rules.append(f"@media(prefers-reduced-motion:reduce){{{names}{{animation:none}}}}")
        return "".join(rules)

    def _at_rest(self, run: Run) -> str:
        return ";visibility:visible" if run[1] == len(self.frames) - 1 else ""

    def _keyframes(self, run: Run) -> str:
        """Hidden, seen, hidden; each holds until the next, and what the last frame has is held at the end."""
        first, last = run
        marks = {0.0: first == 0, self._share(first): True}
        if last < len(self.frames) - 1:
            marks[self._share(last + 1)] = False
        marks[100.0] = last == len(self.frames) - 1
        return "".join(f"{at:g}%{{visibility:{'visible' if seen else 'hidden'}}}" for at, seen in marks.items())

    def _share(self, frame: int) -> float:
        """When a frame begins, in percent."""
        before = sum(one.milliseconds for one in self.frames[:frame])
        return round(100 * before / self.milliseconds, 4)

    def _svg(self, body: str, says: str, theme: str, motion: str) -> str:
        size = f'viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}"'
        ground = rectangle(0, 0, self.width, self.height, 'class="surface"', 0)
        classes = re.findall(r'class="([^"]*)"', f"{ground}{body}")
        rules = style([name for listed in classes for name in listed.split()], theme)
        family = self.family.replace('"', "'")
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" xml:lang="{self.language}">',
            f"<title>{text_of(self.title)}</title>",
            f"<desc>{text_of(says)}</desc>",
            f"<style>{rules}{motion}</style>",
            f'<g font-family="{family}" style="font-variant-numeric:tabular-nums" class="text">',
            ground, body, "</g>", "</svg>",
        ]  # fmt: skip
        return "\n".join(lines) + "\n"


def _runs_of(places: Sequence[int]) -> Iterator[Run]:
    """Places in order as ranges without a gap."""
    for _, group in groupby(enumerate(places), key=lambda pair: pair[1] - pair[0]):
        run = [place for _, place in group]
        yield run[0], run[-1]


def _name(run: Run) -> str:
    return f"f{run[0]}-{run[1]}"
