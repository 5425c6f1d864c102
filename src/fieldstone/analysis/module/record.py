"""A module runs once, and every call of torch that works on what came from its input becomes a row.

Calls are seen where torch lets them be seen: its functions and methods by a mode of functions, with concrete shapes, so
that Python may branch and count on them; what reaches the kernels without them (scripted code, own autograd functions)
by a mode of dispatch, which also counts the products. Source: torch.overrides, torch.utils._python_dispatch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry
from torch.utils.weak import WeakTensorKeyDictionary

from fieldstone.analysis.module.calls import Call, Value, tensors
from fieldstone.analysis.module.fields import field_after, read
from fieldstone.analysis.module.layout import RESHAPES
from fieldstone.analysis.module.names import Names, canonical, full_name, is_in_place, is_torchs
from fieldstone.analysis.module.sizes import sizes_alone
from fieldstone.analysis.module.wholes import as_whole
from fieldstone.design.field import Field
from fieldstone.design.names import INPUT
from fieldstone.design.walk import Row

SAME = {
    "contiguous", "to", "type", "type_as", "float", "half", "double", "bfloat16", "detach", "clone", "requires_grad",
    "cpu", "data", "alias", "view_as", "lift_fresh", "to_copy",
}  # fmt: skip
"""What gives its input again, in another place or type: no row."""


Origins = dict[int, Tensor | int]
"""What a constant is made of: parameters, by their ids, and by numbers below 0 twice the products that it took.

