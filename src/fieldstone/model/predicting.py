"""From image files to answers: what was given, decoded in batches, through the one inference path."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from fieldstone.data.decode import decode_image
from fieldstone.data.folder import image_files
from fieldstone.data.parallel import cores
from fieldstone.errors import DataError, ImageError, ModelError
from fieldstone.model.inference import Normalise, logits
from fieldstone.model.prediction import Prediction

if TYPE_CHECKING:
    from fieldstone.model.model import Model

Source = str | Path | Image.Image
IMAGES_AT_ONCE = 64
NOT_FINITE = "the network's answer to this image is not finite"
OTHER_WEIGHTS = "take the weights of a training that did not diverge"


def predict(model: Model, images: Source | Sequence[Source], top: int) -> Prediction | list[Prediction]:
    """One answer for one image, a list for everything else; see `Model.predict`."""
    if not isinstance(images, Source):
        return list(predictions(model, images, top))
    sources = expand(images)
    answers = list(predictions(model, sources, top))
    if sources != [images]:
        return answers
    if answers[0].error == NOT_FINITE:
        raise ModelError(NOT_FINITE, file=answers[0].file, fix=OTHER_WEIGHTS)
    if answers[0].error is not None:
        raise ImageError(answers[0].error, file=answers[0].file, fix="give an image that Pillow can read")
    return answers[0]


def predictions(model: Model, images: Sequence[Source], top: int) -> Iterator[Prediction]:
    """One answer for each image, in order; an unreadable one, or one without a finite answer, has an error instead."""
    sources = [source for given in images for source in expand(given)]
    normalise = Normalise(model.preprocessing).to(model.device)
    with ThreadPoolExecutor(cores()) as pool:
        for start in range(0, len(sources), IMAGES_AT_ONCE):
            chunk = sources[start : start + IMAGES_AT_ONCE]
            decoded = list(pool.map(lambda source: _decoded(source, model), chunk))
            yield from _answers(model, normalise, chunk, decoded, top)


def expand(given: Source) -> list[Source]:
    """The images that one argument means: itself, what a pattern matches, or every image under a folder, by path."""
    if isinstance(given, Image.Image):
        return [given]
    if Path(given).is_dir():
        found: list[Source] = [os.path.join(given, below) for below in image_files(Path(given))]  # noqa: PTH118  (as it was given: ./new)
        if not found:
            raise DataError("no image lies in this folder", file=str(given), fix="give a folder that holds images")
        return found
    if glob.has_magic(str(given)) and not Path(given).exists():
        matches = sorted(glob.glob(str(given), recursive=True))  # noqa: PTH207  (as a shell: absolute or not)
        if not matches:
            raise DataError("no file matches this pattern", file=str(given), fix="give files, a folder or a pattern")
        return [source for match in matches for source in expand(match)]
    return [given]


def _decoded(source: Source, model: Model) -> np.ndarray[Any, np.dtype[np.uint8]] | str:
    """The pixels of one image, or why it has none."""
    try:
        return decode_image(source, model.preprocessing)
    except ImageError as fault:
        return fault.message


def _answers(
    model: Model,
    normalise: Normalise,
    sources: Sequence[Source],
    decoded: Sequence[np.ndarray[Any, np.dtype[np.uint8]] | str],
    top: int,
) -> Iterator[Prediction]:
    pixels = [image for image in decoded if not isinstance(image, str)]
    if pixels:
        outputs = logits(model.network, normalise, np.stack(pixels), np.arange(len(pixels)), model.device)
        best = model.task.decode(outputs).topk(min(top, len(model.classes)), dim=1)
        whole = outputs.isfinite().all(dim=1).tolist()
        ranked = iter(zip(whole, best.values.tolist(), best.indices.tolist(), strict=True))
    for source, image in zip(sources, decoded, strict=True):
        file = None if isinstance(source, Image.Image) else str(source)
        if isinstance(image, str):
            yield Prediction(file, error=image)
            continue
        finite, probabilities, indices = next(ranked)
        if not finite:
            yield Prediction(file, error=NOT_FINITE)
            continue
        pairs = tuple((model.classes[i], p) for i, p in zip(indices, probabilities, strict=True))
        yield Prediction(file, pairs[0][0], pairs[0][1], pairs)
