"""What may happen around a run: each ends as it is documented, with nothing half-written."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

SLOW = """\
import time

from vidstyle.core import HostArray, image_filter


@image_filter
def slow(image: HostArray) -> HostArray:
    time.sleep(0.05)
    return image


STAGE = slow
"""
PIPELINE = """\
version: 1
chunk: {least: 4, most: 6}
stages:
  - use: decode/pyav
  - use: filter/slow
  - use: encode/pyav
    codec: ffv1
"""


@pytest.fixture
def slow_run(folder: Path, write_clip) -> Path:  # type: ignore[no-untyped-def]  # a fixture
    """The folder with p.yaml, of a twentieth of a second a frame, and in.mp4 of 40 frames."""
    plugin = folder / "plugins" / "filter" / "slow.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(SLOW)
    (folder / "p.yaml").write_text(PIPELINE)
    write_clip(folder / "in.mp4", count=40)
    return folder


def started(output: str) -> subprocess.Popen[str]:
    command = ["run", "p.yaml", "in.mp4", "-o", output, "--plugins", "plugins"]
    return subprocess.Popen(
        [sys.executable, "-m", "vidstyle", *command], stderr=subprocess.PIPE, text=True
    )


def ended(child: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Exit code, and the lines that are errors."""
    _, errors = child.communicate(timeout=60)
    assert "Traceback" not in errors
    return child.returncode, [line for line in errors.splitlines() if line.startswith("vidstyle: ")]


def wait_for_work(folder: Path, child: subprocess.Popen[str]) -> None:
    """Until there is a chunk or two."""
    while child.poll() is None and not any(
        path.stat().st_size >= 150_000 for path in folder.glob(".vidstyle/out-*.work")
    ):
        time.sleep(0.01)


def packets_digest(path: Path) -> str:
    """Of the video's packets; a Matroska file as a whole has a number of its own."""
    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            digest.update(bytes(packet))
    return digest.hexdigest()


@pytest.mark.slow
def test_a_folder_that_is_removed_meanwhile_is_an_output_error(slow_run: Path) -> None:
    (slow_run / "out").mkdir()
    child = started("out/out.mkv")
    wait_for_work(slow_run / "out", child)
    shutil.rmtree(slow_run / "out")
    code, errors = ended(child)
    assert (code, len(errors)) == (6, 1), errors


@pytest.mark.slow
def test_an_input_that_is_changed_meanwhile_is_an_input_error(slow_run: Path) -> None:
    child = started("out.mkv")
    wait_for_work(slow_run, child)
    os.utime(slow_run / "in.mp4", (1, 1))
    code, errors = ended(child)
    assert code == 3
    assert "was changed while it was read" in errors[0]
    assert not (slow_run / "out.mkv").exists()
    code, _ = ended(started("out.mkv"))
    assert code == 0


@pytest.mark.slow
def test_an_input_that_vanishes_meanwhile_is_an_input_error(slow_run: Path) -> None:
    child = started("out.mkv")
    wait_for_work(slow_run, child)
    (slow_run / "in.mp4").unlink()
    code, errors = ended(child)
    assert (code, len(errors)) == (3, 1), errors


@pytest.mark.slow
def test_ten_runs_side_by_side_are_all_right(slow_run: Path) -> None:
    children = [started(f"out{number}.mkv") for number in range(10)]
    assert [ended(child)[0] for child in children] == [0] * 10
    assert len({packets_digest(slow_run / f"out{number}.mkv") for number in range(10)}) == 1
    assert not list(slow_run.glob(".out*"))
    assert not list(slow_run.glob(".vidstyle/*.[wl]o*"))


@pytest.mark.slow
def test_a_second_run_on_one_output_is_refused_with_the_other_runs_name(
    slow_run: Path, write_clip
) -> None:  # type: ignore[no-untyped-def]  # a fixture
    write_clip(slow_run / "in.mp4", count=2000)
    first = started("out.mkv")
    wait_for_work(slow_run, first)
    code, errors = ended(started("out.mkv"))
    assert first.poll() is None
    # The process that works is a child of the one that was started.
    [child] = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
    first.terminate()
    assert code == 9
    assert f"process {child} on " in errors[0]
    assert ended(first)[0] == 143
