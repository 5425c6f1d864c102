"""Two networks side by side: golden, and by what must hold."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings

import fieldstone as fs
from fieldstone.analysis.comparison import compare
from places import OUTPUTS
from strategies import designs

CHANGED = ["conv 10 3 padding=1", "relu", "conv 20 5 stride=2", "maxpool 2", "relu", "conv 40 5 stride=2", "relu",
           "globalavgpool", "linear classes"]  # fmt: skip
TABLE = """\
three-conv and mine: input 3x39x39 and 3x39x39

   path  block               output    params  path  block                output    params
!  1     conv 10 3           10x37x37     280  1     conv 10 3 padding=1  10x39x39     280
~  2     relu                10x37x37          2     relu                 10x39x39
~  3     conv 20 5 stride=2  20x17x17   5,020  3     conv 20 5 stride=2   20x18x18   5,020
+                                              4     maxpool 2            20x9x9
~  4     relu                20x17x17          5     relu                 20x9x9
~  5     conv 40 5 stride=2  40x7x7    20,040  6     conv 40 5 stride=2   40x3x3    20,040
~  6     relu                40x7x7            7     relu                 40x3x3
!  7     flatten             1960              8     globalavgpool        40
~  8     linear classes      10        19,610  9     linear classes       10           410

! another block   ~ the same block with another output or field   - gone   + new
parameters: 44,950, then 25,750 (0.57 x)
multiply-adds: 2,814,230, then 2,211,070 (0.79 x)
maps of one image to train: 185.3 KiB, then 177.6 KiB (0.96 x)"""


def test_the_table_of_two_designs() -> None:
    second = fs.inspect(fs.Design((3, 39, 39), CHANGED, name="mine"))
    assert repr(compare(fs.inspect("three-conv"), second)).startswith(TABLE)


def test_findings_that_came_and_went_are_said() -> None:
    good = fs.Design((3, 32, 32), ["conv 8 3", "relu", "globalavgpool", "linear classes"], name="good")
    bad = fs.Design((3, 32, 32), ["conv 8 3", "relu", "globalavgpool", "linear classes", "softmax"], name="bad")
    assert "new: error FS201 at 5:" in repr(compare(fs.inspect(good), fs.inspect(bad)))
    assert "no longer: error FS201 at 5:" in repr(compare(fs.inspect(bad), fs.inspect(good)))


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(designs(), designs())
def test_every_block_of_both_is_paired_once_in_its_order(one: fs.Design, two: fs.Design) -> None:
    comparison = compare(fs.inspect(one, classes=OUTPUTS), fs.inspect(two, classes=OUTPUTS))
    assert [pair.first for pair in comparison.pairs if pair.first] == list(comparison.first.rows)
    assert [pair.second for pair in comparison.pairs if pair.second] == list(comparison.second.rows)
    assert all(pair.first or pair.second for pair in comparison.pairs)
    assert len(json.loads(json.dumps(comparison.to_json()))["pairs"]) == len(comparison.pairs)


def test_a_network_beside_itself_is_the_same() -> None:
    comparison = compare(fs.inspect("resnet-18"), fs.inspect("resnet-18"))
    assert {pair.change for pair in comparison.pairs} == {"same"}
    assert "parameters: 11,689,512, then 11,689,512 (the same)" in repr(comparison)
