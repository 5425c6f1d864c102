"""The gallery: published figures, the same network in torch, and other inputs, classes and widths."""

from __future__ import annotations

import pytest
import torch

from fieldstone.design import named
from fieldstone.design.design import Design
from fieldstone.network.build import build

# The paper prints none. Its Fig. 1 gives each convolution: channels in and out, taps of the kernel, side that leaves.
_DOWN = [(1, 64, 570), (64, 128, 282), (128, 256, 138), (256, 512, 66), (512, 1024, 30)]
_UP = [(1024, 512, 56), (512, 256, 104), (256, 128, 200), (128, 64, 392)]
_CONVOLUTIONS = [
    *((ins, out, 9, side) for ins, out, side in _DOWN),
    *((out, out, 9, side - 2) for _, out, side in _DOWN),
    *((ins, out, 4, side) for ins, out, side in _UP),  # a 2x2 transposed one: each output value reads one input value
    *((ins, out, 9, side - 2) for ins, out, side in _UP),
    *((out, out, 9, side - 4) for _, out, side in _UP),
    (64, 2, 1, 388),
]
U_NET = (
    sum(ins * out * kernel + out for ins, out, kernel, _ in _CONVOLUTIONS),
    sum(ins * out * (1 if kernel == 4 else kernel) * side**2 for ins, out, kernel, side in _CONVOLUTIONS),
)

# The paper prints none either: one convolution in; ten layers of a filter, a gate and a residual, which the last lacks;
# the skips of all ten; two convolutions out; 16,000 values long.
_WEIGHTS = [2 * 256 * 64, *[2 * 64 * 64] * 20, *[64 * 64] * 9, 640 * 256, 256 * 256, 256 * 256]
WAVENET = (sum(_WEIGHTS) + 64 + 20 * 64 + 9 * 64 + 3 * 256, sum(_WEIGHTS) * 16_000)

# Name: outputs, parameters, multiply-adds. Those for 1,000 outputs are torchvision's, or for efficientnet-lite timm's;
# their pages print the multiply-adds in thousands of millions, as 4.09 for resnet-50.
PUBLISHED = {
    "alexnet": (1000, 61_100_840, 714_188_480),
    "c3d": (101, 78_409_573, 38_547_378_176),  # MMAction2, for UCF101: 78.4 M, 38.5 G
    "deeplab-v3": (21, 42_004_074 - 2_365_205, 178_721_945_088 - 9_990_739_200),  # torchvision's less its second head
    "densenet-121": (1000, 7_978_856, 2_834_161_664),
    "dilated-context": (21, 64 * 21**2 + 8 * 21, 64 * 21**2 * 64**2),  # Yu and Koltun: about 64 C^2 parameters
    "efficientnet-lite-0": (1000, 4_652_008, 385_187_552),
    "efficientnet-lite-1": (1000, 5_416_680, 600_185_232),
    "efficientnet-lite-2": (1000, 6_092_072, 859_736_272),
    "googlenet": (1000, 6_624_904, 1_498_376_192),
    "lenet-5": (10, 61_706, 416_520),  # LeCun et al. 1998, with every map of C3 joined to every map of S2
    "mobilenet-v2": (1000, 3_504_872, 300_774_272),
    "resnet-18": (1000, 11_689_512, 1_814_073_344),
    "resnet-50": (1000, 25_557_032, 4_089_184_256),
    "squeezenet-1.1": (1000, 1_235_496, 349_151_936),
    "three-conv": (1, 27_301, 2_796_590),
    "u-net": (2, *U_NET),
    "vgg-16": (1000, 138_357_544, 15_470_264_320),
    "wavenet": (256, *WAVENET),
}
OWN = {"vgg-small"}  # nobody else's: no figures are published

FIELDS = {  # as the papers have them; those of Distill's table are in test_published_fields
    "dilated-context": (67, "conv"),
    "wavenet": (1025, "branches"),  # 1024 for dilations of 1 to 512, and the first convolution
}


def test_every_design_of_the_gallery_is_in_the_table() -> None:
    assert sorted(PUBLISHED.keys() | OWN) == named.names()


@pytest.mark.parametrize("name", named.names())
def test_the_gallery_is_written_as_it_is_printed(name: str) -> None:
    design = Design.named(name)
    assert design.to_text() == named.text(name)
    assert Design.parse(design.to_text()) == design
    assert design.name == name
    assert 0 < len(design.about) <= 80, "`fieldstone designs` has a line for each"
    assert design.paper or name == "three-conv"
    assert all(design.allow.values()), "a finding that is meant has its reason"


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_figures(name: str) -> None:
    outputs, params, macs = PUBLISHED[name]
    rows = Design.named(name).walk(outputs)
    assert (sum(row.params for row in rows), sum(row.macs for row in rows)) == (params, macs)


@pytest.mark.parametrize("name", FIELDS)
def test_published_receptive_fields(name: str) -> None:
    field, keyword = FIELDS[name]
    *_, last = (row for row in Design.named(name).walk(10) if row.block.keyword == keyword)
    assert set(last.receptive_field) == {field}


@pytest.mark.parametrize("name", named.names())
@pytest.mark.parametrize("width", [0.125, 0.35, 0.75, 1.4, 2])
def test_other_widths_walk(name: str, width: float) -> None:
    design = Design.named(name)
    assert design.resolve(width=width).output_shape(3)[1:] == design.output_shape(3)[1:]


@pytest.mark.parametrize("name", named.names())
@pytest.mark.parametrize("changed", [False, True], ids=["as it is", "changed"])
def test_torch_has_the_same_parameters_and_shape(name: str, changed: bool) -> None:
    design = Design.named(name)
    if changed:
        sides = tuple(side + 24 for side in design.input[1:])
        design = design.resolve(input=(design.input[0] + 1, *sides), classes=7, width=0.5)
    outputs = 7 if changed else design.classes or 10
    with torch.device("meta"):
        network = build(design, outputs).eval()
        given = network(torch.zeros(1, *design.input))
    assert sum(weight.numel() for weight in network.parameters()) == sum(row.params for row in design.walk(outputs))
    assert tuple(given.shape[1:]) == design.output_shape(outputs)
