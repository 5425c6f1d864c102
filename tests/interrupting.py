"""Trainings that are interrupted, without a signal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import pytest


@contextmanager
def stopping_after(steps: int) -> Iterator[None]:
    """A training in here is interrupted after so many steps, as Ctrl-C would."""

    @contextmanager
    def stopping() -> Iterator[Callable[[], bool]]:
        asked = count(1)
        yield lambda: next(asked) >= steps

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fieldstone.verbs.training_job.stopping_on_signals", stopping)
        yield
