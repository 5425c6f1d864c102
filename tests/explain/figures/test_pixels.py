"""Figures as pixels: of the size that is stated, in one palette, not blank; what no font has is said."""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fieldstone.errors import FieldstoneError, MissingExtraError
from fieldstone.explain.figures.film import Film
from fieldstone.explain.figures.kinds import KINDS, make
from fieldstone.explain.figures.pixels import Fonts, family_of, gif, png
from fieldstone.explain.figures.stage import Look, filmed
from fieldstone.verbs.figure import Form, figure

pytest.importorskip("resvg_py", reason="pixels need fieldstone[figures]")


def film_of(kind: str, language: str = "en", smooth: bool = False) -> Film:
    return filmed(make(kind, {}, Look(language=language), None), smooth)


@cache
def held_gif(kind: str, smooth: bool = False) -> bytes:
    return gif(film_of(kind, smooth=smooth), "light", None, Fonts())


@pytest.mark.parametrize(("kind", "theme"), [*((kind, "light") for kind in KINDS), ("conv", "dark"), ("field", "dark")])
def test_a_png_is_twice_the_svg_and_has_its_colours(kind: str, theme: str) -> None:
    film = film_of(kind)
    image = Image.open(io.BytesIO(png(film, film.steps[-1], theme, Fonts()))).convert("RGB")
    assert image.size == (2 * film.width, 2 * film.height)
    assert image.getpixel((3, 3)) == {"light": (255, 255, 255), "dark": (27, 29, 31)}[theme]
    ink = {"light": (29, 28, 26), "dark": (241, 239, 233)}[theme]
    pixels = np.asarray(image).reshape(-1, 3)
    assert (pixels == ink).all(axis=1).sum() > 200
    assert len(np.unique(pixels, axis=0)) > 20


def test_the_winner_is_yellow_and_the_output_green() -> None:
    film = film_of("maxpool")
    pixels = np.asarray(Image.open(io.BytesIO(png(film, 0, "light", Fonts()))).convert("RGB")).reshape(-1, 3)
    for colour, stones in (((255, 210, 74), 2), ((10, 125, 76), 1)):
        assert (pixels == colour).all(axis=1).sum() > stones * 0.7 * 96 * 96


@pytest.mark.parametrize(("kind", "steps"), [("maxpool", 9), ("dilation", 9), ("padding", 1), ("gridding", 4)])
def test_a_gif_has_a_frame_a_step_in_one_palette(kind: str, steps: int) -> None:
    film = film_of(kind)
    image = Image.open(io.BytesIO(held_gif(kind)))
    assert (image.n_frames, image.size) == (steps, (film.width, film.height))  # type: ignore[attr-defined]
    colours, times = [], []
    for frame in range(steps):
        image.seek(frame)
        times.append(image.info["duration"] if steps > 1 else 2600)
        colours.append(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0))
        assert image.convert("RGBA").getextrema()[3] == (255, 255)
    assert len(np.unique(np.concatenate(colours), axis=0)) <= 256
    assert times == [1200] * (steps - 1) + [2600]


@pytest.mark.parametrize(("kind", "smooth"), [("maxpool", True), ("conv", False), ("dilation", False)])
def test_nine_steps_take_at_most_300_kb(kind: str, smooth: bool) -> None:
    assert len(held_gif(kind, smooth)) <= 300_000


@pytest.mark.parametrize("smooth", [False, True])
def test_frames_hold_what_changes_in_the_colours_of_all(smooth: bool) -> None:
    """By the layout of GIF89a: a table for the file and none for a frame, with the place of what stays as it was."""
    data = held_gif("maxpool", smooth)
    table = 2 ** ((data[10] & 7) + 1)
    controls = [match.start() for match in re.finditer(rb"\x21\xf9\x04....\x00\x2c", data, re.DOTALL)]
    assert len(controls) == len(film_of("maxpool", smooth=smooth).frames)
    assert data[controls[0] + 3] & 1 == 0
    for at in controls[1:]:
        assert data[at + 3] & 1 == 1
        assert data[at + 6] < table
        assert data[at + 17] & 128 == 0
        assert int.from_bytes(data[at + 15 : at + 17], "little") < film_of("maxpool").height


@pytest.mark.parametrize("smooth", [False, True])
def test_frames_show_what_the_svg_of_their_step_shows(smooth: bool) -> None:
    film = film_of("maxpool", smooth=smooth)
    image = Image.open(io.BytesIO(held_gif("maxpool", smooth)))
    for step in (0, 4, 8):
        image.seek(step)
        still = Image.open(io.BytesIO(png(film, step, "light", Fonts()))).convert("RGB").reduce(2)
        away = np.abs(np.asarray(image.convert("RGB"), float) - np.asarray(still, float)).mean()
        assert away < 1


@pytest.mark.parametrize(("loop", "expected"), [(None, 0), (1, None), (3, 2)])
def test_how_often_a_gif_plays(loop: int | None, expected: int | None) -> None:
    image = Image.open(io.BytesIO(gif(film_of("field"), "light", loop, Fonts())))
    assert image.info.get("loop") == expected


def test_what_no_font_has_is_said_with_the_remedy() -> None:
    none = Fonts(installed=False)
    with pytest.raises(
        FieldstoneError, match=r"no font has a glyph for \( \) , .*…; give --font, the file of a font that has"
    ):
        png(film_of("maxpool", "ko"), 0, "light", none)


def test_a_font_of_ones_own(tmp_path: Path) -> None:
    here = Path(__import__("matplotlib").get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    assert family_of(here) == "DejaVu Sans"
    film = film_of("maxpool")
    assert png(film, 0, "light", Fonts((str(here),), installed=False))[:4] == b"\x89PNG"
    with pytest.raises(FieldstoneError, match="no font has a glyph for 값 개 댓 도 력 우 윈 입 …; give --font"):
        png(film_of("maxpool", "ko"), 0, "light", Fonts((str(here),), installed=False))
    (tmp_path / "no.ttf").write_text("no font")
    with pytest.raises(FieldstoneError, match=r"no.ttf: is no font that can be read; give a .ttf"):
        family_of(tmp_path / "no.ttf")


def test_without_resvg_nothing_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in ("max.png", "max.gif"):
        with pytest.raises(
            MissingExtraError, match=r"pixels need the package resvg-py; pip install 'fieldstone\[figures\]'"
        ):
            figure("no such kind", str(tmp_path / name), {}, Look(), Form())
    figure("maxpool", str(tmp_path / "max.svg"), {}, Look(), Form(animate=True))
    assert [path.name for path in tmp_path.iterdir()] == ["max.svg"]
