"""The arithmetic of a window as terms that can be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from fieldstone.explain.figures.line import Group, Span, Term, largest, plain, result, sign
from fieldstone.explain.numerals import equals, exact, factor, number
from fieldstone.explain.sums import LARGEST_TERMS, MOST_TERMS
from fieldstone.explain.windows import MaxWindow, MeanWindow, ProductWindow, WindowTrace

Words = dict[str, str]


def arithmetic(windows: Sequence[WindowTrace], words: Words) -> list[list[Group]]:
    """What is computed at one place of the output, a line for each channel of a pooling."""
    first = windows[0]
    if isinstance(first, ProductWindow):
        return [_products(first, words) if len(first.channels) == 1 else _channels(first, words)]
    named = len(windows) > 1
    lines = []
    for window in windows:
        name = words["channel"].format(number=window.position[0] + 1)
        head: list[Group] = [(plain(name, "muted"),)] if named else []
        lines.append([*head, *(_largest(window) if isinstance(window, MaxWindow) else _mean(window))])
    return lines


def _largest(window: MaxWindow) -> list[Group]:
    """`max ( 8, 3, 1, 2 ) = 8`."""
    end: Group = (sign("="), result(number(window.value)))
    if window.values.size > MOST_TERMS:
        return [(plain("max", bold=True),), end]
    places = [(window.position[0], row, column) for row in window.places[0] for column in window.places[1]]
    won = [place == window.winner for place in places]
    shown = zip(won, window.values.flat, window.inside.flat, strict=True)
    terms = [
        largest(number(value)) if first else plain(number(value), "text" if inside else "muted")
        for first, value, inside in shown
    ]
    rows = _in_rows(terms, window, ",", leads=False)
    rows[0] = (sign("("), *rows[0])
    rows[-1] = (*rows[-1], sign(")"))
    return [(plain("max", bold=True),), *rows, end]


def _mean(window: WindowTrace) -> list[Group]:
    """`( 4 + 2 + 6 ) ÷ 3 = 12 ÷ 3 = 4`."""
    assert isinstance(window, MeanWindow)
    total, values = exact(window.sum), window.values
    mean = None if total is None else total / window.count
    ends = (sign(equals([mean], window.value)), result(number(window.value)))
    if values.size > MOST_TERMS:
        return [(plain(number(window.sum)), sign("÷"), plain(str(window.count)), *ends)]
    shown = zip(values.flat, window.inside.flat, strict=True)
    terms = [plain(factor(value), "text" if inside else "muted") for value, inside in shown]
    rows = _in_rows(terms, window, "+", leads=True)
    rows[0] = (sign("("), *rows[0])
    rows[-1] = (*rows[-1], sign(")"), sign("÷"), plain(str(window.count)))
    parts = [exact(value) for value in values[window.counted[None]]]
    middle = (sign(equals(parts, window.sum)), plain(number(window.sum)), sign("÷"), plain(str(window.count)))
    return [*rows, (*middle, *ends)]


def _products(window: ProductWindow, words: Words) -> list[Group]:
    """`3×1 + 2×(−1) + bias 1 = 2`."""
    values, weights = window.values, window.weight
    terms = [product_term(*pair) for pair in zip(values.flat, weights.flat, strict=True)]
    parts = [_product(*pair) for pair in zip(values.flat, weights.flat, strict=True)]
    if len(terms) > MOST_TERMS:
        order = np.argsort(-np.abs(window.products).ravel(), kind="stable")[:LARGEST_TERMS]
        more = plain(words["more"].format(count=len(terms) - LARGEST_TERMS), "muted")
        rows = [_joined([terms[at] for at in order], "+"), (sign("+"), more)]
    else:
        rows = _in_rows(terms, window, "+", leads=True)
    return [*rows, _ending(window, parts, words)]


def _channels(window: ProductWindow, words: Words) -> list[Group]:
    """`Σ 4 + (−3) + 7 + bias 1 = 9`, of the sums of the channels."""
    sums = window.products.sum(axis=(1, 2))
    terms = [plain(factor(one)) for one in sums]
    return [(plain("Σ", bold=True),), _joined(terms, "+"), _ending(window, [exact(one) for one in sums], words)]


def _ending(window: ProductWindow, parts: list[Fraction | None], words: Words) -> Group:
    """The bias, and what stands in the output; without any product the bias alone."""
    if window.bias is None:
        return sign(equals(parts, window.value)), result(number(window.value))
    parts = [*parts, exact(window.bias)]
    bias = (sign("+"), plain(words["bias"], "muted"), plain(factor(window.bias)))
    return *bias, sign(equals(parts, window.value)), result(number(window.value))


def _in_rows(terms: list[Term], window: WindowTrace, between: str, *, leads: bool) -> list[Group]:
    """A group for each row of the window; the sign between two rows leads the later one, or ends the earlier one."""
    width = window.values.shape[-1]
    rows = [_joined(terms[at : at + width], between) for at in range(0, len(terms), width)]
    if leads:
        return [rows[0], *((sign(between), *row) for row in rows[1:])]
    return [*((*row, sign(between)) for row in rows[:-1]), rows[-1]]


def _joined(terms: Sequence[Term], between: str) -> Group:
    joined: Group = (terms[0],)
    for term in terms[1:]:
        joined = (*joined, sign(between), term)
    return joined


def product_term(value: float, weight: float) -> Term:
    """`3×(−1)`: the weight in the colour of its sign, all of it muted where it adds nothing."""
    if value * weight == 0:
        return plain(f"{factor(value)}×{factor(weight)}", "muted")
    return Term((Span(f"{factor(value)}×"), Span(factor(weight), "pos" if weight > 0 else "neg", True)))


def _product(value: float, weight: float) -> Fraction | None:
    one, other = exact(value), exact(weight)
    return None if one is None or other is None else one * other
