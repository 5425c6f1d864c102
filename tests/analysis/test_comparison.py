"""Two networks side by side: golden, and by what must hold."""

from __future__ import annotations

import json

import pytest
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


SPOTTER = ["conv 8 3", "batchnorm", "relu", "conv 8 3", "batchnorm", "relu", "globalavgpool", "linear classes"]


def test_a_finding_of_the_same_block_is_neither_new_nor_gone_when_its_numbers_change() -> None:
    """Each has FS205 at both convolutions, with the parameters of 8 and of 16 biases."""
    wider = ["conv 8 3", "batchnorm", "relu", "conv 16 3", *SPOTTER[4:]]
    one, two = (fs.inspect(fs.Design((3, 32, 32), layers), select="FS205") for layers in (SPOTTER, wider))
    assert [found.where for found in one.findings] == [found.where for found in two.findings] == ["1", "4"]
    assert one.findings[1].message != two.findings[1].message
    assert "new: " not in repr(compare(one, two))
    assert "no longer: " not in repr(compare(one, two))
    moved = fs.inspect(fs.Design((3, 32, 32), ["maxpool 2", "conv 8 3", "relu", *SPOTTER]), select="FS205")
    assert "no longer: " not in repr(compare(one, moved))
    mended = ["conv 8 3 bias=false", *SPOTTER[1:]]
    gone = repr(compare(one, fs.inspect(fs.Design((3, 32, 32), mended), select="FS205")))
    assert "no longer: note FS205 at 1:" in gone
    assert "FS205 at 4" not in gone


@pytest.mark.parametrize("times", [2, 4])
def test_more_passes_are_added_after_those_that_there_are(times: int) -> None:
    def network(passes: int) -> fs.Summary:
        body = [{"residual": ["conv 8 3 padding=1", "batchnorm"]}, "relu"]
        return fs.inspect(fs.Design((3, 32, 32), ["conv 8 3", {f"repeat {passes}": body}, "conv 9 1", *SPOTTER[4:]]))

    comparison = compare(network(times), network(times + 1))
    added = [pair.second.path for pair in comparison.pairs if pair.second and not pair.first]
    last = f"2.{times + 1}"
    assert added == [f"{last}.1", f"{last}.1.body.1", f"{last}.1.body.2", f"{last}.2"]
    assert all(pair.second for pair in comparison.pairs)
    assert "new: " not in repr(comparison)


def test_what_was_written_out_is_the_same_in_a_repeat() -> None:
    body = ["conv 3 3 padding=1", "relu"]
    one, two = (
        fs.inspect(fs.Design((3, 32, 32), [*layers, "conv classes 1"])) for layers in (body * 3, [{"repeat 3": body}])
    )
    assert [pair.change for pair in compare(one, two).pairs] == ["only in the second", *["same"] * 7]


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
