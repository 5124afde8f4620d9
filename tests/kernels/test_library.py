"""The compiled library: it is built, it belongs to its sources, and it takes what it can read."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from vidstyle.kernels.library import can_run, has_kernels, readable, without_kernels

ROOT = Path(__file__).parents[2]
needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None, reason="there is no C compiler, so that nothing was compiled"
)
ASK = "from vidstyle.kernels.library import has_kernels; print(has_kernels())"


@needs_compiler
def test_this_package_has_its_kernels() -> None:
    assert has_kernels()
    assert can_run(360, 640)


@needs_compiler
def test_odd_sides_are_left_to_opencv() -> None:
    assert not can_run(361, 640)
    assert not can_run(360, 641)


def test_they_can_be_left_out_for_comparison() -> None:
    before = has_kernels()
    with without_kernels():
        assert not has_kernels()
    assert has_kernels() == before


def copy_of_the_package(folder: Path) -> Path:
    """The kernels with what they import, without a library, and what builds them."""
    skipped = shutil.ignore_patterns("kernels.*", "__pycache__")
    for name in ("kernels", "core"):
        shutil.copytree(ROOT / "vidstyle" / name, folder / "vidstyle" / name, ignore=skipped)
    for name in ("vidstyle/__init__.py", "hatch_build.py"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@needs_compiler
def test_a_library_of_other_sources_is_not_used(tmp_path: Path) -> None:
    folder = copy_of_the_package(tmp_path)
    assert run(folder, "-c", ASK).stdout == "False\n"
    built = run(folder, "hatch_build.py")
    assert (built.returncode, built.stderr) == (0, "")
    assert run(folder, "-c", ASK).stdout == "True\n"
    source = folder / "vidstyle/kernels/rows.h"
    source.write_text(source.read_text() + "/* Changed. */\n")
    assert run(folder, "-c", ASK).stdout == "False\n"


@pytest.mark.parametrize(
    ("compiler", "line"),
    [("no-such-compiler", "no C compiler"), ("false", "false failed")],
)
def test_without_a_compiler_one_line_says_so(tmp_path: Path, compiler: str, line: str) -> None:
    folder = copy_of_the_package(tmp_path)
    built = run(folder, "hatch_build.py", CC=compiler)
    assert built.returncode == 1
    assert line in built.stderr
    assert len(built.stderr.splitlines()) == 1
    assert run(folder, "-c", ASK).stdout == "False\n"


@pytest.mark.parametrize("array", [np.zeros((4, 6)), np.zeros((4, 5), np.float32)])
def test_what_a_kernel_would_misread_is_refused(array: npt.NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"takes float32 \(4, 6\)"):
        readable(array, 4, 6)


def test_what_does_not_lie_in_one_piece_is_copied() -> None:
    array = np.arange(24, dtype=np.float32).reshape(6, 4).T
    copy = readable(array, 4, 6)
    assert copy.flags.c_contiguous
    np.testing.assert_array_equal(copy, array)
    assert readable(copy, 4, 6) is copy
