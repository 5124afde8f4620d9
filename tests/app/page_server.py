"""The page as a user starts it, in a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vidstyle.app.choices import PageSettings


@dataclass(frozen=True)
class PageServer:
    """A page that answers."""

    address: str
    port: int
    files: Path
    """Where its private folder lies."""
    process: subprocess.Popen[str]

    def end(self, number: int = signal.SIGTERM) -> int:
        """The exit code after a signal."""
        self.process.send_signal(number)
        return self.process.wait(20)

    @property
    def workers(self) -> list[int]:
        """The processes that work for it."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(number) for file in children for number in file.read_text().split()]


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    settings: PageSettings, folder: Path, *, max_upload: str = "4M"
) -> Iterator[PageServer]:
    """``vidstyle app`` with the folders of the settings; its current folder is another one."""
    files, port = folder / "private", free_port()
    files.mkdir()
    command = [sys.executable, "-m", "vidstyle", "app", "--port", str(port)]
    for option, given in (("--images", settings.images), ("--styles", settings.style_images)):
        command += [option, str(given)] if given else []
    process = subprocess.Popen(
        [*command, "--max-upload", max_upload],
        cwd=files,
        env={**os.environ, "TMPDIR": str(files)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("Open http"):
                break
        assert lines[-1] == f"Open http://127.0.0.1:{port} in a browser; stop with Ctrl-C.\n", lines
        yield PageServer(f"http://127.0.0.1:{port}", port, files, process)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
