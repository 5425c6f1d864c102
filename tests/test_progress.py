import io
import re

import pytest

from fieldstone import progress as module
from fieldstone.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_than_on_a_terminal_there_are_plain_lines_with_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = iter([0.0, 10.0, 40.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(now))
    stream = io.StringIO()
    with Progress(stream).bar("training", 1000) as bar:
        bar.note("epoch 1/2")
        bar.advance(100)  # after 10 s: too soon for a line
        bar.advance(300)  # after 40 s
    assert stream.getvalue() == "training: 400 of 1,000 images, 10/s, 60 s left, epoch 1/2\n"


def test_a_terminal_shows_a_bar() -> None:
    stream = Terminal()
    with Progress(stream).bar("training", 200) as bar:
        bar.advance(50)
        bar.say("epoch 1/2 [not markup]")
        bar.advance(150)
    text = stream.getvalue()
    assert "epoch 1/2 [not markup]" in text
    assert "200/200 images" in text


@pytest.mark.parametrize(
    ("total", "steps", "line"),
    [
        (122, (50, 59), r"training ━+╸? 109/122 images 26/s 00:01 epoch 2/2  loss 0\.7530  validation 37\.50%"),
        (60_000, (1, 50_000), r"training \S+ 50,001/60,000 images 22,222/s 00:01 epoch 2/2  loss 0.*…"),
        (9_000_000, (1, 45_000), r"training \S+ 45,001/9,000,000 images 20,000/s 07:28 epoch 2/2  loss.*…"),
    ],
)
def test_the_bar_gives_way_first_and_then_the_note(
    monkeypatch: pytest.MonkeyPatch, total: int, steps: tuple[int, int], line: str
) -> None:
    now = 0.0
    monkeypatch.setattr("rich.console.monotonic", lambda: now)
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    with Progress(stream).bar("training", total) as bar:
        bar.advance(steps[0])
        now = 2.25
        bar.advance(steps[1])
        bar.advance(0)  # the rate shown is that of the steps before
        bar.note("epoch 2/2  loss 0.7530  validation 37.50%")
        bar._bar.refresh()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    last = [text for text in plain.splitlines() if "epoch" in text][-1]
    assert re.fullmatch(line, last.strip())
    assert len(last) <= 80


def test_work_that_counts_for_itself_closes_its_bar() -> None:
    stream = Terminal()
    report = Progress(stream)
    for done in (0, 3, 7):
        report(done, 7, "decoding")
    assert report._open is None
    assert "decoding" in stream.getvalue()


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Progress.quiet()
    with quiet.bar("training", 1) as bar:
        bar.say("epoch 1")
        quiet.say("hello")
    assert capsys.readouterr() == ("", "")
