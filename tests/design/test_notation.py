"""Text to design and back."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldstone.design.blocks.vocabulary import VOCABULARY
from fieldstone.design.codes import CODES
from fieldstone.design.design import Design
from fieldstone.errors import DesignError
from strategies import words

HEAD = ["globalavgpool", "linear classes"]
DOCS = Path(__file__).parents[2] / "docs" / "blocks.md"

TEXT = """\
name: everything
about: "every structure: once"
paper: A. Author, 2020
input: 3x32x32
classes: 4
allow:
  FS301: it is meant to be wide
layers:
  - conv 8 3x5 stride=2 padding=1x2 bias=false padding_mode=reflect
  - maxpool 3 stride=1 padding=same
  - save skip
  - repeat 2: [conv 8 3 padding=same, relu]
  - residual: [conv 8 3 padding=1, batchnorm, relu, conv 8 3 padding=1, batchnorm]
  - residual: {body: [conv 8 1, leakyrelu negative_slope=0.2], shortcut: [conv 8 1 groups=8]}
  - residual:
      body:
        - conv 128 1 bias=false
        - batchnorm eps=0.001 momentum=0.05
        - relu
        - conv 128 3 padding=1 bias=false
        - batchnorm
      shortcut: [conv 128 1, batchnorm]
  - branches concat: [[conv 64 1], [conv 96 1, relu, conv 128 3 padding=1], []]
  - branches add:
      - [conv 64 1, batchnorm, relu, conv 64 3 padding=1, batchnorm, relu, conv 64 3 padding=1]
      - [conv 64 1, [relu, dropout 0.5]]
  - concat skip crop=true
  - [relu, globalavgpool keepdims=true]
  - - conv 1000 1 bias=false
    - batchnorm eps=0.001
    - relu
    - dropout 0.25
    - conv 1000 1 bias=false
    - batchnorm eps=0.001
  - flatten
  - linear classes bias=false
"""


def test_the_text_of_a_design_is_the_text_it_was_read_from() -> None:
    design = Design.parse(TEXT)
    assert design.to_text() == TEXT.replace('"every structure: once"', "'every structure: once'")
    assert Design.parse(design.to_text()) == design
    assert design.walk(4)[-1].output_shape == (4,)


def test_the_same_design_from_python() -> None:
    text = "name: n\ninput: 3x9x9\nlayers:\n  - conv 4 3\n  - residual: [conv 4 3 padding=same, relu]\n  - [relu]\n"
    layers = ["conv 4 3", {"residual": ["conv 4 3 padding=same", "relu"]}, ["relu"], *HEAD]
    design = Design(input=(3, 9, 9), layers=layers, name="n")
    assert design == Design.parse(text + "  - globalavgpool\n  - linear classes\n")
    assert Design((3, 9, 9), design.layers, name="n") == design
    assert repr(design) == design.to_text()


def test_main_numbers_may_have_their_keys_and_defaults_are_not_printed() -> None:
    layers = ["conv 4 kernel_size=3 stride=1 padding=valid", "dropout", "dropout p=0.1", *HEAD]
    design = Design((3, 9, 9), layers)
    assert [block.text() for block in design.layers[:3]] == ["conv 4 3", "dropout 0.5", "dropout 0.1"]


def test_resolve_replaces_input_and_classes() -> None:
    design = Design((3, 9, 9), ["conv 4 3", *HEAD])
    assert design.resolve() == design
    other = design.resolve(input=(1, 20, 30), classes=7)
    assert (other.input, other.classes, other.layers) == ((1, 20, 30), 7, design.layers)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + Design((3, 9, 9), HEAD).to_text().encode())
    assert Design.read(path) == Design((3, 9, 9), HEAD)


@settings(deadline=None, max_examples=300)
@given(
    words(),
    words(),
    words(),
    st.dictionaries(st.sampled_from(CODES), words().filter(str.strip), max_size=3),
    st.none() | st.integers(1, 2000),
)
def test_any_header_survives_print_and_parse(
    name: str, about: str, paper: str, allow: dict[str, str], classes: int | None
) -> None:
    design = Design((3, 9, 9), HEAD, name=name, about=about, paper=paper, allow=allow, classes=classes)
    assert Design.parse(design.to_text()) == design


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=80) | st.text(alphabet="[]{}:-,# \n\t&*!|>'\"%@`abc12=x", max_size=80))
def test_any_text_is_a_design_or_a_design_error(text: str) -> None:
    for tried in (text, f"input: 3x9x9\nlayers:\n  - {text}\n  - linear classes\n"):
        with suppress(DesignError):
            Design.parse(tried).walk(2)


@pytest.mark.parametrize(
    "text",
    [
        "input: 3x9x9\nlayers:\n  - repeat 100000: [relu]\n  - linear classes\n",
        "input: 3x9x9\nlayers:\n  - repeat 999: [repeat 999: [repeat 999: [repeat 999: [relu]]]]\n  - linear classes\n",
        "input: 3x9x9\nlayers:\n" + "  - repeat 9000: [relu]\n" * 2 + "  - linear classes\n",
        "input: 3x9x9\nlayers: " + "[" * 20_000 + "]" * 20_000,
        "input: 3x9x9\nlayers:\n  - " + "[" * 40 + "relu" + "]" * 40,
        "a" * 300_000,
    ],
)
def test_enormous_designs_are_refused_at_once(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(DesignError, match=r"more than 10,000|nested|at most 200,000"):
        Design.parse(text)
    assert time.perf_counter() - start < 2


def test_layers_that_hold_themselves_are_refused() -> None:
    layers: list[object] = []
    layers.append(layers)
    with pytest.raises(DesignError, match="nested more than 30 deep"):
        Design((3, 9, 9), layers)


def test_every_block_has_its_row_in_the_documentation() -> None:
    table, _, _ = DOCS.read_text(encoding="utf-8").partition("## Paths")
    rows = {line.split("`")[1].replace(":", " ").split()[0]: line for line in table.splitlines() if line[:3] == "| `"}
    assert set(rows) == {*VOCABULARY, "[BLOCK,"}  # the list inside a list has no word
    for keyword, block in VOCABULARY.items():
        assert all(entry.name in rows[keyword] for entry in block.arguments("option"))
