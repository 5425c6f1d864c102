"""Memory that runs out, told from every other fault of torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

SAID = ("DefaultCPUAllocator: ", "Storage size calculation overflowed", "std::bad_alloc")
"""What torch says on the processor, where it has a plain RuntimeError for it."""


@contextmanager
def within_memory(refusal: Exception) -> Iterator[None]:
    """Raise `refusal`, from what was raised, where memory runs out inside; every other fault goes on as it is."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as fault:
        raise refusal from fault
    except RuntimeError as fault:
        if not any(words in str(fault) for words in SAID):
            raise
        raise refusal from fault
