"""Weights of torchvision and timm through `fieldstone weights import`: the largest difference of logits.

python benchmarks/weights.py [--learned] [NAME ...]

It needs torchvision and timm, which Fieldstone does not. Weights are random, statistics of normalisation too; with
--learned they are the library's own, which it downloads. NAME is a design of the gallery.
"""

import argparse
import logging
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
import torchvision
from PIL import Image
from torch import nn

from fieldstone.data.decode import decode_image
from fieldstone.design.design import Design
from fieldstone.model.inference import Normalise
from fieldstone.model.weights import read_weights
from fieldstone.network.state_dicts.fit import fit
from fieldstone.network.state_dicts.names import names_of
from fieldstone.verbs.weights.import_weights import import_weights
from machine import machine

NETWORKS = [
    ("alexnet", "torchvision", "alexnet"),
    ("vgg-16", "torchvision", "vgg16"),
    ("vgg-16", "timm", "vgg16.tv_in1k"),
    ("googlenet", "torchvision", "googlenet"),
    ("resnet-18", "torchvision", "resnet18"),
    ("resnet-18", "timm", "resnet18.tv_in1k"),
    ("resnet-50", "torchvision", "resnet50"),
    ("resnet-50", "timm", "resnet50.tv_in1k"),
    ("densenet-121", "torchvision", "densenet121"),
    ("densenet-121", "timm", "densenet121.tv_in1k"),
    ("mobilenet-v2", "torchvision", "mobilenet_v2"),
    ("mobilenet-v2", "timm", "mobilenetv2_100"),
    ("squeezenet-1.1", "torchvision", "squeezenet1_1"),
    ("efficientnet-lite-0", "timm", "tf_efficientnet_lite0"),
    ("efficientnet-lite-1", "timm", "tf_efficientnet_lite1"),
    ("efficientnet-lite-2", "timm", "tf_efficientnet_lite2"),
    ("deeplab-v3", "torchvision", "deeplabv3_resnet50"),
]
LEARNED = {"googlenet": {"transform_input": True, "init_weights": False}, "deeplabv3_resnet50": {"aux_loss": True}}
"""What torchvision sets where it loads its learned weights."""


SEGMENTED = (3, 129, 161)
"""A smaller input than the design's, with sides that differ."""


def make(library: str, name: str, learned: bool) -> nn.Module:
    """The library's module, in evaluation mode."""
    if library == "timm":
        return timm.create_model(name, pretrained=learned).eval()
    options: dict[str, Any] = {"weights": "DEFAULT" if learned else None}
    if "deeplab" in name and not learned:
        options["weights_backbone"] = None
    return torchvision.models.get_model(name, **options, **({} if learned else LEARNED.get(name, {}))).eval()


def randomise(module: nn.Module, shape: tuple[int, ...]) -> None:
    """Random weights, and statistics of normalisation that fit them, as training leaves them."""
    rng = torch.Generator().manual_seed(0)
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.weight.data.normal_(std=(2 / layer.weight[0].numel()) ** 0.5, generator=rng)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.weight.data.uniform_(0.8, 1.2, generator=rng)
            layer.bias.data.normal_(std=0.1, generator=rng)
            layer.momentum = 1.0
    with torch.no_grad():
        module.train()(torch.randn(4, *shape, generator=rng))
    module.eval()


def photo() -> Image.Image:
    """Slopes and edges of 500x375; no camera was needed."""
    rows, columns = np.mgrid[0:375, 0:500]
    rings = np.sin(np.hypot(rows - 140, columns - 200) / 9)
    channels = [127 + 100 * rings, 255 * rows / 375, np.where(columns > 210, 220, 40)]
    return Image.fromarray(np.stack(channels, axis=2).astype(np.uint8))


def transform_of(library: str, name: str, module: nn.Module) -> Callable[[Image.Image], torch.Tensor]:
    """How the library makes an image the input of its learned weights; timm with bilinear interpolation throughout."""
    if library == "timm":
        config = timm.data.resolve_data_config({"interpolation": "bilinear"}, model=module)
        return timm.data.create_transform(**config, is_training=False)
    transforms: Callable[[Image.Image], torch.Tensor] = torchvision.models.get_model_weights(
        name
    ).IMAGENET1K_V1.transforms()
    return transforms


