"""`figure`: what a block computes, drawn for an article."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fieldstone.commands import options
from fieldstone.commands.answers import DONE, print_answer

Kind = Annotated[str, typer.Argument(metavar="KIND", help="What it shows, as in maxpool or conv; see docs/figures.md.")]
Output = Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="A .svg, .png or .gif.")]
Animate = Annotated[bool, typer.Option("--animate", help="Every step, in an SVG without script.")]
Step = Annotated[int | None, typer.Option("--step", metavar="N", help="The step that stands; without it the last.")]
Input = Annotated[str | None, typer.Option("--input", metavar="N", help="Rows and columns, as in 5 or 5x7.")]
Kernel = Annotated[str | None, typer.Option("--kernel", metavar="N", help="As in 3 or 3x2.")]
Stride = Annotated[str | None, typer.Option("--stride", metavar="N", help="As in 2 or 2x1.")]
Padding = Annotated[str | None, typer.Option("--padding", metavar="N", help="As in 1 or 1x0.")]
Dilation = Annotated[str | None, typer.Option("--dilation", metavar="N", help="As in 2 or 2x1.")]
PaddingMode = Annotated[
    str | None, typer.Option("--padding-mode", metavar="MODE", help="zeros, reflect, replicate or circular.")
]
Channels = Annotated[int | None, typer.Option("--channels", min=1, metavar="N", help="Of the input.")]
Values = Annotated[str | None, typer.Option("--values", metavar="CSV", help="Your own input.")]
Weight = Annotated[str | None, typer.Option("--weight", metavar="CSV", help="Your own kernel.")]
DesignOption = Annotated[str | None, typer.Option("--design", metavar="DESIGN", help="Whose receptive field it is.")]
Dilations = Annotated[
    list[str] | None, typer.Option("--dilations", metavar="N,N,…", help="Of layers, first one first; again to compare.")
]
Bias = Annotated[float | None, typer.Option("--bias", metavar="X", help="What a convolution adds.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, metavar="N", help="Of the numbers that are drawn.")]
Cell = Annotated[float | None, typer.Option("--cell", metavar="PIXELS", help="Of a cell, 24 to 96.")]
Theme = Annotated[str, typer.Option("--theme", help="light, dark, or auto: as the reader's page is.")]
Language = Annotated[str, typer.Option("--language", help="en or ko.")]
Loop = Annotated[
    int | None, typer.Option("--loop", min=1, metavar="N", help="How often it plays; without it for ever.")
]
Smooth = Annotated[bool, typer.Option("--smooth", help="The window moves in five frames more.")]
Font = Annotated[str | None, typer.Option("--font", metavar="FILE", help="A font, for what others have no glyph for.")]
Key = Annotated[bool, typer.Option("--key/--no-key", help="What the marks mean, under the grids.")]
Arithmetic = Annotated[bool, typer.Option("--arithmetic/--no-arithmetic", help="What is computed, under the grids.")]


def figure(
    kind: Kind, output: Output,
    input: Input = None, kernel: Kernel = None, stride: Stride = None, padding: Padding = None,
    dilation: Dilation = None, padding_mode: PaddingMode = None, channels: Channels = None,
    values: Values = None, weight: Weight = None, bias: Bias = None, seed: Seed = None,
    design: DesignOption = None, dilations: Dilations = None,
    animate: Animate = False, step: Step = None, loop: Loop = None, smooth: Smooth = False,
    cell: Cell = None, theme: Theme = "auto", language: Language = "en", font: Font = None,
    key: Key = False, arithmetic: Arithmetic = True, as_json: options.Json = False,
) -> int:  # fmt: skip
    """Draw what a block computes, step by step, for an article."""
    from fieldstone.explain.figures.stage import Look
    from fieldstone.verbs.choosing.sizes import read_list, read_pair
    from fieldstone.verbs.figure import Form
    from fieldstone.verbs.figure import figure as verb

    sizes = {"input": input, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    settings: dict[str, Any] = {name: read_pair(name, text) for name, text in sizes.items() if text is not None}
    others = {"padding_mode": padding_mode, "channels": channels, "values": values, "weight": weight, "bias": bias}
    settings |= {name: value for name, value in {**others, "seed": seed, "design": design}.items() if value is not None}
    settings |= {} if not dilations else {"dilations": tuple(map(read_list, dilations))}
    form = Form(animate, step, theme, loop, smooth, font, cell)
    print_answer(verb(kind, output, settings, Look(language=language, key=key, arithmetic=arithmetic), form), as_json)
    return DONE
