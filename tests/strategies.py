"""Random blocks and designs for property tests: every block of the vocabulary has its strategy here."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from fieldstone.design.blocks import activation, attention, convolution, dense, norm, pooling, structure
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.kinds import CLASSES
from fieldstone.design.blocks.shape import Flatten
from fieldstone.design.design import Design
from fieldstone.design.field import Field
from fieldstone.design.names import Map
from fieldstone.geometry import Shape
from places import Place, Strategy, plain
from window_strategies import WINDOWS


def _linear(draw: DrawFn, place: Place) -> None:
    flat = [] if len(place.here.shape) == 1 else [Flatten()]
    place.put(*flat, dense.Linear(draw(st.integers(1, 8)), bias=draw(st.booleans())))


def _group_norm(draw: DrawFn, place: Place) -> None:
    divisors = [n for n in range(1, place.here.shape[0] + 1) if place.here.shape[0] % n == 0]
    place.put(norm.GroupNorm(draw(st.sampled_from(divisors)), eps=0.001, affine=draw(st.booleans())))


def _squeeze_excite(draw: DrawFn, place: Place) -> None:
    gate = draw(st.sampled_from(["sigmoid", "hardsigmoid"]))
    place.put(attention.SqueezeExcite(draw(st.integers(1, 4)), draw(st.sampled_from(["relu", "silu"])), gate))


def _save(draw: DrawFn, place: Place) -> None:
    place.put(structure.Save(f"m{len(place.names)}-{place.depth}"))


def adapter(shape: Shape, target: Shape) -> tuple[Block, ...] | None:
    """Blocks that make one shape of another, if a convolution or linear layer can."""
    if shape == target:
        return ()
    if len(target) == 1:
        return (*([] if len(shape) == 1 else [Flatten()]), dense.Linear(target[0]))
    if len(shape) == 1 or any(a < b for a, b in zip(shape[1:], target[1:], strict=True)):
        return None
    return (convolution.Conv(target[0], tuple(a - b + 1 for a, b in zip(shape[1:], target[1:], strict=True))),)


def _join(kind: type[structure.Join]) -> Strategy:
    def draw_join(draw: DrawFn, place: Place) -> None:
        name = draw(st.sampled_from(sorted(place.maps)))
        if place.put(kind(name, crop=draw(st.booleans()))):
            return
        before = adapter(place.here.shape, place.maps[name].shape)
        if before is not None:
            place.put(*before, kind(name))

    return draw_join


def _inner(draw: DrawFn, place: Place, least: int = 1) -> Place:
    inside = place.inside()
    for _ in range(draw(st.integers(least, 3))):
        draw_block(draw, inside)
    if len(inside.blocks) < least:
        inside.put(activation.ReLU())
    return inside


def _repeat(draw: DrawFn, place: Place) -> None:
    inside = _inner(draw, place)
    back = adapter(inside.here.shape, place.here.shape) or ()
    times = draw(st.integers(1, 3))
    if not place.put(structure.Repeat(times, tuple(inside.blocks))):
        place.put(structure.Repeat(times, (*inside.blocks, *back)))


def _sequence(draw: DrawFn, place: Place) -> None:
    place.put(structure.Sequence(tuple(_inner(draw, place).blocks)))


def _residual(draw: DrawFn, place: Place) -> None:
    body = _inner(draw, place)
    shortcut = adapter(place.here.shape, body.here.shape)
    if shortcut is not None:
        place.put(structure.Residual(tuple(body.blocks), shortcut))


def _branches(draw: DrawFn, place: Place) -> None:
    join = draw(st.sampled_from(structure.JOINS))
    first = _inner(draw, place)
    paths = [tuple(first.blocks)]
    for _ in range(draw(st.integers(0, 2))):
        other = _inner(draw, place, least=0)
        target = first.here.shape if join != "concat" else (other.here.shape[0], *first.here.shape[1:])
        back = adapter(other.here.shape, target)
        if back is not None:
            paths.append((*other.blocks, *back))
    place.put(structure.Branches(join, tuple(paths)))


LEAVES: dict[type[Block], Strategy] = {
    **WINDOWS,
    dense.Linear: _linear,
    Flatten: plain(Flatten()),
    norm.BatchNorm: plain(norm.BatchNorm(), norm.BatchNorm(eps=0.001, momentum=0.01), norm.BatchNorm(affine=False)),
    norm.GroupNorm: _group_norm,
    norm.InstanceNorm: plain(
        norm.InstanceNorm(),
        norm.InstanceNorm(eps=0.001, momentum=0.01, affine=True, track_running_stats=True),
    ),
    norm.LayerNorm: plain(norm.LayerNorm(), norm.LayerNorm(0.001, bias=False), norm.LayerNorm(affine=False)),
    norm.LocalResponseNorm: plain(norm.LocalResponseNorm(5), norm.LocalResponseNorm(2, alpha=0.5, beta=0.5, k=2.0)),
    norm.Dropout: plain(norm.Dropout(), norm.Dropout(0.25)),
    norm.ChannelDropout: plain(norm.ChannelDropout(), norm.ChannelDropout(0.25)),
    norm.AlphaDropout: plain(norm.AlphaDropout(), norm.AlphaDropout(0.25)),
    activation.ReLU: plain(activation.ReLU()),
    activation.ReLU6: plain(activation.ReLU6()),
    activation.LeakyReLU: plain(activation.LeakyReLU(), activation.LeakyReLU(0.2)),
    activation.PReLU: plain(activation.PReLU(), activation.PReLU("channels", init=0.1)),
    activation.RReLU: plain(activation.RReLU(), activation.RReLU(0.1, 0.5)),
    activation.ELU: plain(activation.ELU(), activation.ELU(0.5)),
    activation.CELU: plain(activation.CELU(), activation.CELU(0.5)),
    activation.SELU: plain(activation.SELU()),
    activation.GELU: plain(activation.GELU(), activation.GELU("tanh")),
    activation.SiLU: plain(activation.SiLU()),
    activation.Mish: plain(activation.Mish()),
    activation.Hardswish: plain(activation.Hardswish()),
    activation.Tanh: plain(activation.Tanh()),
    activation.Hardtanh: plain(activation.Hardtanh(), activation.Hardtanh(-2.0, 0.5)),
    activation.Tanhshrink: plain(activation.Tanhshrink()),
    activation.Sigmoid: plain(activation.Sigmoid()),
    activation.Hardsigmoid: plain(activation.Hardsigmoid()),
    activation.LogSigmoid: plain(activation.LogSigmoid()),
    activation.Softplus: plain(activation.Softplus(), activation.Softplus(2.0, threshold=10.0)),
    activation.Softsign: plain(activation.Softsign()),
    activation.Hardshrink: plain(activation.Hardshrink(), activation.Hardshrink(0.25)),
    activation.Softshrink: plain(activation.Softshrink(), activation.Softshrink(0.25)),
    activation.Threshold: plain(activation.Threshold(0.1, -0.5), activation.Threshold(-0.3, 2.0)),
    activation.Softmax: plain(activation.Softmax()),
    activation.LogSoftmax: plain(activation.LogSoftmax()),
    activation.GLU: plain(activation.GLU()),
    attention.SqueezeExcite: _squeeze_excite,
    structure.Save: _save,
    structure.Concat: _join(structure.Concat),
    structure.Add: _join(structure.Add),
    structure.Multiply: _join(structure.Multiply),
}
STRUCTURES: dict[type[Block], Strategy] = {
    structure.Repeat: _repeat,
    structure.Sequence: _sequence,
    structure.Residual: _residual,
    structure.Branches: _branches,
}
STRATEGIES = LEAVES | STRUCTURES

# Blocks that end a map are drawn seldom, so that maps live long enough to meet the others.
_ENDING = (pooling.GlobalMaxPool, pooling.GlobalAvgPool, dense.Linear, Flatten)
_POINTWISE = [kind for kind in LEAVES if kind.__module__ in (activation.__name__, attention.__name__, norm.__name__)]
_OTHERS = [kind for kind in STRATEGIES if kind not in (*_ENDING, *_POINTWISE)]
_OFTEN = _POINTWISE + _OTHERS * 3 + [convolution.Conv, pooling.MaxPool] * 4 + list(_ENDING)


def draw_block(draw: DrawFn, place: Place) -> None:
    """Put one block of a random kind, or nothing where it does not fit."""
    kinds = [kind for kind in _OFTEN if place.depth < 3 or kind in LEAVES]
    STRATEGIES[draw(st.sampled_from(kinds))](draw, place)


def _end(draw: DrawFn, place: Place) -> None:
    """The head: a linear layer, or a convolution with something after it."""
    if len(place.here.shape) > 1 and draw(st.booleans()):
        place.put(convolution.Conv(CLASSES, (1,)))
        draw_block(draw, place)
        return
    if len(place.here.shape) > 1:
        place.put(draw(st.sampled_from([Flatten(), pooling.GlobalAvgPool(), pooling.GlobalMaxPool()])))
        if len(place.here.shape) > 1:
            place.put(pooling.GlobalAvgPool())
    place.put(dense.Linear(CLASSES))


@st.composite
def designs(draw: DrawFn, ranks: tuple[int, ...] = (1, 2, 3), first: type[Block] | None = None) -> Design:
    """A random design that walks, structures nested up to three deep; `first` is the kind of its first block."""
    rank = draw(st.sampled_from(ranks))
    sides = st.integers(6, {1: 40, 2: 16, 3: 9}[rank])
    shape = (draw(st.integers(1, 4)), *draw(st.tuples(*[sides] * rank)))
    start = Map(shape, Field.of_input(shape[1:]))
    place = Place(start, {"input": start})
    if first is not None:
        STRATEGIES[first](draw, place)
    for _ in range(draw(st.integers(1, 6))):
        draw_block(draw, place)
    _end(draw, place)
    return Design(shape, place.blocks)


def words() -> SearchStrategy[str]:
    """Texts as people and programs write them, printable or not."""
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
