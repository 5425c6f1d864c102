"""Which task a number of classes means, and how many outputs its network has. No torch."""

from fieldstone.errors import RecipeError

NAMES = ("binary", "multiclass")


def task_name(classes: int, asked: str | None = None) -> str:
    """The task of a data set with so many classes: the one asked for, else binary for two, multiclass for more."""
    name = asked or ("binary" if classes == 2 else "multiclass")
    if name not in NAMES:
        raise RecipeError(f"task {name!r} is unknown", fix=f"choose one of {', '.join(NAMES)}")
    if name == "binary" and classes != 2:
        raise RecipeError(f"the task binary has two classes, not {classes}", fix="choose multiclass")
    return name


def outputs(task: str, classes: int) -> int:
    """How many numbers leave the network for one image: what `classes` stands for in a design."""
    return 1 if task == "binary" else classes
