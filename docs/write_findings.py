"""Write docs/findings from the table of rules that the code uses: a page each, and their list.

    python docs/write_findings.py [--check]

With `--check` nothing is written; the exit status is 1 if a page is not as it would be written.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fieldstone.analysis.findings import RULES, Finding, find
from fieldstone.analysis.memory import size_text
from fieldstone.analysis.rule import Example, Rule, Subject
from fieldstone.design.design import Design
from fieldstone.geometry import format_shape

OPTIONS: dict[str, Callable[[Any], str]] = {
    "object_size": lambda sides: f"--object {format_shape(sides)}",
    "memory": lambda size: f"--memory {size_text(size).replace('.0 ', '')}",
    "batch_size": lambda images: f"--batch-size {images}",
}
"""By the field of a subject, the option that sets it."""

FOLDER = Path(__file__).with_name("findings")


def pages() -> dict[str, str]:
    """The text of every page by its file name."""
    return {"README.md": index(), **{f"{rule.code}.md": page(rule) for rule in RULES}}


def index() -> str:
    rows = [f"| [{rule.code}]({rule.code}.md) | {rule.severity} | {rule.title} |" for rule in RULES]
    return "\n".join(["# Findings", "", "| code | severity | what |", "| --- | --- | --- |", *rows, ""])


def page(rule: Rule) -> str:
    """One rule: what, why, a network that has it and what is said of it, the network mended, the source."""
    said = [f"    {found}" for found in findings(rule, rule.bad)]
    return "\n".join(
        [
            f"# {rule.code}: {rule.title} ({rule.severity})", "", rule.why, "", "Found in this network:", "",
            *yaml(rule.bad), "", *said, "", "Mended:", "", *yaml(rule.good), "",
            f"Meant? `allow: {{{rule.code}: the reason}}` in the design, or `--ignore {rule.code}`.", "",
            f"Source: {rule.source}.", "",
        ]
    )  # fmt: skip


def yaml(example: Example) -> list[str]:
    """An example as a design's text, indented, and the options of `inspect` that it is looked at with."""
    text = Design(example.input, example.layers).to_text()
    words = [OPTIONS[key](value) for key, value in example.options.items()]
    options = [f"    # with {' '.join(words)}"] if words else []
    return [*options, *(f"    {line}".rstrip() for line in text.splitlines())]


def findings(rule: Rule, example: Example) -> list[Finding]:
    """What that rule says of an example with 10 classes, unless it says otherwise."""
    options = {"classes": 10, **example.options}
    rows = Design(example.input, example.layers).walk(options["classes"])
    return [found for found in find(Subject(example.input, rows, **options)) if found.code == rule.code]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true")
    check = options.parse_args().check
    stale = [name for name, text in pages().items() if not is_written(name, text)]
    stale += [path.name for path in FOLDER.glob("*.md") if path.name not in pages()]
    if not check:
        FOLDER.mkdir(exist_ok=True)
        for name, text in pages().items():
            (FOLDER / name).write_text(text, encoding="utf-8")
        for name in stale:
            if name not in pages():
                (FOLDER / name).unlink()
    elif stale:
        print(f"not as the rules are: {', '.join(sorted(stale))}; run `make docs`", file=sys.stderr)
    return int(check and bool(stale))


def is_written(name: str, text: str) -> bool:
    return (FOLDER / name).is_file() and (FOLDER / name).read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
