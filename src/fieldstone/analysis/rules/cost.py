"""Rules about what a network costs: parameters and memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod

from fieldstone.analysis.memory import BYTES_A_PARAMETER, map_bytes, size_text, training_bytes
from fieldstone.analysis.rule import Example, Found, Rule, Subject
from fieldstone.analysis.rules.heads import NARROW
from fieldstone.analysis.rules.wording import plural
from fieldstone.design.blocks.dense import Linear
from fieldstone.design.blocks.pooling import GlobalPool
from fieldstone.design.blocks.shape import Flatten
from fieldstone.design.walk import Row
from fieldstone.geometry import Shape, format_shape

LARGE_SHARE = 0.5
LARGE_LAYER = 10_000
"""A linear layer is worth a word where it holds more than this share of more than so many parameters."""

LARGEST = 3  # blocks that are named with what is kept of them


def heavy_linear(subject: Subject) -> Iterator[Found]:
    """Most parameters in one linear layer, which a global average pooling in the place of its flatten would save."""
    rows = subject.rows
    total = sum(row.params for row in rows)
    for place, row in enumerate(rows):
        large = row.params > LARGE_SHARE * total and row.params > LARGE_LAYER
        read = _map_read(rows[:place]) if large and isinstance(row.block, Linear) else None
        if read is not None:
            yield Found(
                row.path,
                f"{row.block.text()} holds {row.params:,} of the {total:,} parameters ({row.params / total:.0%})",
                _lighter(subject, read),
            )


def _map_read(before: Sequence[Row]) -> Shape | None:
    """The map all of whose values are the numbers after these rows: the last that made them flat was a flatten."""
    flat = next((row for row in reversed(before) if isinstance(row.block, Flatten | GlobalPool | Linear)), None)
    flattened = flat is not None and isinstance(flat.block, Flatten) and prod(flat.input_shape[1:]) > 1
    return flat.input_shape if flat is not None and flattened else None


def _lighter(subject: Subject, read: Shape) -> str:
    """A global pooling, where it leaves as many numbers as a head needs; else what makes such a map first."""
    head = next((row for row in subject.rows if row.block.is_head), None)
    outputs = subject.last.output_shape[0] if head is None else head.output_shape[0]
    if read[0] >= NARROW * outputs:
        return "globalavgpool in the place of flatten leaves it one input a channel"
    return (
        f"let convolutions with a stride or pooling make fewer places of the {format_shape(read)} map first; "
        f"globalavgpool in the place of flatten would leave it {plural(read[0], 'number')}"
    )


def beyond_memory(subject: Subject) -> Iterator[Found]:
    """A training step whose maps, weights, gradients and moments take more than there is."""
    if subject.memory is None:
        return
    an_image, params = training_bytes(subject), sum(row.params for row in subject.rows)
    kept = BYTES_A_PARAMETER * params
    need = kept + subject.batch_size * an_image
    if need > subject.memory:
        weighs = kept > subject.batch_size * an_image
        holders = _holders(subject, _parameter_bytes if weighs else map_bytes)
        unit = "" if weighs else " an image"
        held = ", ".join(f"{row.block.text()} at {row.path} ({size_text(count)}{unit})" for row, count in holders)
        yield Found(
            holders[0][0].path,
            f"a training step with {plural(subject.batch_size, 'image')} takes {size_text(need)}, more than "
            f"{size_text(subject.memory)}: {size_text(an_image)} an image for maps, {size_text(kept)} for "
            f"{plural(params, 'parameter')}; most is kept {'for the parameters ' if weighs else ''}of {held}",
            _fitting(subject, (subject.memory - kept) // an_image, kept > an_image),
        )


def _parameter_bytes(row: Row) -> int:
    return BYTES_A_PARAMETER * row.params


def _holders(subject: Subject, bytes_of: Callable[[Row], int]) -> list[tuple[Row, int]]:
    """The blocks of which most is kept, and how much."""
    holders = [(row, bytes_of(row)) for row in subject.makers.values()]
    return sorted((one for one in holders if one[1]), key=lambda one: one[1], reverse=True)[:LARGEST]


def _fitting(subject: Subject, images: int, weighs: bool) -> str:
    """What to do where so many images a step would fit; `weighs` where parameters take more than an image."""
    if images > 0:
        return f"take a batch size of {images:,} or less"
    if not weighs:
        return "not one image fits: give it a smaller input, fewer filters, or a larger stride early"
    heaviest, _ = _holders(subject, _parameter_bytes)[0]
    read = _map_read(subject.rows[: subject.rows.index(heaviest)]) if isinstance(heaviest.block, Linear) else None
    if read is not None:
        return f"not one image fits: {heaviest.block.text()} is the heaviest; {_lighter(subject, read)}"
    return f"not one image fits: give {heaviest.block.text()}, or what is before it, fewer filters or features"


RULES = (
    Rule(
        code="FS301",
        severity="note",
        title="most parameters in one linear layer",
        why="A linear layer after a flatten has a weight for every value of the map. It holds most of the network, "
        "learns where things stand instead of what they are, and ties the network to one input size. "
        "Global average pooling leaves one number a channel.",
        source="Lin, Chen and Yan, Network In Network, arXiv:1312.4400, section 3.2",
        check=heavy_linear,
        bad=Example((3, 32, 32), ("conv 8 3 padding=1", "relu", "flatten", "linear 20", "relu", "linear classes")),
        good=Example((3, 32, 32), ("conv 8 3 padding=1", "relu", "globalavgpool", "linear classes")),
    ),
    Rule(
        code="FS302",
        severity="warning",
        title="a training step beyond the memory",
        why="Training keeps the maps of every image in a batch until the backward pass, and for each parameter its "
        "value, its gradient and the two moments of AdamW. Counted is every map, in float32: torch drops some (it "
        "keeps 0.7 of what is counted for resnet-18), and has working space on top; half precision takes about half. "
        "Asked for with `--memory` and `--batch-size`.",
        source="torch.optim.AdamW; Chen, Xu, Zhang and Guestrin, arXiv:1604.06174, section 3",
        check=beyond_memory,
        bad=Example(
            (3, 224, 224),
            ("conv 64 3 padding=1", "relu", "maxpool 4", "globalavgpool", "linear classes"),
            {"memory": 2**30, "batch_size": 64},
        ),
        good=Example(
            (3, 224, 224),
            ("conv 64 7 stride=4 padding=3", "relu", "globalavgpool", "linear classes"),
            {"memory": 2**30, "batch_size": 64},
        ),
    ),
)
