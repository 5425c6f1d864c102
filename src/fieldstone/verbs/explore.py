"""Exploring: a network on one image, as a page that shows every window of every layer."""

from __future__ import annotations

from pathlib import Path

from fieldstone.analysis.rule import Subject
from fieldstone.data.decode import check_size, decode_image, opened, orientation, quiet, read_bytes, readable
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.design import named
from fieldstone.design.design import Design
from fieldstone.errors import DesignError, FieldstoneError
from fieldstone.explain.explorer.page import html
from fieldstone.explain.explorer.parts import parts_of
from fieldstone.explain.explorer.payload import Explored, Seen
from fieldstone.files import write_text
from fieldstone.geometry import format_shape
from fieldstone.model.model import Model, load
from fieldstone.network.build import build
from fieldstone.network.initialise import initialise
from fieldstone.tasks.choice import task_name
from fieldstone.tasks.task import TASKS
from fieldstone.verbs.choose_design import find_design, model_file
from fieldstone.verbs.inspect import count_classes

MOST_BYTES = 24 * 2**20
"""Of the arrays of a file; a third more once they are written as text."""
SEED = 0


def explorable(given: str | Path | Design | Model, device: str | None = None) -> Explored:
    """The network that a design, a run, a model or a name means; of a design with its first weights.

    Raises:
        FieldstoneError: there is no such thing, or its input is no image.
    """
    if isinstance(given, Model):
        return _trained(given, str(given.run or "a model"))
    if model_file(given) is not None or str(given) in named.LEARNED:
        assert not isinstance(given, Design)
        return _trained(load(given, device=device), str(given))
    return _untrained(find_design(given), str(given))


def write_page(explored: Explored, image: str | Path, out: str | Path) -> Path:
    """Write the page of one image as one file that needs nothing else.

    Raises:
        FieldstoneError: the image cannot be read, or the place cannot be written.
    """
    seen = look(explored, image)
    payload = seen.to_json() | {"live": None, "why": None}
    payload["arrays"] = seen.arrays.written(MOST_BYTES)
    try:
        write_text(Path(out), html(payload))
    except OSError as fault:
        fix = "give a file in a folder that is there, such as page.html"
        reason = (fault.strerror or str(fault)).lower()
        raise FieldstoneError(f"cannot be written: {reason}", file=str(out), fix=fix) from fault
    return Path(out)


def look(explored: Explored, image: str | Path) -> Seen:
    """Run a network on an image file. Raises ImageError where it cannot be read."""
    content = read_bytes(image)
    return Seen.of(explored, Path(image).name, _size(content), decode_image(content, explored.preprocessing))


def _size(content: bytes) -> tuple[int, int]:
    """Upright width and height."""
    with quiet(), readable(content):
        image = opened(content)
        check_size(image)
        return image.size[::-1] if orientation(image) >= 5 else image.size


def _trained(model: Model, name: str) -> Explored:
    if model.design is None:
        raise DesignError(
            f"{name} holds a network of your own, of which there is no design",
            fix="explore package.module:Factory with its --input",
        )
    design = model.design
    outputs = model.task.outputs(len(model.classes))
    rows = design.walk(outputs)
    parts = parts_of(Subject(design.input, rows))
    called = design.name or Path(name).name
    return Explored(called, True, model.network, parts, rows, model.task, model.classes, model.preprocessing)


def _untrained(design: Design, name: str) -> Explored:
    if len(design.input) != 3 or design.input[0] not in (1, 3):
        raise DesignError(
            f"an input of {format_shape(design.input)} is not one of images",
            file=design.file,
            fix="explore a design with one or three channels, a height and a width",
        )
    classes, _ = count_classes(design, None)
    task = TASKS[task_name(classes, None)]
    outputs = task.outputs(classes)
    rows = design.walk(outputs)
    network = build(design, outputs).eval()
    initialise(network, "kaiming", SEED)
    channels, *sides = design.input
    half, quarter = (0.5,) * channels, (0.25,) * channels
    preprocessing = Preprocessing(size=(sides[0], sides[1]), channels=channels, mean=half, std=quarter)
    parts = parts_of(Subject(design.input, rows))
    names = tuple(f"class {number}" for number in range(1, classes + 1))
    notes = ("its weights are the first ones, from seed 0: it has learned nothing",)
    return Explored(design.name or Path(name).stem, False, network, parts, rows, task, names, preprocessing, notes)
