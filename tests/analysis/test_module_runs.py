"""Running a module of a user's own: what cannot be followed, what is never used, and what stays as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import fieldstone as fs
from fieldstone.errors import DesignError

IMAGE = (3, 32, 32)


class Branching(nn.Module):
    """What it does depends on the shape, on a value, or on neither."""

    def __init__(self, on: str) -> None:
        super().__init__()
        self.on = on
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 2)
        self.other = nn.Linear(4, 3)
        self.other.bias.requires_grad = False

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x = x.mean((2, 3)) if x.shape[-1] > 1 and len(x) == 1 else x.flatten(1)
        if self.on == "value" and x.sum() > 1e9:
            return self.other(x)
        return self.head(x)


def test_python_may_branch_on_shapes() -> None:
    summary = fs.inspect(Branching("shape"), IMAGE)
    assert summary.untraced == ()
    assert [row.path for row in summary.rows] == ["conv", "mean", "head"]


def test_a_branch_on_a_value_is_said_and_the_rest_is_reported() -> None:
    summary = fs.inspect(Branching("value"), IMAGE)
    assert [row.path for row in summary.rows] == ["conv", "mean", "sum", "gt", "head"]
    assert summary.rows[-1].receptive_field == (32, 32)
    (one,) = summary.untraced
    assert (one.path, one.file, one.line) == ("", __file__, Branching.forward.__code__.co_firstlineno + 3)
    assert "meta tensors" in one.reason
    assert "one image of noise" in one.reason
    assert f"not traced: {one.file}:{one.line}: {one.reason}" in repr(summary)
    assert json.loads(json.dumps(summary.to_json()))["untraced"] == [one._asdict()]


def test_what_is_never_used_and_what_does_not_learn_are_told_apart() -> None:
    summary = fs.inspect(Branching("shape"), IMAGE)
    used = 3 * 4 * 9 + 4 + 4 * 2 + 2
    assert (summary.params, summary.trainable) == (used + 15, used + 12)
    assert summary.to_json()["unused"] == [{"path": "other", "params": 15, "trainable": 12}]
    assert "137 parameters (134 trainable)" in repr(summary)
    assert "not used: other, 15 parameters" in repr(summary)
    module = Branching("shape")
    module.conv.requires_grad_(False)
    (conv, *_) = fs.inspect(module, IMAGE).to_json()["layers"]
    assert (conv["params"], conv["trainable"]) == (112, 0)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 3, 3, padding=1)
        self.second = nn.Conv2d(3, 3, 3, padding=1)
        self.second.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(self.first(x)))


def test_shared_parameters_count_once() -> None:
    rows = {row.path: row for row in fs.inspect(Tied(), IMAGE).rows}
    assert {path: row.params for path, row in rows.items()} == {"first": 84, "first_2": 0, "second": 3}
    assert len({row.macs for row in rows.values()}) == 1


class Dropping(nn.Module):
    """Eval's dropout gives its very input back, and a residual goes past it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x), inplace=True)
        return x + F.dropout(x, 0.25, self.training)


def test_a_residual_past_a_dropout_is_not_after_it() -> None:
    rows = fs.inspect(Dropping(), IMAGE).rows
    assert [(row.path, row.block.text(), row.sources) for row in rows] == [
        ("conv", "conv 3 3 padding=1", ("input",)),
        ("relu", "relu", ("conv",)),
        ("dropout", "dropout 0.25", ("relu",)),
        ("add", "add", ("relu", "dropout")),
    ]


