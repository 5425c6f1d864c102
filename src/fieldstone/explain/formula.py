"""The arithmetic of an output's size, written out."""

from __future__ import annotations

from fieldstone.geometry import Window

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def size_formulas(window: Window, sides: tuple[int, ...]) -> tuple[str, ...]:
    """Per axis `floor((5 + 2·0 − 1·(3−1) − 1)/1) + 1 = 3`: input, padding, dilation, kernel, stride.

    Source: torch.nn.Conv2d, torch.nn.MaxPool2d.
    """
    sizes = window.output_sizes(sides)
    return tuple(_formula(window, axis, side, size) for axis, (side, size) in enumerate(zip(sides, sizes, strict=True)))


def _formula(window: Window, axis: int, side: int, size: int) -> str:
    before, after = window.padding[axis]
    kernel, stride, dilation = window.kernel[axis], window.stride[axis], window.dilation[axis]
    padding = f"2·{before}" if before == after else f"{before} + {after}"
    room = side + before + after - window.extents[axis]
    text = f"{'ceil' if window.ceil_mode else 'floor'}(({side} + {padding} − {dilation}·({kernel}−1) − 1)/{stride}) + 1"
    dropped = window.ceil_mode and size < -(-room // stride) + 1  # torch: the last one would start after the input
    return f"{text}{' − 1' if dropped else ''} = {size}"


def joined(formulas: tuple[str, ...]) -> list[str]:
    """The lines that say them: one where all axes agree."""
    if len(set(formulas)) == 1:
        return [formulas[0] + (" along each side" if len(formulas) > 1 else "")]
    names = AXES[len(formulas)]
    width = max(map(len, names))
    return [f"{name:<{width}}  {formula}" for name, formula in zip(names, formulas, strict=True)]
