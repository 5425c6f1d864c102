"""The command line: parse, call one verb, print. Each verb's code is loaded when it is called."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fieldstone import options
from fieldstone.errors import DataError, DesignError, FieldstoneError, RecipeError
from fieldstone.progress import Progress

if TYPE_CHECKING:
    from fieldstone.training.recipe import Recipe

DONE, ANSWER_IS_A_FAULT, NOT_DONE, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    help="Convolutional networks in PyTorch from building blocks: checked, trained, tested, saved, explained.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def main() -> None:
    """The entry point: run, and turn every outcome into an exit status."""
    for stream in (sys.stdout, sys.stderr):  # a class may be called what the terminal cannot show
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:] or ["--help"]))


def run(arguments: list[str]) -> int:
    """One command, to its exit status."""
    as_json = "--json" in arguments
    try:
        status = app(arguments, standalone_mode=False) or DONE
        sys.stdout.flush()
    except FieldstoneError as fault:
        return _failed(fault.to_json(), str(fault), as_json)
    except MemoryError:
        content = FieldstoneError(
            "this machine has too little memory", fix="close other programs, or give a smaller input, network or batch"
        )
        return _failed(content.to_json(), str(content), as_json)
    except (BrokenPipeError, SystemExit):  # whoever read the output has gone; typer exits then
        _drop_output()
        return DONE
    except OSError as fault:
        _drop_output()
        reason = (fault.strerror or str(fault)).lower()
        content = FieldstoneError(reason, file=fault.filename and str(fault.filename))
        return _failed(content.to_json(), str(content), as_json)
    except typer.TyperException as fault:  # what was typed
        message = _with_value(fault.format_message().removesuffix("."), arguments)
        content = FieldstoneError(message, fix="`fieldstone --help` lists what there is")
        return _failed(content.to_json(), str(content), as_json)
    if status == INTERRUPTED:
        print("interrupted", file=sys.stderr)
    return int(status)


def _drop_output() -> None:
    """What is still buffered goes nowhere: its place is gone or full, and Python would complain when it exits."""
    for stream, own in ((sys.stdout, sys.__stdout__), (sys.stderr, sys.__stderr__)):
        if own is not None and stream is own and not own.isatty():
            try:
                own.flush()
            except OSError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), own.fileno())


@app.command()
def data(path: options.Data, as_json: options.Json = False, strict: options.Strict = False) -> int:
    """Say what a data set holds: form, classes, sizes, damaged files."""
    from fieldstone.data.opening import open_data

    with Progress() as progress:
        dataset = open_data(path, strict=strict, progress=progress).check(progress, strict=strict)
    _print(dataset, as_json)
    return DONE


@app.command()
def train(
    path: Annotated[str | None, typer.Argument(metavar="DATA", help="What to train on; not with --resume.")] = None,
    design: Annotated[str | None, typer.Option(help="A gallery name, a file, a run or a model [vgg-small].")] = None,
    shape: options.Shape = None,
    width: options.Width = None,
    recipe: Annotated[str | None, typer.Option(help="A recipe's name (default, quick, sgd, thorough) or file.")] = None,
    epochs: Annotated[str | None, typer.Option(metavar="N", help="How often every image is seen.")] = None,
    batch_size: Annotated[str | None, typer.Option(metavar="N", help="Images a step.")] = None,
    seed: Annotated[str | None, typer.Option(metavar="N", help="The same seed gives the same weights.")] = None,
    task: options.TaskName = None,
    resize: Annotated[str | None, typer.Option(metavar="HOW", help="crop, letterbox or stretch.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any field of the recipe.")
    ] = None,
    out: Annotated[str | None, typer.Option(help="The run folder to make [runs/1, runs/2, ...].")] = None,
    device: options.Device = None,
    threads: options.Threads = None,
    strict: options.Strict = False,
    resume: Annotated[str | None, typer.Option(metavar="RUN", help="Go on with an interrupted run.")] = None,
    as_json: options.Json = False,
) -> int:
    """Train a network on images and keep the best epoch in a run."""
    from fieldstone.verbs import train as verb
    from fieldstone.verbs.choose_design import parse_shape

    named = {"epochs": epochs, "batch_size": batch_size, "seed": seed, "resize": resize}
    with Progress() as progress:
        if resume is not None:
            given: dict[str, Any] = {"DATA": path, "--design": design, "--input": shape, "--width": width}
            given |= {"--recipe": recipe, "--task": task, "--out": out, "--set": settings, "--device": device}
            given |= {"--threads": threads}
            given |= {f"--{name.replace('_', '-')}": value for name, value in named.items()}
            _refuse([name for name, value in given.items() if value is not None], "--resume takes all from the run")
            result = verb.go_on(resume, progress=progress)
        elif path is None:
            raise DataError("no data is named", fix="give a folder of images, or demo-digits; or --resume RUN")
        else:
            result = verb.start(
                path, progress=progress, design=design, shape=parse_shape(shape), width=width, task=task,
                recipe=_recipe(recipe, named, settings or []), out=out, device=device, threads=threads, strict=strict,
            )  # fmt: skip
        stopped = result.report["stopped"] == "interrupted"
        if stopped:
            progress.say(f"go on with: fieldstone train --resume {shlex.quote(result.report['run'])}")
    if as_json:
        print(json.dumps(result.report))
    elif not stopped:
        print(verb.summary(result.report))
    return INTERRUPTED if stopped else DONE


@app.command("test")
def evaluate(
    model: options.ModelPath,
    path: options.Data,
    as_json: options.Json = False,
    strict: options.Strict = False,
    device: options.Device = None,
    threads: options.Threads = None,
) -> int:
    """Test a model on images that it has never seen."""
    from fieldstone.model.model import load

    _set_threads(threads)
    with Progress() as progress:
        report = load(model, device=device).test(path, strict=strict, progress=progress)
    _print(report, as_json)
    return DONE


@app.command()
def predict(
    model: options.ModelPath,
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Files, patterns, or folders.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    top: Annotated[int, typer.Option(min=1, help="How many classes to name.")] = 5,
    device: options.Device = None,
    threads: options.Threads = None,
) -> int:
    """Say what images show: the class and its probability."""
    from fieldstone.model.model import load

    _set_threads(threads)
    status = DONE
    for prediction in load(model, device=device).predictions(images, top=top):
        if prediction.error is not None:
            status = ANSWER_IS_A_FAULT
        if as_json:
            print(json.dumps(prediction.to_json()))
        elif prediction.error is not None:
            print(f"{prediction.file}: {prediction.error}", file=sys.stderr)
        else:
            ranked = ", ".join(f"{label} {probability:.1%}" for label, probability in prediction.top)
            print(f"{prediction.file}: {ranked}")
    return status


@app.command()
def inspect(
    designs: options.DesignNames,
    shape: options.Shape = None, classes: options.Classes = None, width: options.Width = None,
    task: options.AnyTask = None, object_size: options.ObjectSize = None, memory: options.Memory = None,
    batch_size: options.BatchSize = 1, select: options.Select = None, ignore: options.Ignore = None,
    strict: options.StrictFindings = False, each: options.Each = False, explain: options.Explain = None,
    effective: options.Effective = False, svg: options.Svg = None, as_json: options.Json = False,
) -> int:  # fmt: skip
    """Check a design: every block's numbers, and what is wrong. Of two designs, what differs."""
    from fieldstone.verbs.choose_design import parse_shape
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
        _print(summary, as_json)
    else:
        from fieldstone.analysis.arithmetic import explain as arithmetic

        _print(arithmetic(summary.subject, explain), as_json)
    return ANSWER_IS_A_FAULT if summary.has(*faults) else DONE


