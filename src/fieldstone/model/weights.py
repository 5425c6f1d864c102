"""Files of weights from elsewhere, read as data: what is more than named tensors is refused, and nothing of it runs."""

from __future__ import annotations

import hashlib
import pickle
import re
import struct
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from fieldstone.errors import ModelError
from fieldstone.model.tensors import read_tensors
from fieldstone.model.weight_files import kind_of
from fieldstone.network.memory import within_memory
from fieldstone.network.state_dicts.prefix import PREFIXES

CONTAINERS = ("model", "state_dict", "model_state_dict", "model_ema", "state_dict_ema")
"""Entries under which training programs keep a state dict; an earlier one is taken before a later one."""

AVERAGED = "n_averaged"
"""The counter of torch's averaged models, beside names that start with `module.`."""

NESTED = 3
SHOWN = 5
SAVE_AGAIN = (
    "if you trust it, load it with what wrote it and save its weights alone: torch.save(network.state_dict(), FILE)"
)

# Whatever a cut or altered file leads torch's reader into; `pickle.UnpicklingError` is both that and its refusal.
_DAMAGED = (
    RuntimeError, EOFError, ValueError, TypeError, LookupError, AttributeError, struct.error, OverflowError,
    AssertionError, pickle.UnpicklingError,
)  # fmt: skip


@dataclass(frozen=True)
class Weights:
    """Tensors by the names that the file gives them.

    Attributes:
        sha256: of the file's bytes.
        notes: what was done to get at them, as a person should be told.
    """

    tensors: dict[str, Tensor]
    sha256: str
    notes: tuple[str, ...]


def read_weights(path: Path) -> Weights:
    """The state dict in a safetensors file, or in one that `torch.save` wrote, whatever its name.

    Raises:
        ModelError: the file is missing, cut, no state dict, or more than one; it is a Fieldstone model already.
    """
    if path.is_dir():
        raise _fault(path, "is a folder", "give the file of weights itself")
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        held = _safetensors(path) if _is_safetensors(path) else _pickled(path)
    except OSError as fault:
        raise _fault(path, f"cannot be read: {(fault.strerror or str(fault)).lower()}", "check the path") from fault
    entries, unwrapped = _unwrapped(held, path)
    tensors, named = _without_prefixes(_tensors(entries, path))
    return Weights(tensors, sha256, (*unwrapped, *_left_out(entries), *named, *_number_formats(tensors)))


def _is_safetensors(path: Path) -> bool:
    """By what stands in it; by its name where that says nothing."""
    kind = kind_of(path)
    return path.suffix == ".safetensors" if kind is None else kind != "torch"


def _safetensors(path: Path) -> Mapping[str, Tensor]:
    try:
        metadata, tensors = read_tensors(path)
    except SafetensorError as fault:
        raise _fault(path, "is no whole safetensors file", "get it again") from fault
    if "fieldstone" in metadata:
        raise _fault(
            path, "is a Fieldstone model, which needs no import", f"use it as it is: fieldstone predict {path} IMAGE"
        )
    return tensors


