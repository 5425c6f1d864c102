"""GoogLeNet and DenseNet with torchvision's layer names and arithmetic, as in torchvision_by_hand."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from torchvision_by_hand import Width, conv, full


class Normalised(nn.Module):
    def __init__(self, i: int, o: int, k: int, s: int = 1) -> None:
        super().__init__()
        self.conv, self.bn = conv(i, o, k, s), nn.BatchNorm2d(o, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    def __init__(self, i: int, sizes: tuple[int, ...]) -> None:
        super().__init__()
        one, three_in, three, five_in, five, pool = sizes
        self.branch1 = Normalised(i, one, 1)
        self.branch2 = nn.Sequential(Normalised(i, three_in, 1), Normalised(three_in, three, 3))
        self.branch3 = nn.Sequential(Normalised(i, five_in, 1), Normalised(five_in, five, 3))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), Normalised(i, pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([path(x) for path in self.children()], 1)


class AuxiliaryHead(nn.Module):
    def __init__(self, i: int, classes: int) -> None:
        super().__init__()
        self.conv, self.fc1, self.fc2 = Normalised(i, 128, 1), nn.Linear(2048, 1024), nn.Linear(1024, classes)


INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}  # fmt: skip


class GoogLeNet(nn.Module):
    """With `transform_input`, as torchvision makes it for its learned weights."""

    def __init__(self, classes: int = 1000, w: Width = full, transform_input: bool = False) -> None:
        super().__init__()
        self.transform_input = transform_input
        self.conv1, self.conv2 = Normalised(3, w(64), 7, 2), Normalised(w(64), w(64), 1)
        self.conv3 = Normalised(w(64), w(192), 3)
        i = w(192)
        for name, sizes in INCEPTIONS.items():
            a, b, c, d, e, f = map(w, sizes)
            self.add_module(f"inception{name}", Inception(i, (a, b, c, d, e, f)))
            i = a + c + e + f
        self.aux1, self.aux2 = AuxiliaryHead(w(512), classes), AuxiliaryHead(w(528), classes)
        self.fc = nn.Linear(i, classes)

    def forward(self, x: Tensor) -> Tensor:
        if self.transform_input:
            mean, std = (torch.tensor(one).view(3, 1, 1) for one in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
            x = x * (std / 0.5) + (mean - 0.5) / 0.5
        x = F.max_pool2d(self.conv1(x), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.conv3(self.conv2(x)), 3, 2, ceil_mode=True)
        for name in INCEPTIONS:
            x = getattr(self, f"inception{name}")(x)
            x = F.max_pool2d(x, 3, 2, ceil_mode=True) if name == "3b" else x
            x = F.max_pool2d(x, 2, 2, ceil_mode=True) if name == "4e" else x
        return self.fc(x.mean((2, 3)))


class DenseLayer(nn.Module):
    def __init__(self, i: int, w: Width) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(i), conv(i, w(128), 1)
        self.norm2, self.conv2 = nn.BatchNorm2d(w(128)), conv(w(128), w(32), 3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))], 1)


class DenseNet(nn.Module):
    def __init__(self, classes: int = 1000, w: Width = full) -> None:
        super().__init__()
        i, layers = w(64), OrderedDict[str, nn.Module](conv0=conv(3, w(64), 7, 2), norm0=nn.BatchNorm2d(w(64)))
        layers |= {"relu0": nn.ReLU(), "pool0": nn.MaxPool2d(3, 2, 1)}
        for number, (depth, after) in enumerate(((6, 128), (12, 256), (24, 512), (16, 0)), 1):
            block = OrderedDict((f"denselayer{n + 1}", DenseLayer(i + n * w(32), w)) for n in range(depth))
            layers[f"denseblock{number}"] = nn.Sequential(block)
            i += depth * w(32)
            if after:
                parts = {
                    "norm": nn.BatchNorm2d(i),
                    "relu": nn.ReLU(),
                    "conv": conv(i, w(after), 1),
                    "pool": nn.AvgPool2d(2),
                }
                layers[f"transition{number}"] = nn.Sequential(OrderedDict(parts))
                i = w(after)
        self.features = nn.Sequential(OrderedDict(layers, norm5=nn.BatchNorm2d(i)))
        self.classifier = nn.Linear(i, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(F.relu(self.features(x)).mean((2, 3)))
