"""A model: network, weights, task, classes and preprocessing in one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fieldstone.data.preprocessing import Preprocessing
from fieldstone.design import named
from fieldstone.design.design import Design
from fieldstone.design.notation import nearest
from fieldstone.errors import ModelError
from fieldstone.geometry import format_shape
from fieldstone.model import predicting
from fieldstone.model.device import pick_device
from fieldstone.model.evaluation import TestReport, evaluate
from fieldstone.model.file import ModelFile, pack_keys, read_model_file, unpack_keys, write_model_file
from fieldstone.model.inference import place
from fieldstone.model.packages import SHIPPED
from fieldstone.model.prediction import Prediction
from fieldstone.model.shipped import shipped_model
from fieldstone.network.build import build
from fieldstone.progress import Progress
from fieldstone.tasks.task import TASKS, Task

UNNAMED = "a model"
"""What learned weights are called that no file or run brought."""
GIVE_CLASS = "give it: --network package.module:YourNetwork, in Python network=YourNetwork()"
"""What to do where a network of the user's own was trained."""


@dataclass(repr=False, eq=False)
class Model:
    """A network with everything that is needed to use it.

    Attributes:
        network: a plain `torch.nn.Module`; logits leave it.
        design: what it was built from, None where it is a network of the user's own.
        seen: first 8 bytes of the key of each image that it was trained or validated on.
        about: what the file says of its making: `recipe, data, metrics, versions`.
        run: the folder that its training wrote, None where it came from a file alone.
    """

    network: nn.Module
    task: Task
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    design: Design | None
    seen: frozenset[bytes]
    about: dict[str, Any]
    device: torch.device = field(default_factory=pick_device)
    run: Path | None = None

    def predict(
        self, images: predicting.Source | Sequence[predicting.Source], *, top: int = 5
    ) -> Prediction | list[Prediction]:
        """What the model says of an image, or of each of a list.

        Args:
            images: a file, a pattern such as `new/*.jpg`, a folder, a PIL image, or a list of these. One file or
                image gives one `Prediction`; a list, pattern or folder gives a list, in order.
            top: how many classes `Prediction.top` holds.

        Raises:
            ImageError: a single image that cannot be read; in a list it is a `Prediction` with an `error`.
            ModelError: the answer to a single image is not finite; in a list it is a `Prediction` with an `error` too.
            DataError: a pattern or folder without an image.
        """
        return predicting.predict(self, images, top)

    def predictions(self, images: Sequence[predicting.Source], *, top: int = 5) -> Iterator[Prediction]:
        """Like `predict` of a list, one by one as they are made."""
        return predicting.predictions(self, images, top)

    def test(self, data: str | Path, *, strict: bool = False, progress: Progress | None = None) -> TestReport:
        """Test on the images of `data` that the model was not trained or validated on.

        Data with a test split of its own is tested on that; any other data on every image in it.

        Raises:
            DataError: data that cannot be understood, has other classes, or leaves no image to test on.
            ModelError: answers that are not finite.
        """
        return evaluate(self, data, strict=strict, progress=progress or Progress.quiet())

    def save(self, path: str | Path) -> Path:
        """Write everything to one `.safetensors` file; the same model gives the same bytes.

        Raises:
            ModelError: the place cannot be written.
        """
        fields = {
            **self.about,
            "design": None if self.design is None else self.design.to_text(),
            "task": self.task.name,
            "classes": list(self.classes),
            "preprocessing": self.preprocessing.to_json(),
            "images": pack_keys(self.seen),
        }
        write_model_file(Path(path), ModelFile(fields, self.network.state_dict()))
        return Path(path)

    def __repr__(self) -> str:
        name = "a network of its own" if self.design is None else self.design.name or "a design without a name"
        size = format_shape((self.preprocessing.channels, *self.preprocessing.size))
        return f"Model({name}, {self.task.name}, {len(self.classes)} classes, input {size}, on {self.device})"


def load(path: str | Path, network: nn.Module | None = None, *, device: str | torch.device | None = None) -> Model:
    """The model of a file, of a run folder, or of a package that ships learned weights.

    Args:
        path: a `.safetensors` file that Fieldstone wrote, the run folder that holds one, or a name such as
            `efficientnet-lite-0`.
        network: the module whose weights the file holds, where it was not built from a design.
        device: such as `cpu` or `cuda`; without it the accelerator, where there is one.

    Raises:
        ModelError: the file is missing, cut, altered, or holds the weights of another network.
        MissingExtraError: the package of that name is not installed.
    """
    return stored(path).model(network, device=device)


