"""`test` and `predict`: what a trained model is worth, and what it says."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from fieldstone.commands import options
from fieldstone.commands.answers import ANSWER_IS_A_FAULT, DONE, print_answer
from fieldstone.commands.parsing import command, flag, whole, word
from fieldstone.progress import Progress

if TYPE_CHECKING:
    from fieldstone.model.model import Model


@command(
    options.MODEL, options.DATA, options.NETWORK, options.JSON, options.STRICT, options.DEVICE, options.THREADS
)  # fmt: skip
def evaluate(
    *, model: str, path: str, network: str | None, as_json: bool, strict: bool, device: str | None, threads: int | None
) -> int:
    """Test a model on images that it has never seen."""
    _set_threads(threads)
    with Progress() as progress:
        report = loaded(model, network, device).test(path, strict=strict, progress=progress)
    print_answer(report, as_json)
    return DONE


@command(
    options.MODEL,
    word("images", nargs="+", metavar="IMAGE", help="Files, patterns, or folders."),
    options.NETWORK,
    flag("--json", dest="as_json", help="Print one JSON object a line."),
    word("--top", type=whole(1), default=5, metavar="N", help="How many classes to name [5]."),
    options.DEVICE,
    options.THREADS,
)
def predict(
    *, model: str, images: list[str], network: str | None, as_json: bool, top: int, device: str | None,
    threads: int | None,
) -> int:  # fmt: skip
    """Say what images show: the class and its probability."""
    _set_threads(threads)
    status = DONE
    for prediction in loaded(model, network, device).predictions(images, top=top):
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


def loaded(model: str, network: str | None, device: str | None) -> Model:
    """The model of a name, a run or a file, in a network of the user's own where one is named."""
    from fieldstone.model.model import load
    from fieldstone.verbs.choosing.module import own_network

    return load(model, own_network(network), device=device)


def _set_threads(threads: int | None) -> None:
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
