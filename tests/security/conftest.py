"""A folder to work in, and guards: no test here may reach a network, nor may vidstyle."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from tests.security.sealed import UNAVAILABLE

IDENTITY = "version: 1\nstages:\n  - use: decode/pyav\n  - use: encode/pyav\n    codec: ffv1\n"
Sealed = Callable[..., list[int]]


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """What Python code asked to connect to; a test that leaves any in it fails."""
    asked: list[object] = []

    def refuse(name: str) -> Callable[..., Any]:
        real = getattr(socket.socket, name)

        def connect(self: socket.socket, address: object, *rest: object) -> Any:
            if self.family == socket.AF_UNIX:
                return real(self, address, *rest)
            asked.append(address)
            raise OSError("no test may reach a network")

        return connect

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse(name))
    yield asked
    assert asked == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a pipeline and a clip in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VIDSTYLE_PLUGINS", raising=False)
    (tmp_path / "p.yaml").write_text(IDENTITY)
    with av.open(tmp_path / "in.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=25, width=64, height=48, pix_fmt="yuv420p")
        stream.codec_context.colorspace, stream.codec_context.color_range = 6, 1
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    return tmp_path


@pytest.fixture
def sealed(folder: Path) -> Sealed:
    """Runs command lines where a network socket ends the process; gives their exit codes."""

    def run(*commands: list[str]) -> list[int]:
        done = subprocess.run(
            [sys.executable, Path(__file__).with_name("sealed.py")],
            input=json.dumps(commands),
            capture_output=True,
            text=True,
            cwd=folder,
            check=False,
        )
        if done.returncode == UNAVAILABLE:
            pytest.skip("the kernel takes no filter of system calls")
        assert done.returncode == 0, done.stderr
        codes: list[int] = json.loads(done.stdout.splitlines()[-1])
        return codes

    return run
