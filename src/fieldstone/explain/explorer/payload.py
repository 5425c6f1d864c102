"""What the explorer page knows of a network and an image, as JSON and arrays."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf, isnan
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from fieldstone.analysis.effective_field import EffectiveField
from fieldstone.data.decode import Pixels
from fieldstone.data.manifest import printable
from fieldstone.data.preprocessing import Preprocessing
from fieldstone.design.blocks import norm
from fieldstone.design.blocks.block import Block
from fieldstone.design.names import INPUT
from fieldstone.design.walk import Row
from fieldstone.explain.explorer.arrays import Arrays
from fieldstone.explain.explorer.modules import record_module
from fieldstone.explain.explorer.parts import Part, is_recomputed, layer_of, reach_of
from fieldstone.explain.explorer.recording import Recording, record
from fieldstone.model.inference import Normalise
from fieldstone.tasks.task import Task

MOST_CLASSES = 1000
ANSWER_SIDE = 128
"""Pixels along a side whose logits a page always has, where there is an answer for each pixel."""


@dataclass(frozen=True, eq=False)
class Explored:
    """A network to look into.

    Attributes:
        name: what it is called.
        trained: whether its weights were learned; else they are its first ones.
        parts: of its design.
        rows: the same as the walk gives them.
        notes: keys of what a person should know of it, which the page has words for.
        is_own: whether it is a module of the user's own, whose calls the parts are.
    """

    name: str
    trained: bool
    network: nn.Module
    parts: tuple[Part, ...]
    rows: tuple[Row, ...]
    task: Task
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    notes: tuple[str, ...] = ()
    is_own: bool = False


@dataclass(eq=False)
class Seen:
    """One image in a network: all that a page shows of it.

    Attributes:
        original: width and height of the image in its file.
        pixels: (C, H, W), uint8, as the preprocessing gives them.
        falls, effective: what was measured of it, once it is asked for.
    """

    explored: Explored
    image_name: str
    original: tuple[int, int]
    pixels: Pixels
    recording: Recording
    arrays: Arrays = field(default_factory=Arrays)
    falls: Tensor | None = None
    effective: Mapping[str, EffectiveField] = field(default_factory=dict)

    @classmethod
    def of(cls, explored: Explored, name: str, original: tuple[int, int], pixels: Pixels) -> Seen:
        """Run the network on the pixels of an image, uint8 (C, H, W), as its preprocessing gives them."""
        given = Normalise(explored.preprocessing)(torch.from_numpy(pixels.copy())[None])[0].contiguous()
        run = record_module if explored.is_own else record
        seen = cls(explored, name, original, pixels, run(explored.network, explored.parts, given))
        seen.told  # noqa: B018  # its arrays are there from now on
        return seen

    @property
    def input(self) -> Tensor:
        """(C, H, W), as the first block reads it."""
        return self.recording.maps[INPUT]

    @cached_property
    def told(self) -> Mapping[str, Any]:
        """Everything but the arrays' numbers, `live` and `why`."""
        explored = self.explored
        shapes = {INPUT: tuple(self.input.shape), **{part.path: part.output_shape for part in explored.parts}}
        return {
            "title": f"{explored.name} / {printable(self.image_name)}",
            "trained": explored.trained,
            "model": {
                "name": explored.name,
                "task": explored.task.name,
                "classes": list(explored.classes),
                "params": sum(part.params for part in explored.parts),
                "notes": [{"key": key, "values": {}} for key in explored.notes],
            },
            "image": self._image(),
            "input": {"shape": list(self.input.shape), "array": self.arrays.add("map/input", self.input)},
            "blocks": [self._block(part) | {"reach": reach_of(part, shapes)} for part in explored.parts],
            "outputs": self._outputs(),
            "why_not": why_not(self.recording),
        }

    def _image(self) -> dict[str, Any]:
        file = io.BytesIO()
        shown = self.pixels[0] if len(self.pixels) == 1 else self.pixels.transpose(1, 2, 0)  # (C, H, W) -> (H, W, C)
        Image.fromarray(np.ascontiguousarray(shown)).save(file, format="PNG")
        return {
            "name": printable(self.image_name),
            "src": f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}",
            "width": self.pixels.shape[2],
            "height": self.pixels.shape[1],
            "original": list(self.original),
            "preprocessing": self.explored.preprocessing.to_json(),
        }

    def _block(self, part: Part) -> dict[str, Any]:
        stage, _, inner = part.path.partition(".")
        made = self.recording.maps[part.path]
        return {
            "path": part.path,
            "keyword": part.block.keyword,
            "notation": part.text,
            "stage": stage if inner else None,
            "sources": list(part.sources),
            "input_shape": list(part.input_shape),
            "output_shape": list(part.output_shape),
            "params": part.params,
            "macs": part.macs,
            **_seen(part),
            "output": None if is_recomputed(part) else self.arrays.add(f"map/{part.path}", made),
            "layer": self._layer(part),
        }

    def _layer(self, part: Part) -> dict[str, Any]:
        """How it computes, with the names of its arrays; a layer whose weights are not its module's is only shown."""
        layer: dict[str, Any] = plain(layer_of(part))
        kinds, words = WEIGHTS.get(layer["type"], WEIGHTS.get(layer.get("name", ""), ((), {})))
        module = self._modules.get(part.path)
        owner = module if isinstance(module, kinds) else None
        if words and owner is None and not _has_no_arrays(part.block):
            return {"type": "other"}
        found = {word: _array(owner, name) for word, name in words.items()}
        if isinstance(part.block, norm.LayerNorm) and not _fits(found["gamma"], part):
            return {"type": "other"}
        names = {
            word: one if one is None else self.arrays.add(f"{word}/{part.path}", one) for word, one in found.items()
        }
        return layer | names

    def _answer_map(self) -> dict[str, Any] | None:
        """Where the logits of each pixel are: in the map of a block, and every so many of them in an array."""
        explored, logits = self.explored, self.recording.logits
        if logits.dim() != 3 or len(logits) != explored.task.outputs(len(explored.classes)):
            return None
        last, step = explored.parts[-1], -(-max(logits.shape[1:]) // ANSWER_SIDE)
        is_last = torch.equal(self.recording.maps[last.path], logits)
        is_stored = is_last and step == 1 and not is_recomputed(last)
        array = f"map/{last.path}" if is_stored else self.arrays.add("answer", logits[:, ::step, ::step].contiguous())
        return {"array": array, "step": step, "shape": list(logits.shape), "block": last.path if is_last else None}

    @cached_property
    def _modules(self) -> Mapping[str, nn.Module]:
        return dict(self.explored.network.named_modules())

    def _outputs(self) -> dict[str, Any]:
        logits = self.recording.logits
        if logits.dim() > 1:  # a class a pixel: the last map is the answer
            return {"per_pixel": True, "map": self._answer_map(), "logits": [], "probabilities": []}
        probabilities = self.explored.task.decode(logits[None])[0]
        order = probabilities.nan_to_num(-1).argsort(descending=True, stable=True)[:MOST_CLASSES].tolist()
        return {
            "per_pixel": False,
            "map": None,
            "logits": [plain(one) for one in logits.tolist()],
            "probabilities": [{"class": place, "value": plain(float(probabilities[place]))} for place in order],
        }


def _array(module: nn.Module | None, name: str) -> Tensor | None:
    """A parameter or buffer of a module, or of one within it; None where there is none."""
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    assert found is None or isinstance(found, Tensor)
    return found


def _has_no_arrays(block: Block) -> bool:
    """Whether it is a normalisation by the statistics of the image alone."""
    match block:
        case norm.GroupNorm() | norm.LayerNorm():
            return not block.affine
        case norm.InstanceNorm():
            return not (block.affine or block.track_running_stats)
    return False


def _fits(scale: Tensor | None, part: Part) -> bool:
    """Whether each value of a map has its own factor in the same place: a module may lay its channels last."""
    return scale is None or tuple(scale.shape) == part.output_shape


_CONV = (nn.modules.conv._ConvNd,)
_WEIGHT_AND_BIAS = {"weight": "weight", "bias": "bias"}
_SCALE_AND_SHIFT = {"gamma": "weight", "beta": "bias"}
_STATISTICS = {"mean": "running_mean", "var": "running_var", **_SCALE_AND_SHIFT}
WEIGHTS: Mapping[str, tuple[tuple[type[nn.Module], ...], Mapping[str, str]]] = {
    "conv": (_CONV, _WEIGHT_AND_BIAS),
    "upconv": (_CONV, _WEIGHT_AND_BIAS),
    "linear": ((nn.Linear,), _WEIGHT_AND_BIAS),
    "prelu": ((nn.PReLU,), {"weight": "weight"}),
    "batchnorm": ((nn.modules.batchnorm._BatchNorm,), _STATISTICS),
    "instancenorm": ((nn.modules.instancenorm._InstanceNorm,), _STATISTICS),
    "groupnorm": ((nn.GroupNorm,), _SCALE_AND_SHIFT),
    "layernorm": ((nn.LayerNorm,), _SCALE_AND_SHIFT),
    "squeezeexcite": (
        (nn.Sequential,),
        {
            "reduce": "reduce.weight", "reduce_bias": "reduce.bias",
            "expand": "expand.weight", "expand_bias": "expand.bias",
        },
    ),
}  # fmt: skip
"""By the type of a layer, or the name of an activation: what its module is, and its arrays by the words of the page."""


def why_not(recording: Recording) -> str | None:
    """The key of why nothing tells which part of the image speaks for a class; None where something does."""
    if recording.logits.dim() > 1:
        return "pixels"
    if recording.is_cut:
        return "cut"
    return "flat" if recording.last_map is None else None


def plain(value: Any) -> Any:
    """A number, or all numbers of a mapping, as JSON can hold them."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if not isinstance(value, float) or abs(value) < inf:
        return value
    return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _seen(part: Part) -> dict[str, Any]:
    """How much of the image a value sees."""
    if part.field is None:
        return {"sees": None, "sees_all": False, "jump": None}
    jump = part.field.jump
    return {
        "sees": list(part.field.receptive_field),
        "sees_all": part.field.saw_everything,
        "jump": None if jump is None else list(jump),
    }
