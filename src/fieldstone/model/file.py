"""The model file: one `.safetensors` whose tensors are the weights and whose metadata is one JSON text."""

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import Tensor

from fieldstone.errors import ModelError
from fieldstone.model.tensors import content_digest, copied, read_tensors, write_tensors
from fieldstone.model.weight_files import how_to_import, kind_of

NO_MODEL = "is no model that Fieldstone wrote"
FORMAT = 2
SHOWN = 20  # characters around a fault in a text
FIELDS = frozenset(
    "format design task classes preprocessing recipe data images metrics versions sha256".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds: `fields` are those of DESIGN, without `format` and `sha256`, which writing adds."""

    fields: dict[str, Any]
    tensors: dict[str, Tensor]


def write_model_file(path: Path, content: ModelFile) -> None:
    """Write a model file whole; the same content gives the same bytes.

    Raises:
        ModelError: the place cannot be written, or a text among the fields is no UTF-8.
    """
    tensors = copied(content.tensors)
    fields = {**content.fields, "format": FORMAT}
    try:
        text = _json({**fields, "sha256": content_digest(_json(fields), tensors)})
        write_tensors(path, tensors, {"fieldstone": text})
    except (OSError, SafetensorError) as fault:
        raise ModelError(
            f"cannot be written: {fault}", file=str(path), fix="give a place with room and permission"
        ) from fault
    except UnicodeEncodeError as fault:
        odd = fault.object[max(0, fault.start - SHOWN) : fault.end + SHOWN]
        raise ModelError(
            f"cannot be written: a name in it is not UTF-8, near {odd!r}", file=str(path), fix="give it another name"
        ) from fault


def read_model_file(path: Path) -> ModelFile:
    """Read and check a model file. Runs no code from it: safetensors and JSON are data.

    Raises:
        ModelError: the file is missing, cut, altered, of another format, or not from Fieldstone.
    """
    fields, tensors = _read(path)
    if fields.get("format") != FORMAT:
        raise ModelError(
            f"has format {fields.get('format')!r}; this Fieldstone reads format {FORMAT}",
            file=str(path),
            fix="load it with the version of Fieldstone that wrote it",
        )
    stated = fields.pop("sha256", None)
    if FIELDS - {"sha256"} != fields.keys() or stated != content_digest(_json(fields), tensors):
        raise ModelError("was altered after it was saved", file=str(path), fix="take the file that training wrote")
    del fields["format"]
    return ModelFile(fields, tensors)


def short_key(key: str) -> bytes:
    """What a model file keeps of an image's hexadecimal key: its first 8 bytes."""
    return bytes.fromhex(key)[:8]


def pack_keys(keys: Collection[bytes]) -> str:
    """Short keys as a model file stores them: sorted, in base64."""
    return base64.b64encode(b"".join(sorted(keys))).decode("ascii")


def unpack_keys(text: str) -> frozenset[bytes]:
    """The short keys that `pack_keys` packed."""
    packed = base64.b64decode(text, validate=True)
    return frozenset(packed[i : i + 8] for i in range(0, len(packed), 8))


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        metadata, tensors = read_tensors(path)
    except FileNotFoundError as fault:
        raise ModelError("is not there", file=str(path), fix="give a run folder or a model file") from fault
    except (OSError, SafetensorError) as fault:
        if kind_of(path) == "torch":
            raise ModelError(NO_MODEL, file=str(path), fix=how_to_import(path)) from fault
        raise ModelError(
            "is no whole model file", file=str(path), fix="give a .safetensors file that Fieldstone wrote, uncut"
        ) from fault
    if "fieldstone" not in metadata:
        raise ModelError(NO_MODEL, file=str(path), fix=how_to_import(path))
    try:
        fields = json.loads(metadata["fieldstone"])
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ModelError(NO_MODEL, file=str(path), fix="give the model.safetensors of a run")
    return fields, tensors


def _json(fields: dict[str, Any]) -> str:
    return json.dumps(fields, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
