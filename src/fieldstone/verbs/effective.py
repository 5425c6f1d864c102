"""Effective receptive fields of a design, of a trained network, or of a module."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import nn

from fieldstone.analysis.summary import Summary
from fieldstone.design.design import Design
from fieldstone.errors import DesignError
from fieldstone.explain.effective import SAMPLES, count, effective_fields
from fieldstone.explain.effective_module import effective_fields_of_module
from fieldstone.model.model import load
from fieldstone.network.build import build
from fieldstone.network.initialise import initialise
from fieldstone.progress import Progress
from fieldstone.verbs.choosing.design import model_file


def measure(given: str | Path | Design, design: Design, summary: Summary, progress: Progress) -> Summary:
    """The summary with an effective receptive field for every block with a sliding window.

    Args:
        given: what the design came from; a run or a model brings its trained network.
        design: with the input that is asked for.

    Raises:
        DesignError: the network was trained with another number of outputs.
    """
    network, trained = _network(given, design, summary)
    with progress.bar("effective fields", count(summary.rows)) as bar:
        fields = effective_fields(network, summary.rows, design.input, bar, trained=trained)
    return replace(summary, effective=fields)


def measure_module(module: nn.Module, summary: Summary, progress: Progress) -> Summary:
    """The summary of a module with an effective receptive field for every row with a sliding window.

    Raises:
        DesignError: it cannot be measured.
    """
    with progress.bar("effective fields", SAMPLES) as bar:
        fields = effective_fields_of_module(module, summary.rows, summary.input, bar, name=summary.name)
    return replace(summary, effective=fields)


def _network(given: str | Path | Design, design: Design, summary: Summary) -> tuple[nn.Module, bool]:
    assert summary.outputs is not None
    file = model_file(given)
    if file is not None:
        model = load(file)
        if model.design is not None and model.design.layers != design.layers:
            raise DesignError("another width has no trained weights", file=str(file), fix="leave --width out")
        return model.network, True
    network = build(design, summary.outputs)
    initialise(network, "torch", 0)
    return network, False
