"""Weights of another library, for a network of the gallery, as a model."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fieldstone import __version__
from fieldstone.data.manifest import printable
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.design.design import Design
from fieldstone.errors import DataError, DesignError, ModelError
from fieldstone.geometry import format_shape
from fieldstone.model.device import pick_device
from fieldstone.model.inference import place
from fieldstone.model.learned_preprocessing import learned_preprocessing
from fieldstone.model.model import Model
from fieldstone.model.shipped import imagenet_classes
from fieldstone.model.tensors import copied
from fieldstone.model.weights import Weights, read_weights
from fieldstone.network.state_dicts.fit import Fit, fit, fitting
from fieldstone.network.state_dicts.names import known, names_of
from fieldstone.network.state_dicts.sound import refuse_unsound
from fieldstone.network.state_dicts.translate import mismatches
from fieldstone.tasks.task import TASKS

IMAGENET = "ImageNet (ILSVRC 2012)"
CHANNELS = (1, 3)


def import_weights(
    file: str | Path,
    design: str,
    *,
    input: Sequence[int] | None = None,
    class_names: Sequence[str] | None = None,
    resize_to: int | None = None,
    scale: float | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    device: str | torch.device | None = None,
    without_head: bool = False,
) -> Model:
    """A model of a design of the gallery, with the weights that torchvision or timm gave it.

    Its `about["data"]` says where the weights come from: `notes` is what they are, `assumed` what may be otherwise.

    Args:
        file: a state dict, as `torch.save` or safetensors wrote it; it is read as data and runs no code.
        input: channels and sides, where images are to have another size than the design's.
        class_names: in the order of the head's outputs; without them ImageNet's for 1,000 outputs, else numbers.
        resize_to: what the shorter side of an image becomes before the centre is cut, in pixels.
        scale: x = pixel * scale, then (x - mean) / std with a number for each channel, or one for all; what is not
            given is as the library has it.
        without_head: take weights that lack the head too; the model has no classes then.

    Raises:
        ModelError: the file is no state dict, or one that does not fit the design; nothing is loaded halfway.
        DesignError: no such design, or one that does not walk on that input.
        DataError: a preprocessing that no image can have.
    """
    path = Path(file)
    own = _classifier(design)
    _refuse_rank(own, input)
    weights = read_weights(path)
    _refuse_channels(path, fit(design, weights.tensors))
    fitted = fit(design, weights.tensors, input, without_head=without_head)
    _refuse_rivals(path, fitted)
    if fitted.translated.faults:
        raise _misfit(path, design, fitted, weights.tensors)
    pixels, known_file = fitted.names.of_file(weights.sha256)
    if "refused" in known_file:
        raise ModelError(known_file["refused"], file=str(path), fix=f"give weights of {design}")
    preprocessing = _changed(learned_preprocessing(fitted.design.input, own.input, pixels), resize_to, scale, mean, std)
    outputs = fitted.design.classes or 0
    classes, called = ((), "") if fitted.headless else _classes(outputs, class_names)
    return Model(
        network=place(_filled(fitted, path), pick_device(device)).eval(),
        task=TASKS["binary" if outputs == 1 else "multiclass"],
        classes=classes,
        preprocessing=preprocessing,
        design=fitted.design if fitted.headless else fitted.design.resolve(classes=len(classes)),
        seen=frozenset(),
        about=_about(path, weights, fitted, classes, known_file.get("known", ""), called),
        device=pick_device(device),
    )


def read_class_names(path: Path) -> list[str]:
    """The names of classes in a text file, one a line.

    Raises:
        ModelError: the file cannot be read, or a line of it is empty.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except OSError as fault:
        message = f"cannot be read: {(fault.strerror or str(fault)).lower()}"
        raise ModelError(message, file=str(path), fix="give a text file with one class name a line") from fault
    except UnicodeDecodeError as fault:
        raise ModelError("is no UTF-8 text", file=str(path), fix="save it as UTF-8, one class name a line") from fault
    if "" in lines:
        raise ModelError("is an empty class name", file=str(path), line=lines.index("") + 1, fix="take the line out")
    return lines


def _classifier(name: str) -> Design:
    """A design of which other libraries' names are known, and whose outputs a model can have."""
    if Path(name).is_file():
        fix = f"give the name of its network there: {', '.join(known())}"
        raise ModelError(f"{name} is a file of a design, and whose layer names it has is not known", fix=fix)
    design = Design.named(name)
    if name not in known():
        fix = f"the designs that torchvision or timm has too are {', '.join(known())}"
        raise ModelError(f"{name} is in no other library whose layer names are known here", fix=fix)
    if len(design.output_shape(design.classes or 1)) > 1:
        raise ModelError(
            f"{name} gives a class for every pixel, and the tasks of models are {' and '.join(TASKS)} so far",
            fix="import a network that gives one answer an image, such as resnet-50",
        )
    return design


def _refuse_rank(own: Design, input: Sequence[int] | None) -> None:
    if input is not None and len(input) != len(own.input):
        sides, rank = format_shape(own.input), len(own.input) - 1
        message = f"an input of {format_shape(tuple(input))} has another rank than {own.name}, a {rank}-d network"
        raise DesignError(message, fix=f"give channels and {rank} sides, as in {sides}")


def _refuse_channels(path: Path, fitted: Fit) -> None:
    """Weights that fit, and whose first layer no image fits."""
    channels = fitted.design.input[0]
    if channels not in CHANNELS and not fitted.translated.faults:
        name = f"{fitted.names.layers[0]}.weight"
        raise ModelError(
            f"{name} is for {channels} channels, and images have 1 (grey) or 3 (red, green, blue)",
            file=str(path),
            fix=f"keep 3 of them: tensors = torch.load(FILE); tensors[{name!r}] = tensors[{name!r}][:, :3].clone(); "
            "torch.save(tensors, NEW)",
        )


