"""What is said of a training before it begins: what was understood of the data, and what was decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fieldstone.analysis.summary import summarise
from fieldstone.data.manifest import printable
from fieldstone.data.split import Part
from fieldstone.geometry import format_shape
from fieldstone.model.file import short_key
from fieldstone.verbs.job.job import Job

JUDGES: dict[Part, tuple[str, str]] = {
    "val": ("validation", "validation flatters"), "test": ("test", "a test leaves them out"),
}  # fmt: skip
"""The parts that say how good a network is: how they are called, and what it means that a start has seen them."""


def announcement(job: Job, *, augment_chosen: bool) -> Iterator[str]:
    """Its lines.

    Args:
        augment_chosen: whether the augmentation is Fieldstone's choice, which it then gives the reason of.
    """
    yield from _of_data(job)
    yield from _of_network(job)
    recipe = job.recipe
    if recipe.optimizer == "lbfgs":
        yield "the head alone, fitted to the features of each image"
    else:
        augment = ", ".join(recipe.augment or ()) or "none"
        augment += _reason(job) if augment_chosen else ""
        epochs = f"{recipe.epochs} epoch{'s' if recipe.epochs > 1 else ''}"
        yield f"{epochs}, batches of {recipe.batch_size}, {recipe.optimizer}, augment {augment}; seed {recipe.seed}"
    yield f"run {job.run.path}"


def _of_data(job: Job) -> Iterator[str]:
    manifest = job.decoded.manifest
    counts = ", ".join(f"{len(manifest.indices(split)):,} {split}" for split in ("train", "val", "test"))
    classes = f"{len(manifest.classes)} classes"
    yield f"{printable(manifest.path)}: {classes}, {counts} ({manifest.form}); task {job.task.name}"
    left_out = len(manifest.left_out)
    if left_out:
        yield f"{'1 file' if left_out == 1 else f'{left_out:,} files'} left out; {job.run.data} names them"
    yield from job.decoded.notes


def _of_network(job: Job) -> Iterator[str]:
    """What trains, what of it is learned, and what is wrong with its design; notes are for `inspect`."""
    shape = format_shape((job.decoded.preprocessing.channels, *job.decoded.preprocessing.size))
    parameters = sum(parameter.numel() for parameter in job.network.parameters())
    name = "a network of your own" if job.design is None else job.design.name or "design"
    yield f"{name} on {shape}: {parameters:,} parameters, on {job.device} in {job.recipe.precision}"
    if job.design is not None:
        outputs = job.task.outputs(len(job.images.classes))
        summary = summarise(job.design, len(job.images.classes), "the data's", outputs, job.task.name)
        yield from (str(finding) for finding in summary.findings if finding.severity != "note")
    if job.start is not None:
        yield from job.start.lines("layer" if job.design is None else "block")
        yield from _seen(job, job.start.seen)


def _seen(job: Job, seen: frozenset[bytes]) -> Iterator[str]:
    """How many of the images that are to judge were there when the weights were learned."""
    rows = job.decoded.manifest.rows
    known, all_of = Counter(row.split for row in rows if short_key(row.key) in seen), Counter(row.split for row in rows)
    found = [split for split in JUDGES if known[split]]
    if found:
        counts = " and ".join(f"{known[one]:,} of the {all_of[one]:,} {JUDGES[one][0]} images" for one in found)
        yield f"the start has seen {counts} already: {', and '.join(JUDGES[one][1] for one in found)}"


def _reason(job: Job) -> str:
    flipped = "flip" in (job.recipe.augment or ())
    return f" (flip is {'on: these are photos' if flipped else 'off: a mirrored image may mean another thing'})"
