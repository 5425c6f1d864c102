"""Passes of a repeat as a loop: those that read the same, and those in which one number grows by the same step."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count, pairwise

from fieldstone.network.code_lines import Group, Layer, Loop, Node

NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")
COUNTER = "channels"
FEWEST = 3
"""So many passes of a growing number are a loop; two are easier to read as they are."""

Pass = tuple[Node, ...]


def passes_in_loops(passes: list[Pass]) -> tuple[Node, ...]:
    """The modules of passes one after another; those in a row that a loop can say are one."""
    found: list[Node] = []
    while passes:
        same, growing = _alike(passes), _growing(passes)
        turns = same if same > 1 else growing if growing >= FEWEST else 1
        if turns == 1:
            found += passes[0]
        else:
            found.append(_same(passes[0], turns) if same > 1 else _counted(passes[0], passes[1], turns))
        passes = passes[turns:]
    return tuple(found)


def one_module(nodes: Pass) -> Layer | Group:
    """The modules as one; none is the identity."""
    if not nodes:
        return Layer("nn.Identity")
    return nodes[0] if len(nodes) == 1 and not isinstance(nodes[0], Loop) else Group("nn.Sequential", nodes)


def _alike(passes: list[Pass]) -> int:
    """How many of the first passes read the same."""
    return next((turn for turn, nodes in enumerate(passes) if nodes != passes[0]), len(passes))


@dataclass(frozen=True)
class Change:
    """A number that differs between two passes: what it was, what it becomes, and at which of the numbers it stands."""

    before: int
    after: int
    places: tuple[int, ...]

    def next(self) -> Change:
        """The same step once more."""
        return Change(self.after, 2 * self.after - self.before, self.places)


def _growing(passes: list[Pass]) -> int:
    """How many of the first passes differ by one number alone, which grows, or falls, by the same step."""
    turns, wanted = 1, None
    for before, after in pairwise(passes):
        change = _change(before, after)
        if change is None or change != (wanted or change):
            break
        turns, wanted = turns + 1, change.next()
    return turns


def _change(before: Pass, after: Pass) -> Change | None:
    """What differs between two passes, where that is one number."""
    first, second = _texts(before), _texts(after)
    if [NUMBER.sub("0", text) for text in first] != [NUMBER.sub("0", text) for text in second] or COUNTER in str(first):
        return None
    numbers = list(zip(*(map(int, NUMBER.findall(" ".join(texts))) for texts in (first, second)), strict=True))
    places = tuple(place for place, (one, other) in enumerate(numbers) if one != other)
    pairs = {numbers[place] for place in places}
    if len(pairs) != 1:
        return None
    ((was, becomes),) = pairs
    return Change(was, becomes, places)


def _same(nodes: Pass, turns: int) -> Loop:
    return Loop(f"for _ in range({turns})", one_module(nodes))


def _counted(first: Pass, second: Pass, turns: int) -> Loop:
    """Passes that `_growing` counted, with the counter in the place of each number that differs."""
    change = _change(first, second)
    assert change is not None
    places = count()

    def counter(number: re.Match[str]) -> str:
        return COUNTER if next(places) in change.places else number[0]

    body = tuple(_rewritten(node, lambda text: NUMBER.sub(counter, text)) for node in first)
    step = change.after - change.before
    return Loop(f"for {COUNTER} in range({change.before}, {change.before + turns * step}, {step})", one_module(body))


def _texts(nodes: Pass) -> list[str]:
    """Whatever may hold a number, and the names of the layers, in the order of `_rewritten`."""
    texts: list[str] = []

    def read(text: str) -> str:
        texts.append(text)
        return text

    for node in nodes:
        _rewritten(node, read)
    return texts


def _rewritten(node: Node, change: Callable[[str], str]) -> Node:
    """The node with each of its texts changed."""
    if isinstance(node, Loop):
        return Loop(change(node.turns), _rewritten_module(node.body, change))
    return _rewritten_module(node, change)


def _rewritten_module(node: Layer | Group, change: Callable[[str], str]) -> Layer | Group:
    call = change(node.call)
    if isinstance(node, Layer):
        return Layer(call, tuple(map(change, node.arguments)), change(node.comment))
    children = tuple(_rewritten(child, change) for child in node.children)
    keywords = tuple((key, _rewritten(child, change)) for key, child in node.keywords)
    return replace(node, call=call, children=children, keywords=keywords)
