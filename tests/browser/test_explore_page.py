"""The explorer's page as a whole, in a real browser: ways, languages, themes, keys, another image, hostile names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import fieldstone as fs
from explored_pages import seen_of, write_page
from fieldstone.explain.explorer.payload import Seen

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = Path(__file__).parent / "axe-core" / "axe.min.js"
HOSTILE = "<img src=x onerror=alert(1)>"
FOCUS_IN_THE_VIEW = "document.activeElement.matches('.step-view, .sheet-view')"
VIEWS = {
    "overview": "#/",
    "why": "#/why",
    "filters": "#/filters",
    "convolution": "#/block/3",
    "activation": "#/block/4",
    "fully connected": "#/block/8",
}


@pytest.fixture(scope="module")
def seen() -> Seen:
    found = seen_of(fs.Design.named("three-conv"), classes=(HOSTILE, *(f"class {place}" for place in range(1, 10))))
    return Seen.of(found.explored, f"{HOSTILE}.png", (10, 10), found.pixels)


@pytest.fixture(scope="module")
def path(seen: Seen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(seen, tmp_path_factory.mktemp("page") / "page.html")


@pytest.fixture
def shown(page_of: Callable[..., Page], path: Path) -> Callable[..., Page]:
    """`shown(address)` opens the page there."""

    def show(address: str = "", **options: Any) -> Page:
        page = page_of(path.as_uri() + address, **options)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    return show


@pytest.mark.parametrize("view", VIEWS)
def test_hostile_names_stay_text(shown: Callable[..., Page], view: str) -> None:
    page = shown(VIEWS[view])
    page.wait_for_timeout(300)
    assert page.locator("img[src=x], [onerror]").count() == 0
    assert HOSTILE in page.locator("body").inner_text()
    assert HOSTILE in page.title()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("width", "theme", "locale"), [(1440, "light", "en-US"), (1024, "dark", "ko-KR"), (390, "dark", "en-US")]
)
def test_nothing_hinders_people_who_hear_or_type(
    shown: Callable[..., Page], view: str, width: int, theme: str, locale: str
) -> None:
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": theme, "locale": locale}
    page = shown(VIEWS[view], **options)
    page.wait_for_timeout(500)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run().then(({ passes, violations }) => [passes.length, violations])")
    assert found[0] > 10
    assert found[1] == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_scrolls_one_way(shown: Callable[..., Page], view: str) -> None:
    page = shown(VIEWS[view], viewport={"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_browser_chooses_the_language_and_a_switch_changes_it(shown: Callable[..., Page]) -> None:
    page = shown(locale="ko-KR")
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.get_by_role("link", name="이 답의 이유").count() == 1
    page.get_by_role("button", name="English").click()
    page.get_by_role("link", name="Why this answer").wait_for()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.evaluate("document.activeElement.id") == "language"
    page.reload()
    page.get_by_role("link", name="Why this answer").wait_for()


@pytest.mark.parametrize("view", VIEWS)
def test_korean_says_everything(shown: Callable[..., Page], view: str) -> None:
    english, korean = (
        shown(VIEWS[view], locale=locale).locator("main h1, main h2, main nav a, main button")
        for locale in ("en-US", "ko-KR")
    )
    notation = {"relu", "flatten"}
    same = {text for text in english.all_inner_texts() if text.isalpha()} & set(korean.all_inner_texts())
    assert same <= notation


def test_the_theme_is_the_browsers_until_a_person_chooses(shown: Callable[..., Page]) -> None:
    page = shown(color_scheme="dark")
    picture = "document.querySelector('.maps-map[data-path=\"2\"] canvas').toDataURL()"
    page.wait_for_function("() => document.querySelector('.maps-map[data-path=\"2\"] canvas').width === 37")
    dark, ground = page.evaluate(picture), "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(19, 20, 21)"
    page.get_by_role("button", name="Light").click()
    assert page.evaluate(ground) == "rgb(246, 245, 241)"
    page.wait_for_function(f"dark => {picture} !== dark", arg=dark)
    page.reload()
    page.get_by_role("button", name="Dark").wait_for()


def test_every_block_opens_by_the_way_to_the_next(shown: Callable[..., Page]) -> None:
    page = shown("#/block/1")
    for number in range(2, 9):
        page.locator("nav a[rel=next]").click()
        page.wait_for_function(f"() => location.hash === '#/block/{number}' && {FOCUS_IN_THE_VIEW}")
    assert page.locator("nav a[rel=next]").count() == 0
    page.locator("nav a[rel=prev]").click()
    page.wait_for_function("() => location.hash === '#/block/7' && document.title.startsWith('flatten')")


def test_the_focus_goes_where_a_person_goes(shown: Callable[..., Page]) -> None:
    page = shown()
    page.get_by_role("link", name="Filters").press("Enter")
    page.wait_for_function(
        "() => document.activeElement.matches('h1') && document.activeElement.innerText.startsWith('Filters')"
    )
    page.keyboard.press("Escape")
    page.wait_for_function("() => location.hash === '#/' && document.activeElement.innerText.startsWith('three-conv')")
    page.go_back()
    page.wait_for_function("() => document.activeElement.innerText.startsWith('Filters')")


def test_an_address_that_means_nothing_is_the_overview(shown: Callable[..., Page]) -> None:
    assert "three-conv" in shown("#/block/77").locator("h1").inner_text()


def test_keys_are_listed(shown: Callable[..., Page]) -> None:
    page = shown("#/why")
    for place in ("body", "#theme", ".why-class"):
        page.evaluate("place => document.querySelector(place).focus()", place)
        page.keyboard.press("?")
        page.get_by_role("dialog", name="Keys").wait_for()
        page.keyboard.press("?")
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="hidden")
        assert page.evaluate("place => document.activeElement.matches(place)", place)
        assert page.url.endswith("#/why")
    page.keyboard.press("Escape")
    page.wait_for_function("() => location.hash === '#/'")


def test_a_question_mark_in_a_text_field_is_a_letter(shown: Callable[..., Page]) -> None:
    page = shown("#/block/4")
    page.locator(".field-channel input").focus()
    page.keyboard.press("?")
    assert page.get_by_role("dialog").count() == 0


@pytest.mark.parametrize(("block", "name"), [("3", "Convolution"), ("4", "relu"), ("8", "Fully connected")])
@pytest.mark.parametrize("way", ["address", "link", "map"])
def test_keys_act_once_a_layer_is_open(shown: Callable[..., Page], block: str, name: str, way: str) -> None:
    """Small enough that there is something to scroll, which Space must not do."""
    small: dict[str, Any] = {"viewport": {"width": 1024, "height": 420}, "reduced_motion": "reduce"}
    page = shown(f"#/block/{block}" if way == "address" else "", **small)
    if way == "link":
        page.locator(f'.entry-link[href="#/block/{block}"]').press("Enter")
    elif way == "map":
        page.locator(f'.maps-map[data-path="{block}"]').first.dblclick()
    page.wait_for_selector(".transport")
    page.get_by_role("region", name=name).wait_for()
    assert page.evaluate(FOCUS_IN_THE_VIEW)
    assert page.evaluate("document.documentElement.scrollHeight > innerHeight")
    act_by_keys(page)


def act_by_keys(page: Page) -> None:
    view = page.locator(".step-view, .sheet-view")
    step, steps = "Number(document.querySelector('[data-steps]').dataset.step)", view.get_attribute("data-steps")
    last = int(steps or 0) - 1
    for key, expected in (("Home", 0), ("ArrowRight", 1), ("ArrowLeft", 0), ("End", last), ("Home", 0)):
        page.keyboard.press(key)
        assert page.evaluate(step) == expected, key
    page.keyboard.press("Space")
    page.wait_for_function(f"() => {step} > 0")
    assert page.get_by_role("button", name="Pause").count() == 1
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="Play").count() == 1
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("block", ["3", "4"])
def test_a_click_on_the_empty_card_takes_the_keys_there(shown: Callable[..., Page], block: str) -> None:
    page = shown(f"#/block/{block}", reduced_motion="reduce")
    page.wait_for_selector(".transport")
    page.locator("#theme").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("[data-steps]").get_attribute("data-step") != "1"
    page.locator(".step-view, .sheet-view").click(position={"x": 6, "y": 12})
    assert page.evaluate(FOCUS_IN_THE_VIEW)
    act_by_keys(page)


def test_the_keys_stay_when_the_width_changes(shown: Callable[..., Page]) -> None:
    for block in ("3", "4"):
        page = shown(f"#/block/{block}", viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        page.wait_for_selector(".transport")
        page.set_viewport_size({"width": 800, "height": 900})
        page.wait_for_timeout(200)
        assert page.evaluate(FOCUS_IN_THE_VIEW)
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")  # one step alone: the keys are listened to once
        view = page.locator("[data-steps]")
        assert int(view.get_attribute("data-step") or 0) == int(view.get_attribute("data-steps") or 0) - 2


def test_why_shows_three_pictures_of_the_chosen_class(shown: Callable[..., Page], seen: Seen) -> None:
    page = shown("#/why")
    page.wait_for_selector(".figures-one >> nth=2")
    best = seen.told["outputs"]["probabilities"][0]["class"]
    assert page.locator('.why-class[aria-current="true"]').get_attribute("href") == f"#/why/{best}"
    page.locator(".why-class").nth(1).click()
    second = seen.told["outputs"]["probabilities"][1]["class"]
    name = seen.explored.classes[second]
    page.wait_for_function("name => document.querySelector('.figures-one p')?.innerText.includes(name)", arg=name)
    assert page.evaluate("document.activeElement.matches('.why-class[aria-current]')")


def test_why_knows_only_the_classes_of_its_file(shown: Callable[..., Page], seen: Seen) -> None:
    last = seen.told["outputs"]["probabilities"][-1]["class"]
    page = shown(f"#/why/{last}")
    page.get_by_text("This file says why for 3 classes").wait_for()


def test_light_is_the_image_where_the_map_is_one(shown: Callable[..., Page]) -> None:
    page = shown("#/why")
    pixels = page.evaluate("""async () => {
      const { lit } = await import("fieldstone/light"), image = new Image();
      const source = Object.assign(document.createElement('canvas'), { width: 2, height: 1 });
      source.getContext('2d').fillStyle = 'rgb(40, 80, 120)';
      source.getContext('2d').fillRect(0, 0, 2, 1);
      image.src = source.toDataURL();
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: 2, height: 1 });
      lit(canvas, image, (down, across) => (across < 0.5 ? 0 : 1));
      return [...canvas.getContext('2d').getImageData(0, 0, 2, 1).data];
    }""")
    faded = [round(0.25 * part + 0.75 * paper) for part, paper in zip((40, 80, 120), (0xF6, 0xF5, 0xF1), strict=True)]
    assert pixels[:3] == pytest.approx(faded, abs=1)
    assert pixels[4:7] == [40, 80, 120]


def test_agreement_is_the_shared_part_of_the_upper_halves(shown: Callable[..., Page]) -> None:
    random = np.random.default_rng(0)
    first, second = random.random((64, 64)), random.random((64, 64))
    marked = first >= first.max() / 2, second >= second.max() / 2
    shared = page_agreement(shown(), first, second)["shared"]
    assert shared == pytest.approx((marked[0] & marked[1]).sum() / (marked[0] | marked[1]).sum())


def page_agreement(page: Page, first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        """async maps => (await import("fieldstone/agreement")).agreement(...maps.map(values =>
            (down, across) => values[Math.floor(down * 64)][Math.floor(across * 64)]))""",
        [first.tolist(), second.tolist()],
    )
    return found


def test_a_file_takes_no_other_image(shown: Callable[..., Page]) -> None:
    page = shown()
    assert page.locator(".header-file").is_hidden()
    assert "This file holds one image." in page.locator(".notes").inner_text()
