"""Augmentation of batches, against loops over single images in NumPy."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fieldstone.data.augment import KINDS, Augmentation, color, crop, cutout, flip_and_shift

RNG = np.random.default_rng(0)


def batch(channels: int = 3, height: int = 16, width: int = 24, n: int = 20) -> NDArray[np.uint8]:
    return RNG.integers(0, 256, (n, channels, height, width), dtype=np.uint8)


def numbers(columns: int, n: int = 20) -> NDArray[np.float32]:
    return RNG.random((n, columns), dtype=np.float32)


def tensor(array: NDArray[np.generic]) -> torch.Tensor:
    return torch.from_numpy(array)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("flips", "shifts"), [(True, True), (True, False), (False, True)])
def test_flip_and_shift(channels: int, flips: bool, shifts: bool) -> None:
    images, flip, shift = batch(channels), numbers(1), numbers(2)
    result = flip_and_shift(tensor(images), tensor(flip) if flips else None, tensor(shift) if shifts else None)
    assert result.dtype == torch.uint8
    for n, image in enumerate(images):
        down = math.floor(shift[n, 0] * 5) - 2 if shifts else 0  # 16 / 8 = 2 pixels at most
        right = math.floor(shift[n, 1] * 7) - 3 if shifts else 0  # 24 / 8 = 3
        mirrored = image[:, :, ::-1] if flips and flip[n, 0] < 0.5 else image
        padded = np.pad(mirrored, ((0, 0), (2, 2), (3, 3)), mode="reflect")
        expected = padded[:, 2 + down : 18 + down, 3 + right : 27 + right]
        assert np.array_equal(result[n].numpy(), expected)


def test_every_shift_occurs() -> None:
    images = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8).repeat(200, axis=0)
    shifted = flip_and_shift(tensor(images), None, tensor(numbers(2, 200)))
    assert {int(image[0, 4, 4]) for image in shifted} == {27, 28, 29, 35, 36, 37, 43, 44, 45}


def bilinear(image: NDArray[np.float64], top: float, left: float, tall: float, wide: float) -> NDArray[np.float64]:
    """Sample the box pixel by pixel, centres at half, the border repeated."""
    height, width = image.shape[1:]
    result = np.empty(image.shape)
    for i in range(height):
        for j in range(width):
            y = min(max(top + (i + 0.5) * tall / height - 0.5, 0), height - 1)
            x = min(max(left + (j + 0.5) * wide / width - 0.5, 0), width - 1)
            y0, x0 = int(y), int(x)
            y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
            above = image[:, y0, x0] * (x0 + 1 - x) + image[:, y0, x1] * (x - x0)
            below = image[:, y1, x0] * (x0 + 1 - x) + image[:, y1, x1] * (x - x0)
            result[:, i, j] = above * (y0 + 1 - y) + below * (y - y0)
    return result


@pytest.mark.parametrize("channels", [1, 3])
def test_crop(channels: int) -> None:
    images, chance = batch(channels, n=6), numbers(4, 6)
    result = crop(tensor(images), tensor(chance))
    assert result.dtype == torch.float32
    for n, (area, aspect, down, right) in enumerate(chance.astype(float)):
        area = 0.35 + 0.65 * area
        ratio = (3 / 4) * (16 / 9) ** aspect
        tall, wide = 16 * min(1, (area / ratio) ** 0.5), 24 * min(1, (area * ratio) ** 0.5)
        expected = bilinear(images[n].astype(float), down * (16 - tall), right * (24 - wide), tall, wide)
        assert np.abs(result[n].numpy() - expected).max() < 0.01


def test_a_crop_of_everything_changes_nothing() -> None:
    images = batch(n=2)
    chance = torch.tensor([[1.0, 0.5, 0.3, 0.9]] * 2)  # the middle of the logarithm is a square
    assert np.abs(crop(tensor(images), chance).numpy() - images).max() < 0.01


@pytest.mark.parametrize("channels", [1, 3])
def test_color(channels: int) -> None:
    images, chance = batch(channels), numbers(3)
    result = color(tensor(images), tensor(chance)).numpy()
    weights = np.array([0.299, 0.587, 0.114]) if channels == 3 else np.ones(1)
    for n, image in enumerate(images):
        brightness, contrast, saturation = 0.8 + 0.4 * chance[n].astype(float)
        expected = image * brightness
        mean = np.tensordot(weights, expected, 1).mean()
        expected = mean + (expected - mean) * contrast
        grey = np.tensordot(weights, expected, 1)
        expected = np.clip(grey + (expected - grey) * saturation, 0, 255)
        assert np.abs(result[n] - expected).max() < 0.01


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_cutout(dtype: torch.dtype) -> None:
    images, chance = batch(), numbers(2)
    result = cutout(tensor(images).to(dtype), tensor(chance), (10.4, 20.0, 30.0))
    assert result.dtype == dtype
    for n, image in enumerate(images):
        expected = image.astype(float)
        top, left = int(chance[n, 0] * 13), int(chance[n, 1] * 21)  # a square of 16 / 4 = 4 pixels
        fill = [10.0 if dtype == torch.uint8 else 10.4, 20, 30]
        expected[:, top : top + 4, left : left + 4] = np.array(fill)[:, None, None]
        assert np.abs(result[n].numpy() - expected).max() < 1e-5


def test_kinds_act_in_one_order_however_they_are_named() -> None:
    images = tensor(batch())
    one = Augmentation(["cutout", "flip"], (1.0, 2.0, 3.0))
    other = Augmentation(["flip", "cutout"], (1.0, 2.0, 3.0))
    rows = torch.from_numpy(one.draw(20, 3, 4))
    assert np.array_equal(one.draw(20, 3, 4), other.draw(20, 3, 4))
    assert torch.equal(one(images, rows), other(images, rows))
    assert one(images, rows).dtype == torch.uint8


def test_numbers_depend_on_seed_epoch_and_kind_alone() -> None:
    alone, among = Augmentation(["shift"], (0.0,)), Augmentation(list(KINDS), (0.0,))
    assert np.array_equal(alone.draw(50, 1, 2), among.draw(50, 1, 2)[:, 1:3])
    tables = [alone.draw(50, seed, epoch) for seed, epoch in ((1, 2), (1, 3), (2, 2), (2, 1))]
    assert len({table.tobytes() for table in tables}) == 4
    assert all((table >= 0).all() and (table < 1).all() for table in tables)


def test_nothing_changes_without_kinds() -> None:
    images = tensor(batch())
    none = Augmentation([], (0.0,) * 3)
    assert torch.equal(none(images, torch.from_numpy(none.draw(20, 0, 0))), images)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("channels", [1, 3])
def test_a_gpu_gives_the_same(channels: int) -> None:
    images = tensor(batch(channels))
    every = Augmentation(list(KINDS), (9.0,) * channels)
    rows = torch.from_numpy(every.draw(20, 0, 0))
    images_there, rows_there = images.cuda(), rows.cuda()
    every(images_there, rows_there)
    torch.cuda.set_sync_debug_mode("error")
    try:
        there = every(images_there, rows_there)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert (there.cpu() - every(images, rows)).abs().max() < 0.05