@dataclass(frozen=True, repr=False, eq=False)
class Stored:
    """A model as its file holds it, its network not yet made.

    Attributes:
        tensors: by the names of the network that was saved.
        known: what the file says of the rest, by the names of `Model`'s attributes.
    """

    file: Path
    run: Path | None
    tensors: dict[str, Tensor]
    known: dict[str, Any]

    def model(self, network: nn.Module | None = None, *, device: str | torch.device | None = None) -> Model:
        """The model, as `load` gives it. Raises ModelError where the tensors do not fit the network."""
        misfit, known = OTHER_NETWORK, self.known
        if network is None:
            outputs = known["task"].outputs(len(known["classes"]))
            network, misfit = _built(known["design"], outputs, self.file), ALTERED
        _fill(network, self.tensors, self.file, misfit)
        chosen = pick_device(device)
        return Model(network=place(network, chosen).eval(), device=chosen, run=self.run, **known)


def stored(path: str | Path) -> Stored:
    """What `load` reads, before a network is made of it. Raises as that does."""
    run = Path(path) if str(path) not in named.names() and Path(path).is_dir() else None
    file = run / "model.safetensors" if run else _file(path)
    content = read_model_file(file)
    return Stored(file, run, content.tensors, _understood(content.fields, file))


def _file(path: str | Path) -> Path:
    """The model file that is meant: a file's path, or the name of a design whose weights a package ships."""
    if str(path) in SHIPPED:
        return shipped_model(str(path))
    if str(path) in named.names():
        raise ModelError(
            f"{path} is a design without learned weights",
            fix=f"train it (fieldstone train DATA --design {path}), or take one of {', '.join(SHIPPED)}",
        )
    if not Path(path).exists():
        near = nearest(str(path), SHIPPED)
        meant = f"did you mean {near}? Else " if near else ""
        fix = f"{meant}give a run folder, a model file, or one of {', '.join(SHIPPED)}"
        raise ModelError("is not there", file=str(path), fix=fix)
    return Path(path)


def _understood(fields: dict[str, Any], file: Path) -> dict[str, Any]:
    """What the fields of a model file mean; the checksum tells only that they are as they were written."""
    try:
        classes, preprocessing = fields["classes"], Preprocessing.from_json(fields["preprocessing"])
        design = None if fields["design"] is None else Design.parse(fields["design"], file=str(file))
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise TypeError("classes")
        if not 2 <= len(set(classes)) == len(classes) or not _complete(preprocessing):
            raise ValueError("classes or preprocessing")
        if design is not None and design.input != (preprocessing.channels, *preprocessing.size):
            raise ValueError("the design has another input than the preprocessing gives")
        return {
            "task": TASKS[fields["task"]],
            "classes": tuple(classes),
            "preprocessing": preprocessing,
            "design": design,
            "seen": unpack_keys(fields["images"]),
            "about": {name: fields[name] for name in ("recipe", "data", "metrics", "versions")},
        }
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise ModelError(
            "holds fields that this Fieldstone does not understand",
            file=str(file),
            fix="take a file that training wrote",
        ) from fault


def _complete(preprocessing: Preprocessing) -> bool:
    """Whether it has a finite mean and a deviation above 0 for each channel."""
    mean, std = preprocessing.mean or (), preprocessing.std or ()
    numbers = len(mean) == len(std) == preprocessing.channels and all(map(math.isfinite, mean + std))
    return numbers and min(std) > 0


def _built(design: Design | None, outputs: int, file: Path) -> nn.Module:
    if design is None:
        raise ModelError(
            "holds the weights of a network of your own, so its class is needed",
            file=str(file),
            fix=GIVE_CLASS,
        )
    # Without storage: a file that claims a huge network costs nothing before its weights are found missing.
    with torch.device("meta"):
        return build(design, outputs)


ALTERED = (
    "was altered after it was saved: it does not fit the network of its own design",
    "take the file that training wrote",
)
OTHER_NETWORK = ("does not fit the network", "give the network that was trained, and the file that training wrote")
"""What it means that tensors do not fit, and what to do: the checksum covers neither their names nor their shapes."""


def _fill(network: nn.Module, tensors: dict[str, Tensor], file: Path, misfit: tuple[str, str]) -> None:
    """Give the network the file's tensors, all of them or none."""
    wanted = {name: _kind(tensor) for name, tensor in network.state_dict().items()}
    held = {name: _kind(tensor) for name, tensor in tensors.items()}
    if wanted != held:
        differ = sorted(name for name in wanted.keys() | held.keys() if wanted.get(name) != held.get(name))
        first = differ[0]
        raise ModelError(
            f"{misfit[0]}: {len(differ)} tensors differ, first {first!r}, "
            f"{held.get(first, 'absent')} in the file, {wanted.get(first, 'absent')} in the network",
            file=str(file),
            fix=misfit[1],
        )
    network.load_state_dict(tensors, assign=True)


def _kind(tensor: Tensor) -> str:
    """Shape and number format, for comparison and messages."""
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"
