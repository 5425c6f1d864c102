"""Wider and narrower designs: the numbers written out, and networks that still run."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldstone.design.design import Design
from fieldstone.errors import DesignError
from fieldstone.network.build import build
from strategies import designs


def written(width: float, *layers: object, shape: tuple[int, ...] = (3, 16, 16)) -> list[str]:
    """The layers of a design as they are written once it has that width."""
    text = Design(shape, [*layers, "globalavgpool", "linear classes"]).resolve(width=width).to_text()
    return [line.removeprefix("  - ") for line in text.partition("layers:\n")[2].splitlines()][:-2]


@pytest.mark.parametrize(
    ("number", "width", "wide"),
    [
        (64, 0.5, 32),
        (96, 1.4, 136),  # 134.4
        (24, 0.75, 16),  # 18
        (32, 0.35, 8),  # 11.2
        (32, 0.4, 16),  # 12.8
        (24, 0.5, 16),  # 12 lies between: up
        (16, 0.1, 8),  # at least 8
        (1000, 0.001, 8),
        (20, 1.0, 20),  # as it is
        (20, 3, 64),  # 60 lies between: up
    ],
)
def test_a_number_becomes_the_nearest_multiple_of_8(number: int, width: float, wide: int) -> None:
    assert written(width, f"conv {number} 3", "relu") == [f"conv {wide} 3", "relu"]


def test_a_design_of_small_numbers_alone_gets_whole_numbers() -> None:
    assert written(0.5, "conv 6 3", "conv 15 3") == ["conv 3 3", "conv 8 3"]
    assert written(0.01, "conv 6 3", "conv 15 3") == ["conv 1 3", "conv 1 3"]
    assert written(0.5, "conv 6 3", "conv 16 3") == ["conv 8 3", "conv 8 3"]


def test_every_number_of_filters_and_features_is_changed_and_nothing_else() -> None:
    layers = [
        "conv 16 3 padding=1 dilation=1 groups=1",
        {"repeat 3": ["conv 16 1", {"residual": {"body": ["conv 16 1"], "shortcut": [["conv 16 1"]]}}]},
        {"branches concat": [["conv 16 5 padding=2", "save here"], [], ["maxpool 3 stride=1 padding=1"]]},
        "dropout 0.25",
    ]
    assert written(2, *layers) == [
        "conv 32 3 padding=1",
        "repeat 3: [conv 32 1, residual: {body: [conv 32 1], shortcut: [[conv 32 1]]}]",
        "branches concat: [[conv 32 5 padding=2, save here], [], [maxpool 3 stride=1 padding=1]]",
        "dropout 0.25",
    ]
    flat = Design((4, 1), ["flatten", "linear 64", "linear classes"], classes=7)
    assert flat.resolve(width=0.5) == Design((4, 1), ["flatten", "linear 32", "linear classes"], classes=7)


def test_a_group_for_every_channel_stays_one() -> None:
    options = "3x5 stride=2 padding=1x2 dilation=1 bias=false padding_mode=reflect"
    assert written(0.5, "conv 48 1", f"conv 48 {options} groups=48", "conv 96 3 groups=48", "conv 96 3 groups=2") == [
        "conv 24 1",
        "depthwise 3x5 stride=2 padding=1x2 bias=false padding_mode=reflect",
        "depthwise 3 multiplier=2",
        "conv 48 3 groups=2",
    ]
    # The input keeps its channels, branches together have other numbers than one alone, and some passes may differ.
    assert written(0.5, "conv 6 3 groups=3", "conv 16 1") == ["depthwise 3 multiplier=2", "conv 8 1"]
    layers = [{"branches concat": [["conv 12 1"], ["conv 12 1"]]}, "depthwise 3", "conv 24 3 groups=24"]
    assert written(0.4, *layers)[1:] == ["depthwise 3", "depthwise 3"]
    assert written(0.5, {"repeat 2": ["conv 12 1 groups=3"]}) == ["repeat 2: [conv 6 1 groups=3]"]


def test_it_goes_with_another_input_and_other_classes_and_its_name_says_it() -> None:
    design = Design.named("lenet-5").resolve(input=(3, 32, 32), classes=5, width=1.5)
    assert (design.input, design.classes, design.name) == ((3, 32, 32), 5, "lenet-5 x1.5")
    assert design.walk(5)[0].output_shape == (8, 32, 32)
    assert Design.parse(design.to_text()) == design


@pytest.mark.parametrize("width", [0, -1, float("nan"), float("inf"), 101])
def test_a_width_that_is_no_factor_is_refused(width: float) -> None:
    with pytest.raises(DesignError, match=rf"width {width:g} is not above 0 and at most 100; give a factor such as"):
        Design.named("lenet-5").resolve(width=width)


def test_a_design_that_no_longer_walks_gives_the_normal_error() -> None:
    design = Design((3, 8, 8), ["conv 24 1", {"residual": [{"branches concat": [["conv 12 1"], ["conv 12 1"]]}]},
                                "globalavgpool", "linear classes"])  # fmt: skip
    assert design.output_shape(4) == (4,)
    with pytest.raises(DesignError, match="its body is 16x8x8, its input is 8x8x8; add needs equal shapes"):
        design.resolve(width=0.4).walk(4)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(designs(), st.sampled_from([0.25, 0.5, 1.5, 3]))
def test_a_random_design_gives_a_text_and_a_network_or_one_error(design: Design, width: float) -> None:
    try:
        wide = design.resolve(width=width)  # where there are groups, it has to walk as it is
        assert Design.parse(wide.to_text()) == wide
        rows = wide.walk(3)
    except DesignError:
        return
    with torch.device("meta"):
        network = build(wide, 3)
    assert sum(weight.numel() for weight in network.parameters()) == sum(row.params for row in rows)
