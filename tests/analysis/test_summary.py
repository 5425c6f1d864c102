"""The summary: the table that people read, to the character, and the JSON that programs read, to the key."""

from __future__ import annotations

import json

import pytest

import fieldstone as fs

THREE_CONV = """\
three-conv: input 3x39x39, 10 classes (assumed), 10 outputs

path  block               output    params  multiply-adds  receptive field
1     conv 10 3           10x37x37     280        369,630  3x3
2     relu                10x37x37                         3x3
3     conv 20 5 stride=2  20x17x17   5,020      1,445,000  7x7
4     relu                20x17x17                         7x7
5     conv 40 5 stride=2  40x7x7    20,040        980,000  15x15
6     relu                40x7x7                           15x15
7     flatten             1960                             15x15
8     linear classes      10        19,610         19,600  39x39

44,950 parameters, 2,814,230 multiply-adds; maps of one image 107.0 KiB forward, 185.3 KiB to train
no findings"""

NESTED = fs.Design(
    input=(3, 15, 15),
    name="nested",
    layers=[
        "conv 4 3 padding=1",
        {"repeat 3": ["conv 5 3 padding=1", {"residual": ["conv 5 3 padding=1", "batchnorm"]}, "relu"]},
        {"repeat 2": ["conv 6 3", {"repeat 4": ["conv 6 1", "relu"]}]},
        {"repeat 1": ["maxpool 2"]},
        "globalavgpool",
        "linear classes",
    ],
)
NESTED_TABLE = """\
nested: input 3x15x15, 2 classes (as asked), 1 output

path          block                   output   params  multiply-adds  receptive field
1             conv 4 3 padding=1      4x15x15     112         24,300  3x3
2             repeat 3                5x15x15                         15x15
2.1.1           conv 5 3 padding=1    5x15x15     185         40,500  5x5
2.1.2           residual              5x15x15                         7x7
2.1.2.body.1      conv 5 3 padding=1  5x15x15     230         50,625  7x7
2.1.2.body.2      batchnorm           5x15x15      10                 7x7
2.1.3           relu                  5x15x15                         7x7
2.2-3           passes 2-3            5x15x15     940        202,500  15x15
3             repeat 2                6x11x11                         19x19
3.1.1           conv 6 3              6x13x13     276         45,630  17x17
3.1.2           repeat 4              6x13x13                         17x17
3.1.2.1.1         conv 6 1            6x13x13      42          6,084  17x17
3.1.2.1.2         relu                6x13x13                         17x17
3.1.2.2-4         passes 2-4          6x13x13     126         18,252  17x17
3.2             pass 2                6x11x11     498         56,628  19x19
4             repeat 1                6x5x5                           20x20
4.1.1           maxpool 2             6x5x5                           20x20
5             globalavgpool           6                               28x28
6             linear classes          1             7              6  28x28

2,426 parameters, 444,525 multiply-adds; maps of one image 13.2 KiB forward, 133.9 KiB to train
warning FS101 at 4.1.1: maxpool 2 never reads the last row and the last column of its 6x11x11 input; \
write maxpool 2 ceil_mode=true or maxpool 2 padding=1, or give it 12x12, which it reads to the end
warning FS203 at 2.1.1: no activation stands between conv 4 3 padding=1 at 1 and this conv 5 3 padding=1: together \
they are one linear map; put one between, such as relu, or leave one of the layers out
warning FS203 at 3.1.2.1.1 and 1 more pass: no activation stands between conv 6 3 at 3.1.1 and this conv 6 1: \
together they are one linear map; put one between, such as relu, or leave one of the layers out
note FS205 at 2.1.2.body.1 and 2 more passes: batchnorm at 2.1.2.body.2 takes away the bias of conv 5 3 padding=1, \
5 parameters; write conv 5 3 padding=1 bias=false"""


def test_the_table_of_a_chain() -> None:
    assert repr(fs.inspect("three-conv")) == THREE_CONV


