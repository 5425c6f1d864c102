"""The tables of docs/keras.md: which blocks stand for a layer of Keras, and how its weights are carried across."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from chains import chain, run, weights_of

PAGE = Path(__file__).parents[1] / "docs" / "keras.md"
SPAN = re.compile(r"`([^`]*)`")

ARGUMENTS = {
    "F": ("filters",),
    "K": ("kernel_size", "pool_size"),
    "S": ("strides",),
    "P": ("padding",),
    "D": ("dilation_rate",),
    "G": ("groups",),
    "B": ("use_bias",),
    "M": ("depth_multiplier",),
    "O": ("output_padding",),
    "N": ("output_size", "size"),
    "X": ("keepdims",),
    "I": ("interpolation",),
    "E": ("epsilon",),
    "Q": ("momentum",),
    "V, W": ("padding", "cropping"),
}
"""The letters of the page and the arguments of Keras that they stand for."""

Options = Mapping[str, Any]  # by letter
Arrays = Mapping[str, np.ndarray]  # Keras's weights, by their names in Keras


@dataclass(frozen=True)
class Row:
    layer: str  # as in keras.layers
    words: tuple[str, ...]  # our blocks, with letters
    weights: tuple[str, ...]  # what fills our weights, in order

    def blocks(self, options: Options, rank: int) -> list[str]:
        """Our blocks for these options."""
        values = dict(options) | _derived(options, rank)
        return [_filled(words, values) for words in self.words]

    def run(self, x: np.ndarray, options: Options, arrays: Arrays) -> np.ndarray:
        """What our network gives for a batch (N, C, *sides) with the weights of Keras."""
        blocks = self.blocks(options, x.ndim - 2)
        network = chain(x.shape[1:], blocks).to(torch.from_numpy(x).dtype)
        self._carry(network, len(blocks), arrays)
        return run(network, len(blocks), x)

    def _carry(self, network: nn.Sequential, blocks: int, arrays: Arrays) -> None:
        given = [_carried(text, arrays) for text in self.weights if text.split(".")[0] in arrays]
        with torch.no_grad():
            for weight, array in zip(weights_of(network, blocks).values(), given, strict=True):
                weight.copy_(torch.from_numpy(array).reshape(weight.shape))


def _rows() -> dict[str, Row]:
    """The rows by the text of their first cell, without its marks."""
    cells = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| `[A-Z]", line)
    ]
    return {
        re.sub('[`"]', "", name): Row(SPAN.findall(name)[0], tuple(SPAN.findall(words)), tuple(SPAN.findall(weights)))
        for name, words, weights, _ in cells
    }


def _derived(options: Options, rank: int) -> dict[str, Any]:
    """The letters that the page computes from others."""
    kernel, stride, dilation = (each(options.get(letter, 1), rank) for letter in "KSD")
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if "O" not in options:
        values = {"U": tuple(max(0, s - span) for s, span in zip(stride, spans, strict=True))}
    elif options.get("P", "valid") == "valid":
        values = {"U": options["O"]}
    else:
        cut = [span - span % 2 - more for span, more in zip(spans, each(options["O"], rank), strict=True)]
        before = tuple(max(0, n) // 2 for n in cut)
        after = tuple(max(0, n) - first for n, first in zip(cut, before, strict=True))
        values = {"U": tuple(max(0, -n) for n in cut), "L": before, "R": after}
    return values | ({"T": round(1 - options["Q"], 9)} if "Q" in options else {})


def each(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,) * rank


def _filled(words: str, values: Mapping[str, Any]) -> str:
    """`conv F K stride=S` with its numbers; a word whose letter has none is left out."""
    kept = []
    for word in words.split():
        key, equals, value = word.rpartition("=")
        if len(value) == 1 and value.isupper():
            if value not in values:
                continue
            value = _written(values[value])
        kept.append(f"{key}{equals}{value}")
    return " ".join(kept)


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _carried(text: str, arrays: Arrays) -> np.ndarray:
    """`kernel.transpose(2, 1, 0)` as an array."""
    name, _, order = text.partition(".transpose")
    return arrays[name].transpose(tuple(map(int, re.findall(r"\d+", order)))) if order else arrays[name]


ROWS = _rows()
