"""The arithmetic that is shown: golden text, and formulas that Python evaluates."""

from __future__ import annotations

import math
import re
from collections import OrderedDict

import pytest
from hypothesis import HealthCheck, given, settings
from torch import nn

import fieldstone as fs
from fieldstone.analysis.arithmetic import explain, size_formulas
from fieldstone.errors import DesignError
from fieldstone.geometry import Resized, Transposed
from places import OUTPUTS
from strategies import designs

STRIDED = """\
3  conv 20 5 stride=2: 10x37x37 → 20x17x17

sides   floor((input + 2·padding − dilation·(kernel−1) − 1)/stride) + 1
        floor((37 + 2·0 − 1·(5−1) − 1)/2) + 1 = 17 along each side

field   field before + (span of the window − 1)·jump before
        3 + (5−1)·1 = 7 along each side

sees    7x7 of the input, 2 from a value to the next, the first about 3"""


def test_the_example_of_three_conv() -> None:
    assert repr(explain(fs.inspect("three-conv").subject, "3")) == STRIDED


def test_what_sees_everything_says_so() -> None:
    said = repr(explain(fs.inspect("three-conv").subject, "8"))
    assert said == "8  linear classes: 1960 → 10\n\nsees    39x39 of the input, at once"


def test_a_path_that_is_none_is_refused() -> None:
    with pytest.raises(DesignError, match="there is no block 9; give a path of the table, such as 1 or 8"):
        explain(fs.inspect("three-conv").subject, "9")
    module = nn.Sequential(OrderedDict(stem=nn.Conv2d(3, 4, 3), act=nn.ReLU()))
    with pytest.raises(DesignError, match="there is no block 1; give a path of the table, such as stem or act"):
        explain(fs.inspect(module, (3, 8, 8)).subject, "1")


def value(formula: str) -> tuple[float, float]:
    """Both sides of a formula."""
    left, right = formula.split(" = ")
    code = re.sub(r"\bceil\b", "math.ceil", re.sub(r"\bfloor\b", "math.floor", left))
    code = code.replace("·", "*").replace("−", "-")
    return eval(code, {"math": math}), float(right)  # our own text


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(designs())
def test_every_formula_is_true_and_gives_what_leaves(design: fs.Design) -> None:
    summary = fs.inspect(design, classes=OUTPUTS)
    for row in summary.rows:
        shown = explain(summary.subject, row.path)
        for formula in (*shown.sizes, *shown.fields):
            if "becomes" not in formula:
                left, right = value(formula)
                assert left == right
        if shown.sizes:
            assert [int(re.findall(r"[0-9]+$", formula)[0]) for formula in shown.sizes] == list(row.output_shape[1:])
        if shown.fields:
            assert [int(re.findall(r"[0-9]+$", formula)[0]) for formula in shown.fields] == list(row.receptive_field)


def test_transposed_windows_and_resizing_have_theirs() -> None:
    (formula,) = size_formulas(Transposed((3,), (2,), (1,), (1,), (1,)), (7,))
    assert formula == "(7−1)·2 − 2·1 + 1·(3−1) + 1 + 1 = 14"
    assert value(formula) == (14, 14)
    assert size_formulas(Resized((14,), "nearest"), (7,)) == ("7 becomes 14",)


@pytest.mark.parametrize(
    ("block", "formula"),
    [
        ("upconv 4 3 stride=2 padding=same", "(5−1)·2 − 2·0 + 1·(3−1) − 1 + 1 = 10"),
        ("crop 1", "floor((5 + 2·(−1) − 1·(1−1) − 1)/1) + 1 = 3"),
        ("crop 0 after=1", "floor((5 + 0 + (−1) − 1·(1−1) − 1)/1) + 1 = 4"),
    ],
)
def test_what_is_cut_off_has_its_sign(block: str, formula: str) -> None:
    summary = fs.inspect(fs.Design((1, 5, 5), [block, "conv classes 1"]), classes=10)
    assert explain(summary.subject, "1").sizes == (formula, formula)
    assert value(formula)[0] == value(formula)[1]