They count at the row that uses it first.
"""


Watch = Callable[[str, Value, Tensor], None]
"""Sees the path of a row, what is known of what it made, and that itself."""


class Done(NamedTuple):
    """A call that has run: its name, how it is shown, what it took and gave, and twice its products."""

    name: str
    what: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    result: Any
    flops: int


class Recorder:
    """What one run of a module leaves.

    Attributes:
        rows: one a call, in their order; a layer that is one block is one call.
        used: the ids of the parameters that were counted, each where it was used first.
        unregistered: by row, how many parameters it used that the module does not have: it keeps them in a plain list.
        failed_in: the path of the module that raised, if one did.
    """

    def __init__(self, watch: Watch | None = None) -> None:
        self.rows: list[Row] = []
        self.used: set[int] = set()
        self.unregistered: dict[str, int] = {}
        self.failed_in: str | None = None
        self._watch = watch
        self._names = Names()
        self._module = nn.Module()
        self._registered: set[int] = set()  # the ids of its parameters
        self._values: Any = WeakTensorKeyDictionary()  # of what came from the input
        self._made_of: Any = WeakTensorKeyDictionary()  # of anything else, its origins
        self._constants = 0
        self._stack: list[tuple[str, nn.Module]] = []
        self._within = 0  # calls that are one row already
        self._flops = 0

    def run(self, module: nn.Module, given: Tensor) -> Any:
        """What a module makes of an input. It has to be a copy: the forward of each of its parts is wrapped.

        Gradients are kept for a watch alone.
        """
        self._module = module
        dims = tuple(given.shape)
        self._values[given] = Value(dims, tuple(range(2, len(dims))), Field.of_input(dims[2:]), INPUT)
        for path, part in module.named_modules():
            self._names.modules.add(path)
            part.forward = self._seen(path, part, part.forward)
        with torch.set_grad_enabled(self._watch is not None), _Functions(self), _Kernels(self):
            return module(given)

    def sources(self, result: Any) -> tuple[str, ...]:
        """The paths of the rows that made what a module gave, in order; what it was given is none."""
        made = [self._values[one].source for one in tensors(result) if one in self._values]
        return tuple(dict.fromkeys(source for source in made if source != INPUT))

    def _seen(self, path: str, part: nn.Module, forward: Callable[..., Any]) -> Callable[..., Any]:
        """The same forward, known while it runs."""

        def seen(*args: Any, **kwargs: Any) -> Any:
            self._stack.append((path, part))
            try:
                return self._forward(part, forward, args, kwargs)
            except BaseException:
                self.failed_in = path if self.failed_in is None else self.failed_in
                raise
            finally:
                self._stack.pop()

        return seen

    def _forward(self, part: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]) -> Any:
        whole = None if self._within else as_whole(part)
        if whole is None:
            return forward(*args, **kwargs)
        result, flops = self._alone(forward, args, kwargs)
        taken = (*tensors((args, kwargs)), *whole.args)
        return self._keep(Done(whole.name, whole.what, taken, whole.kwargs, result, flops))

    def function(self, function: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]) -> Any:
        """Run one of torch's functions, and keep what it did."""
        if self._within:
            return function(*args, **kwargs)
        result, flops = self._alone(function, args, kwargs)
        name = canonical(function)
        if name == "setitem":
            self._keep(Done(name, "Tensor.__setitem__", args, kwargs, args[0], flops))
            return result
        if not is_in_place(function, args, kwargs) and any(result is one for one in tensors((args, kwargs))):
            result, _ = self._alone(result.view_as, (result,), {})  # dropout gives its input: what uses that is not it
        return self._keep(Done(name, self._what(function), args, kwargs, result, flops))

    def kernel(self, kernel: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
        """Run a kernel, count its products, and keep it if no function of torch has called it."""
        result, _ = self._alone(sizes_alone, (kernel, args, kwargs), {})  # the mode of functions sees it once more
        counted = flop_registry.get(kernel._overloadpacket)
        flops = 0 if counted is None else counted(*args, **kwargs, out_val=result)
        self._flops += flops
        if self._within:
            return result
        return self._keep(Done(canonical(kernel), str(kernel._overloadpacket), args, kwargs, result, flops))

    def _alone(self, run: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]) -> tuple[Any, int]:
        """The result, and twice the products; nothing within it is a row."""
        before = self._flops
        self._within += 1
        try:
            return run(*args, **kwargs), self._flops - before
        finally:
            self._within -= 1

    def _keep(self, done: Done) -> Any:
        """A row if it took what came from the input; else what its result is made of."""
        made = list(tensors(done.result))
        taken = list(tensors((done.args, done.kwargs)))
        values = _read(done.name, tuple(self._values[one] for one in taken if one in self._values))
        origins = {number: one for thing in taken for number, one in self._origins(thing).items()}
        if not values:
            if done.flops:
                self._constants -= 1
                origins[self._constants] = done.flops
            for one in made:
                self._made_of[one] = origins
        elif made:
            call = Call(done.name, done.what, done.args, done.kwargs, values, tuple(made[0].shape))
            same = _is_same(call)
            value = values[0] if same else self._row(call, origins, done.flops)
            if self._watch is not None and not same:
                self._alone(self._watch, (value.source, value, made[0]), {})
            for one in made:
                dims = tuple(one.shape)
                self._values[one] = value if dims == value.dims else _of(value, dims)
        return done.result

    def _origins(self, thing: Tensor) -> Origins:
        if isinstance(thing, nn.Parameter):
            return {id(thing): thing}
        made_of: Origins = self._made_of.get(thing, {})
        return made_of

    def _row(self, call: Call, origins: Origins, flops: int) -> Value:
        laid = read(call)
        field, axes = field_after(call, laid)
        made = Value(call.dims, axes, field, self._names.new(self._place(call.name)))
        new = [one for number, one in origins.items() if number not in self.used]
        self.used |= origins.keys()
        own = self._own(made.source, [one for one in new if isinstance(one, Tensor)])
        self.rows.append(
            Row(
                path=made.source,
                block=laid.block,
                bound=laid.block,
                input_shape=call.widest.shape,
                output_shape=made.shape,
                params=_count(own),
                macs=(flops + sum(one for one in new if isinstance(one, int))) // 2,
                field=field,
                sources=tuple(value.source for value in call.values),
                frozen=_count(one for one in own if not one.requires_grad),
            )
        )
        return made

    def _own(self, path: str, weights: list[Tensor]) -> list[Tensor]:
        """Those that the module has; the others are kept by the path."""
        if not self._registered.issuperset(map(id, weights)):  # a forward may have made some
            self._registered = set(map(id, self._module.parameters()))
        others = _count(one for one in weights if id(one) not in self._registered)
        if others:
            self.unregistered[path] = others
        return [one for one in weights if id(one) in self._registered]

    def _place(self, name: str) -> str:
        """The path of torch's own layer; of any other module the path and what it called."""
        path, part = self._here
        if path and part is not None and (is_torchs(part) or as_whole(part)):
            return path
        return f"{path}.{name}" if path else name

    def _what(self, function: Callable[..., Any]) -> str:
        part = self._here[1]
        own = part is not None and is_torchs(part)
        return f"torch.nn.{type(part).__name__}" if own else full_name(function)

    @property
    def _here(self) -> tuple[str, nn.Module | None]:
        """The path and the module whose forward runs."""
        return self._stack[-1] if self._stack else ("", None)


def _read(name: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Those whose values are read: `ones_like` and `new_zeros` take the shape alone, `expand_as` of its second."""
    if name.endswith("_like") or name.startswith("new_"):
        return ()
    return values[:1] if name.endswith("_as") else values


def _is_same(call: Call) -> bool:
    """Whether it gives its input again: as another type, in the same shape, or put together with nothing."""
    alone = len(call.values) == 1
    again = call.name in RESHAPES and call.dims == call.first.dims
    return call.name in SAME or (alone and (again or (call.name == "cat" and call.dims == call.first.dims)))


def _of(value: Value, dims: tuple[int, ...]) -> Value:
    """The same of another result of the call: its sides are known where it has as many dimensions."""
    return value._replace(dims=dims, axes=value.axes if len(dims) == len(value.dims) else None)


def _count(weights: Iterable[Tensor]) -> int:
    return sum(one.numel() for one in weights)


class _Functions(TorchFunctionMode):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.recorder.function(func, args, kwargs or {})


class _Kernels(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types for it
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.recorder = recorder

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Else torch loads its compiler to keep it out of here."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.recorder.kernel(func, args, kwargs or {})