class Squared(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * x


class Opaque(nn.Module):
    """Scripted code and a function with a gradient of its own: torch's functions are not called, its kernels are."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.script = torch.jit.script(nn.Sequential(nn.Conv2d(4, 5, 3), nn.ReLU()))

    def forward(self, x: Tensor) -> Tensor:
        return Squared.apply(self.script(self.first(x)))


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")
def test_what_torch_does_not_show_is_seen_at_its_kernels() -> None:
    summary = fs.inspect(Opaque(), IMAGE)
    assert summary.params == 4 * 28 + 5 * 37
    assert summary.macs == 4 * 27 * 30**2 + 5 * 36 * 28**2
    assert summary.rows[-1].output_shape == (5, 28, 28)
    assert [(row.path, row.block.text(), row.sources) for row in summary.rows] == [
        ("first", "conv 4 3", ("input",)),
        ("script", "torch.jit.ScriptModule", ("first",)),
        ("mul", "multiply", ("script", "script")),
    ]
    assert not summary.unused
    assert [untraced.path for untraced in summary.untraced] == ["script"]


class Quantised(nn.Module):
    """A convolution whose weights are packed, as torch's quantisation leaves them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.ao.nn.quantized.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x: Tensor) -> Tensor:
        made = self.conv(torch.quantize_per_tensor(x, 0.1, 0, torch.quint8))
        return self.norm(made.dequantize()).mean((2, 3))


@pytest.mark.filterwarnings("ignore:torch.quantize_per")
def test_packed_weights_are_shown_as_torch_calls_them_and_the_rest_as_ever() -> None:
    summary = fs.inspect(Quantised(), IMAGE)
    assert [(row.block.text(), row.output_shape) for row in summary.rows] == [
        ("torch.quantize_per_tensor", (3, 32, 32)),
        ("quantized.conv2d", (8, 30, 30)),
        ("Tensor.dequantize", (8, 30, 30)),
        ("batchnorm", (8, 30, 30)),
        ("globalavgpool", (8,)),
    ]
    assert summary.params == 16


class Noisy(nn.Module):
    """It prints, counts its calls, and writes to its buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.calls = 0
        self.register_buffer("seen", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        print("called")
        self.calls += 1
        self.seen += 1
        return self.conv(x) if x.sum() > -1 else x


def test_the_module_is_left_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    module = Noisy().train()
    before = {name: one.clone() for name, one in module.state_dict().items()}
    chance = torch.get_rng_state()
    assert fs.inspect(module, IMAGE).untraced
    assert (module.calls, module.training, "forward" in vars(module)) == (0, True, False)
    assert all(torch.equal(one, before[name]) for name, one in module.state_dict().items())
    assert all(one.device.type == "cpu" and one.grad is None for one in module.parameters())
    assert torch.equal(torch.get_rng_state(), chance)
    assert capsys.readouterr().out == ""


def test_nothing_is_computed_and_no_memory_taken() -> None:
    """100 GB of weights: on the meta device, and as a copy."""
    with torch.device("meta"):
        module = nn.Sequential(*[nn.Conv2d(16384, 16384, 10) for _ in range(1)])
    summary = fs.inspect(module, (16384, 64, 64))
    assert summary.params == 16384 * (16384 * 100 + 1)
    assert summary.macs == 16384**2 * 100 * 55**2


def test_lazy_layers_are_sized_by_the_input() -> None:
    module = nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    summary = fs.inspect(module, IMAGE)
    assert summary.params == 4 * 27 + 4 + 4 * 900 * 2 + 2
    assert isinstance(module[0].weight, nn.parameter.UninitializedParameter)


@pytest.mark.parametrize(
    ("module", "shape", "message"),
    [
        (nn.Conv2d(3, 4, 3), (1, 32, 32), "expected input.* to have 3 channels"),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Linear(7, 2)), IMAGE, "cannot be run on an input of 3x32x32.*at 1"),
        (nn.Conv2d(3, 4, 3), (3, 32), "cannot be run on an input of 3x32"),
        (nn.Identity(), IMAGE, "does nothing with its input"),
        (nn.Embedding(4, 4), IMAGE, "cannot be run"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_torchs_words(module: nn.Module, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(DesignError, match=message) as raised:
        fs.inspect(module, shape)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("design", "options", "message"),
    [
        (nn.Conv2d(3, 4, 3), {}, "does not say what input it takes; give its shape, as in --input 3x224x224"),
        (nn.Conv2d(3, 4, 3), {"input": IMAGE, "width": 2.0}, "width is for designs"),
        (nn.Conv2d(3, 4, 3), {"input": (3, 0, 2)}, "is no shape"),
        (nn.Conv2d(3, 4, 3), {"input": IMAGE, "task": "painting"}, "task 'painting' is unknown"),
        (42, {"input": IMAGE}, "a int cannot be inspected"),
    ],
)
def test_arguments_that_a_module_does_not_take(design: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(fs.FieldstoneError, match=message):
        fs.inspect(design, **options)


def test_findings_are_those_of_a_design() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.MaxPool2d(2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, 10), nn.Softmax(1),
    )  # fmt: skip
    summary = fs.inspect(module, (3, 33, 33), ignore="FS112")
    assert [(found.code, found.where) for found in summary.findings] == [("FS101", "2"), ("FS201", "7"), ("FS205", "0")]


def test_fields_that_are_not_known_are_null() -> None:
    summary = fs.inspect(nn.Sequential(nn.Flatten(2), nn.Linear(1024, 2)), IMAGE)
    assert "<svg" in summary.to_svg()
    assert repr(summary).splitlines()[-4].split()[-1] == "-"
    layer = summary.to_json()["layers"][-1]
    assert [layer[key] for key in ("receptive_field", "jump", "start", "smallest_field", "padding_share")] == [None] * 5


class Counting(nn.Sequential):
    listed = 0

    def named_parameters(self, *args: Any, **kwargs: Any) -> Any:
        Counting.listed += 1
        return super().named_parameters(*args, **kwargs)


def test_parameters_are_not_listed_anew_for_each_row() -> None:
    counts = []
    for layers in (3, 30):
        Counting.listed = 0
        fs.inspect(Counting(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(layers))), (3, 8, 8))
        counts.append(Counting.listed)
    assert counts[0] == counts[1]
