"""What is computed in a window, as a line of arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fieldstone.explain.arrays import Array
from fieldstone.explain.numerals import equals, exact, factor, number
from fieldstone.explain.windows import MaxWindow, MeanWindow, WindowTrace

MOST_TERMS = 25  # products of a map that are written out; of more the largest few
LARGEST_TERMS = 6
LINE = 60  # characters of a line of products


def result_line(window: WindowTrace) -> str:
    """`max = 9`, `mean = 45 ÷ 9 = 5`."""
    if isinstance(window, MaxWindow):
        return f"max = {number(window.value)}"
    assert isinstance(window, MeanWindow)
    total = exact(window.sum)
    mean = None if total is None else total / window.count
    return f"mean = {number(window.sum)} ÷ {window.count} {equals([mean], window.value)} {number(window.value)}"


def product_lines(values: Array, weight: Array, bias: float | None, result: float) -> list[str]:
    """`1×2 + 3×(−1)`, a line for each row of the window; then `+ 5 (bias)` where there is one, and `= 4`."""
    lines = _few(values, weight) if values.size > MOST_TERMS else _all(values, weight)
    lines = [("+ " if number else "  ") + line for number, line in enumerate(lines)]
    parts = [_product(*pair) for pair in zip(values.flat, weight.flat, strict=True)]
    if bias is not None:
        lines.append(f"+ {factor(bias)} (bias)")
        parts.append(exact(bias))
    return [*lines, f"{equals(parts, result)} {number(result)}"]


def total_line(sums: list[float], bias: float | None, result: float, most: int) -> str:
    """The sums of the maps that a convolution reads, the first few of them written, and what they come to."""
    terms = [factor(one) for one in sums[:most]]
    terms += [f"{len(sums) - most} more"] if len(sums) > most else []
    terms += [] if bias is None else [f"{factor(bias)} (bias)"]
    parts = [*map(exact, sums), *([] if bias is None else [exact(bias)])]
    return f"{' + '.join(terms)} {equals(parts, result)} {number(result)}"


def nothing_line(bias: float | None, result: float) -> str:
    """What stands where no value reaches."""
    return f"nothing reaches it: {number(result)}{'' if bias is None else ', the bias'}"


def _product(value: float, weight: float) -> Fraction | None:
    one, other = exact(value), exact(weight)
    return None if one is None or other is None else one * other


def _all(values: Array, weight: Array) -> list[str]:
    """Every product, a line for each row."""
    terms = [[_term(*pair) for pair in zip(*row, strict=True)] for row in zip(values, weight, strict=True)]
    return _aligned(terms)


def _few(values: Array, weight: Array) -> list[str]:
    """The largest products, and how many others."""
    order = np.argsort(-np.abs(values * weight).ravel(), kind="stable")[:LARGEST_TERMS]
    terms = [_term(values.flat[at], weight.flat[at]) for at in order]
    half = LARGEST_TERMS // 2
    return [*_aligned([terms[:half], terms[half:]]), f"{values.size - LARGEST_TERMS} more"]


def _aligned(terms: list[list[str]]) -> list[str]:
    """Rows of terms in columns, each a sum; a row that is too long on more lines."""
    widths = [max(map(len, column)) for column in zip(*terms, strict=True)]
    lines = []
    for row in terms:
        cells = [term.rjust(width) for term, width in zip(row, widths, strict=True)]
        count = max(1, LINE // (max(widths) + 3))
        lines += [" + ".join(cells[start : start + count]) for start in range(0, len(cells), count)]
    return lines


def _term(value: float, weight: float) -> str:
    return f"{factor(value)}×{factor(weight)}"
