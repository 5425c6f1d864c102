"""Modules of a user's own, as people write them: numbers against torch, and what the rows say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import fieldstone as fs

IMAGE = (3, 32, 32)


class Bottleneck(nn.Module):
    """As torchvision's: one ReLU for all, the stride in the 3x3, the shortcut added in place."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride > 1 or channels != 4 * width:
            shortcut = nn.Conv2d(channels, 4 * width, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class ResNet50(nn.Module):
    """He, Zhang, Ren and Sun, arXiv:1512.03385, with torchvision's names."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = 64
        for number, (width, count) in enumerate(zip((64, 128, 256, 512), (3, 4, 6, 3), strict=True), 1):
            blocks = [Bottleneck(channels, width, 2 if number > 1 else 1)]
            blocks += [Bottleneck(4 * width, width, 1) for _ in range(count - 1)]
            setattr(self, f"layer{number}", nn.Sequential(*blocks))
            channels = 4 * width
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(channels, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


@pytest.fixture(scope="module")
def resnet() -> fs.Summary:
    with torch.device("meta"):
        module = ResNet50()
    return fs.inspect(module, (3, 224, 224))


def test_resnet_50_has_the_published_numbers(resnet: fs.Summary) -> None:
    assert (resnet.params, resnet.macs, resnet.outputs, resnet.classes) == (25_557_032, 4_089_184_256, 1000, None)
    assert (resnet.untraced, resnet.unused, resnet.trainable) == ((), (), resnet.params)


def test_resnet_50_has_the_fields_of_the_design(resnet: fs.Summary) -> None:
    """Layer for layer; the gallery's pools before its relu, and has its head's flatten inside the pooling."""
    mine = [row for row in fs.Design.named("resnet-50").walk(1000) if row.params]
    theirs = [row for row in resnet.rows if row.params]
    assert [row.block.text() for row in theirs] == [row.block.text().replace("classes", "1000") for row in mine]
    for ours, row in zip(mine, theirs, strict=True):
        assert (row.output_shape, row.params, row.macs) == (ours.output_shape, ours.params, ours.macs)
        assert (row.receptive_field, row.jump) == (ours.receptive_field, ours.jump)


def test_resnet_50_names_every_call(resnet: fs.Summary) -> None:
    paths = [row.path for row in resnet.rows]
    assert len(set(paths)) == len(paths)
    assert [path for path in paths if path.startswith("layer1.0.")] == [
        "layer1.0.conv1", "layer1.0.bn1", "layer1.0.relu", "layer1.0.conv2", "layer1.0.bn2", "layer1.0.relu_2",
        "layer1.0.conv3", "layer1.0.bn3", "layer1.0.downsample.0", "layer1.0.downsample.1", "layer1.0.add",
        "layer1.0.relu_3",
    ]  # fmt: skip
    add = next(row for row in resnet.rows if row.path == "layer1.0.add")
    assert (add.block.text(), add.sources) == ("add", ("layer1.0.bn3", "layer1.0.downsample.1"))
    later = next(row for row in resnet.rows if row.path == "layer1.1.add")
    assert later.sources == ("layer1.1.bn3", "layer1.0.relu_3")


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, 8)
        self.position = nn.Parameter(torch.zeros(1, 16, 16))
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.query = nn.Linear(16, 48)
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2) + self.position
        x = x + self.attention(x, x, x, need_weights=False)[0]
        q, k, v = self.query(self.norm(x)).chunk(3, dim=-1)
        x = x + F.scaled_dot_product_attention(q, k, v) + torch.softmax(q @ k.transpose(1, 2), -1) @ v
        return self.head(x.mean(1))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(96, 8, batch_first=True)
        self.gru = nn.GRU(8, 8, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        rows, _ = self.lstm(x.permute(0, 2, 1, 3).flatten(2))
        return torch.einsum("ntc,ndc->ntd", rows, self.gru(rows)[0])


class Transposed(nn.Sequential):
    def __init__(self) -> None:
        up = nn.ConvTranspose2d(8, 4, 3, 2, 1, 1, groups=2)
        super().__init__(nn.Conv2d(3, 8, 3, 2, 1, padding_mode="reflect"), up, nn.Upsample(scale_factor=2), nn.GELU())


class Constants(nn.Module):
    """Weights are made from weights, and a bias from positions by a network of its own: both cost products."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(8, 3, 3, 3))
        self.mix = nn.Parameter(torch.rand(8, 8))
        self.bias = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 8))
        self.register_buffer("places", torch.rand(32 * 32, 2))

    def forward(self, x: Tensor) -> Tensor:
        weight = (self.mix @ self.weight.flatten(1)).view_as(self.weight)
        return F.conv2d(x, weight, padding=1) + self.bias(self.places).T.reshape(1, 8, 32, 32)


@pytest.mark.parametrize("make", [Attention, Transposed, Constants])
def test_multiply_adds_and_parameters_are_torchs(make: Callable[[], nn.Module]) -> None:
    module = make().eval()
    summary = fs.inspect(module, IMAGE)
    torch.backends.mha.set_fastpath_enabled(False)  # a kernel that the counter does not know
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            result = module(torch.rand(1, *IMAGE))
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    assert summary.macs == counter.get_total_flops() // 2
    assert summary.params == sum(one.numel() for one in module.parameters())
    assert summary.rows[-1].output_shape == tuple(result.shape[1:])
    assert not summary.unused
    assert not summary.untraced


