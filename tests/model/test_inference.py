import numpy as np
import pytest
import torch
from torch import nn

from fieldstone.data.preprocessing import Preprocessing
from fieldstone.model.inference import Normalise, evaluating, logits, place

CPU = torch.device("cpu")


@pytest.mark.parametrize("channels", [1, 3])
def test_every_map_has_its_channels_last_in_memory_for_one_channel_too(channels: int) -> None:
    network = place(nn.Sequential(nn.Conv2d(channels, 8, 3), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3)), CPU)
    preprocessing = Preprocessing(size=(12, 12), channels=channels, mean=(0.5,) * channels, std=(0.2,) * channels)
    maps = [Normalise(preprocessing)(torch.zeros(2, channels, 12, 12, dtype=torch.uint8))]
    for layer in network:
        maps.append(layer(maps[-1]))
    for one in maps:
        _, c, h, w = one.shape
        assert one.stride() == (c * h * w, 1, c * w, c)


def test_pixels_are_scaled_and_normalised_by_channel() -> None:
    preprocessing = Preprocessing(size=(2, 2), mean=(0.4, 0.5, 0.6), std=(0.1, 0.2, 0.3))
    pixels = torch.randint(0, 256, (5, 3, 2, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mean, std = np.array([0.4, 0.5, 0.6]).reshape(3, 1, 1), np.array([0.1, 0.2, 0.3]).reshape(3, 1, 1)
    expected = (pixels.numpy() / 255 - mean) / std
    np.testing.assert_allclose(Normalise(preprocessing)(pixels).numpy(), expected, rtol=1e-5, atol=1e-5)


def test_the_modes_of_a_network_are_restored_even_after_a_fault() -> None:
    network = nn.Sequential(nn.Dropout(), nn.Linear(1, 1))
    network[0].eval()
    with pytest.raises(RuntimeError, match="fault"), evaluating(network):
        assert not network[1].training
        raise RuntimeError("fault")
    assert [network.training, network[0].training, network[1].training] == [True, False, True]


def test_logits_are_those_of_the_rows_asked_for() -> None:
    images = np.random.default_rng(0).integers(0, 256, (600, 1, 4, 4), dtype=np.uint8)
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
    normalise = Normalise(Preprocessing(size=(4, 4), channels=1, mean=(0.0,), std=(1.0,)))
    rows = np.array([599, 0, 3, *range(100, 500)])
    expected = network(torch.from_numpy(images[rows]).float() / 255)
    torch.testing.assert_close(logits(network, normalise, images, rows, CPU), expected.detach(), rtol=1e-4, atol=1e-5)
