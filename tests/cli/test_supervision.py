"""What kills a run is one line and an exit code; its parent hands signals on and takes it along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.runner.odd_jobs import PIPELINE, PLUGIN


def write_pipeline(folder: Path, *, deed: str = "none", delay: float = 0) -> None:
    plugin = folder / "plugins" / "filter" / "odd.py"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    plugin.write_text(PLUGIN)
    (folder / "p.yaml").write_text(PIPELINE.replace("DEED", deed).replace("DELAY", str(delay)))


def started() -> subprocess.Popen[str]:
    call = ["run", "p.yaml", "in.mp4", "-o", "out.mkv", "--plugins", "plugins", "--json"]
    return subprocess.Popen(
        [sys.executable, "-m", "vidstyle", *call],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_crash_is_one_line_and_a_code(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "in.mp4", count=3)
    write_pipeline(folder, deed="abort")
    child = started()
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 10
    assert errors.splitlines()[-1] == (
        "vidstyle: the process of the clip was ended by SIGABRT: a library crashed; if the sound is"
        " at fault, --set encode.audio=drop leaves it out"
    )
    assert not (folder / "out.mkv").exists()


def test_a_plugin_that_leaves_the_process_is_one_line_and_a_code(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "in.mp4", count=3)
    write_pipeline(folder, deed="leave")
    child = started()
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 10
    assert errors.splitlines()[-1] == "vidstyle: the process of the clip has ended with code 3"


def test_sound_that_crashes_its_decoder_is_one_line_and_a_code(folder, shared_data) -> None:  # type: ignore[no-untyped-def]  # fixtures
    clip = shared_data / "reports" / "sound-71.mov"
    call = ["run", "identity.yaml", str(clip), "-o", "out.mp4", "--set", "encode.codec=libx264"]
    done = subprocess.run(
        [sys.executable, "-m", "vidstyle", *call],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # A later FFmpeg may read it.
    assert done.returncode in (0, 10)
    assert done.stderr.splitlines()[-1].startswith(("wrote out.mp4", "vidstyle: the process of"))


@pytest.fixture
def running(folder, write_clip) -> Iterator[tuple[subprocess.Popen[str], int]]:  # type: ignore[no-untyped-def]  # fixtures
    """A run of some seconds under way, and the process that works."""
    write_clip(folder / "in.mp4", count=60)
    write_pipeline(folder, delay=0.1)
    child = started()
    assert child.stdout is not None
    while '"frame"' not in child.stdout.readline():
        pass
    listed = Path(f"/proc/{child.pid}/task/{child.pid}/children")
    if not listed.exists():
        pytest.skip("the system does not list the children of a process")
    (worker,) = map(int, listed.read_text().split())
    yield child, worker
    child.kill()
    child.communicate(timeout=30)


def wait_until(is_so: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not is_so() and time.monotonic() < end:
        time.sleep(0.02)
    return is_so()


def state_of(process: int) -> str:
    """Of a process, such as ``S`` or ``T``; empty where it is gone."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[0]


@pytest.mark.slow
def test_the_one_that_works_ends_with_its_parent(running) -> None:  # type: ignore[no-untyped-def]  # fixtures
    child, worker = running
    child.kill()
    assert wait_until(lambda: state_of(worker) in ("", "Z"))


@pytest.mark.slow
def test_a_pause_is_one_of_both(running) -> None:  # type: ignore[no-untyped-def]  # fixtures
    child, worker = running
    os.kill(child.pid, signal.SIGTSTP)
    assert wait_until(lambda: state_of(child.pid) == state_of(worker) == "T")
    os.kill(child.pid, signal.SIGCONT)
    assert wait_until(lambda: "T" not in (state_of(child.pid), state_of(worker)))
    output, errors = child.communicate(timeout=60)
    assert child.returncode == 0, errors
    assert '"done": 60' in output


@pytest.mark.slow
def test_one_signal_is_one_signal(running) -> None:  # type: ignore[no-untyped-def]  # fixtures
    child, _ = running
    os.kill(child.pid, signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "frames are stored: the same command resumes after them" in errors
