"""Curves over epochs and the reliability diagram, as SVG that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from markupsafe import Markup, escape

from fieldstone.report.wording import figure, percent, share_tick, tick

WIDTH, HEIGHT = 340.0, 208.0
LEFT, RIGHT, TOP, FOOT = 48.0, 78.0, 34.0, 26.0
MOST_POINTS = 400
APART = 15.0
"""The least distance of two labels."""

SPOKEN = {"training": "training from ", "validation": "validation from ", "alone": "from "}

Number = float | None
Point = tuple[float, float]


@dataclass(frozen=True)
class Curve:
    """A value an epoch; `kind` is `training`, `validation` or `alone`."""

    kind: str
    values: Sequence[Number]

    @property
    def finite(self) -> list[float]:
        return [value for value in self.values if value is not None and isfinite(value)]


@dataclass(frozen=True)
class Panel:
    """One plot over the epochs: its title, its curves, and the epoch that is kept, from 1 on."""

    title: str
    curves: Sequence[Curve]
    epochs: Sequence[int]
    best: int | None = None
    shares: bool = False

    def svg(self) -> Markup:
        """The plot; where there is no finite value it says so."""
        finite = [value for curve in self.curves for value in curve.finite]
        scale = Scale.of_shares(finite) if self.shares else Scale.from_zero(finite)
        parts = [
            f'<svg class="plot" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{escape(self._said())}">',
            f'<text class="plot-title" x="0" y="14">{escape(self.title)}</text>',
            *self._note(),
            *(self._drawn(scale) if finite else [text("no finite value", WIDTH / 2, HEIGHT / 2, "middle")]),
            "</svg>",
        ]
        return Markup("\n".join(parts))

    def written(self, value: Number) -> str:
        """A value as it is written."""
        return percent(value) if self.shares else figure(value)

    def _drawn(self, scale: Scale) -> Iterator[str]:
        for value in scale.ticks:
            y = scale.y(value)
            yield f'<path class="axis" d="M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}"/>'
            yield text(share_tick(value) if self.shares else tick(value), LEFT - 8, y + 4, "end")
        first, last = self.epochs[0], self.epochs[-1]
        yield text(f"epoch {first}", LEFT, HEIGHT - 6, "start")
        yield text(f"{last:,}", WIDTH - RIGHT, HEIGHT - 6, "end")
        shown = thinned(len(self.epochs), self._best_place)
        for curve in self.curves:
            points = [self._point(place, curve.values[place], scale) for place in shown]
            yield f'<path class="curve {curve.kind}" d="{path(points)}"/>'
        yield from self._labels(scale)
        yield from self._dot(scale)

    @property
    def _best_place(self) -> int | None:
        return self.epochs.index(self.best) if self.best in self.epochs else None

    def _point(self, place: int, value: Number, scale: Scale) -> Point | None:
        if value is None or not isfinite(value):
            return None
        first, last = self.epochs[0], self.epochs[-1]
        share = (self.epochs[place] - first) / max(1, last - first)
        return LEFT + share * (WIDTH - RIGHT - LEFT), scale.y(value)

    def _labels(self, scale: Scale) -> Iterator[str]:
        """The name of each curve where it ends, none upon another."""
        ends = sorted((scale.y(curve.finite[-1]), curve.kind) for curve in self.curves if curve.finite)
        if len(self.curves) < 2:
            return
        heights = [y for y, _ in ends]
        if len(ends) == 2 and heights[1] - heights[0] < APART:
            middle = min(max(sum(heights) / 2, TOP + APART / 2), HEIGHT - FOOT - APART / 2)
            heights = [middle - APART / 2, middle + APART / 2]
        for y, (_, kind) in zip(heights, ends, strict=True):
            yield f'<text class="name {kind}" x="{WIDTH - RIGHT + 8:g}" y="{y + 4:.1f}">{kind}</text>'

    def _dot(self, scale: Scale) -> Iterator[str]:
        place = self._best_place
        point = None if place is None else self._point(place, self.curves[-1].values[place], scale)
        if point is not None:
            yield f'<circle class="best" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="4.5"/>'

    def _note(self) -> list[str]:
        place = self._best_place
        if place is None:
            return []
        said = f"epoch {self.best}: {self.written(self.curves[-1].values[place])}"
        return [
            f'<circle class="best" cx="{WIDTH - 6:g}" cy="10" r="4.5"/>',
            text(said, WIDTH - 16, 14, "end"),
        ]

    def _said(self) -> str:
        """The plot in words, for those who do not see it."""
        told = [
            f"{SPOKEN[one.kind]}{self.written(one.values[0])} to {self.written(one.values[-1])}" for one in self.curves
        ]
        place = self._best_place
        kept = (
            ""
            if place is None
            else f"; {self.written(self.curves[-1].values[place])} in epoch {self.best}, which is kept"
        )
        return f"{self.title} over {len(self.epochs):,} epochs: {', '.join(told)}{kept}"


@dataclass(frozen=True)
class Scale:
    """Where a value stands: `low` at the foot of the plot, `high` at its top."""

    low: float
    high: float
    step: float

    @classmethod
    def from_zero(cls, values: Sequence[float]) -> Scale:
        """From 0, or below where a value is, to a round number above all."""
        low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
        step = round_step((high - low or 1) / 4)
        return cls(floor(low / step) * step, (ceil(high / step - 1e-9) or 1) * step, step)

    @classmethod
    def of_shares(cls, values: Sequence[float]) -> Scale:
        """From a round share below all to 1."""
        step = round_step((1 - min(1.0, *values, 1.0) or 0.04) / 4)
        steps = ceil((1 - min(1.0, *values, 1.0)) / step - 1e-9) or 1
        return cls(max(0.0, 1 - steps * step), 1.0, step)

    @property
    def ticks(self) -> list[float]:
        """Round values from low to high."""
        return [place * self.step for place in range(round(self.low / self.step), round(self.high / self.step) + 1)]

    def y(self, value: float) -> float:
        """How far below the top of the drawing."""
        return HEIGHT - FOOT - (value - self.low) / (self.high - self.low) * (HEIGHT - FOOT - TOP)


def round_step(size: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `size`."""
    power = 10.0 ** floor(log10(size))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= size * (1 - 1e-9))


def thinned(count: int, kept: int | None) -> list[int]:
    """Some of the places 0 to count - 1, first and last and `kept` among them, no more than a plot can show."""
    if count <= MOST_POINTS:
        return list(range(count))
    some = {round(place * (count - 1) / (MOST_POINTS - 1)) for place in range(MOST_POINTS)}
    return sorted(some | ({kept} if kept is not None else set()))


def path(points: Sequence[Point | None]) -> str:
    """Lines from point to point, broken where there is none; a point alone is a dot."""
    parts: list[str] = []
    for place, point in enumerate(points):
        if point is None:
            continue
        begins = place == 0 or points[place - 1] is None
        ends = place == len(points) - 1 or points[place + 1] is None
        parts.append(f"{'M' if begins else 'L'}{point[0]:.1f} {point[1]:.1f}{'h0.01' if begins and ends else ''}")
    return "".join(parts)


def text(said: str, x: float, y: float, anchor: str) -> str:
    """A label, whatever is in it."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(said)}</text>'
