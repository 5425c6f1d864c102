"""Why a network answers so, as the page knows it: class activation, occlusion and effective fields of one image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from fieldstone.analysis.effective_field import EffectiveField
from fieldstone.design.walk import Row
from fieldstone.errors import DesignError
from fieldstone.explain.effective import effective_fields
from fieldstone.explain.effective_module import effective_fields_of_module
from fieldstone.explain.explorer.classes import Patches, class_activation, occlusion
from fieldstone.explain.explorer.modules import OneByOne, module_activation
from fieldstone.explain.explorer.payload import Seen
from fieldstone.geometry import Window
from fieldstone.progress import Bar, Progress

FEW_WINDOWS = 12
"""So many effective fields are measured; of deeper networks the last one alone."""


def why(seen: Seen, classes: Sequence[int], progress: Progress) -> dict[str, Any] | None:
    """What is known of some classes; its arrays join those of the page. None where an answer is no class."""
    if seen.told["why_not"] is not None:
        return None
    target = seen.recording.last_map
    assert target is not None
    activation = module_activation if seen.explored.is_own else class_activation
    for place in classes:
        seen.arrays.add(f"gradcam/{place}", activation(seen.explored.network, target, seen.input, place))
    patches = Patches.of(seen.input)
    falls = _occlusion(seen, patches, progress)
    for place in classes:
        seen.arrays.add(f"occlusion/{place}", falls[place])
    sizes = {"patch": patches.size, "stride": patches.stride}
    return {
        "classes": list(classes),
        "gradcam": {str(place): {"block": target, "array": f"gradcam/{place}"} for place in classes},
        "occlusion": {str(place): {"array": f"occlusion/{place}", **sizes} for place in classes},
        "effective": _effective(seen, progress),
    }


def _occlusion(seen: Seen, patches: Patches, progress: Progress) -> Tensor:
    """Measured once for all classes of an image."""
    if seen.falls is None:
        explored = seen.explored
        network = OneByOne(explored.network) if explored.is_own else explored.network
        with progress.bar("occlusion", len(patches.corners), "patches") as bar:
            seen.falls = occlusion(network, explored.task.decode, seen.input, patches, bar.advance)
    return seen.falls


def _measured(seen: Seen, rows: Sequence[Row], bar: Bar) -> Mapping[str, EffectiveField]:
    network, shape, images = seen.explored.network, tuple(seen.input.shape), seen.input[None]
    if not seen.explored.is_own:
        return effective_fields(network, rows, shape, bar, trained=True, inputs=images)
    try:
        return effective_fields_of_module(network, rows, shape, bar, name=seen.explored.name, inputs=images)
    except DesignError:  # no gradient of a window comes back to the image: nothing is measured
        return {}


def _effective(seen: Seen, progress: Progress) -> dict[str, dict[str, Any]]:
    """By path of a block with windows: how strongly each pixel of this image moves the value in its middle."""
    rows = [row for row in seen.explored.rows if isinstance(row.window, Window)]
    rows = rows if len(rows) <= FEW_WINDOWS else rows[-1:]
    if not seen.effective and rows:
        with progress.bar("effective fields", len(rows), "blocks") as bar:
            seen.effective = _measured(seen, rows, bar)
    shown = {row.path: row.path for row in rows}
    if not seen.explored.is_own:  # a separable one is shown as two parts, of which the second has its field
        shown = {part.path.removesuffix(".pointwise"): part.path for part in seen.explored.parts}
    measured = {shown[path]: found for path, found in seen.effective.items()}
    for path, found in measured.items():
        seen.arrays.add(f"effective/{path}", torch.from_numpy(found.map))
    return {path: {"array": f"effective/{path}", "size": found.size} for path, found in measured.items()}
