from pathlib import Path

import pytest

from fieldstone.files import write_text, written_whole


def test_a_writing_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "model"
    write_text(file, "old")
    with pytest.raises(RuntimeError, match="killed"), written_whole(file) as beside:
        beside.write_text("half of the n")
        assert file.read_text() == "old"
        raise RuntimeError("killed")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert file.read_text() == "old"


def test_a_writing_that_ends_replaces_the_file(tmp_path: Path) -> None:
    file = tmp_path / "model"
    write_text(file, "old")
    write_text(file, "new\n")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"new\n"]
