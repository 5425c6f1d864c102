"""What tests of trainings share: interruption without a signal, and the files of several seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import torch


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


def files_of_seeds(train: Callable[[Path, int], object], folder: Path, seeds: tuple[int, ...]) -> list[bytes]:
    """The model file of a training with each seed; what the caller drew before each differs."""
    files = []
    for number, seed in enumerate(seeds):
        torch.manual_seed(number)
        train(folder / str(number), seed)
        files.append((folder / str(number) / "model.safetensors").read_bytes())
    return files
