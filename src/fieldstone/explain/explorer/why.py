"""Why a network answers so, as the page knows it: class activation, occlusion and effective fields of one image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from fieldstone.explain.effective import effective_fields
from fieldstone.explain.explorer.classes import Patches, class_activation, last_map, occlusion
from fieldstone.explain.explorer.payload import Seen
from fieldstone.geometry import Window
from fieldstone.progress import Progress

FEW_WINDOWS = 12
"""So many effective fields are measured; of deeper networks the last one alone."""


def why(seen: Seen, classes: Sequence[int], progress: Progress) -> dict[str, Any] | None:
    """What is known of some classes; its arrays join those of the page. None where an answer is no class."""
    explored = seen.explored
    if seen.told["why_not"] is not None:
        return None
    target = last_map(explored.parts)
    assert target is not None
    for place in classes:
        found = class_activation(explored.network, target.path, seen.input, place)
        seen.arrays.add(f"gradcam/{place}", found)
    patches = Patches.of(seen.input)
    falls = _occlusion(seen, patches, progress)
    for place in classes:
        seen.arrays.add(f"occlusion/{place}", falls[place])
    sizes = {"patch": patches.size, "stride": patches.stride}
    return {
        "classes": list(classes),
        "gradcam": {str(place): {"block": target.path, "array": f"gradcam/{place}"} for place in classes},
        "occlusion": {str(place): {"array": f"occlusion/{place}", **sizes} for place in classes},
        "effective": _effective(seen, progress),
    }


def _occlusion(seen: Seen, patches: Patches, progress: Progress) -> Tensor:
    """Measured once for all classes of an image."""
    if seen.falls is None:
        explored = seen.explored
        with progress.bar("occlusion", len(patches.corners), "patches") as bar:
            seen.falls = occlusion(explored.network, explored.task.decode, seen.input, patches, bar.advance)
    return seen.falls


def _effective(seen: Seen, progress: Progress) -> dict[str, dict[str, Any]]:
    """By path of a block with windows: how strongly each pixel of this image moves the value in its middle."""
    rows = [row for row in seen.explored.rows if isinstance(row.window, Window)]
    rows = rows if len(rows) <= FEW_WINDOWS else rows[-1:]
    if not seen.effective and rows:
        shape = tuple(seen.input.shape)
        with progress.bar("effective fields", len(rows), "blocks") as bar:
            seen.effective = effective_fields(
                seen.explored.network, rows, shape, bar, trained=True, inputs=seen.input[None]
            )
    last = {part.path.removesuffix(".pointwise"): part.path for part in seen.explored.parts}
    measured = {last[path]: found for path, found in seen.effective.items()}
    for path, found in measured.items():
        seen.arrays.add(f"effective/{path}", torch.from_numpy(found.map))
    return {path: {"array": f"effective/{path}", "size": found.size} for path, found in measured.items()}
