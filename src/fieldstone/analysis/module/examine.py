"""Any torch.nn.Module as a Summary: the same rows, totals and findings as a design has."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from fieldstone.analysis.findings import find
from fieldstone.analysis.leftovers import Unregistered, Untraced, Unused
from fieldstone.analysis.module.calls import tensors
from fieldstone.analysis.module.faults import Place, needed, place, said
from fieldstone.analysis.module.record import Recorder, Watch
from fieldstone.analysis.module.stand_in import scripted, with_values, without_memory
from fieldstone.analysis.rule import Subject
from fieldstone.analysis.summary import Summary
from fieldstone.errors import DesignError
from fieldstone.geometry import Shape, format_shape


class Ran(NamedTuple):
    """A copy of the module that has run, what was recorded of it, and what it gave."""

    copy: nn.Module
    recorder: Recorder
    result: Any


def examine(
    module: nn.Module,
    shape: Shape,
    *,
    name: str,
    classes: int | None = None,
    silent: Collection[str] = (),
    **asked: Any,
) -> Summary:
    """Run a module's shapes through it and check what it did.

    Nothing is computed, unless the module asks for values: then one image of noise is, and the summary says so.

    Args:
        shape: (C, *sides) of one input.
        name: what it is called.
        classes: how many, where that is to be checked.
        silent: codes of findings that are not looked for.
        asked: other fields of the subject.

    Raises:
        DesignError: the module does not take such an input, or does nothing with it.
    """
    ran, untraced = _traced(module, shape, name)
    if not ran.recorder.rows:
        raise DesignError(f"{name} does nothing with its input", fix="give a module that computes something of it")
    leaving = ran.recorder.sources(ran.result)
    subject = Subject(shape, tuple(ran.recorder.rows), classes, leaving=leaving, **asked)
    outputs, findings = _outputs(ran.result), find(subject, silent)
    unregistered = tuple(Unregistered(*one) for one in ran.recorder.unregistered.items())
    leftovers: dict[str, Any] = {"unused": _unused(ran), "untraced": untraced, "unregistered": unregistered}
    return Summary(name, subject, "as asked", outputs, findings, {}, **leftovers)


def run_watched(module: nn.Module, given: Tensor, watch: Watch, name: str) -> Any:
    """What a copy of a module, which shares its parameters, makes of values; gradients are kept.

    Args:
        given: (1, C, *sides).
        watch: sees what each row made.

    Raises:
        DesignError: the module does not take such an input.
    """
    with undisturbed():
        try:
            return _run(lambda: with_values(module), given, watch).result
        except _StoppedError as fault:
            raise _refused(name, module, tuple(given.shape[1:]), fault) from fault


class _StoppedError(Exception):
    """A run that raised: in which module, by what, and what was said."""

    def __init__(self, path: str, reason: str, cause: BaseException | None = None) -> None:
        super().__init__(reason)
        self.path = path
        self.cause = cause
        self.place = Place(None, None, raised=False) if cause is None else place(cause)


def _traced(module: nn.Module, shape: Shape, name: str) -> tuple[Ran, tuple[Untraced, ...]]:
    """By shapes alone; where the module asks for more than shapes, by one image of noise."""
    dtype = next((one.dtype for one in module.parameters() if one.is_floating_point()), torch.get_default_dtype())
    device = next((one.device for one in module.parameters()), torch.device("cpu"))
    with undisturbed():
        try:
            return _by_shapes(module, shape, dtype), ()
        except _StoppedError as fault:
            if device.type == "meta":
                raise _refused(name, module, shape, fault) from fault
            reason = f"{fault}; what it does with one image of noise is shown"
            untraced = Untraced(fault.path, reason, fault.place.file, fault.place.line)
        try:
            return _run(lambda: with_values(module), torch.rand(1, *shape, dtype=dtype).to(device)), (untraced,)
        except _StoppedError as fault:
            raise _refused(name, module, shape, fault) from fault


def _by_shapes(module: nn.Module, shape: Shape, dtype: torch.dtype) -> Ran:
    compiled = scripted(module)
    if compiled is not None:
        raise _StoppedError(compiled, "compiled code cannot be looked into")
    with torch.device("meta"):
        return _run(lambda: without_memory(module), torch.empty(1, *shape, dtype=dtype))


def _run(copied: Callable[[], nn.Module], given: Tensor, watch: Watch | None = None) -> Ran:
    recorder = Recorder(watch)
    try:
        copy = copied()
        return Ran(copy, recorder, recorder.run(copy, given))
    except (Exception, SystemExit) as fault:  # the module's own code may raise anything, or be a program
        raise _StoppedError(recorder.failed_in or "", said(fault), fault) from fault


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """What the module prints goes to standard error; torch's chance stays where it was; attention is written out."""
    fast = torch.backends.mha.get_fastpath_enabled()
    with (
        contextlib.redirect_stdout(sys.stderr),
        warnings.catch_warnings(action="ignore"),
        torch.random.fork_rng(devices=[]),
        sdpa_kernel(SDPBackend.MATH),
    ):
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)


def _refused(name: str, module: nn.Module, shape: Shape, fault: _StoppedError) -> DesignError:
    """With the line of the user's code, where one is on the way."""
    others = needed(module.forward)[1:]
    if others and isinstance(fault.cause, TypeError):
        code = getattr(module.forward, "__code__", None)
        where = {} if code is None else {"file": code.co_filename, "line": code.co_firstlineno}
        fix = "put a module with one image as its input around it, and inspect that"
        return DesignError(f"{name} takes {', '.join(others)} beside its input", **where, fix=fix)
    at = f" at {fault.path}" if fault.path else ""
    message = f"{name} cannot be run on an input of {format_shape(shape)}: {fault}{at}"
    file, line, raised = fault.place
    fix = "give the input that it is made for" + (", or mend it there" if raised else "")
    return DesignError(message, file=file, line=line, path=fault.path or None, fix=fix)


def _outputs(result: Any) -> int | None:
    """The numbers that leave for one image; None where that is not one row of numbers."""
    first = next(tensors(result), None)
    return first.shape[1] if first is not None and first.dim() == 2 else None


def _unused(ran: Ran) -> tuple[Unused, ...]:
    """The parameters that nothing used, those of one module together."""
    everything = dict(ran.copy.named_parameters())
    used = [name for name, one in everything.items() if id(one) in ran.recorder.used]
    found: dict[str, list[nn.Parameter]] = {}
    for name in everything.keys() - set(used):
        found.setdefault(_alone(name, used), []).append(everything[name])
    return tuple(_counted(path, found[path]) for path in sorted(found))


def _alone(name: str, used: list[str]) -> str:
    """The outermost module of a parameter of which nothing was used."""
    parts = name.split(".")
    paths = (".".join(parts[:depth]) for depth in range(1, len(parts)))
    return next((path for path in paths if not any(other.startswith(f"{path}.") for other in used)), name)


def _counted(path: str, weights: list[nn.Parameter]) -> Unused:
    frozen = sum(one.numel() for one in weights if not one.requires_grad)
    return Unused(path, sum(one.numel() for one in weights), frozen)
