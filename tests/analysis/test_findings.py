"""The rules: networks that have the fault and networks that have not; torch says which pixels are never read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fieldstone as fs
import rules
from fieldstone.analysis.findings import RULES, Finding, find
from fieldstone.analysis.rule import Example, Rule, Subject
from fieldstone.design import named
from fieldstone.design.codes import CODES
from fieldstone.network.build import build
from strategies import designs

DOCS = Path(__file__).parents[2] / "docs"


def findings(shape: tuple[int, ...], *layers: object, allow: dict[str, str] | None = None) -> tuple[Finding, ...]:
    return fs.inspect(fs.Design(shape, layers, allow=allow), classes=10).findings


def codes(shape: tuple[int, ...], *layers: object, allow: dict[str, str] | None = None) -> list[str]:
    return [finding.code for finding in findings(shape, *layers, allow=allow)]


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        (["conv 8 3 padding=1", "flatten", "linear 20", "linear classes"], True),  # 8 * 32 * 32 * 20
        (["conv 8 3 padding=1", "flatten", "dropout", "linear 20", "linear classes"], True),
        (["conv 8 3 padding=1", "maxpool 8", "flatten", "linear 20", "linear classes"], False),  # 2,580 are not many
        (["conv 200 3", "conv 200 3", "maxpool 14", "flatten", "linear 20", "linear classes"], False),  # a twentieth
        (["conv 8 3", "globalavgpool", "linear 2000", "linear classes"], False),  # one input a channel already
        (["conv 8 3", "maxpool 30", "flatten", "linear 2000", "linear classes"], False),  # a map of one pixel
        (["conv 8 3", "globalavgpool", "linear 20", "linear 2000", "linear classes"], False),  # reads no map
    ],
)
def test_most_parameters_in_one_linear_layer_are_noted(layers: list[str], found: bool) -> None:
    said = rules.said("FS301", (3, 32, 32), *layers)
    assert len(said) == found
    if said:
        assert said[0].severity == "note"
        assert said[0].where == str(layers.index("linear 20") + 1)
        # 3*9*8 + 8 in the convolution, 10 * 20 + 10 in the head
        assert said[0].message == "linear 20 holds 163,860 of the 164,294 parameters (100%)"
        assert said[0].fix == "globalavgpool in the place of flatten leaves it one input a channel"


@pytest.mark.parametrize(
    ("shape", "layers", "classes", "pools"),
    [
        ((1, 28, 28), ["flatten", "linear 300", "relu", "linear classes"], 10, False),  # a plain perceptron
        ((3, 28, 28), ["flatten", "linear 300", "relu", "linear classes"], 2, True),
        ((3, 28, 28), ["conv 4 3", "relu", "flatten", "linear 300", "relu", "linear classes"], 10, False),
        ((3, 28, 28), ["conv 5 3", "relu", "flatten", "linear 300", "relu", "linear classes"], 10, True),
        ((3, 28, 28), ["conv 64 3", "relu", "flatten", "linear classes"], 1000, False),
    ],
)
def test_a_global_pooling_is_proposed_where_it_leaves_enough_for_the_head(
    shape: tuple[int, ...], layers: list[str], classes: int, pools: bool
) -> None:
    (found,) = rules.said("FS301", shape, *layers, classes=classes)
    assert found.fix.startswith("globalavgpool in the place" if pools else "let convolutions with a stride or pooling ")
    applied = ["globalavgpool" if layer == "flatten" else layer for layer in layers]
    assert bool(rules.said("FS208", shape, *applied, classes=classes)) == (not pools)  # another rule says it is too few
    if not pools:
        assert found.fix.endswith(f" would leave it {applied_leaves(shape, applied)}")


def applied_leaves(shape: tuple[int, ...], layers: list[str]) -> str:
    part = build(fs.Design(shape, layers), 10)[: layers.index("globalavgpool") + 1]
    numbers = part(torch.rand(1, *shape)).shape[1]
    return f"{numbers} number{'s' if numbers > 1 else ''}"


def test_what_is_allowed_is_silent_and_the_table_gives_its_reason() -> None:
    layers = ("conv 8 5", "maxpool 3", "flatten", "linear 300", "relu", "linear classes", "softmax")
    assert codes((3, 32, 32), *layers) == ["FS101", "FS201", "FS301"]
    reasons = {"FS101": "the border is black", "FS201": "a demonstration"}
    design = fs.Design((3, 32, 32), layers, allow=reasons)
    summary = fs.inspect(design)
    assert [finding.code for finding in summary.findings] == ["FS301"]
    assert not summary.has("error")
    assert "allowed FS101: the border is black\nallowed FS201: a demonstration" in repr(summary)
    assert find(summary.subject, [rule.code for rule in RULES]) == ()


@pytest.mark.parametrize("name", named.names())
def test_the_gallery_has_neither_errors_nor_warnings(name: str) -> None:
    assert {finding.severity for finding in fs.inspect(name).findings} <= {"note"}


def said(rule: Rule, example: Example) -> list[Finding]:
    """What a rule says of an example of its own."""
    options = {"classes": 10, **example.options}
    rows = fs.Design(example.input, example.layers).walk(options["classes"])
    return [found for found in find(Subject(example.input, rows, **options)) if found.code == rule.code]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.code))
def test_the_examples_of_a_rule_have_the_fault_and_have_it_not(rule: Rule) -> None:
    assert said(rule, rule.bad)
    assert not said(rule, rule.good)


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(designs(), st.booleans())
def test_every_rule_looks_at_any_network_and_names_a_block_of_it(design: fs.Design, large: bool) -> None:
    rows = design.walk(5)
    sides = tuple(side + 1 for side in design.input[1:]) if large else None
    task, memory = ("segmentation", 4096) if large else (None, None)
    for found in find(Subject(design.input, rows, classes=5, task=task, object_size=sides, memory=memory)):
        assert found.where in {row.path for row in rows}
        assert found.message[0] != " "
        assert found.fix
        assert "nan" not in found.message + found.fix


def test_codes_are_given_once() -> None:
    assert [rule.code for rule in RULES] == list(CODES)


def test_the_pages_are_as_the_rules_are() -> None:
    subprocess.run([sys.executable, DOCS / "write_findings.py", "--check"], check=True)
