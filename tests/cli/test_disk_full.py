"""A disk that fills up: one line, the code, an untouched destination, and a run that goes on."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

PIPELINE = """\
version: 1
chunk: {least: 4, most: 6}
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
    preset: ultrafast
  - use: blend/warped
  - use: encode/pyav
    codec: ffv1
"""
COUNT = 24


def run(out: str, *more: str, most: int | None = None) -> tuple[int, list[str], str]:
    """Exit code, hashes of frames and standard error; no file may have more than ``most`` bytes."""

    def limit() -> None:
        if most is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    command = [sys.executable, "-m", "vidstyle", "run", "p.yaml", "in.mp4", "-o", out, "--json"]
    done = subprocess.run(
        [*command, *more],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=limit,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, [e["hash"] for e in events if e["event"] == "done"], done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["ffv1", "libx264"])
def test_a_full_disk_loses_nothing_wherever_it_fills(folder, write_clip, encoder) -> None:  # type: ignore[no-untyped-def]  # fixtures
    (folder / "p.yaml").write_text(PIPELINE.replace("ffv1", encoder))
    write_clip(folder / "in.mp4", count=COUNT, cut=11)
    code, whole, _ = run("whole.mkv")
    assert code == 0
    size = (folder / "whole.mkv").stat().st_size
    (folder / "out.mkv").write_text("old")
    stopped = 0
    for most in (0, 4_096, 60_000, 500_000, size // 2, size - 1_000, size + 50_000, 3_000_000):
        code, done, errors = run("out.mkv", "--overwrite", most=most)
        if code == 0:
            assert done == whole
            (folder / "out.mkv").write_text("old")
            continue
        stopped += 1
        assert code == 6, errors
        assert [line[:9] for line in errors.splitlines()] == ["vidstyle:"]
        assert (folder / "out.mkv").read_text() == "old"
        assert not list(folder.glob(".out*"))
        left = {path.suffix for path in folder.glob(".vidstyle/out-*")}
        assert left <= {".work", ".work-journal"}
    assert stopped >= 3
    code, done, _ = run("out.mkv", "--overwrite")
    assert (code, done) == (0, whole)
    assert sorted(path.name for path in Path(folder).glob(".*/*")) == [
        "out.mkv.json",
        "whole.mkv.json",
    ]
