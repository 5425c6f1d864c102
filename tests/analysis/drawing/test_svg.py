"""The text of a drawing: to the character for one, well formed for all, and nothing unsaid."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given

import fieldstone as fs
import places
import strategies
from fieldstone.analysis.drawing.colours import MONO, SANS, SUNKEN, SURFACE
from fieldstone.analysis.drawing.svg import draw
from fieldstone.analysis.summary import Summary

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[3]
SVG = "{http://www.w3.org/2000/svg}"


def tree(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def texts(root: ElementTree.Element, kind: str = "text") -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}{kind}")]


@pytest.mark.parametrize(
    ("name", "file"),
    [("three-conv", HERE / "three-conv.svg"), ("resnet-18", ROOT / "docs" / "pictures" / "resnet-18.svg")],
)
def test_the_drawing_to_the_character(name: str, file: Path) -> None:
    """Both are written anew by `fieldstone inspect NAME --svg FILE`; look at them then."""
    assert fs.inspect(name).to_svg() == file.read_text(encoding="utf-8")


@given(strategies.designs())
def test_every_block_is_said_with_its_numbers(design: fs.Design) -> None:
    summary = fs.inspect(design, classes=places.OUTPUTS)
    root = tree(summary.to_svg())
    said = "\n".join(texts(root, "title"))
    for row in summary.subject.order:
        # Of folded passes the first is there; so the path may name another pass.
        path = re.sub(r"(?<=\\\.)\d+(?=\\\.)", r"\\d+", re.escape(row.path))
        shape = "×".join(map(str, row.output_shape)) if not folded(row.path, summary) else ".*"
        assert re.search(rf"^{path} {re.escape(row.block.text())}: {shape}", said, re.MULTILINE), row.path


def folded(path: str, summary: Summary) -> bool:
    return any(row.block.keyword == "repeat" and path.startswith(f"{row.path}.") for row in summary.rows)


def test_totals_and_words_are_readable() -> None:
    root = tree(fs.inspect("three-conv").to_svg())
    assert texts(root)[:2] == ["three-conv", "input 3×39×39 · 44,950 parameters · 2,814,230 multiply-adds"]
    assert {"conv 20 5", "stride=2", "relu", "20×17×17", "sees 7", "linear classes", "10", "sees all"} <= set(
        texts(root)
    )
    sizes = {float(element.get("font-size", 12)) for element in root.iter(f"{SVG}text")}
    assert min(sizes) >= 12
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"


@given(strategies.words())
def test_any_name_is_text(name: str) -> None:
    subject = fs.inspect("three-conv").subject
    root = tree(draw(name, subject))
    allowed = re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", name)
    expected = allowed.replace("\r\n", "\n").replace("\r", "\n")
    assert texts(root, "title")[0] == expected
    assert len(list(root.iter())) >= len(list(tree(draw("x", subject)).iter())) - 1


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "]]>&amp;\"'", "한국어 이름 " * 60, "x" * 3000])
def test_hostile_and_long_names_stay_text_on_the_page(name: str) -> None:
    root = tree(draw(name, fs.inspect("three-conv").subject))
    assert texts(root, "title")[0] == name
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {"svg", "title", "rect", "text", "g", "path"}
    width = float(root.get("width", 0))
    title = [element.text or "" for element in root.iter(f"{SVG}text") if element.get("font-size") == "20"]
    said = "".join(title).replace(" ", "")
    assert said == name.replace(" ", "") or (
        len(title) == 3 and name.replace(" ", "").startswith(said.removesuffix("…"))
    )
    wide = [sum(20 if ord(letter) > 0x1100 else 12 for letter in line) for line in title]
    assert max(wide) <= width - 48


def test_nothing_is_fetched_or_run() -> None:
    text = fs.inspect("resnet-18").to_svg()
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<(script|style|image|use|foreignObject|a)\b|\bon\w+=|url\(|@import", text)
    assert text == fs.inspect("resnet-18").to_svg()


@pytest.mark.parametrize("family", [SANS, MONO])
def test_text_has_a_font_where_the_general_words_mean_none(family: str) -> None:
    """To resvg `sans-serif` is Arial, and a text without a font is left out: each system's own has to be named."""
    named = {name.strip().strip("'") for name in family.split(",")}
    installed = [{"Segoe UI", "Consolas"}, {"-apple-system", "Menlo"}, {"DejaVu Sans", "DejaVu Sans Mono"}]
    assert all(named & fonts for fonts in installed)


def test_a_renderer_with_fonts_of_its_own_draws_the_title() -> None:
    """Where resvg is installed: the title's place is not empty."""
    resvg = pytest.importorskip("resvg_py")
    text = fs.inspect("three-conv").to_svg()
    without = re.sub(r'<text [^>]*font-size="20".*?</text>', "", text)
    assert bytes(resvg.svg_to_bytes(svg_string=text)) != bytes(resvg.svg_to_bytes(svg_string=without))


def test_a_map_is_grey_where_a_block_in_bold_made_it() -> None:
    """A convolution and a squeeze-and-excite multiply by weights; what normalises or scales has parameters too."""
    paths = [["conv 8 3 padding=1"], ["layernorm"], ["batchnorm"], ["prelu"], ["squeezeexcite 2"]]
    design = fs.Design((4, 8, 8), [{"branches concat": paths}, "globalavgpool", "linear classes"])
    root = tree(fs.inspect(design).to_svg())
    bold = {text.text for text in root.iter(f"{SVG}text") if text.get("font-weight") == "700"}
    assert bold == {"design", "conv 8 3", "squeezeexcite 2", "linear classes"}
    fills = {}
    for group in root.iter(f"{SVG}g"):
        fills |= {title.split()[1].rstrip(":"): {rect.get("fill") for rect in group.iter(f"{SVG}rect")}
                  for title in texts(group, "title")[:1]}  # fmt: skip
    grey = {block for block, fill in fills.items() if SUNKEN in fill}
    assert grey == {"conv", "squeezeexcite"}
    assert all(SURFACE in fills[block] for block in ("layernorm", "batchnorm", "prelu"))
