"""A module as people write them: normalisation, resizing and padding by layers of torch and by its functions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ChannelsLast(nn.Module):
    """A normalisation of maps whose channels lie last, as in ConvNeXt."""

    def __init__(self, sides: tuple[int, int], channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm((*sides, channels))
        nn.init.normal_(self.norm.weight)

    def forward(self, input: Tensor) -> Tensor:
        output: Tensor = self.norm(input.permute(0, 2, 3, 1))
        return output.permute(0, 3, 1, 2)


class Net(nn.Module):
    """Takes 3x8x10."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.group = nn.GroupNorm(4, 8)
        self.layer = nn.LayerNorm((8, 8, 10))
        self.instance = nn.InstanceNorm2d(8, affine=True)
        self.batch = nn.BatchNorm2d(8, track_running_stats=False)
        self.response = nn.LocalResponseNorm(3, alpha=0.5)
        self.last = ChannelsLast((8, 10), 8)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear")
        self.shuffle = nn.PixelShuffle(2)
        self.head = nn.Linear(2, 3)
        for part in (self.group, self.layer, self.instance, self.batch):
            nn.init.normal_(part.weight)
            nn.init.normal_(part.bias)

    def forward(self, input: Tensor) -> Tensor:
        map = self.batch(self.instance(self.layer(self.group(self.conv(input)))))
        map = F.group_norm(self.last(self.response(map)), 2)
        map = F.pad(self.up(map), (1, 0, 2, 1), mode="reflect")
        map = F.pad(map, (1, 1, 1, 1), value=-float("inf"))
        map = F.interpolate(self.shuffle(F.max_pool2d(map, 3, 1)), scale_factor=2.0)[:, :, 1:-1, 2:]
        map = torch.clamp(map, 0, float("inf"))
        output: Tensor = self.head(map.mean(dim=(2, 3)))
        return output
