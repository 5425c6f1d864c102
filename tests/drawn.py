"""Reading figures: their numbers, and what of a film is seen at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import numpy as np

SVG = "{http://www.w3.org/2000/svg}"
Cells = dict[tuple[int, int], float | None]


def tree(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def stones(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    return (element for element in root.iter(f"{SVG}g") if "data-grid" in element.attrib)


def grids(text: str) -> dict[str, Cells]:
    """By the name of a grid, by (row, column) its exact value; None where there is none yet."""
    found: dict[str, Cells] = {}
    for stone in stones(tree(text)):
        place = int(stone.attrib["data-row"]), int(stone.attrib["data-column"])
        value = stone.get("data-value")
        cells = found.setdefault(stone.attrib["data-grid"], {})
        assert place not in cells, "a cell is drawn twice"
        cells[place] = None if value is None else float(value)
    return found


def array(cells: Cells) -> np.ndarray:
    """The cells as an array; those without a value are NaN. Rows and columns may begin below 0."""
    rows, columns = (sorted({place[axis] for place in cells}) for axis in (0, 1))
    assert len(cells) == len(rows) * len(columns)
    values = [[cells[row, column] for column in columns] for row in rows]
    return np.array([[np.nan if value is None else value for value in row] for row in values])


def real(cells: Cells, sides: tuple[int, int]) -> np.ndarray:
    """Those within the map."""
    return array(
        {place: value for place, value in cells.items() if all(map(lambda at, side: 0 <= at < side, place, sides))}
    )


def milliseconds(text: str) -> int:
    """How long a film takes."""
    return int(re.findall(r"animation:(\d+)ms", text)[0])


def seen(text: str, share: float, *, still: bool = False) -> list[str]:
    """The elements that are seen when so much of a film is over, 0 to 1, in order; `still`: where none is to move."""
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    body = tree(text).find(f"{SVG}g")
    assert body is not None
    found: list[str] = []
    for element in body:
        name = element.get("class", "")
        if not re.fullmatch(r"f\d+-\d+", name):
            found.append(ElementTree.tostring(element, encoding="unicode"))
        elif at_rest(style[1], name) if still else at(style[1], name, 100 * share):
            found += [ElementTree.tostring(one, encoding="unicode") for one in element]
    return [one.strip() for one in found]


def at(style: str, name: str, percent: float) -> bool:
    """Whether a class is visible then: each keyframe of `step-end` holds until the next."""
    (frames,) = re.findall(rf"@keyframes {name}\{{((?:[\d.e-]+%\{{[^}}]*\}})*)\}}", style)
    marks = [(float(mark), value) for mark, value in re.findall(r"([\d.e-]+)%\{visibility:(\w+)\}", frames)]
    assert [mark for mark, _ in marks] == sorted(mark for mark, _ in marks)
    assert marks[0][0] == 0
    assert marks[-1][0] == 100
    return [value for mark, value in marks if mark <= percent + 1e-9][-1] == "visible"


def at_rest(style: str, name: str) -> bool:
    """Whether it is visible without the animation."""
    (rest,) = re.findall(rf"\.{name}\{{animation-name:{name}([^}}]*)\}}", style)
    return "visibility:visible" in rest
