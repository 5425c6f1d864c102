"""Rules about branches: those that nothing uses, that cannot change, or that add nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from fieldstone.analysis.rule import Example, Found, Rule, Subject, joined_by
from fieldstone.design.blocks.pooling import MaxPool
from fieldstone.design.blocks.structure import Branches, Join, Parallel, Save, Sequence
from fieldstone.design.names import INPUT
from fieldstone.design.walk import Row
from fieldstone.geometry import Shape, numel

NEVER_ABOVE_0 = {"logsigmoid", "logsoftmax"}


class Always(NamedTuple):
    """What a block gives whatever its input is: where `holds` of the block, its input's shape, and what made that."""

    keywords: tuple[str, ...]
    gives: str
    holds: Callable[[Any, Shape, set[str]], bool]


ALWAYS = (
    Always(("dropout", "channeldropout", "alphadropout"), "0 in training", lambda block, _shape, _before: block.p == 1),
    Always(("softmax",), "1, the share of its one channel", lambda _block, shape, _before: shape[0] == 1),
    Always(("logsoftmax",), "0, of its one channel", lambda _block, shape, _before: shape[0] == 1),
    Always(("layernorm",), "the same, of its one number", lambda _block, shape, _before: numel(shape) == 1),
    Always(("relu", "relu6"), "0, of what is never above 0", lambda _block, _shape, before: before <= NEVER_ABOVE_0),
)


def dead_branches(subject: Subject) -> Iterator[Found]:
    """Saved maps that nothing uses, blocks whose output is constant, and joins of one map or of a map with itself."""
    said = _said(subject)
    for place, row in enumerate(subject.rows):
        if name := _gives(row):
            scope = _scope(subject, row)
            if not any(later > place and path.startswith(scope) for later, path in said.get(name, ())):
                yield _unused(row, name)
        if isinstance(row.block, Parallel | Join):
            yield from _adds_nothing(row)
        else:
            yield from _constant(subject, row)


def _gives(row: Row) -> str | None:
    """The name that it gives to what it makes."""
    return row.block.name if isinstance(row.block, Save | MaxPool) else None


def _unused(row: Row, name: str) -> Found:
    if isinstance(row.block, Save):
        return Found(row.path, f"nothing uses the map {name}", f"remove it, or put `concat {name}` where it belongs")
    fix = f"leave out name={name}, or put `maxunpool {name}` where it belongs"
    return Found(row.path, f"nothing uses the places that {row.block.text()} keeps", fix)


def _said(subject: Subject) -> dict[str, list[tuple[int, str]]]:
    """By name, the blocks that say it, but for those that give it: their place and path."""
    said: dict[str, list[tuple[int, str]]] = {}
    for place, row in enumerate(subject.rows):
        for value in vars(row.block).values():
            if isinstance(value, str) and value != _gives(row):
                said.setdefault(value, []).append((place, row.path))
    return said


def _scope(subject: Subject, row: Row) -> str:
    """What the paths begin with of the blocks that see its name; a list within a list opens no scope."""
    lists = {one.path for one in subject.rows if isinstance(one.block, Sequence)}
    path = row.path.rpartition(".")[0]
    while path in lists:
        path = path.rpartition(".")[0]
    return f"{path}." if path else ""


def _adds_nothing(row: Row) -> Iterator[Found]:
    how = joined_by(row)
    again = next((source for source in row.sources if row.sources.count(source) > 1), None)
    if isinstance(row.block, Branches) and len(row.sources) == 1:
        yield Found(row.path, f"{row.block.text()} has one path, and joins nothing", "write its blocks by themselves")
    elif again is not None and how != "multiply":
        what = "the design's input" if again == INPUT else f"the output of block {again}"
        times = row.sources.count(again)
        does = "adds it to itself, which only scales it" if how == "add" else "puts copies of it side by side"
        yield Found(
            row.path,
            f"{row.block.text()} takes {what} {'twice' if times == 2 else f'{times} times'}, and {does}",
            "give all but one of these paths blocks of their own, or take them out",
        )


def _constant(subject: Subject, row: Row) -> Iterator[Found]:
    before = {one.block.keyword for one in subject.before(row)} or {INPUT}
    for always in ALWAYS:
        if row.block.keyword in always.keywords and always.holds(row.block, row.input_shape, before):
            yield Found(
                row.path,
                f"{row.block.text()} always gives {always.gives}: nothing before it is learned through it",
                f"remove this {row.block.keyword}, or the path that it is on",
            )


BODY = ("conv 8 3 padding=1", "relu")
RULES = (
    Rule(
        code="FS207",
        severity="warning",
        title="a branch that is dead, unused or adds nothing",
        why="A map that is saved and never joined, a path that always gives the same, a join of a map with itself: the "
        "network runs, and is not the one that was meant. In training, `dropout 1` keeps nothing (its number is the "
        "share that is dropped, not kept), and softmax over one channel is 1.",
        source="torch.nn.Dropout and torch.nn.Softmax",
        check=dead_branches,
        bad=Example((3, 32, 32), (*BODY, "save skip", *BODY, "globalavgpool", "linear classes")),
        good=Example((3, 32, 32), (*BODY, "save skip", *BODY, "concat skip", "globalavgpool", "linear classes")),
    ),
)
