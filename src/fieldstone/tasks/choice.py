"""Which task a number of classes means, and how many outputs its network has. No torch."""

from collections.abc import Collection

from fieldstone.errors import RecipeError

NAMES = ("binary", "multiclass")
INSPECTED = (*NAMES, "multilabel", "segmentation", "regression")
"""What a network can be inspected for; training knows the first two."""


def task_name(classes: int, asked: str | None = None, known: Collection[str] = NAMES) -> str:
    """The task of a data set with so many classes: the one asked for, else binary for two, multiclass for more."""
    name = asked or ("binary" if classes == 2 else "multiclass")
    if name not in known:
        raise RecipeError(f"task {name!r} is unknown here", fix=f"choose one of {', '.join(known)}")
    if name == "binary" and classes != 2:
        raise RecipeError(f"the task binary has two classes, not {classes}", fix="choose multiclass")
    return name


def outputs(task: str, classes: int) -> int:
    """How many numbers leave the network for one answer: what `classes` stands for in a design."""
    return 1 if task == "binary" else classes
