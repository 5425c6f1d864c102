"""What stands under the grids: the key, and the arithmetic of each step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from fieldstone.explain.figures import line
from fieldstone.explain.figures.stage import KEY_ROW, MARGIN, Look, key, key_lines


@dataclass(frozen=True)
class Under:
    """From `top` on, in a figure of that width.

    Attributes:
        present: by the name of an entry of the key whether it is there.
        arithmetic: of each step lines of groups of terms, before they are broken.
    """

    look: Look
    top: float
    width: float
    present: Mapping[str, bool]
    arithmetic: Sequence[Iterable[Sequence[line.Group]]]

    @property
    def height(self) -> float:
        """With the margin of the figure."""
        lines = max(map(len, self._lines))
        return self._below - self.top + (line.HEIGHT * lines + 16 if lines else MARGIN)

    def drawn(self, step: int) -> Iterator[str]:
        """The key, and the arithmetic of a step."""
        if self.look.key:
            yield from key(self._key, self.look.words, self.top + 24)
        if lines := self._lines[step]:
            yield line.drawn(lines, MARGIN + 2, self._below + 6 + line.HEIGHT / 2)

    @property
    def _room(self) -> float:
        return self.width - 2 * MARGIN

    @cached_property
    def _key(self) -> list[list[str]]:
        return key_lines([name for name, there in self.present.items() if there], self.look.words, self._room)

    @property
    def _below(self) -> float:
        return self.top + (12 + KEY_ROW * len(self._key) if self.look.key else 0)

    @cached_property
    def _lines(self) -> list[list[list[line.Group]]]:
        """Of each step the lines as they are drawn; none where no arithmetic is wanted."""
        if not self.look.arithmetic:
            return [[] for _ in self.arithmetic]
        return [[part for groups in step for part in line.wrapped(groups, self._room)] for step in self.arithmetic]
