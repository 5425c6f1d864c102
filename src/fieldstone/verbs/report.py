"""The report of a run: one page of HTML, made when a training ends and again whenever it is asked for."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import torch
from torch import nn

from fieldstone.analysis.module.examine import examine as look_at
from fieldstone.analysis.summary import Summary, summarise
from fieldstone.data.dataset import Decoded
from fieldstone.data.manifest import Manifest
from fieldstone.data.opening import open_data
from fieldstone.errors import FieldstoneError, RunError
from fieldstone.files import write_page, write_text
from fieldstone.model.evaluation import answers
from fieldstone.model.inference import Normalise, logits
from fieldstone.model.model import Model, load
from fieldstone.progress import Progress
from fieldstone.report.examination import Examination, examine
from fieldstone.report.facts import Facts
from fieldstone.report.page import fault_page, render
from fieldstone.report.records import read_epochs, read_manifest
from fieldstone.training.run import Run


def report(
    run: str | Path,
    *,
    data: str | Path | None = None,
    network: nn.Module | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write the report of a run, and give back where it is.

    Args:
        data: images to test on, as for `Model.test`; without it the figures are of the images that validated.
        network: the module that was trained, where it was one of your own.
        out: the file; without it `report.html` in the run.

    Raises:
        RunError: it is no run, has no model yet, or one of its files is damaged or of another run.
        ModelError: its model cannot be loaded.
        DataError: `data` has other classes, or no image that the model has not seen.
    """
    folder = Run(Path(run))
    _refuse_without_model(folder)
    said = progress or Progress.quiet()
    epochs, manifest, model = read_epochs(folder), read_manifest(folder), load(run, network)
    _refuse_mixed(folder, manifest, model)
    decoded, missing = _images(manifest, model, [manifest.path] if data is None else [data, manifest.path], said)
    facts = Facts(
        run=folder, model=model, manifest=manifest, epochs=epochs, network=_network(model), decoded=decoded,
        missing=missing, examination=_validated(model, decoded) if data is None else _tested(model, data, said),
        seconds=None, interrupted=folder.resume_state.exists(),
    )  # fmt: skip
    return _write(facts, folder.report if out is None else Path(out))


def report_at_end(model: Model, run: Run, decoded: Decoded, seconds: float, progress: Progress) -> Path | None:
    """Write the report of a training that has saved its model; a fault is said, here and in the run, and ends nothing.

    Args:
        seconds: what the training took.
    """
    try:
        facts = Facts(
            run=run, model=model, manifest=decoded.manifest, epochs=read_epochs(run), network=_network(model),
            decoded=decoded, missing=None, examination=_validated(model, decoded), seconds=seconds, interrupted=False,
        )  # fmt: skip
        return _write(facts, run.report)
    except (Exception, KeyboardInterrupt) as fault:  # noqa: BLE001  (the training is done and its model saved)
        why = str(fault) if isinstance(fault, FieldstoneError) else f"{type(fault).__name__}: {fault}"
        why = "it was interrupted" if isinstance(fault, KeyboardInterrupt) else why
        again = f"fieldstone report {shlex.quote(str(run.path))}"
        progress.say(f"the report was not made: {' '.join(why.split())}; try again: {again}")
        with suppress(OSError):
            write_text(run.report, fault_page(str(run.path), why))
        return None


def _refuse_without_model(run: Run) -> None:
    if run.model.exists():
        return
    if run.resume_state.exists():
        raise RunError(
            "has no model yet: its training was interrupted in the first epoch",
            file=str(run.path),
            fix=f"go on with: fieldstone train --resume {shlex.quote(str(run.path))}",
        )
    if run.recipe.exists():
        raise RunError(
            "holds no model: its training ended before the first epoch did",
            file=str(run.path),
            fix="start a new training",
        )
    raise RunError("is no run", file=str(run.path), fix="give the folder that a training made, such as runs/1")


def _refuse_mixed(run: Run, manifest: Manifest, model: Model) -> None:
    """Fail where the model was not trained on what the run says."""
    if (model.about["data"].get("fingerprint"), model.classes) != (manifest.fingerprint, manifest.classes):
        raise RunError(
            f"names other images or classes than {run.model.name} was trained on",
            file=str(run.data),
            fix="put back the files that training wrote",
        )


def _images(
    manifest: Manifest, model: Model, places: Sequence[str | Path], progress: Progress
) -> tuple[Decoded | None, str | None]:
    """The images of a manifest at the first of these places that has them, or why none has."""
    why = ""
    for place in places:
        try:
            decoded = open_data(place, progress=progress).decode(model.preprocessing, progress=progress)
        except FieldstoneError as fault:
            why = str(fault)
            continue
        if decoded.manifest.fingerprint == manifest.fingerprint:
            return decoded, None
        why = f"the data at {place} changed since the training"
    return None, why


def _validated(model: Model, decoded: Decoded | None) -> Examination | None:
    """What the model says of the images that validate."""
    rows = None if decoded is None else decoded.manifest.indices("val")
    if decoded is None or rows is None or not len(rows):
        return None
    normalise = Normalise(model.preprocessing).to(model.device)
    outputs = logits(model.network, normalise, decoded.images, rows, model.device)
    targets = torch.from_numpy(decoded.manifest.targets[rows])
    return examine(model, "validation", outputs, targets, decoded, rows)


def _tested(model: Model, data: str | Path, progress: Progress) -> Examination:
    """What the model says of images that it has never seen."""
    given = answers(model, data, progress=progress)
    rows = torch.arange(len(given.targets)).numpy()
    return examine(model, "test", given.logits, given.targets, given.decoded, rows)


def _network(model: Model) -> Summary | str:
    """The network, looked at; a module that cannot be is a sentence."""
    classes, outputs = len(model.classes), model.task.outputs(len(model.classes))
    if model.design is not None:
        return summarise(model.design, classes, "the data's", outputs, task=model.task.name)
    shape = (model.preprocessing.channels, *model.preprocessing.size)
    try:
        return look_at(model.network, shape, name=type(model.network).__name__, classes=classes, task=model.task.name)
    except FieldstoneError as fault:
        return str(fault)


def _write(facts: Facts, place: Path) -> Path:
    try:
        write_page(place, render(facts))
    except OSError as fault:
        raise RunError(
            f"cannot be written: {(fault.strerror or str(fault)).lower()}",
            file=str(place),
            fix="make room, or name another file with -o",
        ) from fault
    return place
