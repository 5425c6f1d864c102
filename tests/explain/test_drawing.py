"""The text of a trace: golden ones in the documentation and here, and what holds for all."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from math import ceil, floor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fieldstone as fs
from fieldstone.explain.boxes import WIDTH
from fieldstone.explain.numerals import equals, exact, factor, number

DILATED = """\
maxpool 2 stride=2 padding=1 dilation=2: 1x3x3 → 1x2x2
floor((3 + 2·1 − 2·(2−1) − 1)/2) + 1 = 2 along each side

input
 (−∞) (−∞) (−∞) (−∞) (−∞)
     ┌──────────────┐
 (−∞)│  1    2    3 │(−∞)
 (−∞)│  4    5    6 │(−∞)
 (−∞)│  7    8    9 │(−∞)
     └──────────────┘
 (−∞) (−∞) (−∞) (−∞) (−∞)

4 windows: the largest value of each   [ ] the largest   ( ) padding   · not read

output row 1, column 1       output row 1, column 2
┌──────────────┐                       ┌──────────────┐
│(−∞)   ·  (−∞)│(−∞) (−∞)     (−∞) (−∞)│(−∞)   ·  (−∞)│
│  ·    ·    · │  3  (−∞)     (−∞)   1 │  ·    ·    · │
│(−∞)   ·   [5]│  6  (−∞)     (−∞)   4 │ [5]   ·  (−∞)│
└──────────────┘                       └──────────────┘
 (−∞)   7    8    9  (−∞)     (−∞)   7    8    9  (−∞)
 (−∞) (−∞) (−∞) (−∞) (−∞)     (−∞) (−∞) (−∞) (−∞) (−∞)
max = 5                      max = 5

output row 2, column 1       output row 2, column 2
 (−∞) (−∞) (−∞) (−∞) (−∞)     (−∞) (−∞) (−∞) (−∞) (−∞)
 (−∞)   1    2    3  (−∞)     (−∞)   1    2    3  (−∞)
┌──────────────┐                       ┌──────────────┐
│(−∞)   ·   [5]│  6  (−∞)     (−∞)   4 │ [5]   ·  (−∞)│
│  ·    ·    · │  9  (−∞)     (−∞)   7 │  ·    ·    · │
│(−∞)   ·  (−∞)│(−∞) (−∞)     (−∞) (−∞)│(−∞)   ·  (−∞)│
└──────────────┘                       └──────────────┘
max = 5                      max = 5

