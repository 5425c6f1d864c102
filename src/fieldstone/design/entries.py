"""YAML text to plain entries with their lines: texts, lists and mappings, and nothing else that YAML can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from fieldstone.errors import DesignError

MAX_CHARACTERS = 200_000
MAX_DEPTH = 120  # nested YAML nodes; three for one level of blocks


@dataclass(frozen=True)
class Entry:
    """A value of a design text: a text, a list or a mapping (or, from Python, a ready block), and its 1-based line."""

    value: Any
    line: int | None = None


def read_entries(text: str, file: str | None) -> Entry:
    """The entries of a YAML text.

    Raises:
        DesignError: it is no YAML, or uses aliases, anchors, tags, doubled keys or very deep nesting.
    """
    if len(text) > MAX_CHARACTERS:
        raise DesignError(f"a design text has at most {MAX_CHARACTERS:,} characters, this has {len(text):,}", file=file)
    try:
        node = _Composer(text).get_single_node()
    except _RefusedError as refused:
        raise DesignError(refused.args[0], file=file, line=refused.mark.line + 1, fix=refused.fix) from None
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        line = None if mark is None else mark.line + 1
        fix = "indent with spaces" if "'\\t'" in str(fault.problem) else "write `key: value` lines and `- block` lines"
        raise DesignError(f"it is not YAML: {yaml_reason(fault)}", file=file, line=line, fix=fix) from fault
    except yaml.reader.ReaderError as fault:
        line = text[: fault.position].count("\n") + 1
        raise DesignError(f"it holds the character {ord(text[fault.position]):#x}", file=file, line=line) from fault
    if node is None:
        raise DesignError("the design is empty", file=file, fix="it needs `input:` and `layers:`")
    return _entry(node, file)


def yaml_reason(fault: yaml.MarkedYAMLError) -> str:
    """What PyYAML found; where that goes on from what it expected, both."""
    found, expected = fault.problem or "", fault.context or ""
    return ", ".join(filter(None, (expected, found))) if not found or found.startswith("but ") else found


def _entry(node: Any, file: str | None) -> Entry:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return Entry(node.value, line)
    if isinstance(node, yaml.SequenceNode):
        return Entry([_entry(item, file) for item in node.value], line)
    mapping: dict[str, Entry] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise DesignError("a key is a word, not a list", file=file, line=key.start_mark.line + 1)
        if key.value in mapping:
            fix = "leave one of them out"
            raise DesignError(f"the key {key.value!r} stands twice", file=file, line=key.start_mark.line + 1, fix=fix)
        mapping[key.value] = _entry(value, file)
    return Entry(mapping, line)


class _RefusedError(Exception):
    def __init__(self, message: str, fix: str, mark: yaml.Mark) -> None:
        super().__init__(message)
        self.fix = fix
        self.mark = mark


class _Composer(yaml.BaseLoader):
    """Composes nodes, every scalar a text, and stops at what a design has no use for."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        name = getattr(event, "anchor", None)
        if name is not None:
            kind = "alias *" if isinstance(event, yaml.AliasEvent) else "anchor &"
            raise _RefusedError(f"{kind}{name} is not used in designs", "write the blocks out", event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise _RefusedError(f"the tag {event.tag} is not used in designs", "leave it out", event.start_mark)
        if self.depth == MAX_DEPTH:
            fix = f"nest at most {MAX_DEPTH} lists and mappings"
            raise _RefusedError("it is nested too deeply", fix, event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node