def test_recurrent_layers_multiply_at_every_step() -> None:
    summary = fs.inspect(Recurrent(), IMAGE)
    rows = {row.path: row for row in summary.rows}
    assert {path: row.macs for path, row in rows.items() if row.macs} == {
        "lstm": 32 * 4 * 8 * (96 + 8), "gru": 32 * 3 * 8 * (8 + 8), "einsum": 32 * 32 * 8,
    }  # fmt: skip
    assert rows["lstm"].params == 4 * 8 * (96 + 8 + 2)
    assert rows["lstm"].block.text() == "torch.nn.LSTM"


def test_what_is_not_in_the_notation_is_named_and_its_field_is_not_known() -> None:
    rows = {row.path: row for row in fs.inspect(Attention(), IMAGE).rows}
    assert rows["patches"].receptive_field == (8, 8)
    assert rows["attention"].block.text() == "torch.nn.MultiheadAttention"
    assert rows["attention"].params == 4 * 16 * 16 + 4 * 16
    assert rows["add"].params == 16 * 16
    assert rows["head"].block.text() == "linear 5"
    assert all(rows[path].field is None for path in ("attention", "add", "head"))


class ChannelsLast(nn.Module):
    """As ConvNeXt's block."""

    def __init__(self) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(3, 3, 7, padding=3, groups=3)
        self.norm = nn.LayerNorm(3)
        self.wide, self.narrow = nn.Linear(3, 12), nn.Linear(12, 3)
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        return x + (self.scale * self.narrow(F.gelu(self.wide(y)))).permute(0, 3, 1, 2)


class Shuffled(nn.Module):
    """As ShuffleNet's: half of the channels pass, and all are shuffled."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.right = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        one, other = self.stem(x).chunk(2, dim=1)
        both = torch.cat([one, self.right(other)], 1)
        return both.view(1, 2, 4, 32, 32).transpose(1, 2).contiguous().view(1, 8, 32, 32)


class Selective(nn.Module):
    """As selective kernels: paths stacked, summed, and weighed each by a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.paths = nn.ModuleList([nn.Conv2d(3, 8, 3, padding=step, dilation=step) for step in (1, 2)])
        self.gate = nn.Conv2d(8, 16, 1)

    def forward(self, x: Tensor) -> Tensor:
        both = torch.stack([path(x) for path in self.paths], dim=1)
        gate = self.gate(both.sum(1).mean((2, 3), keepdim=True)).view(1, 2, 8, 1, 1)
        return (both * gate.softmax(dim=1)).sum(1)


class Gated(nn.Module):
    """As the first squeeze-and-excite: views between the pooling and the product."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.gate = nn.Sequential(nn.Linear(8, 2), nn.ReLU(), nn.Linear(2, 8), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        gate = self.gate(F.adaptive_avg_pool2d(x, 1).view(1, 8)).view(1, 8, 1, 1)
        return x * gate.expand_as(x)


class Strided(nn.Module):
    """Slices: every second place, and a border less; a shortcut with more channels, as ResNet's option A."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)[:, :, ::2, ::2]
        return (F.pad(x[..., ::2, ::2], (0, 0, 0, 0, 1, 1)) + y)[:, 1:, 2:-2, 3:]


class Averaged(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.softmax(F.max_pool2d(x, 2).mean((2, 3)), dim=1).clamp(min=0)


@pytest.mark.parametrize(
    ("make", "texts", "field", "jump"),
    [
        (ChannelsLast, ["conv 3 7 padding=3 groups=3", "conv 12 1", "gelu", "conv 3 1", "add"], (7, 7), (1, 1)),
        (Shuffled, ["conv 8 3 padding=1", "conv 4 3 padding=1", "concat"], (5, 5), (1, 1)),
        (Gated, ["conv 8 3 padding=1", "globalavgpool keepdims=true", "linear 2", "multiply"], (34, 34), None),
        (Selective, ["conv 8 3 padding=2 dilation=2", "torch.stack", "globalavgpool keepdims=true"], (36, 36), None),
        (Strided, ["conv 5 3 padding=1", "add", "crop 0 before=2x3 after=2x0"], (3, 3), (2, 2)),
        (Averaged, ["maxpool 2", "globalavgpool", "softmax", "relu"], (32, 32), None),
    ],
)  # fmt: skip
def test_fields_pass_what_keeps_places(
    make: Callable[[], nn.Module], texts: list[str], field: tuple[int, ...], jump: tuple[int, ...] | None
) -> None:
    rows = fs.inspect(make(), IMAGE).rows
    written = [row.block.text() for row in rows]
    assert [text for text in texts if text not in written] == []
    assert (rows[-1].receptive_field, rows[-1].jump) == (field, jump)


@pytest.mark.parametrize("make", [ChannelsLast, Shuffled, Strided])
def test_those_fields_are_the_pixels_that_move_a_value(make: Callable[[], nn.Module]) -> None:
    module = make().eval()
    for weight in module.parameters():
        weight.data.abs_()
    image = torch.rand(1, *IMAGE, requires_grad=True)
    output = module(image)
    middle = tuple(side // 2 for side in output.shape[2:])
    output[(0, slice(None), *middle)].sum().backward()
    assert image.grad is not None
    moved = image.grad[0].abs().sum(0) > 0
    sides = tuple(int(places.max() - places.min()) + 1 for places in torch.nonzero(moved, as_tuple=True))
    assert fs.inspect(module, IMAGE).rows[-1].receptive_field == sides
