"""`figure`: what a block computes, drawn for an article."""

from __future__ import annotations

from typing import Any

from fieldstone.commands import options
from fieldstone.commands.answers import DONE, print_answer
from fieldstone.commands.parsing import command, flag, number, switch, whole, word


@command(
    word("kind", metavar="KIND", help="What it shows, as in maxpool or conv; see docs/figures.md."),
    word("-o", "--output", required=True, metavar="FILE", help="A .svg, .png or .gif."),
    word("--input", metavar="N", help="Rows and columns, as in 5 or 5x7."),
    word("--kernel", metavar="N", help="As in 3 or 3x2."),
    word("--stride", metavar="N", help="As in 2 or 2x1."),
    word("--padding", metavar="N", help="As in 1 or 1x0."),
    word("--dilation", metavar="N", help="As in 2 or 2x1."),
    word("--padding-mode", metavar="MODE", help="zeros, reflect, replicate or circular."),
    word("--channels", type=whole(1), metavar="N", help="Of the input."),
    word("--values", metavar="CSV", help="Your own input."),
    word("--weight", metavar="CSV", help="Your own kernel."),
    word("--bias", type=number, metavar="X", help="What a convolution adds."),
    word("--seed", type=whole(0), metavar="N", help="Of the numbers that are drawn."),
    word("--design", metavar="DESIGN", help="Whose receptive field it is."),
    word("--dilations", action="append", metavar="N,N,…", help="Of layers, first one first; again to compare."),
    flag("--animate", help="Every step, in an SVG without script."),
    word("--step", type=whole(), metavar="N", help="The step that stands; without it the last."),
    word("--loop", type=whole(1), metavar="N", help="How often it plays; without it for ever."),
    flag("--smooth", help="The window moves in five frames more."),
    word("--cell", type=number, metavar="PIXELS", help="Of a cell, 24 to 96."),
    word("--theme", default="auto", metavar="THEME", help="light, dark, or auto: as the reader's page is [auto]."),
    word("--language", default="en", metavar="LANGUAGE", help="en or ko [en]."),
    word("--font", metavar="FILE", help="A font, for what others have no glyph for."),
    switch("--key", help="What the marks mean, under the grids [no]."),
    switch("--arithmetic", help="What is computed, under the grids [yes]."),
    options.JSON,
)
def figure(
    *, kind: str, output: str, input: str | None, kernel: str | None, stride: str | None, padding: str | None,
    dilation: str | None, padding_mode: str | None, channels: int | None, values: str | None, weight: str | None,
    bias: float | None, seed: int | None, design: str | None, dilations: list[str] | None, animate: bool,
    step: int | None, loop: int | None, smooth: bool, cell: float | None, theme: str, language: str, font: str | None,
    as_json: bool, key: bool = False, arithmetic: bool = True,
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