def test_the_table_shows_the_first_pass_of_a_repeat_and_the_others_in_one_line() -> None:
    assert repr(fs.inspect(NESTED, classes=2)) == NESTED_TABLE


@pytest.mark.parametrize(
    "design", ["three-conv", "resnet-18", NESTED], ids=lambda design: str(getattr(design, "name", design))
)
def test_the_columns_add_up_to_the_totals(design: str | fs.Design) -> None:
    summary = fs.inspect(design)
    heading, *lines = repr(summary).split("\n\n")[1].splitlines()
    for name, total in (("params", summary.params), ("multiply-adds", summary.macs)):
        end = heading.index(name) + len(name)
        cells = [line[:end].rpartition("  ")[2].strip() for line in lines]
        assert sum(int(cell.replace(",", "")) for cell in cells if cell) == total


def test_json_has_the_promised_keys_and_every_pass() -> None:
    summary = fs.inspect(NESTED, classes=2)
    answer = json.loads(json.dumps(summary.to_json()))
    assert list(answer) == [
        "input",
        "classes",
        "outputs",
        "layers",
        "totals",
        "findings",
        "unused",
        "untraced",
        "unregistered",
    ]
    assert (answer["input"], answer["classes"], answer["outputs"]) == ([3, 15, 15], 2, 1)
    assert answer["totals"] == {
        "params": summary.params, "trainable": summary.params, "macs": summary.macs, "input_bytes": 3 * 15 * 15 * 4,
        "forward_bytes": summary.forward_bytes, "training_bytes": summary.training_bytes,
    }  # fmt: skip
    assert all(
        list(layer)
        == [
            "path",
            "block",
            "output",
            "params",
            "trainable",
            "macs",
            "forward_bytes",
            "training_bytes",
            "receptive_field",
            "jump",
            "start",
            "smallest_field",
            "padding_share",
            "sources",
        ]
        for layer in answer["layers"]
    )
    assert {tuple(finding) for finding in answer["findings"]} == {("code", "severity", "where", "message", "fix")}
    assert [found["where"] for found in answer["findings"]] == [
        "4.1.1", "2.1.1", "3.1.2.1.1", "3.2.2.1.1", "2.1.2.body.1", "2.2.2.body.1", "2.3.2.body.1",
    ]  # fmt: skip
    passes = [layer["path"] for layer in answer["layers"] if layer["block"] == "conv 5 3 padding=1"]
    assert passes == [f"2.{turn}.{place}" for turn in "123" for place in ("1", "2.body.1")]
    assert sum(layer["params"] for layer in answer["layers"]) == summary.params


def test_json_of_the_example_in_the_issue() -> None:
    answer = fs.inspect("three-conv").to_json()
    assert answer["layers"][0] == {
        "path": "1", "block": "conv 10 3", "output": [10, 37, 37], "params": 280, "trainable": 280, "macs": 369630,
        "forward_bytes": 4 * (3 * 39 * 39 + 10 * 37 * 37), "training_bytes": 4 * 10 * 37 * 37,
        "receptive_field": [3, 3], "jump": [1, 1],
        "start": [1, 1], "smallest_field": [3, 3], "padding_share": [0.0, 0.0], "sources": ["input"],
    }  # fmt: skip
    assert answer["layers"][-1]["jump"] is None
    assert answer["findings"] == []


@pytest.mark.parametrize(
    ("asked", "written", "said"),
    [(None, None, "10 classes (assumed), 10 outputs"), (None, 4, "4 classes (the design's), 4 outputs"),
     (2, 4, "2 classes (as asked), 1 output")],
)  # fmt: skip
def test_the_first_line_says_where_the_classes_are_from(asked: int | None, written: int | None, said: str) -> None:
    design = fs.Design((1, 8), ["globalavgpool", "linear classes"], classes=written)
    assert repr(fs.inspect(design, classes=asked)).splitlines()[0] == f"design: input 1x8, {said}"
