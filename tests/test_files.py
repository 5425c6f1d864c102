import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fieldstone.files import write_page, write_text, written_whole


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


@pytest.mark.parametrize("write", [write_text, write_page])
def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path, write: Callable[[Path, str], None]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write(pipe, "new\n")
    reader.join()
    assert read == ["new\n"]
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


def test_what_a_link_leads_to_is_written_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "model"
    link.symlink_to(tmp_path / "there" / "own")
    for text in ("first", "second"):
        write_text(link, text)
        assert (tmp_path / "there" / "own").read_text() == text
    assert link.is_symlink()
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["own"]
