"""Two batches at the same time on one output folder never mix what other options make."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from vidstyle.cli.main import run_command
from vidstyle.runner.storage.records import FOLDER

PLUGIN = """\
import time
from pathlib import Path
from vidstyle.core import HostArray, image_filter

@image_filter
def patient(image: HostArray) -> HostArray:
    Path("begun").touch()
    while not Path("go").exists():
        time.sleep(0.02)
    return 1 - image

STAGE = patient
"""
PIPELINE = """\
version: 1
stages:
  - use: decode/pyav
  - use: filter/patient
  - use: encode/pyav
    codec: ffv1
"""
BATCH = ["batch", "p.yaml", "clips", "-o", "out", "--plugins", "plugins", "--jobs", "1"]


@pytest.fixture
def clips(folder: Path, write_clip: Callable[..., Path]) -> Path:
    """Four clips, and a pipeline that waits until it may go on."""
    for name in "abcd":
        write_clip(folder / "clips" / f"{name}.mp4", count=8)
    (folder / "plugins" / "filter").mkdir(parents=True)
    (folder / "plugins" / "filter" / "patient.py").write_text(PLUGIN)
    (folder / "p.yaml").write_text(PIPELINE)
    return folder


def begin() -> subprocess.Popen[bytes]:
    """A batch in a process of its own, when its first clip has begun."""
    Path("begun").unlink(missing_ok=True)
    child = subprocess.Popen([sys.executable, "-m", "vidstyle", *BATCH])
    while not Path("begun").exists():
        assert child.poll() is None
        time.sleep(0.02)
    return child


def test_a_batch_with_other_options_is_refused_while_one_is_at_work(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with begin() as first:
        # Whatever it wants of outputs that are there, and of which sources.
        for more in ([], ["--redo"], ["--overwrite"], ["--include", "d.mp4"]):
            assert run_command([*BATCH, "--frames", "1:7", *more]) == 9
            (line,) = capfd.readouterr().err.splitlines()[-1:]
            assert f"another batch (process {first.pid} on " in line
            assert "is at work in out with other options: frames was 0:, is 1:7; wait" in line
        several = ["run", "p.yaml", "clips/a.mp4", "clips/b.mp4", *BATCH[3:], "--frames", "1:7"]
        assert run_command(several) == 9
        assert {path.name for path in (clips / "out").iterdir()} == {FOLDER}
        # One with the same options shares the work.
        with begin() as second:
            (clips / "go").touch()
            assert second.wait(60) == 0
        assert first.wait(60) == 0
    made = [json.loads(path.read_text()) for path in (clips / "out" / FOLDER).glob("*.json")]
    assert [entry["stamp"]["frames"]["frames"] for entry in made] == ["0:"] * 4
    assert not list((clips / "out" / FOLDER).glob("*.claim*"))
    # Now somebody has to say what is to become of what is there.
    assert run_command([*BATCH, "--frames", "1:7"]) == 6


def test_a_claim_of_a_dead_process_does_not_hold(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with begin() as first:
        first.send_signal(signal.SIGKILL)
    assert list((clips / "out" / FOLDER).glob("*.claim"))
    (clips / "go").touch()
    assert run_command([*BATCH, "--frames", "1:3", "--redo"]) == 0, capfd.readouterr().err
    assert len(list((clips / "out").glob("*.mkv"))) == 4
    assert not list((clips / "out" / FOLDER).glob("*.claim*"))
