"""Ctrl-C and termination: a word, the code, and nothing left behind."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

BLENDED = """\
version: 1
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
    preset: medium
  - use: blend/warped
  - use: encode/pyav
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
@pytest.mark.parametrize("engine", ["threaded", "serial"])
def test_a_signal_stores_what_is_finished_of_the_chunk(  # type: ignore[no-untyped-def]  # fixtures
    folder, write_clip, sent, code, word, engine
) -> None:
    (folder / "p.yaml").write_text(BLENDED)
    write_clip(folder / "in.mp4", count=120)
    (folder / "out.mp4").write_text("old")
    call = ["p.yaml", "in.mp4", "--overwrite", "--json", "--engine", engine]
    whole = started(*call, "-o", "whole.mp4")
    assert (whole.communicate(timeout=60), whole.returncode)[1] == 0
    child = started(*call, "-o", "out.mp4")
    assert child.stdout is not None
    seen = 0
    # No chunk is whole: the first one has 120 frames.
    while seen < 30:
        seen += '"frame"' in child.stdout.readline()
    os.kill(child.pid, sent)
    rest, errors = rest_of(child)
    assert child.returncode == code, errors
    done = seen + sum('"frame"' in line for line in rest.splitlines())
    assert errors.startswith("stopping: what is finished is stored; Ctrl-C again")
    stored = re.search(rf"vidstyle: {word}; the destination is untouched, and (\d+) fra", errors)
    assert stored is not None, errors
    assert int(stored[1]) == done
    assert (folder / "out.mp4").read_text() == "old"
    again = started(*call, "-o", "out.mp4")
    output, _ = again.communicate(timeout=60)
    assert again.returncode == 0
    assert sum('"frame"' in line for line in output.splitlines()) == 120 - done
    assert packets(folder / "out.mp4") == packets(folder / "whole.mp4")


