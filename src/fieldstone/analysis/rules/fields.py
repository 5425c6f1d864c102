"""Rules about what values see: too little for what reads them, more than there is, and what is lost before."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, prod

from fieldstone.analysis.other import Other
from fieldstone.analysis.rule import Example, Found, Rule, Subject, window_of
from fieldstone.analysis.rules.wording import percent, pixels, plural
from fieldstone.design.blocks.dense import Linear
from fieldstone.design.blocks.pooling import AdaptivePool, Pool
from fieldstone.design.blocks.shape import Flatten
from fieldstone.design.blocks.window import per_axis
from fieldstone.design.field import Field
from fieldstone.design.names import INPUT
from fieldstone.design.spans import Path
from fieldstone.design.walk import Row
from fieldstone.geometry import WHOLE, Window, format_shape

EARLY = 2  # blocks with windows
COARSE = 4  # pixels from a value to the next
FEW_PLACES = 32
"""Detail is lost early where the first two windows leave one value for 4 pixels or more, and fewer than 32 values."""

LEAST_SHARE = 0.5
"""Values that are averaged see little where that is less than this share of every side of the input."""


LEAST_CONTEXT = 1 / 16
"""Answers a pixel are made of little where each sees less than this share of every side, as after one to three 3-wide
convolutions at 128 pixels. Published networks see more of theirs: wavenet 6.4%, u-net 36%, dilated-context all."""


def lost_detail(subject: Subject) -> Iterator[Found]:
    """A map reduced to few places before more than two windows have looked at it; the first such map is named."""
    looks = {INPUT: 0}
    for row in subject.order:
        window = _window(row)
        looked = window is not None and max(window.extents + window.stride) > 1
        looks[row.path] = max(looks[source] for source in row.sources) + looked
        if looked and looks[row.path] <= EARLY and row.jump and _is_coarse(row):
            yield Found(
                row.path,
                f"{row.block.text()} leaves {format_shape(row.output_shape[1:])} places of "
                f"{format_shape(subject.input[1:])} pixels, one for {pixels(row.jump)}, after "
                f"{plural(looks[row.path], 'window')}",
                "give the first blocks stride=1 and reduce the map later, or use a larger input",
            )
            return


def _window(row: Row) -> Window | None:
    window = window_of(row)
    return window if isinstance(window, Window) else None


def _is_coarse(row: Row) -> bool:
    """Along an axis; a single place is a global pooling."""
    assert row.jump is not None
    axes = zip(row.jump, row.output_shape[1:], strict=True)
    return any(jump >= COARSE and 1 < places < FEW_PLACES for jump, places in axes)


def smaller_than_object(subject: Subject) -> Iterator[Found]:
    """What decides reads values none of which sees an object of the given size as a whole."""
    if subject.object_size is None:
        return
    wanted = per_axis(subject.object_size, len(subject.input) - 1, "object")
    for row, field in _deciding(subject):
        if any(seen < size for seen, size in zip(field.receptive_field, wanted, strict=True)):
            each = "values of the output see" if row is subject.last else f"{row.block.text()} reads values that see"
            yield Found(
                row.path,
                f"{each} {format_shape(field.receptive_field)} pixels: none sees an object of {format_shape(wanted)} "
                "as a whole",
                _grown(field, wanted),
            )


def small_patches(subject: Subject) -> Iterator[Found]:
    """A global pooling of values each of which sees a small patch, or answers a pixel that are made of one.

    Where the object's size is known, that is judged instead.
    """
    if subject.object_size is not None:
        return
    if _answers_pixels(subject):
        yield from _small_context(subject, subject.last)
    sides = subject.input[1:]
    for row, field in _pooled(subject):
        if all(seen < LEAST_SHARE * side for seen, side in zip(field.receptive_field, sides, strict=True)):
            wanted = tuple(ceil(LEAST_SHARE * side) for side in sides)
            share = max(seen / side for seen, side in zip(field.receptive_field, sides, strict=True))
            yield Found(
                row.path,
                f"{row.block.text()} takes together {format_shape(row.input_shape[1:])} values that see "
                f"{format_shape(field.receptive_field)} of {format_shape(sides)} pixels, {percent(share)} of a side: "
                "how parts further apart are arranged is not seen",
                _grown(field, wanted),
            )


def _answers_pixels(subject: Subject) -> bool:
    """Whether one class of several is answered at every pixel."""
    shape, sides = subject.last.output_shape, subject.last.output_shape[1:]
    classes = subject.task is None and subject.classes == shape[0] > 1
    return prod(sides) > 1 and (subject.task == "segmentation" or classes)


def _small_context(subject: Subject, last: Row) -> Iterator[Found]:
    if last.field is None or last.field.saw_everything:
        return
    seen, sides = last.field.receptive_field, subject.input[1:]
    share = max(size / side for size, side in zip(seen, sides, strict=True))
    if share < LEAST_CONTEXT:
        yield Found(
            last.path,
            f"{last.block.text()} answers each pixel from {format_shape(seen)} of {format_shape(sides)} pixels, "
            f"{percent(share)} of a side: what it belongs to is told by what is around it",
            _grown(last.field, tuple(ceil(LEAST_CONTEXT * side) for side in sides)),
        )


def _deciding(subject: Subject) -> Iterator[tuple[Row, Field]]:
    """What reads the values of a map to decide, and what those values see.

    It is a pooling to one place, or the output; but for a linear layer, which has a weight for every place.
    """
    yield from _pooled(subject)
    for row in subject.order:
        if isinstance(row.block, Flatten) and len(row.input_shape) > 1 and not _is_weighed(subject, row):
            yield from _judged(subject, row)
    last = subject.last
    if len(last.output_shape) > 1 and last.field is not None and not last.field.saw_everything:
        yield last, last.field


def _pooled(subject: Subject) -> Iterator[tuple[Row, Field]]:
    """Poolings of several places to one, and what the values see that they take together; but for gates."""
    for row in subject.order:
        if _leaves_one_place(row) and not _passed(subject, row):
            yield from _judged(subject, row)


def _judged(subject: Subject, row: Row) -> Iterator[tuple[Row, Field]]:
    """It, and what the values see that it reads, where that is known; once all was seen there is nothing to judge."""
    field = subject.field(row.sources[0]) if len(row.sources) == 1 else None
    if field is not None and not field.saw_everything and row.path in subject.used:
        yield row, field


def _leaves_one_place(row: Row) -> bool:
    """Whether it takes all places of a map together without a weight for each."""
    pools = window_of(row) is WHOLE or isinstance(row.block, Pool | AdaptivePool)
    known = not isinstance(row.block, Other) or row.block.known
    return pools and known and max(row.output_shape[1:], default=1) == 1 < max(row.input_shape[1:], default=1)


def _is_weighed(subject: Subject, row: Row) -> bool:
    """Whether a linear layer comes after it."""
    after = {row.path}
    for other in subject.order[subject.order.index(row) + 1 :]:
        if not after.isdisjoint(other.sources):
            after.add(other.path)
            if isinstance(other.block, Linear):
                return True
    return False


def _passed(subject: Subject, row: Row) -> bool:
    """Whether what it gives meets a map that went past it, as in a squeeze-and-excite."""
    inside = {row.path}
    later = subject.order[subject.order.index(row) + 1 :]
    for other in later:
        if not inside.isdisjoint(other.sources):
            inside.add(other.path)
            if not inside.issuperset(other.sources):
                return True
    return False


def _grown(field: Field, wanted: tuple[int, ...]) -> str:
    """How many 3-wide convolutions at the end of the map let its values see that much."""
    assert field.jump is not None
    axes = zip(field.receptive_field, wanted, field.jump, strict=True)
    count = max(ceil((size - seen) / (2 * jump)) for seen, size, jump in axes)
    step = pixels(tuple(2 * jump for jump in field.jump))
    more = f"{count} more of `conv C 3 padding=1`, {step} pixels each"
    return f"let values see more before it: {more}, or fewer after pooling"


def seen_already(subject: Subject) -> Iterator[Found]:
    """Windows over values that each see the whole input already, by the smallest path too; the first is named."""
    sides = subject.input[1:]
    blind = [row for row in subject.rows if _is_wide(row) and _sees_all(subject.field(row.sources[0]), sides)]
    if blind:
        held, total = sum(row.params for row in blind), sum(row.params for row in subject.rows)
        others = f" and {plural(len(blind) - 1, 'more block')} like it" if len(blind) > 1 else ""
        yield Found(
            blind[0].path,
            f"every value that {blind[0].block.text()} reads sees all of the {format_shape(sides)} input already; "
            f"no new pixels come with it{others} ({held:,} parameters, {percent(held / total)} of all)",
            "leave them out or make their kernels 1, reduce the map later, or use a larger input",
        )


def _is_wide(row: Row) -> bool:
    """Whether it has weights for several places of a map that has several."""
    window = _window(row)
    return window is not None and row.params > 0 and max(window.kernel) > 1 < max(row.input_shape[1:])


def _sees_all(field: Field | None, sides: tuple[int, ...]) -> bool:
    return field is not None and all(_covers(axis.smallest, side) for axis, side in zip(field.axes, sides, strict=True))


def _covers(path: Path, side: int) -> bool:
    """Whether each of its values sees the whole axis: the last ones its begin, the first ones its end."""
    turn = range(min(len(path.spans), path.length))
    spans = [path.span(place) for first in turn for place in (first, path.length - 1 - first)]
    return path.advance > 0 and all(span is not None and span[0] <= 0 and span[1] >= side - 1 for span in spans)


STEM = ("conv 16 7 stride=2 padding=3", "batchnorm", "relu", "maxpool 2")
END = ("globalavgpool", "linear classes")
STAGE = ("conv 16 3 padding=1", "batchnorm", "relu", "maxpool 2")
MORE = ("conv 16 3 padding=1", "relu")

RULES = (
    Rule(
        code="FS104",
        severity="note",
        title="detail lost early",
        why="A first block of stride 2 and a pooling are made for pictures of 224 pixels. On small pictures they leave "
        "a few places before the network has looked: what is smaller than such a step is gone, and no later block "
        "brings it back. Large maps first and reduction later give higher accuracy at the same cost.",
        source="Zeiler and Fergus, arXiv:1311.2901, section 4.1 (strides of 4 and 2 compared); He and Sun, "
        "arXiv:1412.1710, section 3 (delayed reduction); He, Zhang, Ren and Sun, arXiv:1512.03385, section 4.2 "
        "(a stem of stride 1 at 32 pixels)",
        check=lost_detail,
        bad=Example((3, 32, 32), (*STEM, *STAGE, *END)),
        good=Example((3, 32, 32), (*STAGE, *STAGE, *END)),
    ),
    Rule(
        code="FS109",
        severity="warning",
        title="receptive field smaller than the object",
        why="A value can only tell what it sees. Where none sees an object as a whole, the network has to guess it "
        "from parts, and what distinguishes two objects by how their parts are arranged is not seen. Judged are values "
        "that are pooled, or leave the network; a linear layer after a flatten has a weight for every place, and sees "
        "how all of them are arranged.",
        source="Araujo, Norris and Sim, Computing receptive fields of convolutional neural networks, Distill 2019",
        check=smaller_than_object,
        bad=Example((3, 64, 64), (*STAGE, "conv classes 3 padding=1"), {"object_size": (20, 20)}),
        good=Example((3, 64, 64), (*STAGE, *STAGE, *STAGE, "conv classes 3 padding=1"), {"object_size": (20, 20)}),
    ),
    Rule(
        code="FS110",
        severity="note",
        title="blocks that see nothing new",
        why="Once every value sees the whole input, corners included, a window over such values brings no new pixels. "
        "Layers behind that border hardly improve what has been recognised, and cost parameters and time.",
        source="Richter, Schöning, Wiedenroth and Krumnack, Should You Go Deeper?, arXiv:2106.12307 (border layers)",
        check=seen_already,
        bad=Example((3, 16, 16), (*STAGE, *STAGE, *MORE, *MORE, *MORE, *MORE, *END)),
        good=Example((3, 16, 16), (*STAGE, *STAGE, *MORE, *MORE, *END)),
    ),
    Rule(
        code="FS112",
        severity="note",
        title="decisions on small patches",
        why="A global pooling forgets where its values stand. If each of them sees less than half of a side, the "
        "network counts textures: it cannot tell how parts that are further apart are arranged. It may be enough "
        "(patches of 33 pixels recognise many photographs), and it is worth knowing. A head that answers each pixel "
        "sees where it stands, and needs less: it is named below a sixteenth of every side, where published networks "
        "see 6% (wavenet), 36% (u-net) or all. What a pixel belongs to is told by what is around it.",
        source="Brendel and Bethge, Approximating CNNs with Bag-of-local-Features models, arXiv:1904.00760; for "
        "pixels: Yu and Koltun, Multi-scale context aggregation by dilated convolutions, arXiv:1511.07122",
        check=small_patches,
        bad=Example((3, 64, 64), (*STAGE, *END)),
        good=Example((3, 64, 64), (*STAGE, *STAGE, *STAGE, *STAGE, *END)),
    ),
)
