"""Rules about the end of a network: its head, the task and the loss."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, prod

from fieldstone.analysis.other import Other
from fieldstone.analysis.rule import Example, Found, Rule, Subject, window_of
from fieldstone.design.blocks.activation import Sigmoid, Softmax
from fieldstone.design.blocks.pooling import MaxUnpool
from fieldstone.design.blocks.shape import Flatten
from fieldstone.design.blocks.structure import Join, Parallel
from fieldstone.design.names import INPUT
from fieldstone.design.walk import Row
from fieldstone.geometry import Shape, Window, format_shape, numel

SMALLEST_MAP = 8
"""A map is read as one answer a pixel where no side is less than the input's divided by this, as in DeepLab."""

NARROW = 0.5
"""A neck is worth a word below this share of the outputs; resnet-18 makes 1,000 from 512 values and is right."""


VALUES_KEPT = {
    "flatten", "upsample", "pixelshuffle", "pad", "crop", "dropout", "channeldropout", "alphadropout", "maxunpool",
    "avgpool", "globalavgpool", "adaptiveavgpool", "maxpool", "globalmaxpool", "adaptivemaxpool",
}  # fmt: skip
"""Blocks that give shares and means of shares where they are given shares: no logits come of them again."""


def doubled_activation(subject: Subject) -> Iterator[Found]:
    """A softmax or sigmoid at the end: the loss and the prediction apply it to logits, so it would act twice."""
    if subject.task == "regression":  # its loss applies none
        return
    ends, after = _probabilities(subject)
    then = [row.block.text() for row in after if not _is_laid_anew(row)]
    for row in ends:
        name = row.block.keyword
        with_what = f", after it {' and '.join(then)} alone," if then else ","
        yield Found(
            row.path,
            f"the network ends with {name}{with_what} and the loss applies it to logits once more",
            f"remove this {name}; probabilities are made by the task",
        )


def _probabilities(subject: Subject) -> tuple[list[Row], list[Row]]:
    """The softmaxes and sigmoids of which alone the output is made, none if of others; and what is after them."""
    ends: list[Row] = []
    after: list[Row] = []
    waiting, seen = [subject.last], {subject.last.path}
    while waiting:
        row = waiting.pop()
        sources = row.sources[:1] if isinstance(row.block, MaxUnpool) else row.sources
        if isinstance(row.block, Softmax | Sigmoid):
            ends.append(row)
        elif _keeps_values(row) and INPUT not in sources:
            after.insert(0, row)
            waiting += [subject.makers[source] for source in dict.fromkeys(sources) if source not in seen]
            seen |= set(sources)
        else:
            return [], []
    return ends, after


def _keeps_values(row: Row) -> bool:
    """Whether shares go through it as shares; joined ones too."""
    return row.block.keyword in VALUES_KEPT or isinstance(row.block, Join | Parallel) or _is_laid_anew(row)


def _is_laid_anew(row: Row) -> bool:
    """Whether the same values stand elsewhere."""
    return isinstance(row.block, Flatten) or (isinstance(row.block, Other) and row.block.is_view)


def misfit(subject: Subject) -> Iterator[Found]:
    """What leaves the network is not what the task takes; without a task, neither of the two forms that one could."""
    last, head = subject.last, _head(subject)
    shape, sides = last.output_shape, last.output_shape[1:]
    numbers = _numbers(subject, shape[0]) if head is None else head.output_shape[0]
    form = _form(subject, sides)
    if shape == (numbers, *form):
        return
    wanted = f"{subject.task or 'a task'} takes {_amount((numbers, *form))}" + ("" if form else " an image")
    if subject.task is None and sides and not form:
        wanted = f"{wanted}; as one answer a pixel it is less than an eighth of {format_shape(subject.input)} a side"
    yield Found(last.path, f"the network leaves {_amount(shape)}, and {wanted}", _mend(shape, numbers, form, head))


def _amount(shape: Shape) -> str:
    """(10,) as `10 numbers`, a map as its shape."""
    return format_shape(shape) if len(shape) > 1 else f"{shape[0]:,} number{'s' if shape[0] > 1 else ''}"


def _head(subject: Subject) -> Row | None:
    """The block that is sized by the classes; None in a module."""
    return next((row for row in subject.rows if row.block.is_head), None)


def _numbers(subject: Subject, made: int) -> int:
    """How many numbers a module should give for one answer: as many as it does where nothing says it."""
    if subject.task == "binary":
        return 1
    if subject.classes is None or (subject.task is None and subject.classes == 2 and made == 1):  # binary, perhaps
        return made
    return subject.classes


def _form(subject: Subject, sides: Shape) -> Shape:
    """The sides of what the task takes, () for one answer an image; without a task, what these sides look like."""
    inputs = subject.input[1:]
    if subject.task is None:
        a_pixel = len(sides) == len(inputs) and prod(sides) > 1
        return sides if a_pixel and all(SMALLEST_MAP * one >= of for one, of in zip(sides, inputs, strict=True)) else ()
    return inputs if subject.task == "segmentation" else ()


