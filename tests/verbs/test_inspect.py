"""Inspecting from Python: what is asked for, as it is written on the command line or as numbers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from torch import nn

import fieldstone as fs
from fieldstone.analysis.findings import RULES, silenced
from fieldstone.errors import DesignError
from fieldstone.verbs.choosing.sizes import read_bytes, read_sides


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("8GiB", 8 * 2**30), ("500MB", 500_000_000), ("1.5 gib", 3 * 2**29), ("64kb", 64_000), ("2TiB", 2**41),
        ("12", 12), (12, 12), ("7B", 7), ("1KiB", 1024),
    ],
)  # fmt: skip
def test_amounts_of_memory(text: int | str, count: int) -> None:
    assert read_bytes(text) == count
    assert fs.inspect("lenet-5", memory=text).subject.memory == count


@pytest.mark.parametrize("text", ["", "GiB", "-8GiB", "8 GiB more", "8,5GB", "1e9", "0.1B", "8GB8", 0, -5])
def test_what_is_no_amount_of_memory(text: int | str) -> None:
    with pytest.raises(fs.FieldstoneError, match="is no amount"):
        read_bytes(text)


@pytest.mark.parametrize(
    ("given", "sides", "size"),
    [
        (32, (9, 9), (32, 32)), ("32", (9,), (32,)), ("32x48", (9, 9), (32, 48)), ((4, 5, 6), (9, 9, 9), (4, 5, 6)),
        ("4X5", (9, 9), (4, 5)), ((7,), (9, 9), (7, 7)),
    ],
)  # fmt: skip
def test_sizes_of_an_object(given: Any, sides: tuple[int, ...], size: tuple[int, ...]) -> None:
    assert read_sides(given, sides) == size
    layers = ["globalavgpool", "linear classes"]
    assert fs.inspect(fs.Design((3, *sides), layers), object=given).subject.object_size == size


@pytest.mark.parametrize("given", ["", "x", "32x", "a", -3, 0, "3x4x5", (1, 2, 3), (0, 4), "1.5"])
def test_what_is_no_size_of_an_object(given: Any) -> None:
    with pytest.raises(fs.FieldstoneError, match=r"is no size of what is in an input of 2 sides; .* as in 32 or 32x48"):
        read_sides(given, (9, 9))


def test_a_batch_has_an_image() -> None:
    with pytest.raises(fs.FieldstoneError, match="batch_size 0 is below 1"):
        fs.inspect("lenet-5", batch_size=0)


def test_codes_are_chosen_by_their_beginning() -> None:
    every = {rule.code for rule in RULES}
    assert silenced(None, ()) == frozenset()
    assert silenced(["FS1", "FS203"], ()) == {code for code in every if code[2] != "1" and code != "FS203"}
    assert silenced(["FS2"], ["FS20"]) == every
    assert silenced(None, ["FS"]) == every


@pytest.mark.parametrize("select", ["FS203,FS301", ["FS203", "FS301"], ("fs203", " FS301 ")])
def test_they_are_given_as_a_text_or_one_by_one(select: Any) -> None:
    layers = ["conv 8 3", "conv 8 3", "flatten", "linear 90", "relu", "linear classes", "softmax"]
    design = fs.Design((3, 32, 32), layers, allow={"FS301": "the parameters are few"})
    assert {one.code for one in fs.inspect(design, select=select).findings} == {"FS203"}
    assert {one.code for one in fs.inspect(design, ignore=select).findings} == {"FS201"}


@pytest.mark.parametrize("classes", [0, -1, 2.5, "ten"])
def test_a_number_of_classes_is_a_whole_number_from_1_on(classes: Any) -> None:
    with pytest.raises(DesignError, match=f"classes {re.escape(repr(classes))} is no number of classes; give a whole"):
        fs.inspect("three-conv", classes=classes)


def test_an_input_may_be_written_as_on_the_command_line() -> None:
    assert fs.inspect("three-conv", "3x50x60").to_json() == fs.inspect("three-conv", (3, 50, 60)).to_json()
    assert fs.inspect(nn.Conv2d(3, 2, 3), "3x8x8").rows[0].output_shape == (2, 6, 6)
    with pytest.raises(DesignError, match="input '3x8xa' is not a shape"):
        fs.inspect(nn.Conv2d(3, 2, 3), "3x8xa")
