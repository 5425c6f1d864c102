"""A design as one file of plain PyTorch, which runs without this library. No torch."""

from __future__ import annotations

import textwrap
from pathlib import Path

import jinja2

from fieldstone import __version__
from fieldstone.design.design import Design
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
    classifies = classes > 1 and (binary or outputs == classes) and design.output_shape(outputs) == (outputs,)
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        title=_comment(": ".join(part for part in (design.name, design.about) if part)),
        paper=_comment(design.paper and f"Paper: {design.paper}"),
        version=__version__,
        input=design.input,
        output=design.output_shape(outputs),
        images=classifies and len(design.input) == 3 and design.input[0] in (1, 3),
        classes=classes,
        binary=binary,
        used=printer.used,
        init=printer.init,
        forward=printer.forward,
    )


def _comment(text: str) -> list[str]:
    """The text, cut into lines of a comment."""
    return textwrap.wrap(" ".join(text.split()), WIDTH - len("# "), break_on_hyphens=False)
