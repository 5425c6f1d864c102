"""What long work says while it runs: a bar on a terminal, plain lines elsewhere, nothing where it is quiet."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import Task, TaskID

SECONDS_BETWEEN_LINES = 30.0


class Bar(Protocol):
    """One piece of long work."""

    def advance(self, amount: int) -> None:
        """So much more is done."""

    def note(self, text: str) -> None:
        """What stands behind the bar from now on."""

    def say(self, line: str) -> None:
        """A line that stays."""


class Progress:
    """Everything that is said goes to one stream, standard error if nothing else is said."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self.stream = stream or sys.stderr
        self.is_quiet = quiet
        self._open: tuple[str, RichBar | LineBar] | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def quiet(cls) -> Progress:
        """Says nothing."""
        return cls(quiet=True)

    def say(self, line: str) -> None:
        """A line that stays."""
        if not self.is_quiet:
            print(line, file=self.stream, flush=True)

    @contextmanager
    def bar(self, what: str, total: int, unit: str = "images") -> Iterator[Bar]:
        """A bar for `total` units of work; the line that it leaves elsewhere gives the rate and the time left."""
        bar = self._new(what, total, unit)
        try:
            yield bar
        finally:
            bar.close()

    def __call__(self, done: int, total: int, what: str) -> None:
        """For work that counts for itself: opens a bar at the first call for `what`, closes it when all is done."""
        if self._open is None or self._open[0] != what:
            self.close()
            self._open = (what, self._new(what, total, "images"))
        bar = self._open[1]
        bar.advance(done - bar.done)
        if done >= total:
            self.close()

    def close(self) -> None:
        """End the bar that a call opened, finished or not."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _new(self, what: str, total: int, unit: str) -> RichBar | LineBar:
        if not self.is_quiet and self.stream.isatty():
            return RichBar(self.stream, what, total, unit)
        return LineBar(self, what, total, unit)


class LineBar:
    """A line every half minute, for logs."""

    def __init__(self, progress: Progress, what: str, total: int, unit: str) -> None:
        self.done = 0
        self._progress, self._what, self._total, self._unit = progress, what, total, unit
        self._note = ""
        self._start = self._last = time.monotonic()

    def advance(self, amount: int) -> None:
        self.done += amount
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN_LINES and self.done:
            self._last = now
            rate = self.done / (now - self._start)
            left = (self._total - self.done) / rate
            counts = f"{self.done:,} of {self._total:,} {self._unit}, {rate:,.0f}/s, {left:,.0f} s left"
            self.say(", ".join(filter(None, (f"{self._what}: {counts}", self._note))))

    def note(self, text: str) -> None:
        self._note = text

    def say(self, line: str) -> None:
        self._progress.say(line)

    def close(self) -> None:
        """Nothing is left open by a line."""


class RichBar:
    """A bar with rate and time left."""

    def __init__(self, stream: TextIO, what: str, total: int, unit: str) -> None:
        self.done = 0
        self._bar, self._task = _rich_bar(stream, what, total, unit)
        self._bar.start()

    def advance(self, amount: int) -> None:
        self.done += amount
        self._bar.update(self._task, advance=amount, rate=self._rate())

    def note(self, text: str) -> None:
        self._bar.update(self._task, note=text)

    def say(self, line: str) -> None:
        self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        self._bar.stop()

    def _rate(self) -> str:
        speed = self._bar.tasks[0].speed
        return "" if speed is None else f"{speed:,.0f}/s"


def _rich_bar(stream: TextIO, what: str, total: int, unit: str) -> tuple[RichProgress, TaskID]:
    """Where the line is full, the bar gives way first, then the note; counts, rate and time left stay whole."""
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress
    from rich.table import Column
    from rich.text import Text

    class NoteColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(task.fields["note"], no_wrap=True, overflow="ellipsis")

    bar = RichProgress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None, table_column=Column(ratio=1, no_wrap=True)),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} " + unit),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
        NoteColumn(),
        console=Console(file=stream),
        expand=True,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    return bar, bar.add_task(what, total=total, rate="", note="")