def _refuse_rivals(path: Path, fitted: Fit) -> None:
    """Several networks in one state dict."""
    if fitted.below.rivals:
        prefix = fitted.below.prefix
        raise ModelError(
            f"holds several networks, under {', '.join(map(repr, (prefix, *fitted.below.rivals)))}",
            file=str(path),
            fix=f"save the one that is meant alone: torch.save({{name: tensor for name, tensor in tensors.items() "
            f"if name.startswith({prefix!r})}}, NEW)",
        )


def _misfit(path: Path, name: str, fitted: Fit, tensors: Mapping[str, Tensor]) -> ModelError:
    """What does not match, by name and shape, and what else the file may be."""
    faults = fitted.translated.faults
    tried = [names.library for names in names_of(name)]
    closest = fitted.names.library + (f", closest of {', '.join(tried)}" if len(tried) > 1 else "")
    note = f"\n  ({fitted.below.note})" if fitted.below.note else ""
    others = fitting(tensors)
    fix = f"nothing was loaded; give {name}'s own weights"
    if name in others:
        fix = "nothing was loaded; give --input as many channels as its first layer has"
    elif others:
        fix = f"nothing was loaded; did you mean --design {others[0]}?"
    elif not fit(name, tensors, without_head=True).translated.faults:
        command = f"fieldstone train DATA --start {shlex.quote(str(path))} --design {name}"
        fix = f"nothing was loaded; it lacks the head alone, and as a start it needs none: {command}"
    message = f"does not fit {name}: by the layer names of {closest}, {mismatches(faults)}{note}"
    return ModelError(message, file=str(path), fix=fix)


def _filled(fitted: Fit, path: Path) -> torch.nn.Module:
    """The network with the tensors, each with memory of its own."""
    tensors = fitted.translated.tensors
    refuse_unsound(tensors, str(path))
    fitted.network.load_state_dict(copied(tensors), assign=True)
    return fitted.network


def _classes(outputs: int, given: Sequence[str] | None) -> tuple[tuple[str, ...], str]:
    """The names of the classes, and what is to be said of them; nothing where they were given."""
    count = 2 if outputs == 1 else outputs
    if given is not None:
        _check_names(given, count, outputs)
        return tuple(given), ""
    imagenet = imagenet_classes()
    if count == len(imagenet):
        return imagenet, f"the {count:,} classes are taken for ImageNet's, in its order"
    numbers = tuple(map(str, range(count)))
    return numbers, f"a state dict has no class names, so they are 0 to {count - 1:,}; --class-names FILE gives others"


def _check_names(given: Sequence[str], count: int, outputs: int) -> None:
    if len(given) != count:
        of = "a head of 1 output has 2 classes" if outputs == 1 else f"the head has {outputs:,} outputs"
        raise ModelError(f"{len(given):,} class names were given, and {of}", fix=f"give {count:,}, in their order")
    doubled = [name for number, name in enumerate(given) if name in given[:number]]
    if doubled:
        raise ModelError(f"the class name {doubled[0]!r} was given twice", fix="give each class a name of its own")


def _changed(
    learned: Preprocessing,
    resize_to: int | None,
    scale: float | None,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
) -> Preprocessing:
    """What the library does with images, or what was asked for instead."""
    changes: dict[str, Any] = {"resize_to": resize_to, "scale": scale}
    changes |= {name: _numbers(name, given, learned.channels) for name, given in (("mean", mean), ("std", std))}
    if scale is not None and not (isfinite(scale) and scale > 0):
        raise DataError(f"scale {scale:g} is not above 0", fix="give what a pixel is multiplied with, as in 1/255")
    if changes["std"] is not None and min(changes["std"]) <= 0:
        raise DataError(f"std {min(changes['std']):g} is not above 0", fix="give standard deviations")
    return replace(learned, **{name: value for name, value in changes.items() if value is not None})


def _numbers(name: str, given: Sequence[float] | None, channels: int) -> tuple[float, ...] | None:
    if given is None:
        return None
    if len(given) not in (1, channels):
        raise DataError(f"{name} has {len(given)} numbers for {channels} channels", fix="give one for each, or for all")
    if not all(map(isfinite, given)):
        raise DataError(f"{name} {', '.join(map(str, given))} is not finite", fix="give numbers")
    return tuple(given) * (channels // len(given))


def _about(path: Path, weights: Weights, fitted: Fit, classes: tuple[str, ...], *said: str) -> dict[str, Any]:
    """Where the model comes from, as its file says it.

    Args:
        said: what is known of the file, and of its classes.
    """
    heads, (known_file, called) = len(fitted.translated.ignored), said
    left_out = f"left out, because the network has no such heads: {heads} tensors" if heads else ""
    headless = "it has no head for this network" if fitted.headless else ""
    notes = (*weights.notes, fitted.below.note, headless, left_out, known_file, fitted.names.note)
    data = {
        "path": IMAGENET if classes == imagenet_classes() else "not known",
        "weights": printable(path.name),
        "sha256": weights.sha256,
        "library": fitted.names.library,
        "notes": [note for note in notes if note],
        "assumed": [note for note in (fitted.names.assumed, called) if note],
    }
    versions = {"fieldstone": __version__, "torch": torch.__version__}
    return {"recipe": {}, "data": data, "metrics": {}, "versions": versions}
