"""The gallery."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fieldstone.design import named
from fieldstone.design.design import Design
from fieldstone.errors import DesignError


def test_the_ranges_of_inputs() -> None:
    assert {name: sides for name in named.names() if (sides := named.input_sides(name))} == {"vgg-small": (28, 64)}


def test_an_unknown_name_is_answered_with_the_near_one() -> None:
    with pytest.raises(DesignError, match=r"there is no design 'resnet18'; did you mean resnet-18\?"):
        Design.named("resnet18")
    with pytest.raises(DesignError, match=r"the designs are alexnet, .*lenet-5, .*vgg-small"):
        Design.named("../../secret")


def test_a_design_loads_no_torch() -> None:
    program = (
        "import sys; from fieldstone.design.design import Design; Design.named('resnet-18').walk(10);"
        "assert not {'torch', 'numpy', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