def segmentation(path: Path, design: str, theirs: nn.Module) -> tuple[float, float]:
    """The largest difference and the largest logit of tensors that cannot be a model yet, on a smaller map."""
    fitted = fit(design, read_weights(path).tensors, SEGMENTED)
    assert not fitted.translated.faults, fitted.translated.faults
    fitted.network.load_state_dict(fitted.translated.tensors, assign=True)
    images = torch.randn(1, *SEGMENTED, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted = theirs(images)["out"]
        return float((fitted.network.eval()(images) - wanted).abs().max()), float(wanted.abs().max())


def classification(path: Path, design: str, library: str, name: str, theirs: nn.Module) -> tuple[float, float, float]:
    """The largest difference of logits, the largest logit, and the largest difference of the two inputs, in pixels.

    Both networks are given what the library makes of a photo, and noise; ours what googlenet makes of that first.
    """
    model = import_weights(path, design, device="cpu")
    prepared = transform_of(library, name, theirs)(photo())[None]
    noise = torch.randn(prepared.shape, generator=torch.Generator().manual_seed(1))
    images = torch.cat([prepared, noise])
    ours = Normalise(model.preprocessing)(torch.from_numpy(decode_image(photo(), model.preprocessing))[None])
    seen = theirs._transform_input(images) if name == "googlenet" else images
    assert model.preprocessing.std is not None
    level = torch.tensor(model.preprocessing.std).view(3, 1, 1) / model.preprocessing.scale
    with torch.inference_mode():
        wanted, got = theirs(images), model.network(seen)
    pixels = ((ours - seen[:1]) * level).abs().max()
    return float((got - wanted).abs().max()), float(wanted.abs().max()), float(pixels)


def line(design: str, library: str, name: str, learned: bool) -> str:
    """A row of the table."""
    theirs = make(library, name, learned)
    if not learned:
        randomise(theirs, SEGMENTED if "deeplab" in name else Design.named(design).input)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.pth"
        torch.save(theirs.state_dict(), path)
        if "deeplab" in name:
            difference, largest = segmentation(path, design, theirs)
            pixels = "not a model yet"
        else:
            difference, largest, levels = classification(path, design, library, name, theirs)
            pixels = f"{levels:.2f}"
    cells = (
        f"`{design}`",
        f"{library} `{name}`",
        f"{difference:.1e}",
        f"{largest:.3g}",
        f"{difference / largest:.1e}",
        pixels,
    )
    return "| " + " | ".join(cells) + " |"


def files() -> list[str]:
    """What torchvision says of each of its files of these networks, against the tables: the size before the cut."""
    found = []
    for design, library, name in NETWORKS:
        if library == "timm" or "deeplab" in name:
            continue
        for weights in torchvision.models.get_model_weights(name):
            digits = weights.url.rpartition("-")[2].partition(".")[0]
            wanted, (tables,) = weights.transforms().resize_size[0], names_of(design)[:1]
            pixels, _ = tables.of_file(digits)
            found.append(
                f"{weights}: {wanted} by torchvision, {pixels.resize_to} here"
                + (" DIFFERS" * (wanted != pixels.resize_to))
            )
    return found


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser()
    parser.add_argument("--learned", action="store_true")
    parser.add_argument("names", nargs="*", choices=[*{design for design, _, _ in NETWORKS}, []])
    given = parser.parse_args()
    print(machine(), f"torchvision {torchvision.__version__}, timm {timm.__version__}")
    print(
        "| design | of | largest difference | largest logit | ratio | input, in levels of a pixel |\n|" + " --- |" * 6
    )
    for design, library, name in NETWORKS:
        if not given.names or design in given.names:
            print(line(design, library, name, given.learned), flush=True)
    print("\n".join(files()))


if __name__ == "__main__":
    main()
