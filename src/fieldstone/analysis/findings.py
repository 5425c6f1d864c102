"""What is wrong, or could be better, with a network that runs: every rule, applied."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass

from fieldstone.analysis.rule import Severity, Subject
from fieldstone.analysis.rules import borders, cost, dilations, fields, heads, joins, pooling

TABLES = (borders, pooling, dilations, fields, joins, heads, cost)
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
