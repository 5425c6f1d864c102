"""Small networks with torchvision's and timm's layer names and arithmetic, as in torchvision_by_hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from torchvision_by_hand import Width, conv, full


class Fire(nn.Module):
    def __init__(self, i: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(i, squeeze, 1)
        self.expand1x1, self.expand3x3 = nn.Conv2d(squeeze, expand, 1), nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze(x))
        return F.relu(torch.cat([self.expand1x1(x), self.expand3x3(x)], 1))


class SqueezeNet(nn.Module):
    """Version 1.1."""

    def __init__(self, classes: int = 1000, w: Width = full) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, w(64), 3, 2), nn.ReLU()]
        i = w(64)
        for n in (0, 16, 16, 0, 32, 32, 0, 48, 48, 64, 64):
            layers.append(Fire(i, w(n), w(4 * n)) if n else nn.MaxPool2d(3, 2, ceil_mode=True))
            i = 2 * w(4 * n) if n else i
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.5), nn.Conv2d(i, classes, 1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x)).mean((2, 3))


MOBILE_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, filters, blocks and stride of MobileNet v2, table 2 of its paper."""

LITE_STAGES = (
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
)  # fmt: skip
"""The same of EfficientNet-B0, and the kernel."""


class Normalised6(nn.Sequential):
    def __init__(self, i: int, o: int, k: int, s: int = 1, groups: int = 1) -> None:
        super().__init__(conv(i, o, k, s, groups=groups), nn.BatchNorm2d(o), nn.ReLU6())


class Inverted(nn.Module):
    def __init__(self, i: int, hidden: int, o: int, stride: int, expands: bool, adds: bool) -> None:
        super().__init__()
        first = [Normalised6(i, hidden, 1)] if expands else []
        depthwise = Normalised6(hidden, hidden, 3, stride, hidden)
        self.conv, self.adds = nn.Sequential(*first, depthwise, conv(hidden, o, 1), nn.BatchNorm2d(o)), adds

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNet(nn.Module):
    """Version 2, as torchvision names it."""

    def __init__(self, classes: int = 1000, w: Width = full) -> None:
        super().__init__()
        layers: list[nn.Module] = [Normalised6(3, w(32), 3, 2)]
        i = 32
        for expansion, o, blocks, stride in MOBILE_STAGES:
            for number in range(blocks):
                s, expands = stride if number == 0 else 1, expansion > 1
                layers.append(Inverted(w(i), w(i * expansion), w(o), s, expands, adds=number > 0))
                i = o
        self.features = nn.Sequential(*layers, Normalised6(w(i), w(1280), 1))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(w(1280), classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).mean((2, 3)))


class SameConv(nn.Conv2d):
    """TensorFlow's padding: what the output size needs, the odd one at the bottom and right."""

    def forward(self, x: Tensor) -> Tensor:
        k, s = self.kernel_size[0], self.stride[0]
        down, across = (max(0, (-(-size // s) - 1) * s + k - size) for size in x.shape[2:])
        return super().forward(F.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2)))


class TimmBlock(nn.Module):
    """`conv_pw`, `conv_dw`, `conv_pwl`, or without expansion `conv_dw`, `conv_pw`."""

    def __init__(self, i: int, hidden: int, o: int, k: int, s: int, expands: bool, adds: bool, same: bool) -> None:
        super().__init__()
        eps, kind, p = (0.001, SameConv, 0) if same else (1e-5, nn.Conv2d, k // 2)
        depthwise = kind(hidden, hidden, k, s, p, groups=hidden, bias=False)
        parts = {"conv_pw": (conv(i, hidden, 1), hidden)} if expands else {}
        parts |= {"conv_dw": (depthwise, hidden), "conv_pwl" if expands else "conv_pw": (conv(hidden, o, 1), o)}
        for number, (name, (layer, filters)) in enumerate(parts.items(), 1):
            self.add_module(name, layer)
            self.add_module(f"bn{number}", nn.BatchNorm2d(filters, eps=eps))
        self.names, self.adds = list(parts), adds

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for number, name in enumerate(self.names, 1):
            y = getattr(self, f"bn{number}")(getattr(self, name)(y))
            y = F.relu6(y) if number < len(self.names) else y
        return x + y if self.adds else y


class TimmMobile(nn.Module):
    """`mobilenetv2_100`, or with `same` `tf_efficientnet_lite0`."""

    def __init__(self, classes: int = 1000, w: Width = full, same: bool = False) -> None:
        super().__init__()
        stem, eps = (SameConv(3, w(32), 3, 2, bias=False), 0.001) if same else (conv(3, w(32), 3, 2), 1e-5)
        self.conv_stem, self.bn1 = stem, nn.BatchNorm2d(w(32), eps=eps)
        i, stages = 32, []
        for expansion, o, blocks, stride, k in LITE_STAGES if same else [(*stage, 3) for stage in MOBILE_STAGES]:
            stage = nn.Sequential()
            for number in range(blocks):
                s, expands = stride if number == 0 else 1, expansion > 1
                stage.append(TimmBlock(w(i), w(i * expansion), w(o), k, s, expands, number > 0, same))
                i = o
            stages.append(stage)
        self.blocks = nn.Sequential(*stages)
        self.conv_head, self.bn2 = conv(w(320), w(1280), 1), nn.BatchNorm2d(w(1280), eps=eps)
        self.classifier = nn.Linear(w(1280), classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu6(self.bn2(self.conv_head(self.blocks(F.relu6(self.bn1(self.conv_stem(x)))))))
        return self.classifier(x.mean((2, 3)))


def lite(classes: int = 1000, w: Width = full) -> nn.Module:
    return TimmMobile(classes, w, same=True)
