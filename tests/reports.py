"""What tests of reports share: a page read by Python's own parser, and a small training."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import fieldstone as fs
from fieldstone.progress import Progress
from fieldstone.training.recipe import Recipe
from fieldstone.verbs import train as verb
from fieldstone.verbs.job.job import Trained

LAYERS = ("conv 8 3", "batchnorm", "relu", "maxpool 2", "conv 8 3", "relu", "globalavgpool", "linear classes")
VOID = {"meta", "img", "br", "wbr", "link", "input", "hr"}


def trained(data: Path | str, out: Path, *, name: str = "small", channels: int = 3, **options: Any) -> Trained:
    """A small network, trained for a few epochs."""
    design = fs.Design(input=(channels, 16, 16), layers=list(LAYERS), name=name)
    recipe = Recipe(**{"epochs": 3, "augment": (), **options})
    return verb.carry_out(data, design=design, recipe=recipe, out=out, progress=Progress.quiet())


class Page(HTMLParser):
    """The elements of a page, each with its attributes, and the text of each section by its heading's id."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.sections: dict[str, list[str]] = {}
        self.tables: dict[str, list[list[list[str]]]] = {}
        self.here = "top"
        self.feed(text)
        self.close()
        assert self.open == [], "an element is never closed"

    @classmethod
    def read(cls, path: Path) -> Page:
        return cls(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        assert len(given) == len(attributes), f"an attribute stands twice in {tag}"
        self.elements.append((tag, given))
        if tag == "section":
            self.here = given["aria-labelledby"] or ""
        if tag == "br":
            self.handle_data(" ")
        if tag == "table":
            self.tables.setdefault(self.here, []).append([])
        if tag == "tr":
            self.tables[self.here][-1].append([])
        if tag in ("td", "th"):
            self.tables[self.here][-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            return
        self.sections.setdefault(self.here, []).append(data)
        if {"td", "th"} & set(self.open):
            self.tables[self.here][-1][-1][-1] += data.strip()

    def text(self, section: str | None = None) -> str:
        """The words of a section, or of the whole page, each space one."""
        parts = [part for name, some in self.sections.items() if section in (None, name) for part in some]
        return " ".join("".join(parts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]