output
┌───────┐
│ 5   5 │
│ 5   5 │
└───────┘
"""

PAGE = Path(__file__).parents[2] / "docs" / "trace.md"


def test_the_page_shows_what_is_printed() -> None:
    pairs = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(pairs) == 6
    for code, text in pairs:
        with redirect_stdout(printed := StringIO()):
            exec(compile(code, str(PAGE), "exec"), {})
        assert printed.getvalue() == text


def test_dilation_skips_and_padding_is_marked() -> None:
    trace = fs.trace("maxpool 2 dilation=2 padding=1 stride=2", [[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    assert f"{trace}\n" == DILATED


@pytest.mark.parametrize("keepdims", [False, True])
def test_the_whole_map_is_drawn_once(keepdims: bool) -> None:
    text = repr(fs.trace(f"globalavgpool keepdims={str(keepdims).lower()}", [[1, 2], [3, 5]]))
    assert "one window reads the whole map" in text
    assert "1 window: the mean of it" in text
    assert "mean = 11 ÷ 4 = 2.75" in text
    assert text.count("│ 1   2 │") == 1


def test_channels_add_up() -> None:
    weight = np.arange(8).reshape(1, 2, 2, 2)
    text = repr(fs.trace("conv 1 2", [[[1, 2], [3, 4]], [[5, 6], [7, 8]]], weight=weight, bias=-1))
    assert "= 20" in text
    assert "= 148" in text
    assert "20 + 148 + (−1) (bias) = 167" in text


def test_rounded_lines_say_so() -> None:
    text = repr(fs.trace("avgpool 3", np.arange(9).reshape(3, 3) * 0.1 + 0.001))
    assert "mean = 3.61 ÷ 9 ≈ 0.40" in text
    assert "mean = 36 ÷ 9 = 4" in repr(fs.trace("avgpool 3", np.arange(9).reshape(3, 3)))


def test_large_traces_say_what_is_left_out() -> None:
    text = repr(fs.trace("maxpool 3 stride=1 dilation=9", np.arange(9 * 40 * 40).reshape(9, 40, 40)))
    assert "… and 5 more maps" in text
    assert "… and 4,352 more windows" in text
    assert "reads row 1 to 19, column 1 to 19" in text
    assert "max = 738 at row 19, column 19" in text
    assert max(map(len, text.splitlines())) <= WIDTH


def test_many_products_show_the_largest() -> None:
    weight = np.zeros((6, 6))
    weight[5, 5], weight[0, 0] = -100, 3
    lines = repr(fs.trace("conv 1 6", np.ones((6, 6)), weight=weight)).splitlines()
    assert any(line.endswith("1×(−100) + 1×3 + 1×0") for line in lines)
    assert any(line.endswith("+ 30 more") for line in lines)
    assert any(line.endswith("= −97") for line in lines)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_text_fits_and_its_formulas_hold(data: st.DataObject) -> None:
    draw = data.draw
    rank = draw(st.integers(1, 3))
    sides = draw(st.tuples(*[st.integers(4, {1: 30, 2: 14, 3: 5}[rank])] * rank))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    values = rng.normal(size=(draw(st.integers(1, 6)), *sides)) * 10.0 ** draw(st.integers(-9, 9))
    ceil_mode = draw(st.booleans())
    kernel, stride, padding = draw(st.integers(2, 4)), draw(st.integers(1, 5)), draw(st.integers(0, 1))
    mode = str(ceil_mode).lower()
    trace = fs.trace(f"maxpool {kernel} stride={stride} padding={padding} ceil_mode={mode}", values, rank=rank)
    for line in repr(trace).splitlines():
        assert len(line) <= WIDTH, line
        assert line == line.rstrip(), line
    for formula, size in zip(trace.formulas, trace.output.shape[1:], strict=True):
        text, _, result = formula.partition(" = ")
        python = text.replace("−", "-").replace("·", "*")
        assert eval(python, {"floor": floor, "ceil": ceil}) == int(result) == size


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (-0.0, "0"), (3, "3"), (-3, "−3"), (0.25, "0.25"), (1.005, "1.00"), (-0.004, "−0.004"),
        (0.003, "0.003"), (0.0347, "0.035"), (0.0996, "0.10"), (0.001, "0.001"),
        (12.345, "12.35"), (123.456, "123.5"), (1234.5, "1234"), (99_999, "99999"), (100_000, "1.00e5"),
        (0.0000124, "1.24e−5"),
        (float("nan"), "NaN"), (float("inf"), "∞"), (float("-inf"), "−∞"),
    ],
)  # fmt: skip
def test_numbers_are_written_for_people(value: float, text: str) -> None:
    assert number(value) == text


@given(st.floats(1e-30, 1e30), st.sampled_from([1, -1]))
def test_what_is_written_is_near_to_what_is(size: float, sign: int) -> None:
    shown = exact(sign * size)
    assert shown is not None
    assert abs(float(shown) / (sign * size) - 1) <= 0.05


def test_small_weights_are_seen() -> None:
    text = repr(fs.trace("conv 1 3", [200, 100, 50, 25], weight=[0.003, -0.002, 0.004]))
    assert "200×0.003 + 100×(−0.002) + 50×0.004" in text
    assert "= 0.60" in text
    assert "100×0.003 + 50×(−0.002) + 25×0.004" in text


def test_a_line_is_true_as_written_or_says_about() -> None:
    assert factor(-2) == "(−2)"
    assert equals([exact(0.1), exact(0.2)], 0.1 + 0.2) == "="  # 0.10 + 0.20 = 0.30
    assert equals([exact(0.104), exact(0.204)], 0.308) == "≈"  # 0.10 + 0.20 and 0.31
    assert equals([exact(float("inf")), exact(1)], float("inf")) == "="
