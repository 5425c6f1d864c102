"""Networks with torchvision's and timm's layer names and arithmetic, written out of plain torch for tests.

Each takes the number of classes, and `w`, which narrows every number of filters: the names stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Width = Callable[[int], int]


def full(n: int) -> int:
    return n


def narrow(n: int) -> int:
    """What `Design.resolve(width=0.125)` makes of a number of filters: the nearest multiple of 8, at least 8."""
    return max(8, int(n / 64 + 0.5) * 8)


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """Ready to predict, its normalisation with statistics and factors as if it had been trained."""
    rng = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            std = (2 / layer.weight[0].numel()) ** 0.5  # the maps keep their scale through relu
            layer.weight.data.copy_(torch.randn(layer.weight.shape, generator=rng) * std)
            if layer.bias is not None:
                layer.bias.data.copy_(torch.randn(layer.bias.shape, generator=rng) * 0.1)
        if isinstance(layer, nn.BatchNorm2d):
            size = layer.weight.shape
            layer.weight.data.copy_(torch.rand(size, generator=rng) * 0.4 + 0.8)
            layer.bias.data.copy_(torch.randn(size, generator=rng) * 0.1)
            layer.running_mean.copy_(torch.randn(size, generator=rng) * 0.1)  # type: ignore[union-attr]
            layer.running_var.copy_(torch.rand(size, generator=rng) + 0.5)  # type: ignore[union-attr]
    return module.eval()


def conv(i: int, o: int, k: int, s: int = 1, p: int | None = None, d: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(i, o, k, s, k // 2 * d if p is None else p, d, groups, bias=False)


class ResNetBlock(nn.Module):
    """Two 3x3 convolutions, or a bottleneck of three; the last of them has four times its filters then."""

    def __init__(self, i: int, sizes: list[tuple[int, int]], stride: int, d: int) -> None:
        super().__init__()
        last, strided = sizes[-1][0], [k for _, k in sizes].index(3)
        for number, (o, k) in enumerate(sizes, 1):
            inputs = i if number == 1 else sizes[number - 2][0]
            layer = conv(inputs, o, k, stride if number - 1 == strided else 1, d=d if k == 3 else 1)
            self.add_module(f"conv{number}", layer)
            self.add_module(f"bn{number}", nn.BatchNorm2d(o))
        if stride > 1 or i != last:
            self.downsample = nn.Sequential(conv(i, last, 1, stride), nn.BatchNorm2d(last))
        self.count = len(sizes)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for number in range(1, self.count + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            y = F.relu(y) if number < self.count else y
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class ResNet(nn.Module):
    def __init__(self, classes: int, w: Width, depths: list[int], bottleneck: bool, dilated: bool = False) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(3, w(64), 7, 2), nn.BatchNorm2d(w(64))
        i, d = w(64), 1
        for stage, depth in enumerate(depths):
            n, blocks = 64 * 2**stage, []
            for number in range(depth):
                stride = 2 if stage and not number else 1
                before = d
                if dilated and stage > 1 and not number:
                    stride, d = 1, d * 2
                sizes = [(w(n), 1), (w(n), 3), (w(4 * n), 1)] if bottleneck else [(w(n), 3), (w(n), 3)]
                blocks.append(ResNetBlock(i, sizes, stride, before if not number else d))
                i = sizes[-1][0]
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        if classes:
            self.fc = nn.Linear(i, classes)

    def maps(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.maps(x).mean((2, 3)))


def resnet18(classes: int = 1000, w: Width = full) -> nn.Module:
    return ResNet(classes, w, [2, 2, 2, 2], bottleneck=False)


def resnet50(classes: int = 1000, w: Width = full) -> nn.Module:
    return ResNet(classes, w, [3, 4, 6, 3], bottleneck=True)


class ConvBlock(nn.Sequential):
    def __init__(self, i: int, o: int, k: int, d: int = 1) -> None:
        super().__init__(conv(i, o, k, d=d), nn.BatchNorm2d(o), nn.ReLU())


class PooledBlock(nn.Sequential):
    def __init__(self, i: int, o: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), *ConvBlock(i, o, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(super().forward(x), size=x.shape[2:], mode="bilinear", align_corners=False)


class Pyramid(nn.Module):
    def __init__(self, i: int, o: int) -> None:
        super().__init__()
        rates = [ConvBlock(i, o, 3, d) for d in (12, 24, 36)]
        self.convs = nn.ModuleList([ConvBlock(i, o, 1), *rates, PooledBlock(i, o)])
        self.project = nn.Sequential(*ConvBlock(5 * o, o, 1), nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.project(torch.cat([one(x) for one in self.convs], 1))


class DeepLab(nn.Module):
    def __init__(self, classes: int = 21, w: Width = full) -> None:
        super().__init__()
        self.backbone = ResNet(0, w, [3, 4, 6, 3], bottleneck=True, dilated=True)
        head = nn.Conv2d(w(256), classes, 1)
        self.classifier = nn.Sequential(Pyramid(w(2048), w(256)), *ConvBlock(w(256), w(256), 3), head)
        self.aux_classifier = nn.Sequential(
            *ConvBlock(w(1024), w(256), 3), nn.Dropout(0.1), nn.Conv2d(w(256), classes, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.classifier(self.backbone.maps(x))
        return F.interpolate(y, size=x.shape[2:], mode="bilinear", align_corners=False)


def vgg_features(w: Width) -> nn.Sequential:
    layers: list[nn.Module] = []
    i = 3
    for n in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        layers += [nn.Conv2d(i, w(n), 3, padding=1), nn.ReLU()] if n else [nn.MaxPool2d(2)]
        i = w(n) if n else i
    return nn.Sequential(*layers)


class VGG(nn.Module):
    def __init__(self, classes: int = 1000, w: Width = full) -> None:
        super().__init__()
        self.features, n = vgg_features(w), w(4096)
        hidden = [nn.Linear(w(512) * 49, n), nn.ReLU(), nn.Dropout(), nn.Linear(n, n), nn.ReLU(), nn.Dropout()]
        self.classifier = nn.Sequential(*hidden, nn.Linear(n, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 7).flatten(1))


class TimmVGG(nn.Module):
    """Its fully connected layers are convolutions over the whole map."""

    def __init__(self, classes: int = 1000, w: Width = full) -> None:
        super().__init__()
        self.features = vgg_features(w)
        self.pre_logits, self.head = nn.Module(), nn.Module()
        self.pre_logits.fc1, self.pre_logits.fc2 = nn.Conv2d(w(512), w(4096), 7), nn.Conv2d(w(4096), w(4096), 1)
        self.head.fc = nn.Linear(w(4096), classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.pre_logits.fc1(self.features(x)))
        return self.head.fc(F.relu(self.pre_logits.fc2(x)).mean((2, 3)))


class AlexNet(nn.Module):
    def __init__(self, classes: int = 1000, w: Width = full) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        i = 3
        for o, k, s, p, pooled in (
            (64, 11, 4, 2, 1),
            (192, 5, 1, 2, 1),
            (384, 3, 1, 1, 0),
            (256, 3, 1, 1, 0),
            (256, 3, 1, 1, 1),
        ):
            layers += [nn.Conv2d(i, w(o), k, s, p), nn.ReLU(), *[nn.MaxPool2d(3, 2)] * pooled]
            i = w(o)
        self.features, n = nn.Sequential(*layers), w(4096)
        hidden = [nn.Dropout(), nn.Linear(i * 36, n), nn.ReLU(), nn.Dropout(), nn.Linear(n, n), nn.ReLU()]
        self.classifier = nn.Sequential(*hidden, nn.Linear(n, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(F.adaptive_avg_pool2d(self.features(x), 6).flatten(1))
