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


class Unregistered(NamedTuple):
    """Parameters that a row uses and the module does not have: no optimizer sees them, and no file holds them."""

    path: str
    params: int

    def to_json(self) -> dict[str, Any]:
        return self._asdict()

    def __str__(self) -> str:
        fix = "hold their layer in an attribute or an nn.ModuleList"
        return f"not registered: {self.path}, {self.params:,} parameters, neither trained nor saved; {fix}"


class Untraced(NamedTuple):
    """A part that shapes alone could not be followed through, and why; the path of the whole is empty.

    `file` and `line` say which line of the user's asked for more; null where none did.
    """

    path: str
    reason: str
    file: str | None = None
    line: int | None = None

    def to_json(self) -> dict[str, Any]:
        return self._asdict()

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        return f"not traced: {place}{f'{self.path}: ' if self.path else ''}{self.reason}"
