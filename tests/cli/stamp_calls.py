"""Calls on three clips and a pipeline with an option to change, for tests of what lies there."""

from __future__ import annotations

from pathlib import Path

import av

from vidstyle.cli.main import run_command

CHUNKS = """\
version: 1
chunk: {least: 4, most: 6}
stages:
  - use: decode/pyav
  - use: flow/dis
    preset: ultrafast
  - use: blend/warped
  - use: encode/pyav
"""


def batch(*more: str) -> int:
    return run_command(["batch", "p.yaml", "clips", "-o", "out", *more])


def run(*more: str) -> int:
    return run_command(["run", "p.yaml", "clips/a.mp4", "-o", "a.mp4", *more])


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*.mp4")}


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0)]
