"""Decoding once: what is kept, what is noticed, what is left when it fails."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fieldstone.data import pixels, scan
from fieldstone.data.dataset import Decoded
from fieldstone.data.decode import decode_image
from fieldstone.data.opening import open_data
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.errors import DataError

SMALL = Preprocessing((8, 8), 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of 20 photos of chance, and one file that is found damaged only when it is decoded."""
    rng = np.random.default_rng(1)
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(20):
            height, width = 10 + number % 3, 9 + number % 4
            image = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
            image.save(tmp_path / "data" / name / f"{number:02}.png")
    cut = tmp_path / "data" / "a" / "05.png"
    cut.write_bytes(cut.read_bytes()[:-90])
    return tmp_path / "data"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many files were looked at and decoded."""
    count = {"looked": 0, "decoded": 0}

    def look(path: str, _look=scan._look):  # type: ignore[no-untyped-def]
        count["looked"] += 1
        return _look(path)

    def decode(*args, _decode=pixels.decode_placed):  # type: ignore[no-untyped-def]
        count["decoded"] += 1
        return _decode(*args)

    monkeypatch.setattr(scan, "_look", look)
    monkeypatch.setattr(pixels, "decode_placed", decode)
    return count


def decoded(folder: Path, preprocessing: Preprocessing = SMALL) -> Decoded:
    return open_data(folder).decode(preprocessing)


def test_the_array_holds_what_the_decoder_gives(folder: Path) -> None:
    result = decoded(folder)
    assert isinstance(result.images, np.memmap)
    assert result.images.shape == (39, 3, 8, 8)
    assert not result.images.flags.writeable
    assert [tuple(left) for left in result.manifest.left_out] == [("a/05.png", "damaged: image file is truncated")]
    for image, row in zip(result.images, result.manifest.rows, strict=True):
        assert np.array_equal(image, decode_image(folder / row.file, SMALL))
        assert row.key == hashlib.sha256((folder / row.file).read_bytes()).hexdigest()
    assert result.manifest.targets.tolist() == [0] * 19 + [1] * 20
    with pytest.raises(DataError, match=r"a/05.png: damaged: .*--strict"):
        open_data(folder).decode(SMALL, strict=True)


def test_mean_and_std_are_those_of_the_images_that_train(folder: Path) -> None:
    result = decoded(folder)
    train = result.images[result.manifest.indices("train")] / 255
    assert result.preprocessing.mean == pytest.approx(train.mean(axis=(0, 2, 3)))
    assert result.preprocessing.std == pytest.approx(train.std(axis=(0, 2, 3)))


def test_letterbox_measures_the_content_and_pads_with_its_mean(folder: Path, counted: dict[str, int]) -> None:
    result = decoded(folder, Preprocessing((8, 8), 3, "letterbox"))
    known = result.preprocessing
    assert known.mean is not None
    content = []
    for number in result.manifest.indices("train"):
        row = result.manifest.rows[number]
        with Image.open(folder / row.file) as image:
            place = known.place(image.height, image.width)
            resized = image.resize((place.width, place.height), Image.Resampling.BILINEAR)
        content.append(np.asarray(resized).reshape(-1, 3))
    assert known.mean == pytest.approx(np.concatenate(content).mean(axis=0) / 255)
    assert known.std == pytest.approx(np.concatenate(content).std(axis=0) / 255)
    for image, row in zip(result.images, result.manifest.rows, strict=True):
        assert np.array_equal(image, decode_image(folder / row.file, known))
    again, given = decoded(folder, Preprocessing((8, 8), 3, "letterbox")), decoded(folder, known)
    assert counted["decoded"] == 40
    assert again.preprocessing == given.preprocessing == known
    assert np.array_equal(again.images, result.images)


def test_a_channel_that_never_changes_divides_by_no_zero(tmp_path: Path) -> None:
    for name, value in (("a", 7), ("b", 7)):
        (tmp_path / name).mkdir()
        Image.new("L", (8, 8), value).save(tmp_path / name / "1.png")
    assert decoded(tmp_path, Preprocessing((8, 8), 1)).preprocessing.std == pytest.approx((1 / 255,))


def test_the_second_time_nothing_is_read(folder: Path, counted: dict[str, int]) -> None:
    first = decoded(folder)
    assert counted == {"looked": 40, "decoded": 40}
    second = decoded(folder)
    assert counted == {"looked": 40, "decoded": 40}
    assert second.manifest == first.manifest
    assert second.manifest.fingerprint == first.manifest.fingerprint
    assert second.preprocessing == first.preprocessing
    assert np.array_equal(second.images, first.images)
    given = Preprocessing((8, 8), 3, mean=(0.5,) * 3, std=(0.5,) * 3)
    assert decoded(folder, given).preprocessing == given
    assert counted["decoded"] == 40  # a mean changes no pixel of a crop


def test_a_changed_file_is_read_again(folder: Path, counted: dict[str, int]) -> None:
    first = decoded(folder)
    file = folder / "b" / "03.png"
    Image.new("RGB", (8, 8), "red").save(file)
    second = decoded(folder)
    assert counted == {"looked": 41, "decoded": 80}
    row = next(n for n, row in enumerate(second.manifest.rows) if row.file == "b/03.png")
    assert (second.images[row].transpose(1, 2, 0) == (255, 0, 0)).all()
    assert second.manifest.fingerprint != first.manifest.fingerprint


def test_a_file_of_the_same_size_and_another_time_is_read_again(folder: Path) -> None:
    file = folder / "b" / "03.bmp"
    keys = []
    for colour in ("red", "blue"):
        Image.new("RGB", (8, 8), colour).save(file)
        os.utime(file, ns=(0, len(keys)))
        rows = {row.file: row.key for row in decoded(folder).manifest.rows}
        keys.append(rows["b/03.bmp"])
        assert keys[-1] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert keys[0] != keys[1]


def test_settings_have_arrays_of_their_own(folder: Path) -> None:
    shapes = [
        decoded(folder, Preprocessing((8, side), channels)).images.shape for side in (8, 9) for channels in (1, 3)
    ]
    assert shapes == [(39, 1, 8, 8), (39, 3, 8, 8), (39, 1, 8, 9), (39, 3, 8, 9)]
    stretched = decoded(folder, Preprocessing((8, 8), 3, "stretch")).images
    assert not np.array_equal(stretched, decoded(folder).images)


@pytest.mark.parametrize("suffix", [".u8", ".json"])
def test_a_cut_cache_is_made_anew(folder: Path, cache: Path, counted: dict[str, int], suffix: str) -> None:
    first = decoded(folder)
    expected = np.array(first.images)
    for file in cache.glob(f"*{suffix}"):
        file.write_bytes(file.read_bytes()[:-5])
    assert np.array_equal(decoded(folder).images, expected)
    assert counted["decoded"] == 80


@pytest.mark.parametrize("text", ["{}", "[]", "7", "null", "[[1]]", '{"shape": 3}', '{"mean": 1, "std": null}'])
@pytest.mark.parametrize("kind", ["scan", "pixels", "statistics"])
def test_a_cache_of_another_shape_is_made_anew(folder: Path, cache: Path, kind: str, text: str) -> None:
    first = decoded(folder)
    expected, (place,) = np.array(first.images), cache.glob(f"{kind}-*.json")
    was = place.read_text()
    place.write_text(text)
    again = decoded(folder)
    assert np.array_equal(again.images, expected)
    assert again.preprocessing == first.preprocessing
    assert place.read_text() == was


def test_a_container_s_cache_of_another_shape_is_made_anew(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"".join(bytes([n % 2]) + bytes([n]) * 3072 for n in range(6)))
    first = open_data(tmp_path).entries
    (place,) = cache.glob("scan-*.json")
    for text in ("{}", "[]", '{"a": 1}', "7"):
        place.write_text(text)
        assert open_data(tmp_path).entries == first


def test_check_finds_what_decoding_finds(folder: Path) -> None:
    calls: list[tuple[int, int, str]] = []
    checked = open_data(folder).check(lambda *call: calls.append(call))
    assert [tuple(left) for left in checked.left_out] == [("a/05.png", "damaged: image file is truncated")]
    assert len(checked.entries) == 39
    assert calls[-1] == (40, 40, "checking")


def test_progress_counts_every_file(folder: Path) -> None:
    calls: list[tuple[int, int, str]] = []
    dataset = open_data(folder, progress=lambda *call: calls.append(call))
    assert calls[-1] == (40, 40, "reading")
    dataset.decode(SMALL, progress=lambda *call: calls.append(call))
    assert calls[-1] == (40, 40, "decoding")


def test_data_json_holds_every_row(folder: Path) -> None:
    manifest = decoded(folder).manifest
    value = json.loads(json.dumps(manifest.to_json()))
    assert list(value) == ["path", "form", "classes", "fingerprint", "rows", "left_out"]
    assert list(value["rows"][0]) == ["file", "index", "target", "split", "key"]
    rows = json.dumps(value["rows"], sort_keys=True, separators=(",", ":"))
    assert value["fingerprint"] == hashlib.sha256(rows.encode()).hexdigest()
    assert [list(row.values()) for row in value["rows"]] == [list(row) for row in manifest.rows]


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from fieldstone.data.cache import folder

    monkeypatch.setenv("FIELDSTONE_CACHE", str(tmp_path / "own"))
    assert folder() == tmp_path / "own"
    monkeypatch.delenv("FIELDSTONE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    assert folder() == tmp_path / "shared" / "fieldstone"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert folder() == Path.home() / ".cache" / "fieldstone"


def test_a_cache_that_cannot_be_written_is_named(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cache / "file").write_bytes(b"")
    monkeypatch.setenv("FIELDSTONE_CACHE", str(cache / "file"))
    with pytest.raises(DataError, match=r"the cache folder .*file cannot be written .*FIELDSTONE_CACHE"):
        open_data(folder)


def test_a_full_disk_leaves_no_half_file(folder: Path, cache: Path) -> None:
    code = (
        "import resource; from fieldstone.data.opening import open_data;"
        "from fieldstone.data.preprocessing import Preprocessing;"
        f"data = open_data({str(folder)!r}); resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000));"
        "data.decode(Preprocessing((64, 64)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "DataError" in done.stderr
    assert f"the cache folder {cache} cannot be written ({os.strerror(errno.EFBIG).lower()})" in done.stderr
    assert [file.name for file in cache.iterdir() if not file.name.startswith("scan-")] == []
    assert decoded(folder, Preprocessing((64, 64))).images.shape == (39, 3, 64, 64)  # with room, the same goes well


def test_an_interrupt_stops_at_once_and_leaves_no_half_file(tmp_path: Path, cache: Path) -> None:
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 256, (1500, 1500, 3), dtype=np.uint8))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        photo.save(tmp_path / name / "0.jpg")
        for number in range(1, 150):
            (tmp_path / name / f"{number}.jpg").hardlink_to(tmp_path / name / "0.jpg")
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"  # pytest's own may be ignored
        "from fieldstone.data.opening import open_data; from fieldstone.data.preprocessing import Preprocessing;"
        f"open_data({str(tmp_path)!r}).decode(Preprocessing((32, 32)), lambda *call: print(*call, flush=True))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert b"decoding" in process.stdout.readline()
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert time.monotonic() - began < 5
        assert process.returncode == -signal.SIGINT
    assert [file.name for file in cache.iterdir() if not file.name.startswith("scan-")] == []


def test_what_a_killed_process_left_is_removed_after_a_day(folder: Path, cache: Path) -> None:
    old, new = cache / ".pixels-1.u8.77.part", cache / ".pixels-2.u8.78.part"
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    open_data(folder)
    assert not old.exists()
    assert new.exists()
