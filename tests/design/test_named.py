"""The gallery."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fieldstone.design import named
from fieldstone.design.design import Design
from fieldstone.errors import DesignError


def test_the_gallery_is_written_as_it_is_printed() -> None:
    for name in named.names():
        design = Design.named(name)
        assert design.to_text() == named.text(name)
        assert (design.name, bool(design.about)) == (name, True)
        assert design.output_shape(10) == (10,)


def test_the_names_and_the_ranges_of_inputs() -> None:
    assert named.names() == ["lenet-5", "resnet-18", "three-conv", "vgg-small"]
    assert {name: sides for name in named.names() if (sides := named.input_sides(name))} == {"vgg-small": (28, 64)}


def test_an_unknown_name_is_answered_with_the_near_one() -> None:
    with pytest.raises(DesignError, match=r"there is no design 'resnet18'; did you mean resnet-18\?"):
        Design.named("resnet18")
    with pytest.raises(DesignError, match="the designs are lenet-5, resnet-18, three-conv, vgg-small"):
        Design.named("../../secret")


def test_a_design_loads_no_torch() -> None:
    program = (
        "import sys; from fieldstone.design.design import Design; Design.named('resnet-18').walk(10);"
        "assert not {'torch', 'numpy', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
