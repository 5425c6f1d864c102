"""Inspecting a module of a user's own: shapes by torch, the rest as for a design."""

from __future__ import annotations

from typing import Any

from torch import nn

from fieldstone.analysis.module.examine import examine
from fieldstone.analysis.summary import Summary
from fieldstone.errors import DesignError
from fieldstone.geometry import Shape
from fieldstone.verbs.choose_module import find_module


def inspect_module(
    given: Any, shape: Shape | None, classes: int | None, width: float | None, task: str | None
) -> Summary:
    """As `inspect`, of `package.module:Factory` or of a module itself.

    Raises:
        DesignError: there is no such module, it has no input shape, or it does not take it.
    """
    if not isinstance(given, str | nn.Module):
        fix = "give a design, the name of one, or a torch.nn.Module"
        raise DesignError(f"a {type(given).__name__} cannot be inspected", fix=fix)
    if shape is None:
        raise DesignError("a module does not say what input it takes", fix="give its shape, as in --input 3x224x224")
    if width is not None:
        raise DesignError("width is for designs: a module has the width that it was made with", fix="leave it out")
    if isinstance(given, str):
        return examine(find_module(given), shape, name=given, classes=classes, task=task)
    return examine(given, shape, classes=classes, task=task)
