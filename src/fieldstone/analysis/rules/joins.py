"""Rules about maps that are joined: whether they lie on each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import combinations
from math import lcm
from typing import NamedTuple

from fieldstone.analysis.rule import Example, Found, Rule, Subject, joined_by, window_of
from fieldstone.analysis.rules.wording import SIDES, plural
from fieldstone.design.field import Field
from fieldstone.design.names import INPUT
from fieldstone.design.spans import MOST_VALUES, Path, telling
from fieldstone.design.walk import Row
from fieldstone.geometry import Window

LEAST_SHIFT = Fraction(1, 2)
"""Maps are misaligned where values look half a place or more apart, and neither sees all that the other does."""

LEAST_OFFSET = 1
FROM_THE_MIDDLE = Fraction(1, 2)
"""Where one sees all that the other does, they are if it looks on average a place or more beside it, and the other lies
further from its middle than this share of the way to its border: deep u-nets and pyramids move by less."""


class Shift(NamedTuple):
    """Where two maps look furthest apart along an axis, in places of the coarser one; the pixels they look at there."""

    size: Fraction
    axis: int
    place: int
    names: tuple[str, str]
    centres: tuple[Fraction, Fraction]
    jumps: tuple[Fraction, Fraction]

    def __str__(self) -> str:
        (one, other), (here, there), (step, stride) = self.names, self.centres, self.jumps
        steps = (
            f" (its values are {float(step):g} pixels apart, the other's {float(stride):g})" if step != stride else ""
        )
        return f"{one} looks at pixel {float(here):g}{steps}, {other} at {float(there):g}"


def misaligned(subject: Subject) -> Iterator[Found]:
    """Maps joined whose values at one place look at different places of the input."""
    for row in subject.rows:
        joins = row.path in subject.makers and len(row.sources) > 1 and window_of(row) is None
        if not joins or len(row.output_shape) < 2 or _lays_phases(subject, row):
            continue
        fields = {source: _field(subject, row, source) for source in row.sources}
        known = [(source, field) for source, field in fields.items() if field is not None]
        pairs = combinations(known, 2)
        shifts = [shift for pair in pairs for shift in _shifts(*pair) if shift.size >= LEAST_SHIFT]
        if shifts:
            worst = max(shifts)
            name = SIDES[len(row.output_shape) - 1][worst.axis]
            yield Found(
                row.path,
                f"{row.block.text()} joins maps that do not lie on each other: at {name} {worst.place} {worst}; "
                f"that is {plural(float(worst.size), 'place')} apart",
                "give the paths equal strides, pad each window by half of what it spans, and crop both ends alike"
                if worst.jumps[0] == worst.jumps[1]
                else "reduce or enlarge one of them until its values are as far apart as the other's",
            )


class Phase(NamedTuple):
    """Every so many places of a map, from the offsets on."""

    source: str
    strides: tuple[int, ...]
    offsets: tuple[int, ...]


def _lays_phases(subject: Subject, row: Row) -> bool:
    """Whether it concatenates different phases of one map: a pixel unshuffle, whose places are meant to be apart."""
    phases = [_phase(subject, source, len(row.output_shape) - 1) for source in row.sources]
    alike = len({(phase.source, phase.strides) for phase in phases}) == 1 and max(phases[0].strides) > 1
    within = all(0 <= at < step for phase in phases for at, step in zip(phase.offsets, phase.strides, strict=True))
    return joined_by(row) == "concat" and alike and within and len(set(phases)) == len(phases)


def _phase(subject: Subject, source: str, rank: int) -> Phase:
    """What slices take of the map that they were cut from."""
    row = subject.makers.get(source)
    window = None if row is None else window_of(row)
    if row is None or row.params or not isinstance(window, Window) or window.kernel != (1,) * rank:
        return Phase(source, (1,) * rank, (0,) * rank)
    before = _phase(subject, row.sources[0], rank)
    axes = list(zip(before.strides, before.offsets, window.stride, window.padding, strict=True))
    strides = tuple(step * stride for step, _, stride, _ in axes)
    return Phase(before.source, strides, tuple(first - step * pad for step, first, _, (pad, _) in axes))


def _field(subject: Subject, row: Row, source: str) -> Field | None:
    """What the values of a source see as they are joined: of a larger map its centre is cut out."""
    field = subject.field(source)
    shape = subject.input if source == INPUT else subject.makers[source].output_shape
    if len(shape) != len(row.output_shape):  # a module may join what has no sides, or others
        return None
    return field if field is None or shape[1:] == row.output_shape[1:] else field.cut(row.output_shape[1:])


def _shifts(one: tuple[str, Field], other: tuple[str, Field]) -> Iterator[Shift]:
    """Along every axis."""
    for axis, (mine, theirs) in enumerate(zip(one[1].axes, other[1].axes, strict=True)):
        paths = (mine.seen, theirs.seen)
        if min(path.advance for path in paths) > 0:  # a value that sees everything lies everywhere
            beside = _is_beside(*paths, in_time=len(one[1].axes) == 1)
            places = _turn(*paths) if mine.seen.jump == theirs.seen.jump else telling(paths, mine.pixels)
            size, place = max((_apart(*paths, place, beside), place) for place in places)
            jumps = (paths[0].jump, paths[1].jump)
            centres = (_centre(paths[0], place), _centre(paths[1], place))
            yield Shift(size, axis, place, (_called(one[0]), _called(other[0])), centres, jumps)


def _turn(one: Path, other: Path) -> range:
    """The places of a turn of both, at most so many: where both move alike, all there is."""
    return range(min(one.length, lcm(one.period, other.period), MOST_VALUES))


def _apart(one: Path, other: Path, place: int, beside: bool) -> Fraction:
    """In places of the coarser; none where one sees all that the other does and they neither drift nor lie beside."""
    spans = [span for span in (one.span(place), other.span(place)) if span is not None]
    coarser, drift = max(one.jump, other.jump), abs(one.jump - other.jump) * (one.length - 1)
    if len(spans) < 2 or (_nested(*spans) and drift <= coarser and not beside):
        return Fraction(0)
    return abs(_centre(one, place) - _centre(other, place)) / coarser


def _is_beside(one: Path, other: Path, *, in_time: bool) -> bool:
    """Whether what one sees lies beside the middle of what the other sees, on average over the places.

    What is enlarged looks in turn before and behind its place, and on average at it. Along a single axis, time, the
    one that sees more may look further back: a causal convolution does.
    """
    spans = [(one.span(place), other.span(place)) for place in _averaged(one, other)]
    known = [(mine, theirs) for mine, theirs in spans if mine is not None and theirs is not None]
    if not known:
        return False
    offset = _mean([Fraction(sum(mine) - sum(theirs), 2) for mine, theirs in known])
    room = _mean([Fraction((mine[1] - mine[0]) - (theirs[1] - theirs[0]), 2) for mine, theirs in known])
    if in_time and offset * room < 0:
        return False
    return abs(offset) >= LEAST_OFFSET * max(one.jump, other.jump) and abs(offset) > FROM_THE_MIDDLE * abs(room)


def _averaged(one: Path, other: Path) -> Iterable[int]:
    """Places that show what all do on average: a turn, or every one; of a long axis the first turn and the last."""
    turn = _turn(one, other)
    if one.jump == other.jump:
        return turn
    return range(one.length) if one.length <= MOST_VALUES else (*turn, *(one.length - 1 - place for place in turn))


def _mean(numbers: list[Fraction]) -> Fraction:
    return sum(numbers, Fraction(0)) / len(numbers)


def _nested(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether one holds the other."""
    outer = (min(one[0], other[0]), max(one[1], other[1]))
    return outer in (one, other)


def _centre(path: Path, place: int) -> Fraction:
    span = path.span(place)
    return Fraction(sum(span), 2) if span else Fraction(0)


def _called(source: str) -> str:
    return "the input" if source == INPUT else f"the map of {source}"


END = ("relu", "globalavgpool", "linear classes")

RULES = (
    Rule(
        code="FS111",
        severity="warning",
        title="joined maps that do not lie on each other",
        why="An addition or concatenation takes the values at one place for descriptions of one place. Where the paths "
        "have different strides, or look before or behind it, the sum mixes what stands beside each other: edges "
        "double, and a segmentation is moved. Along a single axis, time, a path may look further back. Phases of one "
        "map side by side (a pixel unshuffle, the slices of YOLOv5's Focus and of Swin's patch merging) are meant.",
        source="Araujo, Norris and Sim, Computing receptive fields of convolutional neural networks, Distill 2019, "
        "section on alignment",
        check=misaligned,
        bad=Example((3, 33, 33), ({"branches concat": [["conv 8 3 stride=2"], ["conv 8 18"]]}, *END)),
        good=Example(
            (3, 33, 33), ({"branches concat": [["conv 8 3 stride=2"], ["conv 8 5 stride=2 padding=1"]]}, *END)
        ),
    ),
)
