"""The graph of a network as lanes that split and join, found from its edges alone.

Between a step whose map goes several ways and the first step that all of these ways meet in stand lanes, which are
again in order. What is no such nest (every layer reading all before it, say) is a tangle: drawn in a line, with arcs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from fieldstone.design.walk import Row

START, END = -1, 2**31
"""Where several ways begin or end without a step of their own."""

After = Mapping[int, Sequence[int]]  # by step, those that take its map, one for each use


@dataclass(frozen=True)
class Node:
    """One step."""

    step: int


@dataclass(frozen=True)
class Fork:
    """Lanes from one map, the number of ways without a step, and the step that joins them; None joins nothing."""

    lanes: tuple[Series, ...]
    direct: int
    join: int | None


@dataclass(frozen=True)
class Tangle:
    """Steps in their order, and the edges between them, START and END included."""

    steps: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Fold:
    """The first of several equal passes. `row` says what leaves the last one; `path` is a repeat's, else empty."""

    body: Series
    times: int
    row: Row
    path: str = ""


Element = Node | Fork | Tangle | Fold
Series = tuple[Element, ...]


def series_of(sources: Sequence[Sequence[int]]) -> Series:
    """The steps of a graph, given by each one's sources, earlier ones all; the first has none."""
    after: dict[int, list[int]] = {step: [] for step in range(len(sources))}
    for step, taken in enumerate(sources):
        for source in taken:
            after[source].append(step)
    ends = [step for step, users in after.items() if not users]
    if len(ends) == 1:
        return _series(after, 0, ends[0])
    return _series({**after, **{end: [END] for end in ends}}, 0, END)


def steps_in(elements: Iterable[Element]) -> Iterator[int]:
    """Every step in some elements."""
    for element in elements:
        match element:
            case Node(step):
                yield step
            case Fork(lanes, _, join):
                for lane in lanes:
                    yield from steps_in(lane)
                yield from () if join is None else (join,)
            case Tangle(steps, _):
                yield from steps
            case Fold(body):
                yield from steps_in(body)


def _series(after: After, first: int, last: int) -> Series:
    """From a step that all ways leave to one that all ways meet in."""
    meets = _meets(after, last)
    elements: list[Element] = [] if first == START else [Node(first)]
    here = first
    while here != last:
        there = meets[here]
        join = None if there == END else there
        if len(after[here]) > 1:
            elements.append(_fork(after, here, there, join))
        elif join is not None:
            elements.append(Node(join))
        here = there
    return tuple(elements)


def _meets(after: After, last: int) -> dict[int, int]:
    """By step the first one that all of its ways pass (its immediate post-dominator)."""
    meets, depth = {last: last}, {last: 0}

    def common(one: int, other: int) -> int:
        while one != other:
            if depth[one] >= depth[other]:
                one = meets[one]
            else:
                other = meets[other]
        return one

    for step in sorted(after.keys() - {last}, reverse=True):
        meets[step] = reduce(common, after[step])
        depth[step] = depth[meets[step]] + 1
    return meets


def _fork(after: After, here: int, there: int, join: int | None) -> Fork:
    direct = sum(step == there for step in after[here])
    return Fork(tuple(_lane(after, part, here, there) for part in _parts(after, here, there)), direct, join)


def _parts(after: After, here: int, there: int) -> list[list[int]]:
    """The steps between two, in groups that no edge connects."""
    between: set[int] = set()
    waiting = [step for step in after[here] if step != there]
    while waiting:
        step = waiting.pop()
        if step not in between:
            between.add(step)
            waiting += [user for user in after[step] if user != there]
    group = {step: {step} for step in between}
    for step in between:
        for user in set(after[step]) - {there}:
            if group[step] is not group[user]:
                group[step] |= group[user]
                for member in group[user]:
                    group[member] = group[step]
    return sorted({min(members): sorted(members) for members in group.values()}.values())


def _lane(after: After, part: Sequence[int], here: int, there: int) -> Series:
    starts = [step for step in after[here] if step in set(part)]
    ends = [step for step in part for user in after[step] if user == there]
    inner = {step: [END if user == there else user for user in after[step]] for step in part}
    if len(ends) == 1:
        inner[ends[0]] = []
    if len(starts) > 1:
        inner[START] = starts
    if len(ends) > 1 and len(starts) > 1 and _meets(inner, END)[START] == END:
        edges = [(step, user) for step in sorted(inner) for user in inner[step]]
        return (Tangle(tuple(part), tuple(edges)),)
    return _series(inner, START if len(starts) > 1 else starts[0], END if len(ends) > 1 else ends[0])
