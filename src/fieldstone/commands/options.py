"""The arguments and options of the commands: how they are typed, and what the help says of them."""

from __future__ import annotations

from typing import Annotated

import typer

Data = Annotated[
    str, typer.Argument(metavar="DATA", help="A folder of class folders, a CSV, IDX or CIFAR files, or demo-digits.")
]
ModelPath = Annotated[
    str, typer.Argument(metavar="MODEL", help="A run folder, a model file, or efficientnet-lite-0, -1 or -2.")
]
DesignName = Annotated[str, typer.Argument(metavar="DESIGN", help="A gallery name, a design file, a run or a model.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Shape = Annotated[str | None, typer.Option("--input", metavar="CxHxW", help="The input shape, as in 3x64x64.")]
Classes = Annotated[int | None, typer.Option("--classes", min=1, help="How many classes the head has.")]
Width = Annotated[float | None, typer.Option("--width", metavar="X", help="Times every number of filters, as in 0.5.")]
TaskName = Annotated[
    str | None, typer.Option("--task", help="binary or multiclass; without it, binary for two classes.")
]
AnyTask = Annotated[
    str | None, typer.Option("--task", help="binary, multiclass, multilabel, segmentation or regression.")
]
Device = Annotated[
    str | None, typer.Option("--device", help="Such as cpu or cuda; without it the accelerator, if any.")
]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="How many processor threads compute.")]
Strict = Annotated[bool, typer.Option("--strict", help="A damaged image is an error, not left out.")]

# Of `inspect` alone, which has many.
DesignNames = Annotated[
    list[str],
    typer.Argument(
        metavar="DESIGN", help="A gallery name, a file, a run, a model, package.module:Factory; two to compare."
    ),
]
ObjectSize = Annotated[
    str | None, typer.Option("--object", metavar="SIZE", help="Pixels of what is recognised, as in 32 or 32x48.")
]
Memory = Annotated[
    str | None, typer.Option("--memory", metavar="SIZE", help="For a training step, as in 8GiB or 500MB.")
]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1, metavar="N", help="Images in that step.")]
Select = Annotated[str | None, typer.Option("--select", metavar="CODES", help="Only these findings, as in FS1,FS203.")]
Ignore = Annotated[str | None, typer.Option("--ignore", metavar="CODES", help="None of these findings.")]
Svg = Annotated[str | None, typer.Option("--svg", metavar="FILE", help="Draw it to scale into an SVG file.")]
StrictFindings = Annotated[bool, typer.Option("--strict", help="Exit with 1 on warnings too.")]
Explain = Annotated[
    str | None, typer.Option("--explain", metavar="PATH", help="The arithmetic of the block at that path.")
]
Effective = Annotated[bool, typer.Option("--effective", help="Measure effective receptive fields; loads torch.")]
Each = Annotated[bool, typer.Option("--each", help="Print the findings of several designs, a line each.")]
