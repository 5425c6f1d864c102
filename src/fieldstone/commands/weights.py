"""`weights`: what other libraries have learned, for networks of the gallery."""

from __future__ import annotations

from pathlib import Path

from fieldstone.commands import options
from fieldstone.commands.answers import DONE, print_answer
from fieldstone.commands.parsing import command, whole, word
from fieldstone.errors import DataError


@command(
    word("file", metavar="FILE", help="A state dict: .pth, .pt, .bin or .safetensors."),
    word("--design", required=True, metavar="NAME", help="The network of the gallery that they are of."),
    word("-o", "--out", required=True, metavar="MODEL", help="The model file to make, .safetensors."),
    word("--class-names", metavar="FILE", help="One class a line [ImageNet's of 1,000, else numbers]."),
    options.SHAPE,
    word("--resize-to", type=whole(1), metavar="PIXELS", help="An image's shorter side, before the centre is cut."),
    word("--scale", metavar="NUMBER", help="What a pixel of 0 to 255 is multiplied with, as in 1/255."),
    word("--mean", metavar="NUMBERS", help="Taken off each channel then, as in 0.485,0.456,0.406."),
    word("--std", metavar="NUMBERS", help="What each channel is divided by last, as in 0.5."),
    options.JSON,
)
def import_(
    *, file: str, design: str, out: str, class_names: str | None, shape: str | None, resize_to: int | None,
    scale: str | None, mean: str | None, std: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Make a model of weights that torchvision or timm saved.

    What is not given follows the library that has the network; the answer says what was taken.
    """
    from fieldstone.verbs.choosing.sizes import parse_shape
    from fieldstone.verbs.weights.import_weights import read_class_names
    from fieldstone.verbs.weights.imported import import_file

    numbers = {"mean": _numbers("--mean", mean), "std": _numbers("--std", std)}
    factor = _numbers("--scale", scale)
    if factor is not None and len(factor) > 1:
        raise DataError(f"--scale {scale!r} is more than one number", fix="give one, as in 1/255")
    answer = import_file(
        file, design, out, input=parse_shape(shape), resize_to=resize_to, scale=factor and factor[0], **numbers,
        class_names=None if class_names is None else read_class_names(Path(class_names)), device="cpu",
    )  # fmt: skip
    print_answer(answer, as_json)
    return DONE


def _numbers(option: str, text: str | None) -> list[float] | None:
    """`0.485,0.456,0.406` or `1/255` as numbers."""
    if text is None:
        return None
    try:
        return [_number(part) for part in text.split(",")]
    except (ValueError, ZeroDivisionError) as fault:
        fix = "write one, or one for each channel between commas"
        raise DataError(f"{option} {text!r} is not made of numbers", fix=fix) from fault


def _number(text: str) -> float:
    above, _, below = text.partition("/")
    return float(above) / float(below or 1)
