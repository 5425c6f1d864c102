"""Work on all cores with threads: results in order, a bounded number in flight, prompt at an interrupt."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")
IN_FLIGHT = 4  # tasks per thread that wait or whose result waits


def cores() -> int:
    """How many threads can run at once: the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(tasks: Iterable[Callable[[], Result]]) -> Iterator[Result]:
    """The results of the tasks, in their order; leaving early drops the tasks that have not begun."""
    threads = cores()
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[Result]] = deque()
        try:
            for task in tasks:
                pending.append(pool.submit(task))
                if len(pending) >= IN_FLIGHT * threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
