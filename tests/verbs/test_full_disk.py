"""Places that cannot be written: one sentence that names the file, exit 2, and no half file under its final name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import fieldstone as fs
from fieldstone.cli import run

resource = pytest.importorskip("resource", reason="needs POSIX")

# No file of this process may grow beyond a size: what it writes fails as on a full disk. Python ignores SIGXFSZ.
LIMITED = """
import resource, sys
import torch, fieldstone.verbs.train, fieldstone.cli
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.exit(fieldstone.cli.run(sys.argv[2:]))
"""

DESIGN = fs.Design((3, 16, 16), ["conv 64 5", "relu", "maxpool 2", "conv 32 3", "globalavgpool", "linear classes"])
# design.yaml has 150 bytes, recipe.yaml 250, data.json 12 kB, model.safetensors 100 kB, resume.safetensors 4 times that


@pytest.fixture
def place(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a design, where the photos were decoded already: the cache has room."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "design.yaml").write_text(DESIGN.to_text(), encoding="utf-8")
    assert run([*command(photos), "--out", "first"]) == 0
    return tmp_path


def command(photos: Path, epochs: int = 1) -> list[str]:
    return ["train", str(photos), "--design", "design.yaml", "--epochs", str(epochs), "--threads", "1"]


def limited(limit: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("limit", "file", "whole"),
    [
        (100, "design.yaml", set()),
        (6_000, "data.json", {"design.yaml", "recipe.yaml"}),
        (60_000, "model.safetensors", {"design.yaml", "recipe.yaml", "data.json", "metrics.jsonl"}),
        (
            250_000,
            "resume.safetensors",
            {"design.yaml", "recipe.yaml", "data.json", "metrics.jsonl", "model.safetensors"},
        ),
    ],
)
def test_a_full_disk_ends_a_training_with_one_sentence(
    photos: Path, place: Path, limit: int, file: str, whole: set[str]
) -> None:
    answer = limited(limit, *command(photos, epochs=2), "--out", "run")
    assert answer.returncode == 2, answer.stderr
    assert "Traceback" not in answer.stderr
    last = answer.stderr.splitlines()[-1]
    assert last.startswith(f"fieldstone: run/{file}: cannot be written: ")
    assert "File too large" in last
    assert answer.stderr.count("fieldstone: ") == 1
    assert answer.stdout == ""
    assert {one.name for one in (place / "run").iterdir()} == whole  # nothing half written, under no name
    assert last.endswith("; the best epoch so far is in run/model.safetensors") == ("model.safetensors" in whole)
    for name in whole - {"metrics.jsonl", "model.safetensors", "recipe.yaml"}:  # these tell the time or the epochs
        assert (place / "run" / name).read_bytes() == (place / "first" / name).read_bytes()
    if "model.safetensors" in whole:
        assert fs.load(place / "run").classes == fs.load(place / "first").classes


def test_the_last_epoch_needs_no_room_for_what_would_go_on(photos: Path, place: Path) -> None:
    answer = limited(250_000, *command(photos), "--out", "run")
    assert answer.returncode == 0, answer.stderr
    assert sorted(one.name for one in (place / "run").iterdir()) == sorted(
        one.name for one in (place / "first").iterdir()
    )


def test_a_full_disk_is_json_for_programs(photos: Path, place: Path) -> None:
    answer = limited(6_000, *command(photos), "--out", "run", "--json")
    assert answer.returncode == 2
    error = json.loads(answer.stdout)["error"]
    assert error["file"] == "run/data.json"
    assert error["message"] == "cannot be written: File too large"
    assert error["fix"]


def test_a_run_below_a_file_cannot_be_made(photos: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command(photos), "--out", "design.yaml/run"]) == 2
    out, said = capsys.readouterr()
    assert out == ""
    expected = "design.yaml/run: cannot be made: Not a directory; give --out a place that can be written"
    assert said.splitlines()[-1] == f"fieldstone: {expected}"


@contextmanager
def without_rights() -> Iterator[None]:
    """Root may write everywhere: in here it is nobody."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX")
def test_a_folder_without_permission_is_named(
    photos: Path, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every place here can be read by anyone; only `locked` can be written by no one."""
    with tempfile.TemporaryDirectory() as name:
        common = Path(name)
        shutil.copytree(photos, common / "photos")
        shutil.copy(place / "design.yaml", common)
        for one in (common, *common.rglob("*")):
            one.chmod(0o755)
        for folder, mode in (("cache", 0o777), ("locked", 0o555)):
            (common / folder).mkdir()
            (common / folder).chmod(mode)
        monkeypatch.setenv("FIELDSTONE_CACHE", str(common / "cache"))
        monkeypatch.chdir(common)
        with without_rights():
            status = run([*command(Path("photos")), "--out", "locked/run"])
        assert status == 2
        assert list((common / "locked").iterdir()) == []
    expected = "locked/run: cannot be made: Permission denied; give --out a place that can be written"
    assert capsys.readouterr().err.splitlines()[-1] == f"fieldstone: {expected}"
