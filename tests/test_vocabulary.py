"""One walk through the vocabulary: what every block needs to be whole."""

import copy
import pickle
import re
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from hypothesis import given

from fieldstone.design.blocks.activation import ReLU, ReLU6
from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.convolution import Conv
from fieldstone.design.blocks.vocabulary import BLOCKS
from fieldstone.design.design import Design
from fieldstone.network.build import BUILDERS
from fieldstone.network.code_layers import LAYERS
from fieldstone.network.code_network import STEPS
from strategies import STRATEGIES, designs

DOCUMENTED = (Path(__file__).parents[1] / "docs" / "blocks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.keyword)
def test_a_block_is_built_drawn_at_random_documented_and_printed_as_plain_pytorch(block: type[Block]) -> None:
    assert block in BUILDERS
    assert block in STRATEGIES
    assert block in LAYERS or block in STEPS, "one line of plain PyTorch"
    start = re.escape(re.split(r"[ :]|\|", block.syntax)[0])  # `residual` of `residual: [BLOCK, …]`
    assert re.search(rf"^\| `{start}[ :`]", DOCUMENTED, re.MULTILINE), "its row in docs/blocks.md"


@given(designs())
def test_equal_blocks_are_one_key_however_they_came_about(design: Design) -> None:
    for block in design.layers:
        for same in (copy.deepcopy(block), pickle.loads(pickle.dumps(block)), replace(block, line=7)):
            assert (same, hash(same), repr(same)) == (block, hash(block), repr(block))


def test_blocks_differ_by_kind_and_numbers_and_are_never_changed() -> None:
    assert len({ReLU(), ReLU(), ReLU6(), Conv(3, (3,)), Conv(3, (3,), stride=(2,))}) == 4
    assert ReLU() != "relu"
    for block in (ReLU(), Conv(3, (3,))):
        with pytest.raises(FrozenInstanceError):
            block.other = 1  # type: ignore[union-attr]
    assert repr(Conv(3, (3,))).startswith("Conv(out_channels=3, kernel_size=(3,), stride=")
