"""Which module is meant by `package.module:Factory`. The only code of a user's that Fieldstone runs by name."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fieldstone.analysis.module.faults import needed, place, said
from fieldstone.design.notation import nearest
from fieldstone.errors import DesignError

if TYPE_CHECKING:
    from torch import nn

FORM = "package.module:Factory"


def names_module(given: object) -> bool:
    """Whether a text is of that form."""
    return isinstance(given, str) and re.fullmatch(r"[^\W\d][\w.]*:[^\W\d][\w.]*", given) is not None


def find_module(given: str) -> Any:
    """What a factory gives: a class or a function called without arguments, or the object of that name itself.

    The current directory is searched first. What the code prints goes to standard error.

    Raises:
        DesignError: there is no such thing, it needs arguments, or it raises.
    """
    place, _, attribute = given.partition(":")
    with _current_directory(), contextlib.redirect_stdout(sys.stderr):
        found: Any = _imported(place)
        for part in attribute.split("."):
            found = _attribute(found, part, place)
        from torch import nn

        if isinstance(found, nn.Module):
            return found
        if not callable(found):
            raise DesignError(f"{given} is {_type_of(found)}, not a torch.nn.Module or what makes one", fix=_FIX)
        _check_arguments(found, given)
        made = _called(found, given)
    if not isinstance(made, nn.Module):
        raise DesignError(f"{given} gives {_type_of(made)}, not a torch.nn.Module", fix=_FIX)
    return made


def make_module(name: str, seed: int = 0) -> nn.Module:
    """What a factory makes, with the same first weights for the same seed.

    Raises:
        DesignError: as `find_module`, or the text is not of that form.
    """
    if not names_module(name):
        raise DesignError(f"{name!r} is not {FORM}", fix="name the module and what makes the network, as in nets:Net")
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module: nn.Module = find_module(name)
    return module


def own_network(name: str | None, seed: int = 0) -> nn.Module | None:
    """What `--network` names, if it does."""
    return None if name is None else make_module(name, seed)


def module_input(shape: tuple[int, ...] | None, width: float | None) -> tuple[int, ...]:
    """The shape that a module is inspected at. Raises DesignError without one, and for what only designs have."""
    if width is not None:
        raise DesignError("width is for designs: a module has the width that it was made with", fix="leave it out")
    if shape is None:
        raise DesignError("a module does not say what input it takes", fix="give its shape, as in --input 3x224x224")
    if not shape or min(shape) < 1:
        raise DesignError(f"input {tuple(shape)} is no shape", fix="give channels and sides, as in (3, 224, 224)")
    return tuple(shape)


def _type_of(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


_FIX = "name a class, a function without arguments, or a module that is ready"


@contextlib.contextmanager
def _current_directory() -> Iterator[None]:
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        if here in sys.path:
            sys.path.remove(here)


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as fault:
        if fault.name is None or not (name == fault.name or name.startswith(f"{fault.name}.")):
            raise _raised(fault, f"{name} cannot be imported") from fault
        fix = "run this in the folder that holds it, or install it"
        raise DesignError(f"there is no Python module {fault.name}", fix=fix) from fault
    except (Exception, SystemExit) as fault:  # a file of the user's own may raise anything, or be a program
        raise _raised(fault, f"{name} cannot be imported") from fault


def _attribute(found: Any, name: str, place: str) -> Any:
    try:
        return getattr(found, name)
    except AttributeError as fault:
        names = {other.lower(): other for other in dir(found) if not other.startswith("_")}
        near = nearest(name, names)
        fix = f"did you mean {names[near]}?" if near else "name what is in it"
        raise DesignError(f"{place} has no {name}", file=getattr(found, "__file__", None), fix=fix) from fault


def _check_arguments(factory: Any, given: str) -> None:
    missing = needed(factory)
    if missing:
        name = given.rpartition(":")[2].rpartition(".")[2]
        fix = f"write a function without arguments that returns {name}({', '.join(f'{one}=…' for one in missing)})"
        raise DesignError(f"{given} needs arguments: {', '.join(missing)}", fix=f"{fix}, and name that")


def _called(factory: Any, given: str) -> Any:
    try:
        return factory()
    except (Exception, SystemExit) as fault:  # as above
        raise _raised(fault, f"{given} raises when it is called") from fault


def _raised(fault: BaseException, what: str) -> DesignError:
    """With the line of the user's code that raised."""
    file, line, _ = place(fault)
    return DesignError(f"{what}: {said(fault)}", file=file, line=line, fix="mend it there")
