"""Lanes found in graphs: put together again they are the graph; and what is folded is what is equal."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fieldstone as fs
import places
import strategies
from fieldstone.analysis.drawing.folding import network_of
from fieldstone.analysis.drawing.lanes import END, START, Fold, Fork, Node, Series, Tangle, series_of
from fieldstone.analysis.drawing.steps import steps_of

Edges = list[tuple[int, int]]


def flow(series: Series, coming: list[int], edges: Edges) -> list[int]:
    """The edges that lanes stand for; what leaves, where these maps come in."""
    for element in series:
        match element:
            case Node(step):
                edges += [(source, step) for source in coming]
                coming = [step]
            case Fork(lanes, direct, join):
                meeting = [end for lane in lanes for end in flow(lane, coming, edges)] + coming * direct
                edges += [(source, join) for source in meeting if join is not None]
                coming = meeting if join is None else [join]
            case Tangle(_, inner):
                sources = [(source, user) for one, user in inner for source in (coming if one == START else [one])]
                edges += [(source, user) for source, user in sources if user != END]
                coming = [source for source, user in sources if user == END]
    return coming


def joined(*sources: list[int]) -> Edges:
    return [(source, step) for step, taken in enumerate(sources) for source in taken]


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    """The sources of each step: earlier ones, sometimes one twice."""
    count = draw(st.integers(2, 12))
    return [[], *(draw(st.lists(st.integers(0, step - 1), min_size=1, max_size=4)) for step in range(1, count))]


@given(graphs())
def test_lanes_put_together_are_the_graph(sources: list[list[int]]) -> None:
    edges: Edges = []
    flow(series_of(sources), [], edges)
    assert Counter(edges) == Counter(joined(*sources))


def test_a_nest_has_no_tangle_and_dense_reading_is_one() -> None:
    nest = series_of([[], [0], [1], [1, 2], [0, 3]])
    assert nest == (Node(0), Fork(((Node(1), Fork(((Node(2),),), 1, 3)),), 1, 4))
    crossed = series_of([[], [0], [0], [1, 2], [1, 2], [3, 4]])
    assert isinstance(crossed[1], Fork)
    assert isinstance(crossed[1].lanes[0][0], Tangle)


def drawn(series: Series, times: int = 1) -> list[tuple[int, int]]:
    """The steps, and how often each stands there."""
    found: list[tuple[int, int]] = []
    for element in series:
        match element:
            case Node(step):
                found.append((step, times))
            case Fork(lanes, _, join):
                found += [one for lane in lanes for one in drawn(lane, times)]
                found += [] if join is None else [(join, times)]
            case Tangle(steps, _):
                found += [(step, times) for step in steps]
            case Fold(body, passes, _):
                found += drawn(body, times * passes)
    return found


@given(strategies.designs())
def test_every_row_is_drawn_as_often_as_it_runs(design: fs.Design) -> None:
    summary = fs.inspect(design, classes=places.OUTPUTS)
    network = network_of(summary.subject)
    once = [row for step, _ in drawn(network.series) for row in network.steps[step].rows]
    assert len({row.path for row in once}) == len(once)
    often = Counter[str]()
    for step, times in drawn(network.series):
        for row in network.steps[step].rows:
            often[row.block.text()] += times
    assert often == Counter(row.block.text() for row in summary.subject.order)


def chain(*layers: object) -> fs.Design:
    return fs.Design((3, 16, 16), [*layers, "globalavgpool", "linear classes"])


@pytest.mark.parametrize(
    ("design", "folds"),
    [
        ("densenet-121", [6, 12, 24, 16]),
        ("resnet-18", [2]),
        ("googlenet", []),
        ("vgg-16", []),
        (chain({"repeat 3": ["conv 8 3", {"repeat 2": ["conv 8 1", "relu"]}]}), [3, 2]),
        (chain(*["conv 8 3 padding=1", "relu"] * 4), []),  # the first reads three channels, so three are equal
        (chain(*["conv 8 3 padding=1", "relu"] * 5), [4]),
        (chain(*["conv 3 3 padding=1", {"residual": ["conv 3 1"]}] * 2), [2]),  # what splits folds from two on
        (chain({"residual": [{"repeat 5": ["conv 3 1"]}]}), [5]),
        (chain("conv 8 1", "save a", "conv 8 1", {"repeat 2": ["conv 8 1", "add a"]}), []),  # a skip from without
    ],
    ids=str,
)
def test_what_is_folded(design: str | fs.Design, folds: list[int]) -> None:
    series = network_of(fs.inspect(design).subject).series

    def found(elements: Series) -> list[int]:
        times: list[int] = []
        for one in elements:
            times += [one.times, *found(one.body)] if isinstance(one, Fold) else []
            times += [inner for lane in one.lanes for inner in found(lane)] if isinstance(one, Fork) else []
        return times

    assert found(series) == folds


def test_a_fold_says_what_leaves_its_last_pass() -> None:
    fold = next(one for one in network_of(fs.inspect("densenet-121").subject).series if isinstance(one, Fold))
    assert fold.row.output_shape == (256, 56, 56)
    assert prod(fold.row.receptive_field) == 59**2


@given(strategies.designs())
def test_steps_take_what_their_rows_take(design: fs.Design) -> None:
    subject = fs.inspect(design, classes=places.OUTPUTS).subject
    repeats = frozenset(row.path for row in subject.rows if row.block.keyword == "repeat")
    steps = steps_of(subject, unfolded=repeats).all
    assert Counter(row.path for step in steps for row in step.rows) == Counter(subject.makers.keys())
    for step in steps[1:]:
        made = tuple(steps[source].rows[-1].path if source else "input" for source in step.sources)
        assert step.rows[0].sources == made
        for before, after in pairwise(step.rows):
            assert after.sources == (before.path,)
            assert subject.after(before) == (after,), "nobody else takes what is not drawn"
