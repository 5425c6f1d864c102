"""What torch makes of a map by the numbers that a page has of a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor
from torch.nn import functional as F

Layer = Mapping[str, Any]
Named = Mapping[str, Tensor]  # a layer's arrays by the page's words
Made = Callable[[Layer, Tensor, Named, list[int]], Tensor]

PAD_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}
UPSAMPLED = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}


def computed(layer: Layer, source: Tensor, arrays: Mapping[str, Tensor], shape: list[int]) -> Tensor | None:
    """What torch makes of (C, H, W), or (C,); None of a layer that is only shown.

    Args:
        arrays: by their names on the page.
        shape: of what is made.
    """
    named = {key: arrays[value] for key, value in layer.items() if isinstance(value, str) and value in arrays}
    key = layer.get("name", "") if layer["type"] == "activation" else layer["type"]
    return LAYERS[key](layer, source, named, shape) if key in LAYERS else None


def _conv(layer: Layer, source: Tensor, named: Named, shape: list[int]) -> Tensor:
    (top, bottom), (left, right) = layer["padding"]
    padded = F.pad(source[None], (left, right, top, bottom), mode=PAD_MODES[layer["padding_mode"]])
    return F.conv2d(padded, named["weight"], named.get("bias"), layer["stride"], 0, layer["dilation"], layer["groups"])[
        0
    ]


def _up_conv(layer: Layer, source: Tensor, named: Named, shape: list[int]) -> Tensor:
    more = layer["output_padding"]
    cut = [min(0, one) for one in more]
    made = F.conv_transpose2d(
        source[None], named["weight"], named.get("bias"), layer["stride"], layer["padding"],
        [max(0, one) for one in more], layer["groups"], layer["dilation"],
    )[0]  # fmt: skip
    return made[:, : made.shape[1] + cut[0], : made.shape[2] + cut[1]]


def _batch_norm(layer: Layer, source: Tensor, named: Named, shape: list[int]) -> Tensor:
    """Without running statistics those of the image."""
    arrays = [named.get(word) for word in ("mean", "var", "gamma", "beta")]
    return F.batch_norm(source[None], *arrays, training="mean" not in named, eps=layer["eps"])[0]


def _group_norm(layer: Layer, source: Tensor, named: Named, shape: list[int]) -> Tensor:
    return F.group_norm(source[None], layer["groups"], named.get("gamma"), named.get("beta"), layer["eps"])[0]


def _layer_norm(layer: Layer, source: Tensor, named: Named, shape: list[int]) -> Tensor:
    return F.layer_norm(source, source.shape, named.get("gamma"), named.get("beta"), layer["eps"])


def _response(layer: Layer, source: Tensor, named: Named, shape: list[int]) -> Tensor:
    return F.local_response_norm(source[None], layer["size"], layer["alpha"], layer["beta"], layer["k"])[0]


def _excited(layer: Layer, source: Tensor, named: Named, shape: list[int]) -> Tensor:
    squeezed = F.linear(source.mean(dim=(1, 2)), named["reduce"].flatten(1), named["reduce_bias"])
    gates = F.linear(getattr(F, layer["activation"])(squeezed), named["expand"].flatten(1), named["expand_bias"])
    made: Tensor = source * getattr(F, layer["gate"])(gates)[:, None, None]
    return made


def _upsampled(layer: Layer, source: Tensor, named: Named, shape: list[int]) -> Tensor:
    corners = None if layer["mode"] == "nearest" else layer["align_corners"]
    return F.interpolate(source[None], shape[1:], mode=UPSAMPLED[layer["mode"]], align_corners=corners)[0]


def _bordered(layer: Layer, source: Tensor, named: Named, shape: list[int]) -> Tensor:
    (top, bottom), (left, right) = layer["padding"]
    mode = layer.get("padding_mode", "constant")
    value = float(layer.get("value", 0)) if mode == "constant" else None
    return F.pad(source[None], (left, right, top, bottom), mode, value)[0]


def _activation(name: str) -> Made:
    return lambda layer, source, named, shape: getattr(F, name)(source, **layer["options"])


LAYERS: dict[str, Made] = {
    "conv": _conv,
    "upconv": _up_conv,
    "linear": lambda layer, source, named, shape: F.linear(source, named["weight"], named.get("bias")),
    "batchnorm": _batch_norm,
    "instancenorm": _batch_norm,
    "groupnorm": _group_norm,
    "layernorm": _layer_norm,
    "localresponsenorm": _response,
    "squeezeexcite": _excited,
    "upsample": _upsampled,
    "pixelshuffle": lambda layer, source, named, shape: F.pixel_shuffle(source, layer["factor"]),
    "pad": _bordered,
    "crop": _bordered,
    "globalavgpool": lambda layer, source, named, shape: source.mean(dim=(1, 2), keepdim=layer["keepdims"]),
    "globalmaxpool": lambda layer, source, named, shape: source.amax(dim=(1, 2), keepdim=layer["keepdims"]),
    "adaptiveavgpool": lambda layer, source, named, shape: F.adaptive_avg_pool2d(source, layer["sizes"]),
    "flatten": lambda layer, source, named, shape: source.flatten(),
    "identity": lambda layer, source, named, shape: source,
    **{name: _activation(name) for name in ("relu", "relu6", "silu", "tanh", "hardswish")},
}
"""By the type of a layer, or the name of an activation."""
