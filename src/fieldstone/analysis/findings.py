"""What is wrong, or could be better, with a network that runs: every rule, applied."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass

from fieldstone.analysis.rule import Severity, Subject
from fieldstone.analysis.rules import (
    activations,
    borders,
    branches,
    cost,
    dilations,
    fields,
    heads,
    joins,
    normalisation,
    pooling,
    upsampling,
)
from fieldstone.design.codes import unknown
from fieldstone.errors import DesignError

TABLES = (activations, borders, branches, cost, dilations, fields, heads, joins, normalisation, pooling, upsampling)
RULES = tuple(sorted((rule for table in TABLES for rule in table.RULES), key=lambda rule: rule.code))


@dataclass(frozen=True)
class Finding:
    """One result of a check: `where` is the path of a block."""

    code: str
    severity: Severity
    where: str
    message: str
    fix: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.severity} {self.code} at {self.where}: {self.message}; {self.fix}"


def find(subject: Subject, allow: Collection[str] = ()) -> tuple[Finding, ...]:
    """Every finding of every rule that is not allowed, in the order of the rules."""
    return tuple(
        Finding(rule.code, rule.severity, *found)
        for rule in RULES
        if rule.code not in allow
        for found in rule.check(subject)
    )


def silenced(select: Iterable[str] | None, ignore: Iterable[str]) -> frozenset[str]:
    """The codes of the rules that were not selected, and of those to ignore.

    Args:
        select, ignore: codes, or what codes begin with, such as `FS1`; without `select` every rule.

    Raises:
        DesignError: no rule has such a code.
    """
    every = {rule.code for rule in RULES}
    return frozenset((set() if select is None else every - _codes(select)) | _codes(ignore))


def _codes(given: Iterable[str]) -> set[str]:
    """The codes that begin so."""
    every = [rule.code for rule in RULES]
    meant = {text: {code for code in every if text and code.startswith(text.upper())} for text in map(str.strip, given)}
    for text, codes in meant.items():
        if not codes:
            message, fix = unknown(text)
            raise DesignError(message, fix=fix)
    return set().union(*meant.values())
