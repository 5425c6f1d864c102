"""The structure: imports run one way, and what needs no torch loads none."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fieldstone

SOURCE = Path(fieldstone.__file__).parent

LEVELS = [
    {"errors", "geometry", "files", "progress"},
    {"design"},
    {"analysis", "network", "data", "tasks"},
    {"model"},
    {"training"},
    {"explain", "report"},
    {"verbs"},
    {"commands"},
    {"cli"},
]
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names}
EXEMPT = {"__init__.py", "__main__.py"}
"""The doors on top: they load what they are asked for."""

WITHOUT_TORCH = {"errors", "geometry", "files", "progress", "design", "analysis"}
WITH_TORCH = SOURCE / "analysis" / "module"
"""The one part of them that needs it: it looks at modules, and is loaded where one is given."""

HEAVY = ("torch", "fieldstone.analysis.module")


def modules() -> list[Path]:
    return [path for path in sorted(SOURCE.rglob("*.py")) if str(path.relative_to(SOURCE)) not in EXEMPT]


def imported(path: Path) -> set[str]:
    """The modules that a file imports, those within functions and for type checkers included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_run_one_way(path: Path) -> None:
    here = room(path)
    there = {name.split(".")[1] for name in imported(path) if name.startswith("fieldstone.")} & LEVEL.keys()
    wrong = {name for name in there - {here} if LEVEL[name] >= LEVEL[here] and LEVEL[here] > 0}
    wrong |= {name for name in there - {here} if LEVEL[here] == 0 and LEVEL[name] > 0}
    assert not wrong, f"{path} imports {wrong}, which stand beside or above it"


def test_every_file_and_folder_has_its_level() -> None:
    assert {room(path) for path in modules()} == LEVEL.keys()


@pytest.mark.parametrize("name", sorted(WITHOUT_TORCH))
def test_what_needs_no_torch_never_imports_it(name: str) -> None:
    files = [path for path in modules() if room(path) == name and WITH_TORCH not in path.parents]
    heavy = {path.name: {one for one in imported(path) if one.startswith(HEAVY)} for path in files}
    assert files
    assert not any(heavy.values()), heavy


def test_folders_have_empty_doors() -> None:
    assert [str(path) for path in SOURCE.glob("*/**/__init__.py") if path.read_text(encoding="utf-8").strip()] == []


@pytest.mark.parametrize(
    "code",
    [
        "import fieldstone",
        "import fieldstone; fieldstone.Design, fieldstone.Recipe, fieldstone.inspect",
        "import fieldstone; repr(fieldstone.trace('maxpool 2', [[1, 2], [3, 4]]))",
        "from fieldstone.cli import run; assert run(['--help']) == 0",
        "from fieldstone.cli import run; assert run(['inspect', 'resnet-18']) == 0",
        "from fieldstone.cli import run; assert run(['designs']) == 0",
    ],
)
def test_what_needs_no_torch_loads_none(code: str) -> None:
    check = f"import sys\n{code}\nassert 'torch' not in sys.modules and 'torchvision' not in sys.modules"
    subprocess.run([sys.executable, "-c", check], check=True, capture_output=True)


def test_every_public_name_is_there() -> None:
    assert all(getattr(fieldstone, name) is not None for name in fieldstone.__all__)
    assert set(fieldstone.__all__) <= set(dir(fieldstone))
