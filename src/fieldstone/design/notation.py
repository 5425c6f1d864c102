"""The notation: text and entries to the fields and blocks of a design. `printing` is the way back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.kinds import COUNT, SIZES, Kind
from fieldstone.design.blocks.structure import Blocks, Branches, Residual, Sequence, Structure
from fieldstone.design.blocks.vocabulary import VOCABULARY
from fieldstone.design.codes import fault_of
from fieldstone.design.entries import Entry, read_entries
from fieldstone.errors import DesignError
from fieldstone.geometry import format_shape

KEYS = ("name", "about", "paper", "input", "classes", "allow", "layers")
MAX_DEPTH = 30  # blocks inside blocks


def read_fields(text: str, file: str | None) -> dict[str, Any]:
    """The fields of a Design from its text.

    Raises:
        DesignError: it is not a design; with the line.
    """
    top = read_entries(text, file)
    if not isinstance(top.value, dict):
        fix = "it needs `input:` and `layers:`"
        raise DesignError("a design is a mapping of keys", file=file, line=top.line, fix=fix)
    for key, entry in top.value.items():
        if key not in KEYS:
            fix = f"did you mean `{near}`?" if (near := nearest(key, KEYS)) else f"the keys are {', '.join(KEYS)}"
            raise DesignError(f"a design has no key {key!r}", file=file, line=entry.line, fix=fix)
    for key, example in (("input", "input: 3x64x64"), ("layers", "layers: [conv 32 3, …]")):
        if key not in top.value:
            raise DesignError(f"the design has no `{key}`", file=file, line=top.line, fix=f"add `{example}`")
    return {key: _field(key, entry, file) for key, entry in top.value.items()}


def _field(key: str, entry: Entry, file: str | None) -> Any:
    if key == "layers":
        return read_layers(entry, file)
    if key == "allow" and isinstance(entry.value, dict):
        return {code: _reason(code, reason, file) for code, reason in entry.value.items()}
    if key == "allow":
        fix = "write `allow: {CODE: why it is meant}`"
        raise DesignError("allow is a mapping from codes to reasons", file=file, line=entry.line, fix=fix)
    text = _header(key, entry, file)
    if key not in ("input", "classes"):
        return text
    kind, example = (COUNT, "classes: 10") if key == "classes" else (INPUT, "input: 3x64x64")
    value = kind.read(text)
    if value is None:
        fix = f"write it as `{example}`"
        raise DesignError(f"{key} {text!r} {kind.wrong(text)}", file=file, line=entry.line, fix=fix)
    return value


def _reason(code: str, entry: Entry, file: str | None) -> str:
    reason = _header(f"allow.{code}", entry, file)
    if (wrong := fault_of(code, reason)) is not None:
        raise DesignError(wrong.message, file=file, line=entry.line, fix=wrong.fix)
    return reason


def _header(key: str, entry: Entry, file: str | None) -> str:
    if not isinstance(entry.value, str):
        raise DesignError(f"{key} is a text", file=file, line=entry.line, fix=f"write `{key}: …` on one line")
    return entry.value


def _read_input(text: str) -> tuple[int, ...] | None:
    channels, _, sides = text.partition("x")
    head, tail = COUNT.read(channels), SIZES.read(sides)
    return None if head is None or tail is None else (head, *tail)


INPUT = Kind("a shape: channels, then one to three sides, above 0 and joined by x", _read_input, format_shape)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word that was probably meant."""
    import difflib  # only a fault needs it

    near = difflib.get_close_matches(word.lower(), list(words), n=1, cutoff=0.65)
    return near[0] if near else None


def read_layers(entry: Entry, file: str | None) -> Blocks:
    """The blocks of `layers`."""
    if not isinstance(entry.value, list) or not entry.value:
        fix = "write `- block` lines, as in `- conv 32 3`"
        raise DesignError("layers is a list of blocks", file=file, line=entry.line, fix=fix)
    return _Reader(file).blocks(entry, "", 1)


