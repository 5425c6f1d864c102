import os
import stat
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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    """A file renamed to /dev/full or /dev/null would take the place of the device."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        write_text(path, "drawn")
        assert os.read(reader, 100) == b"drawn"
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert link.is_symlink()


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "a" / "file")
    write_text(link, "new")
    assert link.is_symlink()
    assert [path.read_text() for path in (tmp_path / "a").iterdir()] == ["new"]
