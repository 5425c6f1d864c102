"""The C library's memory, which returns large blocks to the kernel after each use and gets them back zeroed."""

import ctypes
import functools
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # <malloc.h>
KEPT_BYTES = 2**25  # the largest threshold that glibc takes on 64 bits
TRIMMED_BYTES = 2**30


@functools.cache
def keep_freed_memory() -> None:
    """Ask glibc to keep freed blocks for the next step, for this process; elsewhere nothing happens."""
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, TRIMMED_BYTES)
