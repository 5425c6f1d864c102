"""Batches: their order, their content, their last one."""

import numpy as np
import pytest
import torch

from fieldstone.data.augment import Augmentation
from fieldstone.data.batches import Batches, epoch_order, in_turn, steps_of

CPU = torch.device("cpu")
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 3, 16, 16), dtype=np.uint8)
TARGETS = np.arange(40) % 5
TRAIN = np.arange(0, 40, 2)


def batches(augment: list[str], batch_size: int = 8, seed: int = 7) -> Batches:
    return Batches(IMAGES, TARGETS, TRAIN, batch_size, device=CPU, seed=seed, augment=augment)


def test_an_order_is_a_permutation_of_seed_and_epoch() -> None:
    order = epoch_order(TRAIN, 7, 1)
    assert sorted(order) == TRAIN.tolist()
    assert np.array_equal(order, epoch_order(TRAIN, 7, 1))
    assert not np.array_equal(order, epoch_order(TRAIN, 7, 2))
    assert not np.array_equal(order, epoch_order(TRAIN, 8, 1))


def test_batches_are_the_rows_in_that_order() -> None:
    found = list(batches([]).epoch(3))
    order = epoch_order(TRAIN, 7, 3)
    assert [len(targets) for _, targets in found] == [8, 8, 4]
    assert np.array_equal(torch.cat([inputs for inputs, _ in found]), IMAGES[order])
    assert np.array_equal(torch.cat([targets for _, targets in found]), TARGETS[order])
    assert found[0][0].dtype == torch.uint8
    assert found[0][1].dtype == torch.int64


def test_an_epoch_can_go_on_after_any_step() -> None:
    kinds = ["flip", "shift", "crop", "color", "cutout"]
    whole = list(batches(kinds).epoch(2))
    for start in range(4):
        rest = list(batches(kinds).epoch(2, start))
        assert all(torch.equal(a[0], b[0]) for a, b in zip(rest, whole[start:], strict=True))


def test_augmentation_belongs_to_the_image_and_not_to_the_batch() -> None:
    order = epoch_order(TRAIN, 7, 0)
    by_size = [torch.cat([inputs for inputs, _ in batches(["flip", "shift"], size).epoch(0)]) for size in (4, 10)]
    assert torch.equal(*by_size)
    augmentation = Augmentation(["flip", "shift"], (127.0,) * 3)
    rows = torch.from_numpy(augmentation.draw(40, 7, 0))
    assert torch.equal(augmentation(torch.from_numpy(IMAGES), rows)[order], by_size[0])


@pytest.mark.parametrize(
    ("count", "size", "steps"), [(20, 8, 3), (17, 8, 2), (18, 8, 3), (16, 8, 2), (1, 8, 1), (5, 8, 1), (9, 1, 9)]
)
def test_a_last_batch_of_one_image_is_dropped(count: int, size: int, steps: int) -> None:
    one = Batches(IMAGES, TARGETS, np.arange(count), size, device=CPU, seed=0)
    assert one.steps == steps_of(count, size) == steps == len(list(one.epoch(0)))


def test_in_turn_keeps_the_order_and_every_image() -> None:
    found = list(in_turn(IMAGES, TRAIN, 7, CPU))
    assert np.array_equal(np.concatenate([rows for rows, _ in found]), TRAIN)
    assert np.array_equal(torch.cat([inputs for _, inputs in found]), IMAGES[TRAIN])
