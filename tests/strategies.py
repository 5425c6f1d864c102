"""Random blocks and designs for property tests: every block of the vocabulary has its strategy here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from fieldstone.design.blocks import activation, attention, dense, norm, structure, window
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.kinds import CLASSES
from fieldstone.design.blocks.shape import Flatten
from fieldstone.design.design import Design
from fieldstone.design.field import Field
from fieldstone.design.walk import Map, Walker
from fieldstone.errors import DesignError
from fieldstone.geometry import Shape

OUTPUTS = 5


@dataclass
class Place:
    """Where the next block goes: the map that comes in, the names it sees, how deep it stands."""

    here: Map
    names: dict[str, Map]
    depth: int = 0
    blocks: list[Block] = field(default_factory=list)

    def put(self, *blocks: Block) -> bool:
        """Append the blocks if they walk from here; whether they did."""
        names, here = dict(self.names), self.here
        walker = Walker(OUTPUTS, None, lambda: None)
        try:
            for block in blocks:
                here = walker.block(block, "1", here, names)
        except DesignError:
            return False
        if here.shape[0] > 64 or (len(here.shape) == 1 and here.shape[0] > 4000):
            return False
        self.here, self.names = here, names
        self.blocks += blocks
        return True

    def inside(self) -> Place:
        return Place(self.here, dict(self.names), self.depth + 1)


def _sizes(draw: DrawFn, rank: int, least: int, most: int) -> tuple[int, ...]:
    numbers = st.integers(least, most)
    return draw(st.one_of(numbers.map(lambda n: (n,)), st.tuples(*[numbers] * rank)))


def _rank(place: Place) -> int:
    return max(1, len(place.here.shape) - 1)


def _conv(draw: DrawFn, place: Place) -> None:
    rank = _rank(place)
    groups = draw(st.sampled_from([n for n in (1, 2, 3) if place.here.shape[0] % n == 0]))
    same = draw(st.booleans())
    place.put(
        window.Conv(
            groups * draw(st.integers(1, 3)),
            _sizes(draw, rank, 1, 4),
            stride=(1,) if same else _sizes(draw, rank, 1, 3),
            padding="same" if same else _sizes(draw, rank, 0, 2),
            dilation=_sizes(draw, rank, 1, 3),
            groups=groups,
            bias=draw(st.booleans()),
            padding_mode=draw(st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"])),
        )
    )


def _pool(kind: type[window.Pool]) -> Callable[[DrawFn, Place], None]:
    def draw_pool(draw: DrawFn, place: Place) -> None:
        rank = _rank(place)
        extra = (
            {"dilation": _sizes(draw, rank, 1, 2)}
            if kind is window.MaxPool
            else {"count_include_pad": draw(st.booleans())}
        )
        place.put(
            kind(
                _sizes(draw, rank, 1, 4),
                stride=draw(st.none()) if draw(st.booleans()) else _sizes(draw, rank, 1, 3),
                padding=draw(st.sampled_from([(0,), (1,), (1,) * rank, "same"])),
                ceil_mode=draw(st.booleans()),
                **extra,  # type: ignore[arg-type]
            )
        )

    return draw_pool


def _global_pool(kind: type[window.GlobalPool]) -> Callable[[DrawFn, Place], None]:
    return lambda draw, place: void(place.put(kind(keepdims=draw(st.booleans()))))


def void(_: object) -> None:
    """For lambdas that are called for their effect."""


def _linear(draw: DrawFn, place: Place) -> None:
    flat = [] if len(place.here.shape) == 1 else [Flatten()]
    place.put(*flat, dense.Linear(draw(st.integers(1, 8)), bias=draw(st.booleans())))


def _plain(*choices: Block) -> Callable[[DrawFn, Place], None]:
    return lambda draw, place: void(place.put(draw(st.sampled_from(choices))))


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
    return (window.Conv(target[0], tuple(a - b + 1 for a, b in zip(shape[1:], target[1:], strict=True))),)


def _join(kind: type[structure.Join]) -> Callable[[DrawFn, Place], None]:
    def draw_join(draw: DrawFn, place: Place) -> None:
        name = draw(st.sampled_from(sorted(place.names)))
        if place.put(kind(name, crop=draw(st.booleans()))):
            return
        before = adapter(place.here.shape, place.names[name].shape)
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


LEAVES: dict[type[Block], Callable[[DrawFn, Place], None]] = {
    window.Conv: _conv,
    window.MaxPool: _pool(window.MaxPool),
    window.AvgPool: _pool(window.AvgPool),
    window.GlobalMaxPool: _global_pool(window.GlobalMaxPool),
    window.GlobalAvgPool: _global_pool(window.GlobalAvgPool),
    dense.Linear: _linear,
    Flatten: _plain(Flatten()),
    norm.BatchNorm: _plain(norm.BatchNorm(), norm.BatchNorm(eps=0.001, momentum=0.01), norm.BatchNorm(affine=False)),
    norm.GroupNorm: _group_norm,
    norm.InstanceNorm: _plain(
        norm.InstanceNorm(),
        norm.InstanceNorm(eps=0.001, momentum=0.01, affine=True, track_running_stats=True),
    ),
    norm.LayerNorm: _plain(norm.LayerNorm(), norm.LayerNorm(0.001, bias=False), norm.LayerNorm(affine=False)),
    norm.LocalResponseNorm: _plain(norm.LocalResponseNorm(5), norm.LocalResponseNorm(2, alpha=0.5, beta=0.5, k=2.0)),
    norm.Dropout: _plain(norm.Dropout(), norm.Dropout(0.25)),
    norm.ChannelDropout: _plain(norm.ChannelDropout(), norm.ChannelDropout(0.25)),
    norm.AlphaDropout: _plain(norm.AlphaDropout(), norm.AlphaDropout(0.25)),
    activation.ReLU: _plain(activation.ReLU()),
    activation.ReLU6: _plain(activation.ReLU6()),
    activation.LeakyReLU: _plain(activation.LeakyReLU(), activation.LeakyReLU(0.2)),
    activation.PReLU: _plain(activation.PReLU(), activation.PReLU("channels", init=0.1)),
    activation.RReLU: _plain(activation.RReLU(), activation.RReLU(0.1, 0.5)),
    activation.ELU: _plain(activation.ELU(), activation.ELU(0.5)),
    activation.CELU: _plain(activation.CELU(), activation.CELU(0.5)),
    activation.SELU: _plain(activation.SELU()),
    activation.GELU: _plain(activation.GELU(), activation.GELU("tanh")),
    activation.SiLU: _plain(activation.SiLU()),
    activation.Mish: _plain(activation.Mish()),
    activation.Hardswish: _plain(activation.Hardswish()),
    activation.Tanh: _plain(activation.Tanh()),
    activation.Hardtanh: _plain(activation.Hardtanh(), activation.Hardtanh(-2.0, 0.5)),
    activation.Tanhshrink: _plain(activation.Tanhshrink()),
    activation.Sigmoid: _plain(activation.Sigmoid()),
    activation.Hardsigmoid: _plain(activation.Hardsigmoid()),
    activation.LogSigmoid: _plain(activation.LogSigmoid()),
    activation.Softplus: _plain(activation.Softplus(), activation.Softplus(2.0, threshold=10.0)),
    activation.Softsign: _plain(activation.Softsign()),
    activation.Hardshrink: _plain(activation.Hardshrink(), activation.Hardshrink(0.25)),
    activation.Softshrink: _plain(activation.Softshrink(), activation.Softshrink(0.25)),
    activation.Threshold: _plain(activation.Threshold(0.1, -0.5), activation.Threshold(-0.3, 2.0)),
    activation.Softmax: _plain(activation.Softmax()),
    activation.LogSoftmax: _plain(activation.LogSoftmax()),
    activation.GLU: _plain(activation.GLU()),
    attention.SqueezeExcite: _squeeze_excite,
    structure.Save: _save,
    structure.Concat: _join(structure.Concat),
    structure.Add: _join(structure.Add),
    structure.Multiply: _join(structure.Multiply),
}
STRUCTURES: dict[type[Block], Callable[[DrawFn, Place], None]] = {
    structure.Repeat: _repeat,
    structure.Sequence: _sequence,
    structure.Residual: _residual,
    structure.Branches: _branches,
}
STRATEGIES = LEAVES | STRUCTURES

# Blocks that end a map are drawn seldom, so that maps live long enough to meet the others.
_ENDING = (window.GlobalMaxPool, window.GlobalAvgPool, dense.Linear, Flatten)
_POINTWISE = [kind for kind in LEAVES if kind.__module__ in (activation.__name__, attention.__name__, norm.__name__)]
_OTHERS = [kind for kind in STRATEGIES if kind not in (*_ENDING, *_POINTWISE)]
_OFTEN = _POINTWISE + _OTHERS * 3 + [window.Conv, window.MaxPool] * 4 + list(_ENDING)


def draw_block(draw: DrawFn, place: Place) -> None:
    """Put one block of a random kind, or nothing where it does not fit."""
    kinds = [kind for kind in _OFTEN if place.depth < 3 or kind in LEAVES]
    STRATEGIES[draw(st.sampled_from(kinds))](draw, place)


def _end(draw: DrawFn, place: Place) -> None:
    """The head: a linear layer, or a convolution with something after it."""
    if len(place.here.shape) > 1 and draw(st.booleans()):
        place.put(window.Conv(CLASSES, (1,)))
        draw_block(draw, place)
        return
    if len(place.here.shape) > 1:
        place.put(draw(st.sampled_from([Flatten(), window.GlobalAvgPool(), window.GlobalMaxPool()])))
        if len(place.here.shape) > 1:
            place.put(window.GlobalAvgPool())
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
