"""Every addition that ``docs/extending.md`` shows is made to a copy of the package, and works."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vidstyle.cli.main import run_command

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text()
ALL = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
# Sections without that line have a test of their own.
SECTIONS = {title: text for title, text in ALL.items() if "\nProduct files: " in text}
BLOCK = re.compile(
    r"^In `(?P<file>[^`]+)`:$"
    r"|^```(?P<kind>\w+)\n(?P<text>.*?)^```$"
    r"|^    vidstyle (?P<command>[^\n]+)$",
    re.MULTILINE | re.DOTALL,
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four frames of the sample clip."""
    folder = tmp_path_factory.mktemp("clip")
    cut = ["run", "identity", str(ROOT / "samples" / "demo.mp4"), "-o", str(folder / "input.mp4")]
    assert run_command([*cut, "--frames", "0:4", "--set", "encode.codec=libx264"]) == 0
    return folder / "input.mp4"


@pytest.fixture
def copy(tmp_path: Path, clip: Path) -> Path:
    """A folder with a copy of the package and a short clip."""
    shutil.copytree(
        ROOT / "vidstyle", tmp_path / "vidstyle", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(ROOT / "pipelines", tmp_path / "vidstyle" / "pipelines")
    shutil.copy(clip, tmp_path)
    return tmp_path


def run(folder: Path, arguments: list[str]) -> None:
    python(folder, ["-m", "vidstyle", *arguments])


def python(folder: Path, arguments: list[str]) -> None:
    """Run Python where the copy is the package that is imported."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.join(arguments)}\n{done.stdout}{done.stderr}"


def apply_diff(path: Path, diff: str) -> None:
    """Replace the lines with space or minus by those with space or plus; they occur once."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    text = path.read_text()
    assert text.count(before) == 1, f"{path.name} has other lines than the page:\n{before}"
    path.write_text(text.replace(before, after))


def make_additions(folder: Path, section: str) -> set[str]:
    """Apply the blocks of a section and run its commands. Returns the product files it changes."""
    file, changed = "", set()
    for block in BLOCK.finditer(section):
        if block["file"]:
            file = block["file"]
        elif block["command"]:
            run(folder, shlex.split(block["command"]))
        elif block["kind"] == "diff":
            apply_diff(folder / file, block["text"])
            changed.add(file)
        elif new := re.match(r"# (\S+/?\S*\.\w+)\n", block["text"]):
            path = folder / new[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["text"].removeprefix(new[0]))
            changed.add(new[1])
        else:
            assert block["kind"] == "python", f"a block of {block['kind']} without a file"
            python(folder, ["-c", block["text"]])
    return {name for name in changed if name.startswith("vidstyle/")}


@pytest.mark.slow
@pytest.mark.parametrize("title", SECTIONS)
def test_an_addition_works_in_as_many_product_files_as_the_page_has(title: str, copy: Path) -> None:
    changed = make_additions(copy, SECTIONS[title])
    counts = re.search(r"^Product files: (.+)\.$", SECTIONS[title], re.MULTILINE)
    assert counts is not None
    assert len(changed) <= max(map(int, re.findall(r"\d+", counts[1])))


def test_every_section_shows_code_and_runs_something() -> None:
    assert "Add a codec" in SECTIONS
    for section in SECTIONS.values():
        kinds = [block["kind"] for block in BLOCK.finditer(section)]
        assert any(kinds)
        assert BLOCK.search(section)


def test_a_diff_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("x = 1\ny = 2\n")
    with pytest.raises(AssertionError, match="other lines"):
        apply_diff(path, "-z = 3\n+z = 4\n")
    apply_diff(path, " x = 1\n-y = 2\n+y = 3\n")
    assert path.read_text() == "x = 1\ny = 3\n"
