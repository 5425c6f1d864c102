"""How the page writes numbers and mixes colours: as Fieldstone's own drawings, NumPy and the browser do."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldstone.explain.numerals import number
from step_pages import write_any_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RANDOM = np.random.default_rng(11)
VALUES = [
    *(RANDOM.normal(size=400) * 10.0 ** RANDOM.integers(-8, 8, 400)).astype(np.float32).tolist(),
    *(0.0, -0.0, 1.0, -3.0, 0.25, 99.996, 123.4, 1234.5, 99999.0, 1e5, 16777216.0, 3.4e38, 1e-45, 1.1754944e-38),
    *(float("inf"), float("-inf"), float("nan")),
]


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Any:
    page = browser.new_page()
    page.goto(write_any_page(tmp_path_factory.mktemp("page")).as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    yield page
    page.close()


def asked(page: Page, call: str, values: list[Any]) -> list[Any]:
    """What a call such as `numbers.term(value)`, of a module of the page, gives for each of the values."""
    module = call.split(".")[0]
    script = f"const {module} = await import('fieldstone/{module}'); return values.map(value => {call})"
    answers: list[Any] = page.evaluate(f"async values => {{ {script} }}", values)
    return answers


def test_numbers_in_arithmetic_are_those_of_the_traces(page: Page) -> None:
    """But for the comma of thousands."""
    for value, text in zip(VALUES, asked(page, "numbers.term(value)", VALUES), strict=True):
        if Fraction(abs(value) if np.isfinite(value) else 0) % 1 == Fraction(1, 2):
            continue  # half: JavaScript rounds it away from 0, Python to the even number
        assert text.replace(",", "") == number(value), value
        assert "," not in text or re.search(r"\d,\d{3}$", text), text


def test_the_exact_text_is_the_shortest_that_reads_back(page: Page) -> None:
    for value, text in zip(VALUES, asked(page, "numbers.exact(value)", VALUES), strict=True):
        np.testing.assert_equal(np.float32(text.replace("Infinity", "inf")), np.float32(value))
        if np.isfinite(value):
            assert digits(text) == digits(str(np.float32(value))), value


def digits(text: str) -> int:
    """How many significant ones a number is written with."""
    return len(re.sub(r"e.*|[-.]", "", text).strip("0"))


def test_a_cell_never_holds_more_than_fits_nor_a_number_that_misleads(page: Page) -> None:
    for characters in (2, 3, 4, 6):
        (texts,) = asked(page, f"numbers.fit(value, {characters})", [VALUES])
        for value, text in zip(VALUES, texts, strict=True):
            assert len(text) <= characters
            if text and np.isfinite(value):
                read = float(text.replace("−", "-").replace(",", ""))
                assert abs(read - value) <= max(0.51 if abs(value) >= 10 else 0.051, 0.005 * abs(value))
                assert value == read or "." in text or abs(value) >= 10 or "e" in text


def test_shares(page: Page) -> None:
    shares = [0, 1, 0.913, 0.9999, 0.99949, 0.0001, 0.5, 1e-12]
    expected = ["0 %", "100 %", "91.3 %", "> 99.9 %", "99.9 %", "< 0.1 %", "50.0 %", "< 0.1 %"]
    assert asked(page, "numbers.percent(value)", shares) == expected
    assert asked(page, "numbers.percent(NaN)", [0]) == ["NaN"]
    assert asked(page, "numbers.count(value)", [0, 999, 1000, 1234567]) == ["0", "999", "1,000", "1,234,567"]


SMALL = 0.015625
SHORT = st.one_of(st.integers(-40, 40).map(float), st.floats(-200, 200, width=32), st.floats(-SMALL, SMALL, width=32))


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_line_says_equal_only_where_it_is_true_as_written(page: Page, data: st.DataObject) -> None:
    """Of the numbers that are written, in exact fractions."""
    lines = []
    for _ in range(25):
        products = data.draw(st.lists(st.lists(SHORT, min_size=1, max_size=2), min_size=1, max_size=4))
        total = sum((written(product) for product in products), Fraction())
        result = data.draw(st.sampled_from([float(total), float(total) + 1, data.draw(SHORT)]))
        lines.append((products, result, total == written([result])))
    given_lines = [[products, result] for products, result, _ in lines]
    signs = asked(page, "numbers.equals(...value)", given_lines)
    assert signs == ["=" if equal else "≈" for *_, equal in lines]


def written(product: list[float]) -> Fraction:
    made = Fraction(1)
    for value in product:
        made *= Fraction(number(value).replace("−", "-"))
    return made


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_canvases_mix_colours_as_the_browser_does(page: Page, theme: str) -> None:
    """A pixel of a signed map is CSS's own mix in OKLab; the ends of a map are the ends of its scale."""
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    shares = [-1, -0.7, -0.31, 0, 0.2, 0.55, 1]
    own = asked(page, "colours.signedColour(value)", shares)
    mixed = page.evaluate(
        """shares => shares.map(share => {
          const probe = document.createElement("div"), pole = share < 0 ? "neg" : "pos";
          probe.style.color = `color-mix(in oklab, var(--${pole}) ${Math.abs(share) * 100}%, var(--surface))`;
          document.body.append(probe);
          const canvas = new OffscreenCanvas(1, 1), context = canvas.getContext("2d");
          context.fillStyle = getComputedStyle(probe).color;
          context.fillRect(0, 0, 1, 1);
          return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3) })""",
        shares,
    )
    np.testing.assert_allclose(own, mixed, atol=1)
    tokens = page.evaluate("""() => [0, 8].map(at =>
      getComputedStyle(document.documentElement).getPropertyValue(`--map-${at}`).trim())""")
    ends = asked(page, "colours.mapColour(value)", [0, 1])
    assert [f"#{''.join(f'{part:02X}' for part in end)}" for end in ends] == tokens


def test_a_scale_is_from_zero_or_about_it(page: Page) -> None:
    scales = asked(page, "colours.scaleOf(value)", [[0, 2, 5], [1, -7, 3], [0, 0], [float("nan"), float("inf"), 4]])
    expected = [(5, False), (7, True), (1, False), (4, False)]
    assert [(scale["most"], scale["signed"]) for scale in scales] == expected
