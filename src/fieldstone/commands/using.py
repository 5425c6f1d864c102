"""`test` and `predict`: what a trained model is worth, and what it says."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from fieldstone.commands import options
from fieldstone.commands.answers import ANSWER_IS_A_FAULT, DONE, print_answer
from fieldstone.progress import Progress


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
    print_answer(report, as_json)
    return DONE


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


def _set_threads(threads: int | None) -> None:
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
