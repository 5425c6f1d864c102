"""The type and shape of targets."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TargetSpec:
    """One image's target: `dtype` is a torch type's name, `shape` its axes; () is one number."""

    dtype: str
    shape: tuple[int, ...]
    spatial: bool = False
    """Whether the axes are the image's, so that augmentation moves the target with it."""


CLASS_INDEX = TargetSpec("int64", ())
