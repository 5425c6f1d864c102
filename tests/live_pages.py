"""A live page of the explorer, and images to give it."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

from fieldstone.explain.explorer.server import Explorer
from fieldstone.verbs.choosing.explorable import explorable
from fieldstone.verbs.explore import _look


def png(seed: int, size: tuple[int, int] = (50, 40)) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def bomb() -> bytes:
    """A PNG file of few bytes that says it has 100,000 x 100,000 pixels."""
    content = png(0)
    header = content[12:16] + struct.pack(">II", 100_000, 100_000) + content[24:29]  # IHDR: width, height, the rest
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


@contextmanager
def serving() -> Iterator[Explorer]:
    """An untrained network on a first image, served while this lasts."""
    explored = explorable("three-conv", None, "cpu")
    with Explorer(_look(explored, png(0), "first.png"), lambda data, name: _look(explored, data, name)) as explorer:
        thread = threading.Thread(target=explorer.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield explorer
        finally:
            explorer.shutdown()
            thread.join()
