"""Every fenced block of the documentation runs: designs, Python, and commands of Fieldstone. There are no others."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
import torch

import fieldstone as fs
from fieldstone.analysis.arithmetic import explain
from fieldstone.analysis.comparison import compare
from fieldstone.cli import run
from torchvision_by_hand import resnet18, resnet50

ROOT = Path(__file__).parents[1]
TUTORIALS = sorted((ROOT / "docs").glob("tutorial.*.md"))  # they run from top to bottom, in test_tutorial.py
PAGES = [ROOT / "README.md", *sorted({*(ROOT / "docs").glob("*.md")} - {*TUTORIALS})]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(page: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with photos/ and new/, as the pages have it; for weights torchvision's names, for figures tables."""
    shutil.copytree(photos, tmp_path / "photos")
    (tmp_path / "new").mkdir()
    for number, file in enumerate(sorted(photos.rglob("*.png"))[:3], 1):
        shutil.copy(file, tmp_path / "new" / f"{number}.jpg")  # the decoder looks at the bytes, not at the name
    if page.name == "weights.md":
        torch.save(resnet18().state_dict(), tmp_path / "resnet18.pth")
    if page.name == "training.md":
        own = next(block for block in blocks(page, "python") if "class MyNetwork" in block)
        (tmp_path / "nets.py").write_text(own.partition("\nmodel =")[0], encoding="utf-8")
        monkeypatch.delitem(sys.modules, "nets", raising=False)
    if page.name == "figures.md":
        for table in (ROOT / "docs" / "figures").glob("*.csv"):
            shutil.copy(table, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", [*PAGES, *TUTORIALS, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_code_in_the_pages_is_fenced_and_says_its_language(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    fences = re.findall(r"^```(.*)\n(?:.*\n)*?```$", text, re.MULTILINE)
    assert set(fences) <= {"yaml", "sh", "python", "text"}
    assert len(re.findall(r"^ *```", text, re.MULTILINE)) == 2 * len(fences)
    outside = re.sub(r"^```.*\n(?:.*\n)*?```$", "", text, flags=re.MULTILINE)
    assert re.findall(r"\n\n((?: {4}|\t).*)", outside) == [], "an indented block is never run"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_designs_in_the_pages_are_designs(page: Path) -> None:
    for text in blocks(page, "yaml"):
        design = fs.Design.parse(text)
        assert fs.Design.parse(design.to_text()) == design
        assert fs.inspect(design).rows


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_pages_run(page: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            command, _, into = line.partition(">")
            words = shlex.split(command, comments=True)
            if words[:1] == ["fieldstone"]:
                assert run(words[1:]) == 0, line
                assert capsys.readouterr().out or into


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_in_the_pages_runs(page: Path, folder: Path) -> None:
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), {})


def test_the_readme_shows_what_inspect_prints(capsys: pytest.CaptureFixture[str]) -> None:
    page = ROOT / "README.md"
    command = next(block for block in blocks(page, "sh") if "inspect" in block)
    run(shlex.split(command)[1:])
    assert capsys.readouterr().out == blocks(page, "text")[0]


def test_the_page_on_designs_shows_the_arithmetic_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    page = ROOT / "docs" / "designs.md"
    command = next(block for block in blocks(page, "sh") if "--explain" in block)
    run(shlex.split(command)[1:])
    assert capsys.readouterr().out in blocks(page, "text")


def documented(row: str) -> set[str]:
    """The keys in the row of the table of what programs read: those of the object, not of the lists in it."""
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    line = next(line for line in page.splitlines() if line.startswith(f"| {row} |"))
    text = " ".join(re.findall(r"`([^`]*)`", line.split("|")[2]))
    return set(re.findall(r"\w+", re.sub(r"\{[^}]*\}", "", text)))


def test_every_key_of_inspect_is_documented() -> None:
    summary = fs.inspect("lenet-5", effective=True).to_json()
    assert set(summary) == documented("`inspect`")
    inner = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    assert f"totals: {{{', '.join(summary['totals'])}}}" in inner
    assert set().union(*summary["layers"]) | {"weights"} <= documented("one of `layers`")
    pairs = compare(fs.inspect("lenet-5"), fs.inspect("lenet-5")).to_json()
    assert set(pairs) <= documented("`inspect A B`")
    assert f"pairs: [{{{', '.join(pairs['pairs'][0])}}}]" in inner
    assert set(explain(fs.inspect("lenet-5").subject, "1").to_json()) == documented("`inspect --explain`")


@pytest.mark.parametrize("page", [ROOT / "docs" / "weights.md"], ids=lambda page: page.name)
def test_the_page_on_weights_shows_what_an_import_prints(
    page: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = shlex.split(blocks(page, "sh")[0].splitlines()[0])[1:]
    assert run(command) == 0
    assert capsys.readouterr().out == blocks(page, "text")[0]
    torch.save(resnet50().state_dict(), folder / "resnet50.pth")
    assert run([*(word.replace("resnet18", "resnet50") for word in command[:-1]), "other.safetensors"]) == 2
    said, shown = capsys.readouterr().err.splitlines(), blocks(page, "text")[1].splitlines()
    assert [*said[:2], "  …", said[-1]] == shown


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "findings").glob("FS*.md")), ids=lambda page: page.stem)
def test_the_command_says_of_the_networks_of_a_finding_what_its_page_says(
    page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = re.split(r"\n(?:Found in this network|Mended):\n", page.read_text(encoding="utf-8"))
    for part, found in zip(parts[1:], (True, False), strict=True):
        lines = [line.removeprefix("    ") for line in part.splitlines() if line.startswith("    ")]
        said = [line for line in lines if f" {page.stem} at " in line]
        options = [word for line in lines if line.startswith("# with ") for word in line.split()[2:]]
        (tmp_path / "net.yaml").write_text("\n".join(line for line in lines if line not in said), encoding="utf-8")
        run(["inspect", str(tmp_path / "net.yaml"), "--select", page.stem, *options])
        printed = capsys.readouterr().out.splitlines()
        assert printed[-len(said or "1") :] == (said or ["no findings"])
        assert bool(said) == found


def test_links_lead_somewhere() -> None:
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
