"""What tests of trainings share: interruption without a signal, and the files of several seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import fieldstone as fs
from fieldstone.design.design import Design


@contextmanager
def stopping_after(steps: int) -> Iterator[None]:
    """A training in here is interrupted after so many steps, as Ctrl-C would."""

    @contextmanager
    def stopping() -> Iterator[Callable[[], bool]]:
        asked = count(1)
        yield lambda: next(asked) >= steps

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fieldstone.verbs.job.job.stopping_on_signals", stopping)
        yield


def files_of_seeds(train: Callable[[Path, int], object], folder: Path, seeds: tuple[int, ...]) -> list[bytes]:
    """The model file of a training with each seed; what the caller drew before each differs."""
    files = []
    for number, seed in enumerate(seeds):
        torch.manual_seed(number)
        train(folder / str(number), seed)
        files.append((folder / str(number) / "model.safetensors").read_bytes())
    return files


def pictures(
    folder: Path, classes: dict[str, int], count: int, seed: int, *, lean: int = 60, mode: str = "RGB"
) -> Path:
    """Noisy images that lean to one channel, the number given, by so much; grey ones lean to bright or dark."""
    rng = np.random.default_rng(seed)
    for name, channel in classes.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 160, (16, 16, 3), dtype=np.uint8)
            pixels[..., channel] += lean
            image = Image.fromarray(pixels)
            (image if mode == "RGB" else image.getchannel(0)).save(folder / name / f"{number}.png")
    return folder


def colours_learned(folder: Path, design: Design, seed: int) -> Path:
    """The run of a small network that tells three colours apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDSTONE_CACHE", str(folder / "cache"))
        data = pictures(folder / "data", {"red": 0, "green": 1, "blue": 2}, 20, seed)
        fs.train(data, design=design, recipe=fs.Recipe(epochs=4, precision="fp32"), out=folder / "run")
    return folder / "run"


def weights(model: fs.Model) -> dict[str, torch.Tensor]:
    return dict(model.network.state_dict())


def features(**fields: object) -> fs.Recipe:
    return fs.Recipe.named("features").replace(precision="fp32", **fields)


def finetune(**fields: object) -> fs.Recipe:
    return fs.Recipe.named("finetune").replace(**{"precision": "fp32", "epochs": 2, **fields})