def _mend(shape: Shape, numbers: int, form: Shape, head: Row | None) -> str:
    """What gives the shape that the task takes."""
    if shape[0] != numbers and head is None:
        return f"let its last layer give {numbers:,}, or give the task and the classes that it is made for"
    if shape[0] != numbers:
        return "make the block that is sized by `classes` the last"
    if not form:
        return f"put {'flatten' if prod(shape[1:]) == 1 else 'globalavgpool'} after it"
    if len(shape) == 1:
        return "leave out what makes it flat, and end with `conv classes 1`"
    factors = {wanted / side for wanted, side in zip(form, shape[1:], strict=True)}
    factor = max(factors)
    if len(factors) == 1 and factor > 1 and factor.is_integer():
        return f"put `upsample {factor:g} mode=linear` after it"
    return f"pad the convolutions, or bring it to {format_shape(form)} at the end"


def narrow_neck(subject: Subject) -> Iterator[Found]:
    """A block that all paths to the head go through, and that leaves far fewer values than the head has outputs."""
    head = _head(subject)
    outputs = 0 if head is None else head.output_shape[0]
    before = numel(subject.input)
    for row, values in _necks(subject, head):
        if values < NARROW * outputs and values != before:
            yield Found(
                row.path,
                f"all {outputs:,} outputs are made from the {values:,} that {row.block.text()} leaves, "
                f"so they vary in {'one direction' if values == 1 else f'at most {values:,} directions'}",
                f"let {outputs:,} or more through, by more filters or features {'in' if row.params else 'before'} it",
            )
        before = values


def _necks(subject: Subject, head: Row | None) -> list[tuple[Row, int]]:
    """From the input on, the blocks without any path past them to the head, and how many values an answer has of each.

    A head that is a convolution answers each pixel from those that its kernel reads, and sees no further through blocks
    that look at each pixel alone; beyond any other block it is given the whole map.
    """
    place = {"input": -1, **{row.path: number for number, row in enumerate(subject.order)}}
    necks: list[tuple[Row, int]] = []
    oldest, pixels = place[head.path] if head else -1, 1.0
    for number in reversed(range(oldest + 1)):
        row = subject.order[number]
        if number == oldest and row is not head:
            necks.append((row, int(row.output_shape[0] * min(pixels, prod(row.output_shape[1:])))))
        sources = min(place[source] for source in row.sources)
        oldest = sources if number == oldest else min(oldest, sources)
        pixels *= _reach(row)
    return necks[::-1]


def _reach(row: Row) -> float:
    """How many pixels of its input a value of its output is made of, at most."""
    window = window_of(row)
    if isinstance(window, Window):
        return prod(window.kernel)
    return 1 if window is None and numel(row.input_shape[1:]) == numel(row.output_shape[1:]) else inf


RULES = (
    Rule(
        code="FS201",
        severity="error",
        title="softmax or sigmoid before a loss that applies it",
        why="The loss takes logits and applies softmax or sigmoid itself, and so does the prediction. Applied twice, "
        "all probabilities are squeezed together and gradients nearly vanish: training goes slowly and stops early. "
        "Averaged, enlarged or laid out anew, probabilities are no logits again. A regression's loss applies none.",
        source="torch.nn.CrossEntropyLoss and torch.nn.BCEWithLogitsLoss, which expect logits",
        check=doubled_activation,
        bad=Example((3, 32, 32), ("conv 8 3", "relu", "globalavgpool", "linear classes", "softmax")),
        good=Example((3, 32, 32), ("conv 8 3", "relu", "globalavgpool", "linear classes")),
    ),
    Rule(
        code="FS202",
        severity="error",
        title="head and task that do not fit",
        why="Classification, multilabel and regression take one row of numbers an image; segmentation takes one a "
        "pixel, at the sides of the input. Where no task is asked for, a map of at least an eighth of the input's "
        "sides is read as one answer a pixel; a smaller one is neither, and cannot be trained. A module has as many "
        "outputs as `--classes` and `--task` say; where neither is given, its number is not judged.",
        source="torch.nn.CrossEntropyLoss, whose input is (N, C) or (N, C, *sides); "
        "for an eighth: Chen, Papandreou, Schroff and Adam, arXiv:1706.05587",
        check=misfit,
        bad=Example((3, 32, 32), ("conv 8 4 stride=4", "relu", "conv classes 4 stride=4")),
        good=Example((3, 32, 32), ("conv 8 4 stride=4", "relu", "conv classes 4 stride=4", "globalavgpool")),
    ),
    Rule(
        code="FS208",
        severity="warning",
        title="a neck far narrower than the classes",
        why="Logits that are all made from d values vary in d directions, however many classes there are, and right "
        "before the head they are a matrix of rank d: the scores of some classes are bound to follow from those of "
        "others. Half as many values as classes are enough in practice (resnet-18: 512 for 1,000).",
        source="Yang, Dai, Salakhutdinov and Cohen, Breaking the softmax bottleneck, arXiv:1711.03953, section 2",
        check=narrow_neck,
        bad=Example((3, 32, 32), ("conv 16 3", "relu", "globalavgpool", "linear 3", "relu", "linear classes")),
        good=Example((3, 32, 32), ("conv 16 3", "relu", "globalavgpool", "linear 12", "relu", "linear classes")),
    ),
)
