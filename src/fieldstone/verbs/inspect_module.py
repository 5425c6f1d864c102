"""Inspecting a module of a user's own: shapes by torch, the rest as for a design."""

from __future__ import annotations

from typing import Any

from torch import nn

from fieldstone.analysis.module.examine import examine
from fieldstone.analysis.summary import Summary
from fieldstone.errors import DesignError
from fieldstone.geometry import Shape
from fieldstone.progress import Progress
from fieldstone.tasks.choice import INSPECTED, task_name
from fieldstone.verbs.choosing.module import make_module


def inspect_module(
    given: Any, shape: Shape, classes: int | None, *, effective: bool, progress: Progress | None, **asked: Any
) -> Summary:
    """As `inspect`, of `package.module:Factory` or of a module itself.

    What a factory makes has the same first weights each time.

    Raises:
        DesignError: there is no such module, or it does not take such an input.
    """
    if not isinstance(given, str | nn.Module):
        fix = "give a design, the name of one, or a torch.nn.Module"
        raise DesignError(f"a {type(given).__name__} cannot be inspected", fix=fix)
    if asked["task"] is not None:
        task_name(2 if classes is None else classes, asked["task"], INSPECTED)
    module, name = (make_module(given), given) if isinstance(given, str) else (given, type(given).__name__)
    module = getattr(module, "_orig_mod", module)  # the original of torch.compile
    summary = examine(module, shape, name=name, classes=classes, **asked)
    if effective:
        from fieldstone.verbs.effective import measure_module

        return measure_module(module, summary, progress or Progress.quiet())
    return summary
