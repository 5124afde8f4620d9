"""The folder of a cluster goes, whoever still writes there, and nobody else is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vidstyle.core.stop import bid_farewell
from vidstyle.runner.execution.cluster_files import own_files, remove_with_users

# Fills a folder for ever, and starts another process that does, as a node starts workers.
WRITER = """
import os, subprocess, sys, time
from pathlib import Path
folder, deep = Path(sys.argv[1]), int(sys.argv[2])
if deep:
    subprocess.Popen([sys.executable, "-c", os.environ["WRITER"], folder, str(deep - 1)])
number = 0
while True:
    number += 1
    with open(folder / f"{os.getpid()}-{number}", "w") as file:
        print(number, file=file)
        if number == 3:
            (folder / f"ready{deep}").touch()
        time.sleep(0.001)
"""


def start(folder: Path, environment: dict[str, str], deep: int = 0) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(deep)],
        env={**os.environ, "WRITER": WRITER, **environment},
    )
    while not all((folder / f"ready{number}").exists() for number in range(deep + 1)):
        assert child.poll() is None
    return child


@pytest.mark.parametrize("deep", [0, 2])
def test_those_who_write_are_ended_and_nothing_comes_back(tmp_path: Path, deep: int) -> None:
    folder, other = tmp_path / "vs1", tmp_path / "vs12"
    folder.mkdir()
    other.mkdir()
    with start(folder, {"RAY_TMPDIR": str(folder)}, deep) as writer, start(other, {}) as stranger:
        remove_with_users(folder)
        assert not folder.exists()
        assert writer.wait(10) == -signal.SIGKILL
        assert stranger.poll() is None
        stranger.kill()
    assert not folder.exists()


def test_who_has_a_file_of_it_open_uses_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "vs1"
    folder.mkdir()
    with (folder / "log").open("w") as log:
        sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
        with subprocess.Popen(sleep, stdout=log, env={}) as child:
            remove_with_users(folder)
            assert child.wait(10) == -signal.SIGKILL
    assert not folder.exists()


def test_leaving_at_once_removes_it_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    with own_files():
        (folder,) = tmp_path.iterdir()
        assert os.environ["RAY_TMPDIR"] == str(folder)
        bid_farewell()
        assert not folder.exists()
    assert os.environ["RAY_TMPDIR"] == str(tmp_path)
    assert not list(tmp_path.iterdir())
