"""What kind of file of weights it is, by what stands in it, whatever its name. No torch."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Literal

Kind = Literal["model", "safetensors", "torch"]
"""A model that Fieldstone wrote; other safetensors; what `torch.save` wrote."""

ZIP, PICKLE = b"PK\x03\x04", tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
LENGTH = 8
LONGEST = 10**8
"""A safetensors file begins with the length of a JSON object, in 8 bytes, and that object, of at most so many."""


def kind_of(path: str | Path) -> Kind | None:
    """What a file is by its first bytes; None of any other file, and where there is none that can be read."""
    try:
        with Path(path).open("rb") as file:
            first = file.read(LENGTH + 1)
    except OSError:
        return None
    if first[LENGTH:] != b"{" or int.from_bytes(first[:LENGTH], "little") > LONGEST:
        return "torch" if first.startswith((ZIP, *PICKLE)) else None
    from safetensors import SafetensorError, safe_open  # a design is found without it

    try:
        with safe_open(path, framework="numpy") as content:
            return "model" if "fieldstone" in (content.metadata() or {}) else "safetensors"
    except (OSError, SafetensorError):
        return "safetensors"


def how_to_import(path: str | Path) -> str:
    """What makes a model of weights alone."""
    command = f"fieldstone weights import {shlex.quote(str(path))} --design NAME -o NEW.safetensors"
    return f"of weights alone make one: {command}"
