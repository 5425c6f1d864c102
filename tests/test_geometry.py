"""The arithmetic of windows against windows that are laid one by one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fieldstone.geometry import Window, extent, output_size, strided_same_padding

MANY = settings(deadline=None, max_examples=2000)


def windows(size: int, kernel: int, stride: int, dilation: int, padding: int, ceil_mode: bool) -> list[list[int]]:
    """The places that each window reads, pads included, by laying it down until it no longer fits."""
    laid = []
    start = -padding
    while True:
        places = [start + dilation * step for step in range(kernel)]
        fits = places[-1] < size + padding
        hangs_over = ceil_mode and start < size and (not laid or fits or laid[-1][-1] < size + padding - 1)
        if not fits and not hangs_over:
            return laid
        laid.append(places)
        start += stride


@MANY
@given(
    st.integers(1, 40), st.integers(1, 7), st.integers(1, 5), st.integers(1, 4), st.integers(0, 6)
)  # fmt: skip
def test_output_size_counts_the_windows_that_fit(
    size: int, kernel: int, stride: int, dilation: int, padding: int
) -> None:
    laid = windows(size, kernel, stride, dilation, padding, ceil_mode=False)
    assert max(0, output_size(size, extent(kernel, dilation), stride, (padding, padding))) == len(laid)
    if laid:
        window = Window((kernel,), (stride,), (dilation,), ((padding, padding),))
        assert window.unread((size,)) == (max(0, size - 1 - laid[-1][-1]),)


@MANY
@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 4), st.integers(1, 5))
def test_same_padding_is_the_least_that_gives_as_many_windows_as_strides_begin(
    size: int, kernel: int, dilation: int, stride: int
) -> None:
    span = extent(kernel, dilation)
    before, after = strided_same_padding(size, span, stride)
    begun = len(range(0, size, stride))
    assert output_size(size, span, stride, (before, after)) == begun
    assert after - before in (0, 1)
    if before + after > 0:
        assert output_size(size, span, stride, (before, after - 1)) == begun - 1


def test_a_ceiling_window_that_would_start_in_the_padding_after_the_input_is_dropped() -> None:
    assert output_size(5, 2, 3, (1, 1), ceil_mode=True) == 2  # torch.nn.MaxPool1d(2, 3, 1, ceil_mode=True)
    assert output_size(6, 2, 3, (1, 1), ceil_mode=True) == 3
    assert output_size(2, 3, 2, (0, 0), ceil_mode=True) == 1