def _pickled(path: Path) -> Any:
    """What `torch.save` wrote, by the reader of torch that builds tensors and plain values and calls nothing else."""
    if path.stat().st_size == 0:
        raise _fault(path, "is empty", "get it again")
    try:
        with path.open("rb") as file, within_memory(MemoryError()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of TorchScript, which is refused below
            return torch.load(file, map_location="cpu", weights_only=True)  # of a path, torch goes by its name
    except _DAMAGED as fault:
        raise _refusal(path, str(fault)) from fault


def _refusal(path: Path, reason: str) -> ModelError:
    """Why torch's reader stopped: at something that would have run, or at bytes that it cannot read."""
    if "TorchScript" in reason:
        return _fault(path, "holds a TorchScript program, not a state dict", SAVE_AGAIN)
    found = re.search(r"GLOBAL ([\w.]+)", reason)
    if found is not None:
        return _fault(path, f"holds more than tensors: {found[1]}; nothing of it was run", SAVE_AGAIN)
    return _fault(path, "is no whole file that torch.save wrote", "get it again, or give a .safetensors file")


def _unwrapped(held: Any, path: Path) -> tuple[Mapping[Any, Any], list[str]]:
    """The innermost state dict of a training program's checkpoint."""
    notes: list[str] = []
    for _ in range(NESTED):
        if not isinstance(held, Mapping):
            raise _fault(path, f"holds a {type(held).__name__}, not a state dict", SAVE_AGAIN)
        name = _entry(held, path)
        if name is None:
            break
        beside = [other for other in held if other != name]
        notes.append(f"taken from its entry {name!r}" + (f", without {_listed(beside)}" if beside else ""))
        held = held[name]
    return held, notes


def _entry(held: Mapping[Any, Any], path: Path) -> Any:
    """The entry that the weights stand under: one that is known, or the only one with named tensors in it; or none."""
    known = [name for name in CONTAINERS if isinstance(held.get(name), Mapping)]
    if known:
        return known[0]
    if _named_tensors(held):
        return None
    inner = [name for name, value in held.items() if _named_tensors(value)]
    inner = inner or [name for name, value in held.items() if _holds_tensors(value)]
    if len(inner) > 1:
        fix = f"save the one that is meant alone: torch.save(torch.load(FILE)[{inner[0]!r}], NEW)"
        raise _fault(path, f"holds several state dicts: {_listed(inner)}", fix)
    return inner[0] if inner else None


def _holds_tensors(value: Any, depth: int = NESTED) -> bool:
    """Whether named numbers stand in it, or in what it holds."""
    if not isinstance(value, Mapping) or depth == 0:
        return False
    return _named_tensors(value) or any(_holds_tensors(one, depth - 1) for one in value.values())


def _named_tensors(value: Any) -> bool:
    return isinstance(value, Mapping) and any(
        _is_entry(name, one) and one.is_floating_point() for name, one in value.items()
    )


def _tensors(entries: Mapping[Any, Any], path: Path) -> dict[str, Tensor]:
    tensors = {name: value.detach() for name, value in entries.items() if _is_entry(name, value)}
    if not tensors:
        raise _fault(path, "holds no named tensors", SAVE_AGAIN)
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex() or tensor.is_nested:
            raise _fault(path, f"{name} is not a plain tensor of real numbers", "save it dense and in floating point")
        if tensor.is_meta:
            raise _fault(path, f"{name} has a shape and no numbers", "save the network after its weights are loaded")
    return tensors


def _is_entry(name: Any, value: Any) -> bool:
    return isinstance(name, str) and isinstance(value, Tensor)


def _left_out(entries: Mapping[Any, Any]) -> list[str]:
    others = [name for name, value in entries.items() if not _is_entry(name, value)]
    return [f"left out, because they are no named tensors: {_listed(others)}"] if others else []


def _without_prefixes(tensors: dict[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors without what stands before the name of each."""
    named = {name: tensor for name, tensor in tensors.items() if name != AVERAGED}
    found: list[str] = []
    while named and (prefix := _prefix(named)):
        named = {name.removeprefix(prefix): tensor for name, tensor in named.items()}
        found.append(prefix)
    return (named, [f"taken without the prefix {''.join(found)!r} of every name"]) if found else (tensors, [])


def _prefix(names: Iterable[str]) -> str | None:
    return next((prefix for prefix in PREFIXES if all(name.startswith(prefix) for name in names)), None)


def _number_formats(tensors: Mapping[str, Tensor]) -> list[str]:
    """That half precision, or double, becomes what Fieldstone's models have."""
    formats = {tensor.dtype for tensor in tensors.values() if tensor.is_floating_point()} - {torch.float32}
    texts = sorted(str(one).removeprefix("torch.") for one in formats)
    return [f"{' and '.join(texts)} became float32"] if texts else []


def _listed(names: list[Any]) -> str:
    shown = ", ".join(str(name) for name in names[:SHOWN])
    return shown + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _fault(path: Path, message: str, fix: str) -> ModelError:
    return ModelError(message, file=str(path), fix=fix)
