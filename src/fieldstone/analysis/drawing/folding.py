"""Equal passes drawn once: those of a `repeat`, and those that only turn out to be equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from fieldstone.analysis.drawing.lanes import Element, Fold, Fork, Node, Series, Tangle, series_of, steps_in
from fieldstone.analysis.drawing.steps import Step, Steps, steps_of
from fieldstone.analysis.rule import Subject
from fieldstone.design.blocks.structure import Repeat

LONGEST_PASS = 24  # elements of a pass that is looked for
PASSES_TO_FOLD = 4  # of single steps; what splits and joins folds from two on


class Network(NamedTuple):
    """The steps, and how they stand."""

    steps: tuple[Step, ...]
    series: Series


def network_of(subject: Subject) -> Network:
    """The steps of a network as lanes, folded."""
    unfolded: frozenset[str] = frozenset()
    while True:
        steps = steps_of(subject, unfolded)
        series = Folding(steps).declared(series_of([step.sources for step in steps.all]), 0)
        askew = steps.repeats.keys() - set(_paths(series))  # a skip from without reaches into its passes
        if not askew:
            return Network(steps.all, Folding(steps).found(series))
        unfolded |= askew


class Folding:
    """Folds the elements of one network."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.sizes = Counter(path for step in steps.all for path in step.folds)

    def declared(self, series: Series, depth: int) -> Series:
        """The passes of a `repeat` as a fold, where they stand in one piece."""
        elements: list[Element] = []
        for path, group in groupby(series, lambda element: self._repeat(element, depth)):
            run = tuple(group)
            if path is not None and len(set(steps_in(run))) == self.sizes[path]:
                row = self.steps.repeats[path]
                assert isinstance(row.block, Repeat)
                elements.append(Fold(self.declared(run, depth + 1), row.block.times, row, path))
            else:
                elements += [_within(element, lambda lane: self.declared(lane, depth)) for element in run]
        return tuple(elements)

    def _repeat(self, element: Element, depth: int) -> str | None:
        """The repeat that all of an element stands in."""
        paths = {(*self.steps.all[step].folds, *[None] * (depth + 1))[depth] for step in steps_in((element,))}
        return paths.pop() if len(paths) == 1 else None

    def found(self, series: Series) -> Series:
        """Equal passes that follow each other as a fold."""
        inner = [
            replace(element, body=self.found(element.body))
            if isinstance(element, Fold)
            else _within(element, self.found)
            for element in series
        ]
        signs = [self._sign(element) for element in inner]
        elements: list[Element] = []
        place = 0
        while place < len(inner):
            length, times = _passes(signs, place)
            run = tuple(inner[place : place + length])
            splits = any(isinstance(element, Fork) for element in run)
            if times >= (2 if splits else PASSES_TO_FOLD):
                row = self.steps.all[_last(inner[place + length * times - 1])].rows[-1]
                elements.append(Fold(run, times, row))
                place += length * times
            else:
                elements.append(inner[place])
                place += 1
        return tuple(elements)

    def _sign(self, element: Element) -> Hashable:
        """Equal for what is drawn equal, sizes included."""
        match element:
            case Node(step):
                return self._sign_of(step)
            case Fork(lanes, direct, join):
                inner = tuple(tuple(map(self._sign, lane)) for lane in lanes)
                return (inner, direct, None if join is None else self._sign_of(join))
            case Tangle(steps, edges):
                first = steps[0]
                moved = tuple((one - first, other - first) for one, other in edges)
                return (tuple(map(self._sign_of, steps)), moved)
            case Fold(body, times, row):
                return (tuple(map(self._sign, body)), times, row.output_shape)

    def _sign_of(self, step: int) -> Hashable:
        return tuple((row.block.text(), row.input_shape, row.output_shape) for row in self.steps.all[step].rows)


def _within(element: Element, change: Callable[[Series], Series]) -> Element:
    """A fork with other lanes; what has none as it is."""
    return replace(element, lanes=tuple(map(change, element.lanes))) if isinstance(element, Fork) else element


def _passes(signs: list[Hashable], place: int) -> tuple[int, int]:
    """How long the passes are that begin here, and how many are equal: those that cover most."""
    best = (1, 1)
    for length in range(1, min(LONGEST_PASS, (len(signs) - place) // 2) + 1):
        times, first = 1, signs[place : place + length]
        while signs[place + times * length : place + (times + 1) * length] == first:
            times += 1
        if times > 1 and length * times > best[0] * best[1]:
            best = (length, times)
    return best


def _last(element: Element) -> int:
    return list(steps_in((element,)))[-1]


def _paths(series: Series) -> Iterator[str]:
    """The repeats that are folded."""
    for element in series:
        if isinstance(element, Fold):
            yield element.path
            yield from _paths(element.body)
        elif isinstance(element, Fork):
            for lane in element.lanes:
                yield from _paths(lane)
