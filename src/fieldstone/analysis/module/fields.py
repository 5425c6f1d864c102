"""What the values of a call's result see of the module's input."""

from __future__ import annotations

from functools import reduce

from fieldstone.analysis.module.blocks import block_of
from fieldstone.analysis.module.calls import Call, Value
from fieldstone.analysis.module.layout import LAYOUTS, Laid, last
from fieldstone.analysis.other import Other, unknown
from fieldstone.design.blocks.block import Block, FitError
from fieldstone.design.blocks.structure import Join
from fieldstone.design.field import Field
from fieldstone.geometry import WHOLE, Shape, Whole, Window


def read(call: Call) -> Laid:
    """The block of a call, and which dimensions of its result are sides."""
    if call.name in LAYOUTS:
        return LAYOUTS[call.name](call)
    block = block_of(call)
    axes = _axes(call, block)
    return Laid(block, axes) if _agrees(block, call, axes) else Laid(unknown(block.text()), None)


def _agrees(block: Block, call: Call, axes: Shape | None) -> bool:
    """Whether the block says the shape that torch gave: it may have been called on something else than a map."""
    if isinstance(block, Other | Join):
        return True
    try:
        return block.output_shape(call.first.shape) == Value(call.dims, axes, None, "").shape
    except FitError:
        return False


def _axes(call: Call, block: Block) -> Shape | None:
    """Those of its map, where there is one and it keeps them; a sum over channels leaves them the last."""
    axes, sides = call.widest.axes, call.widest.sides
    if _is_unknown(block):
        return None
    if len(call.dims) == len(call.widest.dims):
        return axes
    if axes and call.dims[-len(axes) :] == sides:
        return last(len(axes), call.dims)
    return () if len(call.dims) == 2 and block.window(()) is WHOLE else None


def _is_unknown(block: Block) -> bool:
    return isinstance(block, Other) and not block.known


def field_after(call: Call, laid: Laid) -> tuple[Field | None, Shape | None]:
    """The field, and the dimensions that are sides; where all that it took saw everything, so does the result."""
    fields = [value.field for value in call.values if value.field is not None]
    if len(fields) < len(call.values):
        return None, laid.axes
    if all(value.sees_everything for value in call.values):
        rank = len(fields[0].axes)
        axes = laid.axes if laid.axes else last(rank, call.dims) if len(call.dims) == rank + 2 else ()
        return reduce(Field.joined, fields), axes
    if laid.axes is None or _is_unknown(laid.block) or not _lie_on_each_other(call):
        return None, None
    return _moved(reduce(Field.joined, fields), call, laid), laid.axes


def _lie_on_each_other(call: Call) -> bool:
    """Whether the sides of all that it took are the same dimensions; a gate that saw everything fits anything."""
    maps = [value for value in call.values if not value.sees_everything]
    return all(value.axes == maps[0].axes and len(value.dims) == len(maps[0].dims) for value in maps)


def _moved(field: Field, call: Call, laid: Laid) -> Field | None:
    before = call.widest
    after = Value(call.dims, laid.axes, None, "").sides
    moves = laid.block.window(before.sides)
    if moves is None or moves == _own_place(len(before.sides)):
        return field
    if isinstance(moves, Whole):
        return field.whole(after)
    in_place = before.axes == last(len(before.axes or ()), before.dims) and len(before.dims) == len(before.sides) + 2
    return field.moved(moves, before.sides, after) if in_place or call.name == "getitem" else None


def _own_place(rank: int) -> Window:
    """A window of one value, as that of a linear layer at every place, wherever the channels are."""
    one = (1,) * rank
    return Window(one, one, one, ((0, 0),) * rank)
