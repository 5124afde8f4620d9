"""Processes that begin with everything imported, and with what this one is set to now."""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from vidstyle.runner.forks import prepare_forks, start_fork


def report(connection: Connection[Any, Any]) -> None:
    modules = {name for name in ("numpy", "av") if name in sys.modules}
    connection.send((modules, dict(os.environ), str(Path.cwd()), os.getsid(0)))


def reported() -> Any:
    ours, its = Pipe()
    with its:
        process = start_fork(report, its)
    with ours:
        found = ours.recv()
    process.join(10)
    assert process.exitcode == 0
    return found


def test_a_fork_has_imported_what_clips_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare_forks()
    modules, _, folder, session = reported()
    assert modules == {"numpy", "av"}
    assert folder == str(tmp_path)
    # Ctrl-C in a terminal is not for it.
    assert session != os.getsid(0)


def test_a_fork_has_the_environment_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    reported()
    monkeypatch.setenv("VIDSTYLE_ODD", "1")
    monkeypatch.delenv("HOME", raising=False)
    _, environment, _, _ = reported()
    assert environment == dict(os.environ)


@pytest.mark.parametrize(("deed", "code"), [("abort", -6), ("kill", -9), ("leave", 3)])
def test_how_a_fork_ends_is_known(deed: str, code: int) -> None:
    process = start_fork(end, deed)
    process.join(10)
    assert process.exitcode == code


def end(deed: str) -> None:
    if deed == "abort":
        os.abort()
    if deed == "kill":
        os.kill(os.getpid(), 9)
    os._exit(3)


FOLDER = """\
import os, sys
from vidstyle.runner.forks import start_fork

if __name__ == "__main__":
    process = start_fork(os._exit, 5)
    process.join(10)
    sys.exit(process.exitcode)
"""


def test_the_script_of_this_process_is_not_run_again(tmp_path: Path) -> None:
    script = tmp_path / "start.py"
    # There is no `if __name__ == "__main__"` to spare it.
    script.write_text(
        "import os, sys\n"
        "from vidstyle.runner.forks import start_fork\n"
        "print('once', flush=True)\n"
        "process = start_fork(os._exit, 5)\n"
        "process.join(10)\n"
        "sys.exit(process.exitcode)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], timeout=60, check=False, capture_output=True, text=True
    )
    assert done.returncode == 5, done.stderr
    assert done.stdout == "once\n"


def test_nothing_is_imported_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("import os; os.abort()")
    (tmp_path / "elsewhere").mkdir()
    script = tmp_path / "elsewhere" / "start.py"
    script.write_text(FOLDER)
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 5
