"""The commands of docs/pipes.md and the README's, in a shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vidstyle.cli.main import run_command

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "pipes.md").read_text()
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^    (.*vidstyle run .+\|.+|.*\| vidstyle run .+)$", TEXT, re.MULTILINE)

# What the page asks of them, by the same libraries: neither need be installed.
FFMPEG = """\
import shutil, sys
import av
words = sys.argv[1:]
form = words[words.index("-f") + 1]
out = sys.stdout.buffer
if form == "matroska":
    with av.open(words[1]) as source, av.open(out, "w", format=form) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    sys.exit()
with av.open(words[1]) as source:
    video = source.streams.video[0]
    if form == "yuv4mpegpipe":
        out.write(b"YUV4MPEG2 W%d H%d F25:1 Ip A1:1 C420jpeg\\n" % (video.width, video.height))
    for frame in source.decode(video):
        if form == "yuv4mpegpipe":
            out.write(b"FRAME\\n")
        pixels = "rgb24" if form == "rawvideo" else "yuv420p"
        out.write(frame.reformat(format=pixels).to_ndarray().tobytes())
"""
FFPLAY = """\
import sys
import av
words = sys.argv[1:]
pairs = zip(words, words[1:])
raw = {key[1:]: value for key, value in pairs if key.startswith("-") and value != "-"}
form = raw.pop("f", None)
with av.open(sys.stdin.buffer, format=form, options=raw) as container:
    print(len(list(container.decode(video=0))), "frames")
"""


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with in.mp4, and programs by the names that the page uses."""
    monkeypatch.chdir(tmp_path)
    run = ["run", "identity", str(ROOT / "samples" / "demo.mp4"), "-o", "in.mp4"]
    assert run_command([*run, "--set", "encode.codec=libx264", "--frames", "0:8"]) == 0
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in (("ffmpeg", FFMPEG), ("ffplay", FFPLAY)):
        (programs / f"{name}.py").write_text(text)
        (programs / name).write_text(
            f'#!/bin/sh\nexec {sys.executable} {programs}/{name}.py "$@"\n'
        )
    (programs / "vidstyle").write_text(f'#!/bin/sh\nexec {sys.executable} -m vidstyle "$@"\n')
    for name in ("ffmpeg", "ffplay", "vidstyle"):
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return tmp_path


def test_it_has_commands() -> None:
    assert len(COMMANDS) == 4
    assert COMMANDS[0] in README


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_run(workshop: Path, command: str) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if "ffplay" in command:
        assert done.stdout == "8 frames\n"
    else:
        assert (workshop / "stylized.mkv").is_file()
