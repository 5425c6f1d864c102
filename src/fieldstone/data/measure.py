"""Mean and standard deviation per channel, measured on the images that train."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fieldstone.data.decode import Pixels
from fieldstone.data.preprocessing import Preprocessing

CHUNK = 1 << 22  # bytes of images that are counted at once


def measure(images: Pixels, rows: NDArray[np.int64], preprocessing: Preprocessing, padded: int) -> Preprocessing:
    """`preprocessing` with the mean and std of the rows of `images` (N, C, H, W), in scaled units.

    `padded` pixels per channel are letterbox padding, of the value `preprocessing.padding`, and do not count.
    A channel that never changes gets one grey level as its std, so that nothing is divided by zero.
    """
    counts = np.zeros((images.shape[1], 256), np.int64)  # a histogram of integers: exact, in any order
    step = max(1, CHUNK // images[0].size)
    for start in range(0, len(rows), step):
        some = images[rows[start : start + step]]
        for channel in range(len(counts)):
            counts[channel] += np.bincount(some[:, channel].reshape(-1), minlength=256)
    for channel, value in enumerate(preprocessing.padding):
        counts[channel, value] -= padded
    values = np.arange(256)
    total = counts[0].sum()
    mean = counts @ values / total
    variance = counts @ values**2 / total - mean**2
    std = np.maximum(np.sqrt(np.maximum(variance, 0)), 1)
    scale = preprocessing.scale
    return replace(preprocessing, mean=tuple((mean * scale).tolist()), std=tuple((std * scale).tolist()))
