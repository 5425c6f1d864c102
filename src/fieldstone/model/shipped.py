"""Models whose weights a package ships: found, checked, and turned once into a model file in the cache."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import torch

from fieldstone import __version__
from fieldstone.data import cache
from fieldstone.design.design import Design
from fieldstone.errors import MissingExtraError, ModelError
from fieldstone.model.file import FORMAT, ModelFile, pack_keys, write_model_file
from fieldstone.model.learned_preprocessing import learned_preprocessing
from fieldstone.model.packages import INSTALL, SHIPPED, Shipped, installed, not_installed
from fieldstone.network.build import build
from fieldstone.network.state_dicts.names import names_of
from fieldstone.network.state_dicts.translate import translate

IMAGENET = Path(__file__).with_name("imagenet") / "names.txt"


def shipped_model(name: str) -> Path:
    """The model file of a design whose weights a package ships; written into the cache at the first call.

    Raises:
        MissingExtraError: the package is not installed.
        ModelError: its file is not the one that is known here.
        DataError: the cache cannot be written.
    """
    shipped = SHIPPED[name]
    weights = installed(name)
    if weights is None:
        raise MissingExtraError(not_installed(name), fix=INSTALL)
    key = cache.key([FORMAT, __version__, shipped.sha256, Design.named(name).to_text()])
    place = cache.folder() / f"model-{name}-{key}.safetensors"
    if not place.is_file():
        content = _converted(name, shipped, weights)
        with cache.written(place) as beside:
            write_model_file(beside, content)
    return place


def imagenet_classes() -> tuple[str, ...]:
    """The 1,000 classes of ILSVRC 2012 in the order of their numbers: the first English synonym of each.

    Where two classes share it, the later one has another of its names (517 construction crane, 639 tank suit). Source:
    the package imagenet-classes, MIT, whose licence lies beside the table.
    """
    return tuple(IMAGENET.read_text(encoding="utf-8").splitlines())


def _converted(name: str, shipped: Shipped, weights: Path) -> ModelFile:
    """The package's state dict as a model file's content."""
    try:
        held = weights.read_bytes()
    except OSError as fault:
        raise ModelError(f"cannot be read: {fault.strerror}", file=str(weights), fix=_again(shipped)) from fault
    if hashlib.sha256(held).hexdigest() != shipped.sha256:
        raise ModelError("is not the file that its package ships", file=str(weights), fix=_again(shipped))
    design = Design.named(name)
    assert design.classes is not None
    with torch.device("meta"):
        network = build(design, design.classes)
    tensors = torch.load(io.BytesIO(held), map_location="cpu", weights_only=True)
    names = names_of(name)[0]
    translated = translate(network, names, tensors)
    assert not translated.faults, translated.faults
    fields = {
        "design": design.to_text(),
        "task": "multiclass",
        "classes": list(imagenet_classes()),
        "preprocessing": learned_preprocessing(design.input, design.input, names.pixels).to_json(),
        "images": pack_keys(()),
        "recipe": {},
        "data": {"path": "ImageNet (ILSVRC 2012)", "weights": shipped.package, "sha256": shipped.sha256},
        "metrics": {},
        "versions": {"fieldstone": __version__, "torch": torch.__version__},
    }
    return ModelFile(fields, translated.tensors)


def _again(shipped: Shipped) -> str:
    return f"install it again: pip install --force-reinstall {shipped.package.replace('_', '-')}"
