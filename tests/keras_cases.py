"""For each row of docs/keras.md several settings: a map (C, *sides), and options by the page's letters."""

from __future__ import annotations

from typing import Any

import pytest

Case = tuple[tuple[int, ...], dict[str, Any]]


def case(shape: str, **options: Any) -> Case:
    return tuple(map(int, shape.split("x"))), options


CONV = {
    "Conv1D": [
        case("3x11", F=4, K=3),
        case("4x12", F=6, K=4, S=3, P="same", G=2),
        case("4x13", F=2, K=5, S=2, P="valid", B=False),
        case("2x10", F=3, K=2, D=3, P="same"),
        case("2x9", F=3, K=3, D=2, P="causal"),
        case("2x9", F=3, K=4, S=2, P="causal"),
        case("3x7", F=3, K=1, S=4, P="same", G=3),
    ],
    "Conv2D": [
        case("3x9x8", F=4, K=3),
        case("3x8x9", F=4, K=3, S=2, P="same"),
        case("4x8x8", F=6, K=4, S=(2, 3), P="same", G=2, B=False),
        case("2x11x7", F=3, K=(2, 5), P="same", D=(3, 1)),
        case("4x9x10", F=8, K=(3, 2), S=(1, 4), G=4),
        case("2x10x9", F=4, K=3, D=2, G=2),
        case("3x5x6", F=2, K=1, S=3, P="same"),
        case("2x3x3", F=2, K=7, P="same"),
    ],
    "Conv3D": [
        case("2x5x6x7", F=3, K=3),
        case("2x5x6x4", F=4, K=2, S=2, P="same", G=2),
        case("3x4x5x6", F=2, K=(1, 2, 3), S=(1, 2, 1), P="same", B=False),
        case("2x5x5x6", F=2, K=2, D=(1, 2, 3), P="same"),
        case("2x6x5x5", F=2, K=(3, 1, 2), D=2, G=2),
    ],
    "DepthwiseConv1D": [
        case("3x11", K=3),
        case("3x12", K=4, S=3, P="same", M=2),
        case("2x10", K=2, D=3, P="same", B=False),
        case("2x11", K=3, D=2, M=3),
    ],
    "DepthwiseConv2D": [
        case("3x9x8", K=3),
        case("3x8x8", K=3, S=2, P="same", M=2),
        case("2x9x7", K=(2, 5), S=3, P="same", B=False),
        case("2x10x9", K=3, D=2, P="same", M=3),
        case("2x10x9", K=(3, 2), D=(2, 1)),
    ],
    "SeparableConv1D": [
        case("3x11", F=4, K=3),
        case("3x12", F=4, K=4, S=3, P="same", M=2),
        case("2x10", F=5, K=2, D=3, P="same", B=False),
    ],
    "SeparableConv2D": [
        case("3x9x8", F=4, K=3),
        case("3x8x8", F=4, K=3, S=2, P="same", M=2),
        case("2x9x7", F=5, K=(2, 5), S=3, P="same", B=False),
        case("2x10x9", F=3, K=3, D=2, M=2),
    ],
}
UP_CONV = {
    "Conv1DTranspose with padding=same": [
        case("3x7", F=4, K=3, S=2, P="same"),
        case("3x6", F=4, K=4, S=2, P="same", B=False),
        case("2x5", F=2, K=2, S=3, P="same"),
        case("2x5", F=2, K=5, S=2, P="same"),
        case("2x6", F=3, K=3, D=3, P="same"),
        case("2x6", F=3, K=2, D=1, P="same"),
    ],
    "Conv2DTranspose with padding=same": [
        case("3x7x4", F=4, K=3, S=2, P="same"),
        case("3x4x5", F=4, K=4, S=(2, 3), P="same", B=False),
        case("2x3x5", F=2, K=(1, 2), S=3, P="same"),
        case("2x4x3", F=2, K=(5, 2), S=(2, 1), P="same"),
        case("2x6x4", F=3, K=3, D=(2, 3), P="same"),
    ],
    "Conv3DTranspose with padding=same": [
        case("2x3x4x2", F=3, K=3, S=2, P="same"),
        case("2x3x2x3", F=2, K=(2, 4, 1), S=(3, 2, 1), P="same", B=False),
        case("2x3x2x3", F=2, K=2, D=2, P="same"),
    ],
    "Conv1DTranspose with padding=valid": [
        case("3x7", F=4, K=3, S=2),
        case("3x6", F=4, K=4, B=False, P="valid"),
        case("2x5", F=2, K=2, S=4),
        case("2x5", F=2, K=3, S=3, O=2),
        case("2x5", F=2, K=1, S=3, O=1),
        case("2x5", F=2, K=3, D=3),
    ],
    "Conv2DTranspose with padding=valid": [
        case("3x5x4", F=4, K=3, S=2),
        case("3x4x5", F=4, K=(4, 2), S=(2, 3), B=False),
        case("2x3x5", F=2, K=(1, 2), S=(3, 4)),
        case("2x4x3", F=2, K=3, S=2, O=1),
        case("2x4x3", F=2, K=3, S=(2, 3), O=(0, 2)),
        case("2x4x3", F=2, K=2, D=(2, 3)),
    ],
    "Conv3DTranspose with padding=valid": [
        case("2x3x4x2", F=3, K=3, S=2),
        case("2x3x2x3", F=2, K=(2, 4, 1), S=(3, 2, 2), B=False),
        case("2x3x2x3", F=2, K=3, S=2, O=1),
    ],
    "Conv1DTranspose with padding=same and output_padding": [
        case("3x6", F=2, K=3, S=2, P="same", O=0),
        case("3x6", F=2, K=3, S=2, P="same", O=1),
        case("3x6", F=2, K=4, S=3, P="same", O=1, B=False),
        case("3x6", F=2, K=5, S=3, P="same", O=2),
        case("3x6", F=2, K=1, S=3, P="same", O=2),
        case("3x6", F=2, K=2, S=4, P="same", O=3),
    ],
    "Conv2DTranspose with padding=same and output_padding": [
        case("3x4x5", F=2, K=3, S=2, P="same", O=1),
        case("3x4x5", F=2, K=(3, 4), S=(2, 3), P="same", O=(0, 2)),
        case("3x4x5", F=2, K=(5, 1), S=3, P="same", O=2, B=False),
    ],
    "Conv3DTranspose with padding=same and output_padding": [
        case("2x3x2x3", F=2, K=3, S=2, P="same", O=1),
        case("2x3x2x3", F=2, K=(2, 3, 1), S=(2, 3, 2), P="same", O=(0, 2, 1)),
    ],
}
POOL = {
    1: [
        case("3x11", K=2),
        case("3x12", K=3, S=2, P="same"),
        case("3x11", K=4, S=1, P="same"),
        case("2x10", K=3, S=4),
        case("2x7", K=2, S=5, P="same"),
        case("2x3", K=7, P="same"),
    ],
    2: [
        case("3x9x8", K=2),
        case("1x8x8", K=3, S=2, P="same"),
        case("3x8x9", K=3, S=2, P="same"),
        case("3x7x6", K=(4, 2), S=1, P="same"),
        case("2x10x9", K=(2, 3), S=(3, 1)),
        case("2x7x9", K=2, P="same"),
        case("2x3x4", K=6, S=2, P="same"),
    ],
    3: [
        case("2x5x6x7", K=2),
        case("2x5x6x4", K=3, S=2, P="same"),
        case("2x4x5x6", K=(1, 2, 4), S=(1, 3, 2), P="same"),
        case("1x5x6x5", K=(3, 1, 2), S=1),
        case("1x2x3x2", K=4, S=1, P="same"),
    ],
}
MAPS = {1: ("3x11", "4x1"), 2: ("3x9x8", "2x1x7"), 3: ("2x5x6x7", "3x1x4x1")}
GLOBAL = {rank: [case(shape, **x) for shape in maps for x in ({}, {"X": True})] for rank, maps in MAPS.items()}
ADAPTIVE = {
    1: [case("3x11", N=4), case("3x12", N=5), case("3x8", N=8), case("2x9", N=1)],
    2: [case("3x9x8", N=4), case("3x12x7", N=(5, 3)), case("2x6x10", N=(1, 10)), case("1x7x7", N=2)],
    3: [case("2x5x6x7", N=3), case("2x4x7x5", N=(2, 5, 1))],
}
ENDS = {
    1: [case("3x8", V=1, W=1), case("2x9", V=0, W=3)],
    2: [case("3x8x7", V=(1, 1), W=(1, 1)), case("2x6x9", V=(0, 2), W=(3, 1))],
    3: [case("2x5x6x7", V=(1, 1, 1), W=(1, 1, 1)), case("2x4x6x5", V=(0, 2, 1), W=(3, 1, 0))],
}
OTHERS = {
    "UpSampling1D": [case("3x5", N=2), case("2x4", N=3)],
    "UpSampling2D": [
        case("3x5x4", N=2),
        case("2x3x4", N=(3, 2), I="nearest"),
        case("2x3x4", N=(3, 2), I="bilinear"),
        case("3x5x1", N=4, I="bilinear"),
    ],
    "UpSampling3D": [case("2x3x4x2", N=2), case("2x3x2x3", N=(1, 2, 3))],
    "BatchNormalization": [case("3x8x7", E=0.001, Q=0.99), case("4x9", E=0.1), case("2x3x4x5", E=0.001)],
    "GroupNormalization": [case("4x8x7", G=2, E=0.001), case("6x9", G=6, E=0.1), case("4x3x4x2", G=1, E=0.001)],
}


def _ranked(name: str, settings: dict[int, list[Case]]) -> dict[str, list[Case]]:
    return {f"{name}{rank}D": cases for rank, cases in settings.items()}


CASES: dict[str, list[Case]] = {
    **CONV,
    **UP_CONV,
    **_ranked("MaxPooling", POOL),
    **_ranked("AveragePooling", POOL),
    **_ranked("GlobalMaxPooling", GLOBAL),
    **_ranked("GlobalAveragePooling", GLOBAL),
    **_ranked("AdaptiveMaxPooling", ADAPTIVE),
    **_ranked("AdaptiveAveragePooling", ADAPTIVE),
    **_ranked("ZeroPadding", ENDS),
    **_ranked("Cropping", ENDS),
    **OTHERS,
}
EACH_CASE = [
    pytest.param(name, (shape, options), id=f"{name} {shape} {options}")
    for name, cases in CASES.items()
    for shape, options in cases
]
