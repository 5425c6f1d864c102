"""One image's answer."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Prediction:
    """What a model says of one image.

    `probability` is that of `label`; `top` holds the most probable classes, best first. Where the image could not
    be read, or the network's answer is not finite, `error` says so and the rest is None.
    """

    file: str | None
    label: str | None = None
    probability: float | None = None
    top: tuple[tuple[str, float], ...] = ()
    error: str | None = None

    def __repr__(self) -> str:
        if self.error is not None:
            return f"Prediction(file={self.file!r}, error={self.error!r})"
        top = ", ".join(f"({label!r}, {probability:.4f})" for label, probability in self.top)
        return f"Prediction(file={self.file!r}, label={self.label!r}, probability={self.probability:.4f}, top=[{top}])"

    def to_json(self) -> dict[str, Any]:
        """One line of `fieldstone predict --json`."""
        if self.error is not None:
            return {"file": self.file, "error": self.error}
        top = [list(pair) for pair in self.top]
        return {"file": self.file, "label": self.label, "probability": self.probability, "top": top}
