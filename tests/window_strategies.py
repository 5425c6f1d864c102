"""Random blocks that slide, pool, resize, pad and crop."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from fieldstone.design.blocks import convolution, pooling, shape
from fieldstone.design.blocks.activation import ReLU
from fieldstone.design.blocks.block import Block
from places import Place, Strategy, rank_of, sizes, void

MODES = st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"])


def _slide(draw: DrawFn, rank: int) -> dict[str, Any]:
    """How a convolution slides, with any padding."""
    words = ["same", *(["causal"] if rank == 1 else [])]
    return {
        "stride": sizes(draw, rank, 1, 3),
        "padding": draw(st.sampled_from(words)) if draw(st.booleans()) else sizes(draw, rank, 0, 2),
        "dilation": sizes(draw, rank, 1, 3),
        "bias": draw(st.booleans()),
        "padding_mode": draw(MODES),
    }


def _conv(draw: DrawFn, place: Place) -> None:
    rank = rank_of(place)
    groups = draw(st.sampled_from([n for n in (1, 2, 3) if place.here.shape[0] % n == 0]))
    filters = groups * draw(st.integers(1, 3))
    place.put(convolution.Conv(filters, sizes(draw, rank, 1, 4), groups=groups, **_slide(draw, rank)))


def _depthwise(draw: DrawFn, place: Place) -> None:
    rank, multiplier = rank_of(place), draw(st.integers(1, 2))
    place.put(convolution.Depthwise(sizes(draw, rank, 1, 4), multiplier=multiplier, **_slide(draw, rank)))


def _separable(draw: DrawFn, place: Place) -> None:
    rank, multiplier, filters = rank_of(place), draw(st.integers(1, 2)), draw(st.integers(1, 4))
    place.put(convolution.Separable(filters, sizes(draw, rank, 1, 4), multiplier=multiplier, **_slide(draw, rank)))


def _up_conv(draw: DrawFn, place: Place) -> None:
    rank = rank_of(place)
    groups = draw(st.sampled_from([n for n in (1, 2, 3) if place.here.shape[0] % n == 0]))
    same = draw(st.booleans())
    place.put(
        convolution.UpConv(
            groups * draw(st.integers(1, 2)),
            sizes(draw, rank, 1, 4),
            stride=sizes(draw, rank, 1, 3),
            padding="same" if same else sizes(draw, rank, 0, 2),
            output_padding=(0,) if same else sizes(draw, rank, 0, 1),
            dilation=sizes(draw, rank, 1, 2),
            groups=groups,
            bias=draw(st.booleans()),
        )
    )


def _pool_keys(draw: DrawFn, rank: int) -> dict[str, Any]:
    return {
        "kernel_size": sizes(draw, rank, 1, 4),
        "stride": draw(st.none()) if draw(st.booleans()) else sizes(draw, rank, 1, 3),
        "padding": draw(st.sampled_from([(0,), (1,), (1,) * rank, "same", "same"])),
        "ceil_mode": draw(st.booleans()),
    }


def _max_pool(draw: DrawFn, place: Place) -> None:
    rank = rank_of(place)
    name = f"p{len(place.names)}-{place.depth}" if draw(st.integers(0, 2)) == 0 else None
    place.put(pooling.MaxPool(**_pool_keys(draw, rank), dilation=sizes(draw, rank, 1, 2), name=name))


def _avg_pool(draw: DrawFn, place: Place) -> None:
    place.put(pooling.AvgPool(**_pool_keys(draw, rank_of(place)), count_include_pad=draw(st.booleans())))


def _max_unpool(draw: DrawFn, place: Place) -> None:
    """Back through a pooling that fits, or through one that is drawn for it."""
    kept = {name: pooled for name, pooled in place.names.items() if isinstance(pooled, pooling.Pooled)}
    fits = [name for name, pooled in kept.items() if pooled.output_shape == place.here.shape]
    if fits:
        place.put(pooling.MaxUnpool(draw(st.sampled_from(fits))))
        return
    rank, name = rank_of(place), f"u{len(place.names)}-{place.depth}"
    pool = pooling.MaxPool(**_pool_keys(draw, rank), dilation=sizes(draw, rank, 1, 2), name=name)
    between: list[Block] = [ReLU()] if draw(st.booleans()) else []
    place.put(pool, *between, pooling.MaxUnpool(name))


def _global_pool(kind: type[pooling.GlobalPool]) -> Strategy:
    return lambda draw, place: void(place.put(kind(keepdims=draw(st.booleans()))))


def _adaptive_pool(kind: type[pooling.AdaptivePool]) -> Strategy:
    return lambda draw, place: void(place.put(kind(sizes(draw, rank_of(place), 1, 7))))


def _upsample(draw: DrawFn, place: Place) -> None:
    rank = rank_of(place)
    words = ["nearest", "linear", shape.LINEAR[rank], *(["bicubic"] if rank == 2 else [])]
    mode = draw(st.sampled_from(words))
    corners = mode != "nearest" and draw(st.booleans())
    if draw(st.booleans()):
        like = draw(st.sampled_from(sorted(place.maps)))
        place.put(shape.Upsample(like=like, mode=mode, align_corners=corners))
    else:
        place.put(shape.Upsample(sizes(draw, rank, 1, 3), mode=mode, align_corners=corners))


def _pixel_shuffle(draw: DrawFn, place: Place) -> None:
    factor = draw(st.integers(1, 3))
    fits = place.here.shape[0] % factor**2 == 0
    place.put(*([] if fits else [convolution.Conv(factor**2, (1,))]), shape.PixelShuffle(factor))


def _ends(draw: DrawFn, rank: int) -> dict[str, Any]:
    return {
        "both": sizes(draw, rank, 0, 2),
        "before": draw(st.none()) if draw(st.booleans()) else sizes(draw, rank, 0, 2),
        "after": draw(st.none()) if draw(st.booleans()) else sizes(draw, rank, 0, 2),
    }


def _pad(draw: DrawFn, place: Place) -> None:
    mode = draw(st.sampled_from(["constant", "reflect", "replicate", "circular"]))
    value = draw(st.sampled_from([0.0, 0.0, -1.5])) if mode == "constant" else 0.0
    place.put(shape.Pad(**_ends(draw, rank_of(place)), mode=mode, value=value))


def _crop(draw: DrawFn, place: Place) -> None:
    place.put(shape.Crop(**_ends(draw, rank_of(place))))


WINDOWS: dict[type[Block], Strategy] = {
    convolution.Conv: _conv,
    convolution.Depthwise: _depthwise,
    convolution.Separable: _separable,
    convolution.UpConv: _up_conv,
    pooling.MaxPool: _max_pool,
    pooling.AvgPool: _avg_pool,
    pooling.GlobalMaxPool: _global_pool(pooling.GlobalMaxPool),
    pooling.GlobalAvgPool: _global_pool(pooling.GlobalAvgPool),
    pooling.AdaptiveMaxPool: _adaptive_pool(pooling.AdaptiveMaxPool),
    pooling.AdaptiveAvgPool: _adaptive_pool(pooling.AdaptiveAvgPool),
    pooling.MaxUnpool: _max_unpool,
    shape.Upsample: _upsample,
    shape.PixelShuffle: _pixel_shuffle,
    shape.Pad: _pad,
    shape.Crop: _crop,
}