@pytest.mark.slow
def test_ten_interruptions_lose_no_frame_and_mix_none(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    """Two commands with other options take turns on one output, each stopped at random moments."""
    count, rng = 260, random.Random(5)
    (folder / "p.yaml").write_text(BLENDED)
    write_clip(folder / "in.mp4", count=count, cut=130)
    calls = {
        strength: ["p.yaml", "in.mp4", "--set", f"blend.strength={strength}", "--json"]
        for strength in ("0.9", "0.4")
    }
    computed = dict.fromkeys(calls, 0)
    for number in range(10):
        strength = ("0.9", "0.4")[number % 2]
        child = started(*calls[strength], "-o", "out.mp4")
        assert child.stdout is not None
        for _ in range(rng.randrange(2, 30)):
            computed[strength] += '"frame"' in child.stdout.readline()
        os.kill(child.pid, signal.SIGINT)
        rest, errors = rest_of(child)
        assert child.returncode == 130, errors
        computed[strength] += rest.count('"event": "frame"')
    for strength, call in calls.items():
        child = started(*call, "-o", "out.mp4", "--overwrite")
        output, errors = child.communicate(timeout=120)
        assert child.returncode == 0, errors
        # Each frame was computed once, however often the runs were stopped.
        assert computed[strength] + output.count('"event": "frame"') == count
        whole = started(*call, "-o", f"{strength}.mp4")
        assert (whole.communicate(timeout=120), whole.returncode)[1] == 0
        assert packets(folder / "out.mp4") == packets(folder / f"{strength}.mp4")


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_batch_stores_what_is_finished_of_its_clips(  # type: ignore[no-untyped-def]  # fixtures
    folder, write_clip, sent, code, jobs
) -> None:
    (folder / "p.yaml").write_text(BLENDED)
    write_clip(folder / "clips" / "a.mp4", count=200)
    # Written once more it may have other packets.
    shutil.copy(folder / "clips" / "a.mp4", folder / "clips" / "b.mp4")
    call = [sys.executable, "-m", "vidstyle", "batch", "p.yaml", "clips", "-o", "out", "--json"]
    call += ["--jobs", jobs]

    def begin() -> subprocess.Popen[str]:
        return subprocess.Popen(
            call,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    child, seen = begin(), 0
    assert child.stdout is not None
    while seen < 20:
        seen += '"event": "frame"' in child.stdout.readline()
    os.kill(child.pid, sent)
    rest, errors = rest_of(child)
    assert child.returncode == code, errors
    done = seen + rest.count('"event": "frame"')
    kept = [int(frames) for frames in re.findall(r'"event": "kept", "frames": (\d+), ', rest)]
    assert len(kept) == int(jobs)
    assert sum(kept) == done
    assert "0 of 2 clips are done: the same command does the others" in errors
    rows = map(json.loads, rest.splitlines())
    (summary,) = (row for row in rows if row["event"] == "summary")
    states = [clip["state"] for clip in summary["clips"]]
    assert states == ["interrupted", "interrupted" if jobs == "2" else "waiting"]
    again = begin()
    output, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert output.count('"event": "frame"') == 400 - done
    assert packets(folder / "out" / "a.mp4") == packets(folder / "out" / "b.mp4")


PLUGIN = """\
import time

from vidstyle.core import HostArray, image_filter


@image_filter
def asleep(image: HostArray) -> HostArray:
    time.sleep(60)
    return image


STAGE = asleep
"""


def started(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "vidstyle", "run", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def rest_of(child: subprocess.Popen[str]) -> tuple[str, str]:
    """What is still to be read; ``communicate`` would lose what has been read ahead."""
    assert child.stdout is not None
    assert child.stderr is not None
    with child:
        return child.stdout.read(), child.stderr.read()


def work_sizes(folder: Path) -> list[int]:
    return [path.stat().st_size for path in folder.glob(".vidstyle/out-*.work")]


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0)]


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_finished_frames_are_stored_and_the_command_that_resumes_is_printed(  # type: ignore[no-untyped-def]  # fixtures
    folder, write_clip, sent, code
) -> None:
    text = BLENDED.replace("stages:", "chunk: {least: 5, most: 10}\nstages:", 1)
    (folder / "p.yaml").write_text(f"{text}    codec: ffv1\n")
    write_clip(folder / "in.mp4", count=200)
    whole = started("p.yaml", "in.mp4", "-o", "whole.mkv")
    assert (whole.communicate(timeout=60), whole.returncode)[1] == 0
    child = started("p.yaml", "in.mp4", "-o", "out.mkv")
    while child.poll() is None and sum(work_sizes(folder)) < 200_000:
        time.sleep(0.01)
    os.kill(child.pid, sent)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == code, errors
    assert "resume with: vidstyle run p.yaml in.mp4 -o out.mkv" in errors
    assert re.search(
        r"untouched, and \d+ frames? (is|are) stored: the same command resumes", errors
    )
    again = started("p.yaml", "in.mp4", "-o", "out.mkv")
    _, errors = again.communicate(timeout=60)
    assert again.returncode == 0
    assert "resuming an interrupted run after" in errors
    assert packets(folder / "out.mkv") == packets(folder / "whole.mkv")


@pytest.fixture
def in_a_long_step(folder, write_clip) -> Iterator[subprocess.Popen[str]]:  # type: ignore[no-untyped-def]  # fixtures
    """A run whose stage will not come back for a minute."""
    plugin = folder / "plugins" / "filter" / "asleep.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(PLUGIN)
    (folder / "p.yaml").write_text(
        "version: 1\nstages:\n  - use: decode/pyav\n  - use: filter/asleep\n"
        "  - use: encode/pyav\n    codec: ffv1\n"
    )
    write_clip(folder / "in.mp4", count=4)
    child = started("p.yaml", "in.mp4", "-o", "out.mkv", "--plugins", "plugins", "--json")
    assert child.stdout is not None
    assert '"plan"' in child.stdout.readline()
    time.sleep(0.5)
    yield child
    child.kill()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_long_step_is_not_waited_for(in_a_long_step, sent, code, word) -> None:  # type: ignore[no-untyped-def]  # fixtures
    os.kill(in_a_long_step.pid, sent)
    _, errors = in_a_long_step.communicate(timeout=30)
    assert in_a_long_step.returncode == code, errors
    assert f"vidstyle: {word}" in errors


@pytest.mark.slow
def test_a_second_ctrl_c_leaves_at_once(in_a_long_step) -> None:  # type: ignore[no-untyped-def]  # fixtures
    begun = time.perf_counter()
    for _ in range(2):
        os.kill(in_a_long_step.pid, signal.SIGINT)
        time.sleep(0.3)
    _, errors = in_a_long_step.communicate(timeout=10)
    assert in_a_long_step.returncode == 130
    assert errors.splitlines()[-1].startswith("vidstyle: interrupted at once; ")
    assert time.perf_counter() - begun < 4
