"""One walk through the vocabulary: what every block needs to be whole."""

import re
from pathlib import Path

import pytest

from fieldstone.design.blocks.block import Block
from fieldstone.design.blocks.vocabulary import BLOCKS
from fieldstone.network.build import BUILDERS
from fieldstone.network.code_layers import LAYERS
from fieldstone.network.code_network import STEPS
from strategies import STRATEGIES

DOCUMENTED = (Path(__file__).parents[1] / "docs" / "blocks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.keyword)
def test_a_block_is_built_drawn_at_random_documented_and_printed_as_plain_pytorch(block: type[Block]) -> None:
    assert block in BUILDERS
    assert block in STRATEGIES
    assert block in LAYERS or block in STEPS, "one line of plain PyTorch"
    start = re.escape(re.split(r"[ :]|\|", block.syntax)[0])  # `residual` of `residual: [BLOCK, …]`
    assert re.search(rf"^\| `{start}[ :`]", DOCUMENTED, re.MULTILINE), "its row in docs/blocks.md"
