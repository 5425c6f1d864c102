"""A training step beyond the memory: torch says how large maps, weights, gradients and moments are."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import fieldstone as fs
from fieldstone.analysis.rules.wording import plural
from fieldstone.network.build import build
from rules import said

SHAPE = (3, 40, 40)
LAYERS = ["conv 8 3", "batchnorm", "relu", {"residual": ["conv 8 1", "relu"]}, "maxpool 2", "flatten", "linear classes"]


def kept_a_parameter(network: nn.Module) -> int:
    """Bytes of the weights, their gradients and AdamW's moments after a step."""
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.randn(2, *SHAPE)).sum().backward()
    optimizer.step()
    moments = [state[name] for state in optimizer.state.values() for name in ("exp_avg", "exp_avg_sq")]
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    return sum(one.nbytes for one in (*network.parameters(), *gradients, *moments))


def made_by_block(network: nn.Module, layers: list[Any]) -> dict[str, int]:
    """Bytes of what every block makes of one image; a flatten makes nothing new."""
    made: dict[int, tuple[str, Tensor]] = {}

    def keep(path: str) -> Any:
        def hook(_module: nn.Module, _input: Any, output: Tensor) -> None:
            made.setdefault(output.untyped_storage().data_ptr(), (path, output))

        return hook

    for row in fs.Design(SHAPE, layers).walk(10):
        network.get_submodule(row.path).register_forward_hook(keep(row.path))
    network.eval()(torch.randn(1, *SHAPE))
    return {path: one.nbytes for path, one in made.values()}


def made_an_image(network: nn.Module, layers: list[Any]) -> int:
    """The image counted."""
    return 4 * 3 * 40 * 40 + sum(made_by_block(network, layers).values())


def test_each_block_says_what_its_map_takes_and_they_add_up() -> None:
    made = made_by_block(build(fs.Design(SHAPE, LAYERS), 10), LAYERS)
    answer = fs.inspect(fs.Design(SHAPE, LAYERS)).to_json()
    kept = {layer["path"]: layer["training_bytes"] for layer in answer["layers"]}
    assert {path: count for path, count in kept.items() if count} == made
    totals = answer["totals"]
    assert totals["input_bytes"] + sum(kept.values()) == totals["training_bytes"] == sum(made.values()) + 4 * 3 * 40**2
    there = {layer["path"]: layer["forward_bytes"] for layer in answer["layers"]}
    assert there["1"] == totals["input_bytes"] + made["1"]
    assert there["4.body.1"] == made["3"] + made["4.body.1"]
    assert there["4.body.2"] == made["3"] + made["4.body.1"] + made["4.body.2"]  # its input waits for the sum
    assert there["4"] == made["3"] + made["4.body.2"] + made["4"]
    assert there["7"] == made["5"] + made["7"]  # through the view of a flatten
    assert max(there.values()) == totals["forward_bytes"]


def test_the_table_shows_the_maps_where_memory_is_asked_for() -> None:
    design = fs.Design(SHAPE, ["conv 8 3", {"repeat 3": ["relu"]}, "globalavgpool", "linear classes"])
    assert "maps to train" not in repr(fs.inspect(design))
    heading, *lines = repr(fs.inspect(design, memory="1GiB")).split("\n\n")[1].splitlines()
    assert heading.endswith("receptive field  maps to train")
    # 8 x 38 x 38 x 4 bytes, that twice for two passes, and 8 and 10 numbers
    assert [line[line.index("x") :].rsplit("  ", 1)[1] for line in lines if line.endswith("B")] == [
        "45.1 KiB", "45.1 KiB", "90.2 KiB", "32 B", "40 B",
    ]  # fmt: skip


def test_the_largest_batch_that_fits_is_said_to_the_image() -> None:
    network = build(fs.Design(SHAPE, LAYERS), 10)
    image, kept = made_an_image(network, LAYERS), kept_a_parameter(network.train())
    for images in (1, 7, 64):
        memory = kept + images * image
        assert said("FS302", SHAPE, *LAYERS, memory=memory, batch_size=images) == []
        (found,) = said("FS302", SHAPE, *LAYERS, memory=memory, batch_size=images + 1)
        assert (found.severity, found.fix) == ("warning", f"take a batch size of {images} or less")
        (found,) = said("FS302", SHAPE, *LAYERS, memory=memory - 1, batch_size=images)
        wanted = f"take a batch size of {images - 1} or less" if images > 1 else "not one image fits: linear classes is"
        assert found.fix.startswith(wanted)


def test_the_blocks_that_hold_most_are_named() -> None:
    (found,) = said("FS302", SHAPE, *LAYERS, memory=10_000, batch_size=20)
    assert found.where == "1"
    # 8 x 38 x 38 x 4 bytes; 224 + 16 + 72 + 28,890 parameters of 16 bytes
    assert "45.1 KiB an image), batchnorm at 2 (45.1 KiB an image), relu at 3 (45.1 KiB" in found.message
    assert "456.3 KiB for 29,202 parameters" in found.message
    assert "a training step with 20 images takes " in found.message
    assert found.message.count(" more than 9.8 KiB: ") == 1


MAP = "let convolutions with a stride or pooling make fewer places of the 3x32x32 map first"


@pytest.mark.parametrize(
    ("layers", "heaviest", "fix"),
    [
        (["flatten", "linear 5000", "relu", "linear classes"], (nn.Linear(3072, 5000), "linear 5000 at 2"), MAP),
        (
            ["conv 512 1", "conv 4096 3 padding=1", "relu", "maxpool 32", "flatten", "linear classes"],
            (nn.Conv2d(512, 4096, 3), "conv 4096 3 padding=1 at 2"),
            "give conv 4096 3 padding=1, or what is before it, fewer filters or features",
        ),
    ],
)
def test_where_parameters_take_most_they_are_named(
    layers: list[object], heaviest: tuple[nn.Module, str], fix: str
) -> None:
    layer, name = heaviest
    (found,) = said("FS302", (3, 32, 32), *layers, memory=10**8, batch_size=2)
    mebibytes = 16 * sum(weight.numel() for weight in layer.parameters()) / 2**20
    assert found.where == "2"
    assert f"most is kept for the parameters of {name} ({mebibytes:.1f} MiB), " in found.message
    assert found.fix.startswith("not one image fits: ")
    assert fix in found.fix


@pytest.mark.parametrize("memory", [None, 10**9])
def test_where_nothing_is_said_or_all_fits_there_is_none(memory: int | None) -> None:
    assert said("FS302", SHAPE, *LAYERS, memory=memory, batch_size=64) == []


def test_large_numbers_are_written_out() -> None:
    (found,) = [one for one in fs.inspect("vgg-16", memory="1GiB", batch_size=32).findings if one.code == "FS302"]
    assert " for 138,357,544 parameters; " in found.message  # as published


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "1 place"), (1.0, "1 place"), (0.5, "0.5 places"), (1.25, "1.25 places"), (7.999, "8 places"),
        (1_234_567, "1,234,567 places"), (1_234_567.5, "1,234,567.5 places"), (100.0, "100 places"),
    ],
)  # fmt: skip
def test_counts_are_never_powers_of_ten(count: float, said: str) -> None:
    assert plural(count, "place") == said
