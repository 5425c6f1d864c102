"""`test` and `predict`: what a trained model is worth, and what it says."""

from __future__ import annotations

import json
import sys

from fieldstone.commands import options
from fieldstone.commands.answers import ANSWER_IS_A_FAULT, DONE, print_answer
from fieldstone.commands.parsing import command, flag, whole, word
from fieldstone.progress import Progress


@command(options.MODEL, options.DATA, options.JSON, options.STRICT, options.DEVICE, options.THREADS)
def evaluate(*, model: str, path: str, as_json: bool, strict: bool, device: str | None, threads: int | None) -> int:
    """Test a model on images that it has never seen."""
    from fieldstone.model.model import load

    _set_threads(threads)
    with Progress() as progress:
        report = load(model, device=device).test(path, strict=strict, progress=progress)
    print_answer(report, as_json)
    return DONE


@command(
    options.MODEL,
    word("images", nargs="+", metavar="IMAGE", help="Files, patterns, or folders."),
    flag("--json", dest="as_json", help="Print one JSON object a line."),
    word("--top", type=whole(1), default=5, metavar="N", help="How many classes to name [5]."),
    options.DEVICE,
    options.THREADS,
)
def predict(*, model: str, images: list[str], as_json: bool, top: int, device: str | None, threads: int | None) -> int:
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
