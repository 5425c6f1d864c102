"""The reliability diagram: how often answers of some confidence are right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from fieldstone.report.plots import text
from fieldstone.report.wording import percent
from fieldstone.tasks.classification import CalibrationBin

WIDTH, SIDE, LEFT, TOP = 340.0, 240.0, 48.0, 34.0
COUNTS = 44.0
"""The height of the bars that count the images."""

FOOT = TOP + SIDE
BELOW = FOOT + 56


def diagram(bins: Sequence[CalibrationBin]) -> Markup:
    """A bar for each bin of confidence, as high as its images are right; below it how many images it holds."""
    images = sum(one.images for one in bins)
    said = ", ".join(
        f"{percent(one.right / one.images)} right at {percent(one.confidence / one.images)}"
        for one in bins
        if one.images
    )
    return Markup(
        "\n".join(
            [
                f'<svg class="plot" viewBox="0 0 {WIDTH:g} {BELOW + COUNTS + 24:g}" role="img" '
                f'aria-label="Reliability of {images:,} answers: {said}">',
                *_frame(),
                *_bars(bins),
                f'<path class="perfect" d="M{LEFT:g} {FOOT:g}L{LEFT + SIDE:g} {TOP:g}"/>',
                *_counts(bins),
                "</svg>",
            ]
        )
    )


def _frame() -> Iterator[str]:
    for place in range(5):
        share = place / 4
        y, x = FOOT - share * SIDE, LEFT + share * SIDE
        yield f'<path class="axis" d="M{LEFT:g} {y:g}h{SIDE:g}"/>'
        yield text(f"{share:.0%}".replace("%", " %"), LEFT - 8, y + 4, "end")
        yield text(f"{share:.0%}".replace("%", " %"), x, FOOT + 18, "middle")
    yield '<text class="plot-title" x="0" y="14">Answers that are right</text>'
    yield text("confidence", LEFT + SIDE / 2, FOOT + 36, "middle")


def _bars(bins: Sequence[CalibrationBin]) -> Iterator[str]:
    width = SIDE / len(bins)
    for place, one in enumerate(bins):
        if one.images:
            height = one.right / one.images * SIDE
            x, y = LEFT + place * width + 1, FOOT - height
            yield f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{width - 2:.1f}" height="{height:.1f}"/>'
            seen = FOOT - one.confidence / one.images * SIDE
            yield f'<path class="seen" d="M{x:.1f} {seen:.1f}h{width - 2:.1f}"/>'


def _counts(bins: Sequence[CalibrationBin]) -> Iterator[str]:
    width, most = SIDE / len(bins), max(one.images for one in bins)
    for place, one in enumerate(bins):
        height = one.images / most * COUNTS
        if one.images:
            x, y = LEFT + place * width + 1, BELOW + COUNTS - height
            yield f'<rect class="count" x="{x:.1f}" y="{y:.1f}" width="{width - 2:.1f}" height="{height:.1f}"/>'
    yield f'<path class="axis" d="M{LEFT:g} {BELOW + COUNTS:g}h{SIDE:g}"/>'
    yield text(f"images, at most {most:,}", LEFT, BELOW + COUNTS + 16, "start")
