"""A design as one file of plain PyTorch, which runs without this library. No torch."""

from __future__ import annotations

import textwrap
from pathlib import Path

import jinja2

from fieldstone import __version__
from fieldstone.design.design import Design
from fieldstone.geometry import format_shape
from fieldstone.network.code_lines import WIDTH
from fieldstone.network.code_network import NetworkPrinter

TEMPLATE = Path(__file__).with_name("code.py.jinja")


def plain_code(design: Design, classes: int, outputs: int | None = None) -> str:
    """A runnable file: the network as a class and, for images, the steps from a folder to a tested network.

    The parameters and buffers of its `Network().state_dict()` stand in the order of the built network's.

    Args:
        outputs: the number that `classes` stands for in the design; None is 1 for two classes, else `classes`.

    Raises:
        DesignError: the design does not walk.
    """
    outputs = outputs or (1 if classes == 2 else classes)
    printer = NetworkPrinter({row.path: row for row in design.walk(outputs)})
    printer.print(design.layers)
    binary = classes == 2 and outputs == 1
    unfit = _unfit(design, classes, outputs)
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        title=_comment(": ".join(part for part in (design.name, design.about) if part)),
        paper=_comment(design.paper and f"Paper: {design.paper}"),
        version=__version__,
        input=design.input,
        output=design.output_shape(outputs),
        images=unfit is None,
        why=_comment(f"Shapes alone, as no folder of images trains it: {unfit}.", WIDTH - 4),
        classes=classes,
        binary=binary,
        used=printer.used,
        init=printer.init,
        forward=printer.forward,
    )


def _unfit(design: Design, classes: int, outputs: int) -> str | None:
    """Why a folder of class folders cannot train it; None where it can."""
    shape, sides = design.output_shape(outputs), len(design.input) - 1
    if sides != 2:
        return f"its input has {sides} {'side' if sides == 1 else 'sides'}, an image 2"
    if design.input[0] not in (1, 3):
        return f"its input has {design.input[0]} channels, an image 1 or 3"
    if shape != (outputs,):
        return f"it gives {format_shape(shape)} for an image, not a number for each class"
    if classes < 2:
        return "one class alone cannot be told from others"
    if outputs not in (classes, 1 if classes == 2 else classes):
        return f"its {outputs} outputs are not one for each of {classes} classes"
    return None


def _comment(text: str, width: int = WIDTH) -> list[str]:
    """The text, cut into lines of a comment."""
    return textwrap.wrap(" ".join(text.split()), width - len("# "), break_on_hyphens=False)
