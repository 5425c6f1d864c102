"""The film of a figure: at every time it shows exactly the still of that step, and it stands where it should."""

from __future__ import annotations

import re

import pytest

import drawn
from fieldstone.explain.figures.film import Film
from fieldstone.explain.figures.kinds import KINDS, make
from fieldstone.explain.figures.stage import Look, filmed


def film_of(kind: str, smooth: bool = False) -> Film:
    return filmed(make(kind, {}, Look(key=True), None), smooth)


def elements(still: str) -> list[str]:
    return sorted(drawn.seen(still, 0))


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_film_shows_the_still_of_every_frame(kind: str, smooth: bool) -> None:
    film = film_of(kind, smooth)
    animated = film.animated("auto", None)
    total, now = film.milliseconds, 0.0
    for frame, held in enumerate(film.frames):
        for share in ((now + 1) / total, (now + held.milliseconds - 1) / total):
            assert sorted(drawn.seen(animated, share)) == elements(film.still(frame, "auto")), frame
        now += held.milliseconds
    assert sorted(drawn.seen(animated, 0, still=True)) == elements(film.still(len(film.frames) - 1, "auto"))


@pytest.mark.parametrize("kind", ["maxpool", "conv", "upconv", "channels"])
def test_a_step_stands_and_the_last_one_longer(kind: str) -> None:
    film = film_of(kind)
    steps = len(film.steps)
    assert film.milliseconds == 1200 * (steps - 1) + 2600
    assert drawn.milliseconds(film.animated("light", None)) == film.milliseconds
    assert film_of(kind, smooth=True).milliseconds == film.milliseconds + (steps - 1) * 5 * 40


def test_layers_lie_as_in_the_still() -> None:
    film = film_of("dilation")
    now = 1200.0 / film.milliseconds * 4.5
    order = drawn.seen(film.animated("light", None), now)
    rays = max(place for place, one in enumerate(order) if 'class="ray"' in one)
    stones = [place for place, one in enumerate(order) if "data-grid" in one]
    assert rays < min(stones)


def test_motion_is_css_alone_and_ends_where_it_is_not_wanted() -> None:
    text = film_of("maxpool").animated("auto", None)
    assert not re.search(r"<script|<animate|<set|on\w+=|href|url\(|@import", text)
    assert re.search(r"@media\(prefers-reduced-motion:reduce\)\{[^}]*\{animation:none\}\}", text)
    assert "infinite" in text
    assert "step-end 2 both" in film_of("maxpool").animated("auto", 2)


def test_themes() -> None:
    film = film_of("maxpool")
    light, dark, auto = (film.still(0, theme) for theme in ("light", "dark", "auto"))
    assert ".surface{fill:#FFFFFF}" in light
    assert ".surface{fill:#1B1D1F}" in dark
    assert "#1B1D1F" not in light
    assert "#FFFFFF" not in dark
    assert (
        auto.index(".surface{fill:#FFFFFF}") < auto.index("@media(prefers-color-scheme:dark){") < auto.index("#1B1D1F")
    )