@dataclass(frozen=True)
class _Reader:
    """Reads blocks; knows the file, for messages."""

    file: str | None

    def blocks(self, entry: Entry, path: str, depth: int) -> Blocks:
        prefix = f"{path}." if path else ""
        return tuple(self.block(item, f"{prefix}{number}", depth) for number, item in enumerate(entry.value, 1))

    def block(self, entry: Entry, path: str, depth: int) -> Block:
        if depth > MAX_DEPTH:
            raise self.fault(f"blocks are nested more than {MAX_DEPTH} deep", entry, path, "nest them less")
        if isinstance(entry.value, Block):
            ready: Block = entry.value
            return ready
        if isinstance(entry.value, str):
            return self.leaf(entry.value, entry, path)
        if isinstance(entry.value, list):
            if not entry.value:
                raise self.fault("an empty list holds no blocks", entry, path, "leave it out")
            return Sequence(self.blocks(entry, path, depth + 1), line=entry.line)
        if isinstance(entry.value, dict) and len(entry.value) == 1:
            ((head, content),) = entry.value.items()
            return self.structure(head, content, Entry(head, entry.line), path, depth)
        fix = "write one block per `-`, as in `- conv 32 3`"
        raise self.fault(f"{_shown(entry.value)} is not one block", entry, path, fix)

    def leaf(self, text: str, entry: Entry, path: str) -> Block:
        words = text.split()
        if not words:
            raise self.fault("a block is missing", entry, path, "write one, as in `- conv 32 3`, or remove the line")
        block = self.known(words[0], text, entry, path)
        if issubclass(block, Structure):
            raise self.fault(f"{text}: it holds no blocks", entry, path, f"write it as `{block.syntax}`")
        return self.bound(block, words[1:], entry, path, {})

    def known(self, keyword: str, text: str, entry: Entry, path: str) -> type[Block]:
        if keyword in VOCABULARY:
            return VOCABULARY[keyword]
        near = nearest(keyword, VOCABULARY)
        fix = f"did you mean `{near}`?" if near else f"the blocks are {', '.join(VOCABULARY)}"
        raise self.fault(f"{text}: there is no block {keyword!r}", entry, path, fix)

    def bound(self, block: type[Block], words: list[str], entry: Entry, path: str, parts: Mapping[str, Any]) -> Block:
        """The block with its numbers: the main ones by place, the rest by key, as in a call."""
        text = " ".join([block.keyword, *words])
        mains, options = block.arguments("main"), block.arguments("option")
        kinds: dict[str, Kind] = {field.name: field.metadata["kind"] for field in (*mains, *options)}
        given: dict[str, Any] = {}
        for place, word in enumerate(words):
            key, equals, value = word.partition("=")
            if not equals and (place >= len(mains) or "=" in "".join(words[:place])):
                fix = f"write it as `{block.syntax}`, then `key=value`"
                raise self.fault(f"{text}: {word!r} stands after its main numbers", entry, path, fix)
            if not equals:
                key, value = mains[place].name, word
            if key not in kinds:
                raise self.fault(f"{text}: {block.keyword} has no {key!r}", entry, path, _keys(key, kinds))
            if key in given:
                raise self.fault(f"{text}: {key} is given twice", entry, path, "leave one of them out")
            given[key] = kinds[key].read(value)
            if given[key] is None:
                message = f"{text}: {key} {value!r} {kinds[key].wrong(value)}"
                raise self.fault(
                    message,
                    entry,
                    path,
                    f"write it as `{block.syntax}`" if not equals else "leave it out, or write such a value",
                )
        missing = [field.name for field in mains if field.name not in given and field.default is MISSING]
        if missing:
            message = f"{text}: it has no {' and no '.join(missing)}"
            raise self.fault(message, entry, path, f"write it as `{block.syntax}`")
        return block(**given, **parts, line=entry.line)

    def structure(self, head: str, content: Entry, entry: Entry, path: str, depth: int) -> Block:
        words = head.split() or [""]
        block = self.known(words[0], head, entry, path)
        if not issubclass(block, Structure):
            raise self.fault(f"{head}: {block.keyword} holds no blocks", entry, path, f"write it as `{block.syntax}`")
        if block is Branches:
            parts: dict[str, Any] = {"branches": self.branches(content, entry, path, depth)}
        elif block is Residual and isinstance(content.value, dict):
            parts = self.residual(content, entry, path, depth)
        else:
            inner = f"{path}.body" if block is Residual else f"{path}.1"
            parts = {"body": self.listed(head, content, block.syntax, inner, depth)}
        return self.bound(block, words[1:], entry, path, parts)

    def listed(self, what: str, entry: Entry, syntax: str, path: str, depth: int, *, empty: bool = False) -> Blocks:
        if not isinstance(entry.value, list) or not (entry.value or empty):
            raise self.fault(f"{what}: it holds no list of blocks", entry, path, f"write it as `{syntax}`")
        return self.blocks(entry, path, depth + 1)

    def residual(self, content: Entry, entry: Entry, path: str, depth: int) -> dict[str, Blocks]:
        for key in content.value:
            if key not in ("body", "shortcut"):
                raise self.fault(f"residual has no {key!r}", content.value[key], path, _keys(key, ("body", "shortcut")))
        if "body" not in content.value:
            raise self.fault("residual: it has no body", entry, path, f"write it as `{Residual.syntax}`")
        return {
            key: self.listed(f"residual {key}", part, Residual.syntax, f"{path}.{key}", depth, empty=key == "shortcut")
            for key, part in content.value.items()
        }

    def branches(self, content: Entry, entry: Entry, path: str, depth: int) -> tuple[Blocks, ...]:
        if not isinstance(content.value, list) or not content.value:
            raise self.fault("branches: it holds no list of branches", entry, path, f"write it as `{Branches.syntax}`")
        return tuple(
            self.listed(f"branch {number}", part, Branches.syntax, f"{path}.{number}", depth, empty=True)
            for number, part in enumerate(content.value, 1)
        )

    def fault(self, message: str, entry: Entry, path: str, fix: str) -> DesignError:
        return DesignError(message, file=self.file, line=entry.line, path=path, fix=fix)


def _keys(key: str, keys: Iterable[str]) -> str:
    near = nearest(key, keys)
    known = ", ".join(keys)
    return f"did you mean `{near}`?" if near else f"its keys are {known}" if known else "it has no keys"


def _shown(value: Any) -> str:
    return f"a mapping of {len(value)} keys" if isinstance(value, dict) else repr(value)


def entry_of(value: Any, depth: int = 0) -> Entry:
    """Layers from Python as entries: texts, lists, mappings and ready blocks.

    Raises:
        DesignError: something else stands among them.
    """
    if depth > 4 * MAX_DEPTH:
        raise DesignError(f"blocks are nested more than {MAX_DEPTH} deep", fix="nest them less")
    if isinstance(value, str | Block):
        return Entry(value)
    if isinstance(value, list | tuple):
        return Entry([entry_of(item, depth + 1) for item in value])
    if isinstance(value, dict):
        return Entry({str(key): entry_of(item, depth + 1) for key, item in value.items()})
    raise DesignError(f"{value!r} is no block", fix="write it as text, as in 'conv 32 3'")
