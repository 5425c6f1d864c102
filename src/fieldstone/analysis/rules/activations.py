"""Rules about activations: where one is missing, and where one stands too early."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from fieldstone.analysis.rule import Example, Found, Rule, Subject, window_of
from fieldstone.analysis.rules.wording import percent
from fieldstone.design.blocks.activation import Activation
from fieldstone.design.blocks.structure import Branches, Repeat
from fieldstone.design.names import INPUT
from fieldstone.design.walk import Row
from fieldstone.geometry import numel

PRODUCTS = {"conv", "depthwise", "separable", "upconv", "linear"}
"""Blocks that multiply their input with weights."""

NO_ACTIVATION = {
    "batchnorm", "groupnorm", "instancenorm", "layernorm", "dropout", "channeldropout", "alphadropout",
    "avgpool", "globalavgpool", "adaptiveavgpool", "flatten", "upsample", "pixelshuffle", "pad", "crop", "concat",
}  # fmt: skip
"""Blocks after which two products in a row are still one, but for the scale that a normalisation sets."""

MAX_POOLINGS = {"maxpool", "globalmaxpool", "adaptivemaxpool"}


def no_activation_between(subject: Subject) -> Iterator[Found]:
    """A product of weights of which all that it takes are products of weights, and that alone takes them."""
    for row in subject.order:
        if row.block.keyword not in PRODUCTS:
            continue
        firsts = [first for first in _products_before(subject, row) if not _is_meant(first, row)]
        firsts = [first for first in firsts if _feeds_products_only(subject, first)]
        if firsts:
            what = " and ".join(f"{first.block.text()} at {first.path}" for first in firsts[:2])
            what += f" and {len(firsts) - 2} more" if len(firsts) > 2 else ""
            yield Found(
                row.path,
                f"no activation stands between {what} and this {row.block.text()}: together they are one linear map",
                "put one between, such as relu, or leave one of the layers out",
            )


def _products_before(subject: Subject, row: Row) -> list[Row]:
    """The products of weights that it takes without an activation between; none if it takes anything else too."""
    found: list[Row] = []
    waiting, seen = list(row.sources), set(row.sources)
    while waiting:
        source = waiting.pop(0)
        before = None if source == INPUT else subject.makers[source]
        if before is not None and before.block.keyword in PRODUCTS:
            found.append(before)
        elif before is not None and _is_no_activation(before):
            waiting += [one for one in dict.fromkeys(before.sources) if one not in seen]
            seen |= set(before.sources)
        else:
            return []
    return found


def _feeds_products_only(subject: Subject, row: Row) -> bool:
    """Whether all that is made of it, until weights are multiplied with it again, has no activation."""
    waiting, seen = [row], {row.path}
    while waiting:
        users = subject.after(waiting.pop())
        if not users or not all(_is_no_activation(user) or user.block.keyword in PRODUCTS for user in users):
            return False
        more = [user for user in users if user.block.keyword not in PRODUCTS and user.path not in seen]
        seen |= {user.path for user in more}
        waiting += more
    return True


def _is_no_activation(row: Row) -> bool:
    """A sum counts as one: what a residual adds, it keeps."""
    return row.block.keyword in NO_ACTIVATION or (isinstance(row.block, Branches) and row.block.how == "concat")


def _is_meant(first: Row, second: Row) -> bool:
    """Whether the two save weights: the second widens what a 1x1 narrowed, or each does its part of the window.

    Source: Sandler et al., arXiv:1801.04381 (linear bottleneck); Chollet, arXiv:1610.02357 (depthwise and pointwise);
    Jaderberg, Vedaldi and Zisserman, arXiv:1405.3866 (a column, then a row). A head's logits are only laid out anew.
    """
    one, two = _kernel(first), _kernel(second)
    taken, middle, given = first.input_shape[0], first.output_shape[0], second.output_shape[0] * prod(two)
    narrowed = prod(one) == 1 and middle < second.output_shape[0] and middle * (taken + given) < taken * given
    by_channel = first.block.keyword == "depthwise" or getattr(first.block, "groups", 1) > 1
    apart = prod(one) > 1 < prod(two) and all(1 in sizes for sizes in zip(one, two, strict=True))
    return first.block.is_head or narrowed or (by_channel and prod(two) == 1) or apart


def _kernel(row: Row) -> tuple[int, ...]:
    """The sides of its kernel; () for a linear layer."""
    return tuple(getattr(window_of(row), "kernel", ()))


def pooled_too_late(subject: Subject) -> Iterator[Found]:
    """A max pooling right after an activation that keeps the order of values, where it leaves fewer of them."""
    for row in subject.makers.values():
        for here in subject.before(row) if row.block.keyword in MAX_POOLINGS else ():
            of, values = numel(row.input_shape), numel(row.output_shape)
            keeps_order = isinstance(here.block, Activation) and here.block.monotone
            exchangeable = subject.after(here) == (row,) and _passes(subject, here) == _passes(subject, row)
            exchangeable = exchangeable and not _is_put_back(subject, row)
            if keeps_order and exchangeable and values < of:
                name, pooling = here.block.keyword, row.block.text()
                yield Found(
                    row.path,
                    f"{name} at {here.path} computes {of:,} values; after {pooling} the same comes of {values:,}, "
                    f"{percent(1 - values / of)} fewer",
                    f"put {pooling} before {name}",
                )


def _is_put_back(subject: Subject, row: Row) -> bool:
    """Whether a `maxunpool` takes its places: of equal values it is the first, and an activation makes some equal."""
    return any(user.block.text().startswith("maxunpool") for user in subject.after(row))


def _passes(subject: Subject, row: Row) -> set[str]:
    """The passes of repeats in which it stands: what stands in another pass cannot change places with it."""
    repeats = (
        one.path for one in subject.rows if isinstance(one.block, Repeat) and row.path.startswith(f"{one.path}.")
    )
    return {f"{path}.{row.path[len(path) + 1 :].split('.')[0]}" for path in repeats}


RULES = (
    Rule(
        code="FS203",
        severity="warning",
        title="no activation between two layers with weights",
        why="Two linear maps in a row are one linear map: with nothing but normalisation, dropout, averages or laying "
        "out anew between them, a convolution or linear layer after another adds parameters and time, and nothing "
        "that one alone could not do. Meant, and not found: a 1x1 convolution that narrows before one that widens, a "
        "depthwise and a pointwise convolution, a column and a row of a window, what a residual adds.",
        source="Goodfellow, Bengio and Courville, Deep Learning, section 6.1; for what is meant: Sandler et al., "
        "arXiv:1801.04381, Chollet, arXiv:1610.02357, and Jaderberg et al., arXiv:1405.3866",
        check=no_activation_between,
        bad=Example((1, 28, 28), ("conv 8 5", "batchnorm", "conv 16 5", "relu", "globalavgpool", "linear classes")),
        good=Example(
            (1, 28, 28), ("conv 8 5", "batchnorm", "relu", "conv 16 5", "relu", "globalavgpool", "linear classes")
        ),
    ),
    Rule(
        code="FS204",
        severity="note",
        title="max pooling after an activation that keeps the order",
        why="Where a larger value never gives a smaller one, the largest of a window is the same before and after the "
        "activation. Pooled first, the activation has fewer values to compute, and to keep for the backward pass. Not "
        "found where a `maxunpool` puts values back: where the largest stood is another place after a relu.",
        source="torch: `relu(max_pool2d(x, 2))` equals `max_pool2d(relu(x), 2)`",
        check=pooled_too_late,
        bad=Example((3, 32, 32), ("conv 8 3 padding=1", "relu", "maxpool 2", "flatten", "linear classes")),
        good=Example((3, 32, 32), ("conv 8 3 padding=1", "maxpool 2", "relu", "flatten", "linear classes")),
    ),
)