def _compare(designs: list[str], asked: dict[str, Any], faults: tuple[str, ...], as_json: bool) -> int:
    """Two designs side by side; a fault of the second is a fault of the answer."""
    from fieldstone.analysis.comparison import compare
    from fieldstone.verbs.inspect import inspect as verb

    comparison = compare(*(verb(design, **asked) for design in designs))
    _print(comparison, as_json)
    return ANSWER_IS_A_FAULT if comparison.second.has(*faults) else DONE


def _inspect_one(design: str, asked: dict[str, Any], faults: tuple[str, ...], as_json: bool) -> int:
    """One of several: its findings, a line each; what cannot be inspected stops none of the others."""
    from fieldstone.verbs.inspect import inspect as verb

    try:
        summary = verb(design, **asked)
    except FieldstoneError as fault:
        return _failed(fault.to_json(), str(fault), as_json)
    lines = [f"{design}: {finding}" for finding in summary.findings]
    for line in [json.dumps({"design": design, **summary.to_json()})] if as_json else lines:
        print(line)
    return ANSWER_IS_A_FAULT if summary.has(*faults) else DONE


@app.command()
def designs(as_json: options.Json = False) -> int:
    """List the designs of the gallery."""
    from fieldstone.verbs.designs import list_gallery

    _print(list_gallery(), as_json)
    return DONE


@app.command()
def code(
    design: options.DesignName,
    shape: options.Shape = None,
    classes: options.Classes = None,
    width: options.Width = None,
    task: options.TaskName = None,
) -> int:
    """Print a design as one file of plain PyTorch."""
    from fieldstone.verbs.choose_design import parse_shape
    from fieldstone.verbs.code import code as verb

    print(verb(design, input=parse_shape(shape), classes=classes, width=width, task=task), end="")
    return DONE


def _recipe(name: str | None, named: dict[str, Any], settings: Iterable[str]) -> Recipe:
    """Later wins: defaults, the recipe, named options, `--set`."""
    from fieldstone.training.recipe import Recipe, parse_setting

    chosen = {field: value for field, value in named.items() if value is not None}
    fields = dict(parse_setting(setting) for setting in settings)
    return (Recipe() if name is None else Recipe.find(name)).replace(**{**chosen, **fields})


def _with_value(message: str, arguments: list[str]) -> str:
    """What typer says of an option, and the value that was typed for it."""
    message = message.partition(", unable to parse")[0]
    named = re.search(r"for '(--[a-z-]+)'", message)
    if named is None or named[1] not in arguments[:-1]:
        return message
    return f"{message}, not {arguments[arguments.index(named[1]) + 1]!r}"


def _refuse(names: list[str], why: str) -> None:
    if names:
        raise RecipeError(f"{', '.join(names)} cannot be given here: {why}", fix="leave it out")


def _set_threads(threads: int | None) -> None:
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def _print(answer: Any, as_json: bool) -> None:
    print(json.dumps(answer.to_json()) if as_json else repr(answer))


def _failed(content: dict[str, Any], text: str, as_json: bool) -> int:
    try:
        if as_json:
            print(json.dumps({"error": content}), flush=True)
        else:
            print(f"fieldstone: {text}", file=sys.stderr, flush=True)
    except OSError:  # nobody can be told; the status still says it
        _drop_output()
    return NOT_DONE
