"""Classes whose every image is damaged, found only when the pixels are read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fieldstone.data.opening import open_data
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.errors import DataError

SMALL = Preprocessing(size=(8, 8))


def folder(place: Path, damaged: set[str]) -> Path:
    """Three classes of five images; those of the damaged ones have whole headers and half of their pixels."""
    rng = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        (place / name).mkdir(parents=True)
        for number in range(5):
            file = place / name / f"{number}.png"
            Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(file)
            if name in damaged:
                file.write_bytes(file.read_bytes()[:1500])
    return place


def test_a_class_that_is_lost_is_left_out_and_said_and_the_others_are_numbered_anew(tmp_path: Path) -> None:
    decoded = open_data(folder(tmp_path / "data", {"b"})).decode(SMALL)
    assert decoded.manifest.classes == ("a", "c")
    assert {row.file[0]: row.target for row in decoded.manifest.rows} == {"a": 0, "c": 1}
    assert "class 'b' has no readable image and is left out" in decoded.notes
    assert len(decoded.manifest.left_out) == 5


def test_one_class_that_is_left_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the data has one class only, 'c'"):
        open_data(folder(tmp_path / "data", {"a", "b"})).decode(SMALL)


def test_a_check_where_nothing_can_be_read_is_an_error_and_not_a_report(tmp_path: Path) -> None:
    data = open_data(folder(tmp_path / "data", {"a", "b", "c"}))
    with pytest.raises(DataError, match="no image can be read"):
        data.check()
    with pytest.raises(DataError, match=r"^a/0.png: .*, and 14 more"):
        data.check(strict=True)


def test_a_check_leaves_the_same_classes_as_decoding(tmp_path: Path) -> None:
    data = open_data(folder(tmp_path / "data", {"b"}))
    checked, decoded = data.check(), data.decode(SMALL)
    assert checked.classes == decoded.manifest.classes == ("a", "c")
    assert checked.manifest() == decoded.manifest
    assert "class 'b' has no readable image and is left out" in checked.notes
    assert "b  " not in repr(checked).split("left out")[0]
    with pytest.raises(DataError, match="the data has one class only, 'c'"):
        open_data(folder(tmp_path / "more", {"a", "b"})).check()


def test_one_class_that_is_left_is_enough_to_test_on(tmp_path: Path) -> None:
    data = open_data(folder(tmp_path / "data", {"a", "b"}), one_class=True)
    decoded = data.decode(SMALL)
    assert decoded.manifest.classes == data.check().classes == ("c",)
    assert decoded.manifest.targets.tolist() == [0] * 5


def test_a_subset_where_nothing_can_be_read_is_an_error(tmp_path: Path) -> None:
    data = open_data(folder(tmp_path / "data", {"b"}), one_class=True)
    subset = replace(data, entries=tuple(entry for entry in data.entries if entry.target == 1))
    with pytest.raises(DataError, match=r"no image can be read \(the first: b/0.png"):
        subset.decode(SMALL)
