"""Built networks against windows written out in NumPy: every block that has windows, and every row of docs/keras.md."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import keras_by_hand
from blocks_by_hand import WINDOWS, compute
from chains import chain, run, weights_of
from fieldstone.design.blocks.block import Block
from fieldstone.design.field import Field
from fieldstone.design.names import Map
from fieldstone.network import build_windows
from keras_cases import CASES, EACH_CASE, Case
from keras_rows import ARGUMENTS, PAGE, ROWS
from places import Place
from strategies import STRATEGIES

SIDES = {1: 12, 2: 7, 3: 5}


def test_every_block_that_has_windows_is_written_out() -> None:
    assert WINDOWS.keys() == build_windows.WINDOWS.keys()


@pytest.mark.parametrize("kind", WINDOWS, ids=lambda kind: kind.keyword)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_block_computes_what_its_words_say(kind: type[Block], data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, 3))
    sides = data.draw(st.tuples(*[st.integers(1, SIDES[rank])] * rank))
    shape = (data.draw(st.integers(1, 4)), *sides)
    start = Map(shape, Field.of_input(sides))
    place = Place(start, {"input": start})
    STRATEGIES[kind](data.draw, place)
    assume(place.blocks)
    blocks = tuple(place.blocks)

    torch.manual_seed(data.draw(st.integers(0, 1000)))
    network = chain(shape, blocks).double()
    x = torch.randn(shape, dtype=torch.float64).numpy()
    weights = {name: weight.numpy() for name, weight in weights_of(network, len(blocks)).items()}

    expected = compute(blocks, x, weights)
    np.testing.assert_allclose(run(network, len(blocks), x[None])[0], expected, rtol=0, atol=1e-9)


def test_every_row_of_the_page_for_keras_has_its_cases() -> None:
    assert ROWS.keys() == CASES.keys()
    assert all(CASES.values())


@pytest.mark.parametrize(("name", "case"), EACH_CASE)
def test_a_row_of_the_page_for_keras_computes_what_keras_documents(name: str, case: Case) -> None:
    shape, options = case
    row = ROWS[name]
    arrays = keras_by_hand.weights(row.layer, shape[0], len(shape) - 1, options)
    x = np.random.default_rng(1).normal(size=shape)
    expected = keras_by_hand.compute(row.layer, x, options, arrays)
    np.testing.assert_allclose(row.run(x[None], options, arrays)[0], expected, rtol=0, atol=1e-9)


def test_the_page_for_keras_explains_its_letters() -> None:
    table = re.findall(r"^\| ([A-Z](?:, [A-Z])*) \| (.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {letters: tuple(re.findall("`(\\w+)`", names)) for letters, names in table} == ARGUMENTS
