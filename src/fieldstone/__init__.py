"""Convolutional networks in PyTorch from building blocks: checked, trained, tested, saved and explained.

Each public name loads its module on first use: `import fieldstone` loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fieldstone.analysis.summary import Summary
    from fieldstone.data.dataset import Dataset
    from fieldstone.data.opening import open_data
    from fieldstone.design.design import Design
    from fieldstone.errors import FieldstoneError
    from fieldstone.explain.trace import Trace
    from fieldstone.explain.tracers import trace
    from fieldstone.model.evaluation import TestReport
    from fieldstone.model.model import Model, load
    from fieldstone.model.prediction import Prediction
    from fieldstone.training.recipe import Recipe
    from fieldstone.verbs.explore import explore
    from fieldstone.verbs.inspect import inspect
    from fieldstone.verbs.train import resume, train

__version__ = "0.1.0"

__all__ = [
    "Dataset",
    "Design",
    "FieldstoneError",
    "Model",
    "Prediction",
    "Recipe",
    "Summary",
    "TestReport",
    "Trace",
    "explore",
    "inspect",
    "load",
    "open_data",
    "resume",
    "trace",
    "train",
]

_HOMES = {
    "Dataset": "fieldstone.data.dataset",
    "Design": "fieldstone.design.design",
    "FieldstoneError": "fieldstone.errors",
    "Model": "fieldstone.model.model",
    "Prediction": "fieldstone.model.prediction",
    "Recipe": "fieldstone.training.recipe",
    "Summary": "fieldstone.analysis.summary",
    "TestReport": "fieldstone.model.evaluation",
    "Trace": "fieldstone.explain.trace",
    "explore": "fieldstone.verbs.explore",
    "inspect": "fieldstone.verbs.inspect",
    "load": "fieldstone.model.model",
    "open_data": "fieldstone.data.opening",
    "resume": "fieldstone.verbs.train",
    "trace": "fieldstone.explain.tracers",
    "train": "fieldstone.verbs.train",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fieldstone' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
