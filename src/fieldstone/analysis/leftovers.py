"""What a summary says of a module beside its rows; of a design there is nothing. No torch."""

from __future__ import annotations

from typing import Any, NamedTuple


class Unused(NamedTuple):
    """Parameters that no row used; `frozen` of them do not learn."""

    path: str
    params: int
    frozen: int

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "params": self.params, "trainable": self.params - self.frozen}

    def __str__(self) -> str:
        return f"not used: {self.path}, {self.params:,} parameters"


class Untraced(NamedTuple):
    """A part that shapes alone could not be followed through, and why; the path of the whole is empty."""

    path: str
    reason: str

    def to_json(self) -> dict[str, Any]:
        return self._asdict()

    def __str__(self) -> str:
        return f"not traced: {f'{self.path}: ' if self.path else ''}{self.reason}"
