"""`inspect`, `designs` and `code`: networks before anything runs."""

from __future__ import annotations

import json
from typing import Any

from fieldstone.commands import options
from fieldstone.commands.answers import ANSWER_IS_A_FAULT, DONE, failed, print_answer
from fieldstone.commands.parsing import command, flag, whole, word
from fieldstone.errors import DesignError, FieldstoneError
from fieldstone.progress import Progress


@command(
    word(
        "designs",
        nargs="+",
        metavar="DESIGN",
        help="A gallery name, a file, a run, a model, package.module:Factory; two to compare.",
    ),
    options.SHAPE,
    options.CLASSES,
    options.WIDTH,
    word("--task", metavar="TASK", help="binary, multiclass, multilabel, segmentation or regression."),
    word("--object", dest="object_size", metavar="SIZE", help="Pixels of what is recognised, as in 32 or 32x48."),
    word("--memory", metavar="SIZE", help="For a training step, as in 8GiB or 500MB."),
    word("--batch-size", type=whole(1), default=1, metavar="N", help="Images in that step [1]."),
    word("--select", metavar="CODES", help="Only these findings, as in FS1,FS203."),
    word("--ignore", metavar="CODES", help="None of these findings."),
    flag("--strict", help="Exit with 1 on warnings too."),
    flag("--each", help="Print the findings of several designs, a line each."),
    word("--explain", metavar="PATH", help="The arithmetic of the block at that path."),
    flag("--effective", help="Measure effective receptive fields; loads torch."),
    word("--svg", metavar="FILE", help="Draw it to scale into an SVG file."),
    options.JSON,
)
def inspect(
    *, designs: list[str], shape: str | None, classes: int | None, width: float | None, task: str | None,
    object_size: str | None, memory: str | None, batch_size: int, select: str | None, ignore: str | None,
    strict: bool, each: bool, explain: str | None, effective: bool, svg: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Check a design: every block's numbers, and what is wrong. Of two designs, what differs."""
    from fieldstone.verbs.choosing.sizes import parse_shape
    from fieldstone.verbs.inspect import inspect as verb

    alone = {"--svg": svg, "--explain": explain, "--effective": effective or None}
    given = [name for name, value in alone.items() if value is not None]
    if given and (each or len(designs) > 1):
        raise DesignError(f"{given[0]} is for one design, not for several", fix=f"leave {given[0]} out")
    if len(designs) > 2 and not each:
        fix = "add --each to inspect one by one"
        raise DesignError(f"inspect takes one design, or two to compare, not {len(designs)}", fix=fix)
    asked: dict[str, Any] = {"input": parse_shape(shape), "classes": classes, "width": width, "task": task}
    asked |= {"object": object_size, "memory": memory, "batch_size": batch_size, "select": select}
    asked |= {"ignore": ignore or ()}
    faults = ("error", "warning") if strict else ("error",)
    if each:
        return max(_inspect_one(design, asked, faults, as_json) for design in designs)
    if len(designs) == 2:
        return _compare(designs, asked, faults, as_json)
    with Progress() as progress:
        summary = verb(designs[0], **asked, effective=effective, progress=progress)
    if svg is not None:
        from fieldstone.verbs.draw import draw

        draw(summary, svg)
    if explain is None:
        print_answer(summary, as_json)
    else:
        from fieldstone.analysis.arithmetic import explain as arithmetic

        print_answer(arithmetic(summary.subject, explain), as_json)
    return ANSWER_IS_A_FAULT if summary.has(*faults) else DONE


def _compare(designs: list[str], asked: dict[str, Any], faults: tuple[str, ...], as_json: bool) -> int:
    """Two designs side by side; a fault of the second is a fault of the answer."""
    from fieldstone.analysis.comparison import compare
    from fieldstone.verbs.inspect import inspect as verb

    comparison = compare(*(verb(design, **asked) for design in designs))
    print_answer(comparison, as_json)
    return ANSWER_IS_A_FAULT if comparison.second.has(*faults) else DONE


def _inspect_one(design: str, asked: dict[str, Any], faults: tuple[str, ...], as_json: bool) -> int:
    """One of several: its findings, a line each; what cannot be inspected stops none of the others."""
    from fieldstone.verbs.inspect import inspect as verb

    try:
        summary = verb(design, **asked)
    except FieldstoneError as fault:
        return failed(fault, as_json)
    lines = [f"{design}: {finding}" for finding in summary.findings]
    for line in [json.dumps({"design": design, **summary.to_json()})] if as_json else lines:
        print(line)
    return ANSWER_IS_A_FAULT if summary.has(*faults) else DONE


@command(options.JSON)
def designs(*, as_json: bool) -> int:
    """List the designs of the gallery."""
    from fieldstone.verbs.designs import list_gallery

    print_answer(list_gallery(), as_json)
    return DONE


@command(
    word("design", metavar="DESIGN", help="A gallery name, a design file, a run or a model."),
    options.SHAPE,
    options.CLASSES,
    options.WIDTH,
    options.TASK,
)
def code(*, design: str, shape: str | None, classes: int | None, width: float | None, task: str | None) -> int:
    """Print a design as one file of plain PyTorch."""
    from fieldstone.verbs.choosing.sizes import parse_shape
    from fieldstone.verbs.code import code as verb

    print(verb(design, input=parse_shape(shape), classes=classes, width=width, task=task), end="")
    return DONE
