"""What clips beside each other gain: `vidstyle batch --jobs N` against `--jobs 1`.

    python benchmarks/batch.py [--jobs 2] [--clips 8] [--frames 90] [--rounds 3]
                               [--pipelines identity per-frame temporal] [--max-memory 4G]

Each pipeline stylizes a folder of clips of 320x180, made for it, with `--jobs 1` and `--jobs N` in
turns. A row has the wall time of each (the median of the rounds), their ratio, and the most memory
of all processes together: shared pages count once (PSS), looked at every 50 ms. The outputs of
both must be equal, packet by packet.

Ends with 1 where a ratio is below 0.95, the memory is above `--max-memory`, or outputs differ.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from vidstyle.runner.plan.memory import parse_size

WIDTH, HEIGHT = 320, 180
LEAST_RATIO = 0.95
_LOOK = 0.05


@dataclass(frozen=True, slots=True)
class Measured:
    """One batch."""

    seconds: float
    peak: int
    """Bytes."""
    digest: str
    """Of the packets of all outputs."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--frames", type=int, default=90)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pipelines", nargs="+", default=["identity", "per-frame", "temporal"])
    parser.add_argument("--max-memory", default="4G")
    given = parser.parse_args(arguments)
    budget = parse_size(given.max_memory, "--max-memory")
    print(f"| pipeline | --jobs 1, s | --jobs {given.jobs}, s | ratio | peak, MiB |")
    print("|---|---|---|---|---|")
    faults = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_clips(folder / "clips", given.clips, given.frames)
        for pipeline in given.pipelines:
            found = measure_in_turns(pipeline, folder, given)
            one, many = (statistics.median(m.seconds for m in found[j]) for j in (1, given.jobs))
            peak = max(each.peak for each in found[given.jobs])
            print(
                f"| {pipeline} | {one:.1f} | {many:.1f} | {one / many:.2f} | {peak / 2**20:.0f} |",
                flush=True,
            )
            faults += list(faults_in(pipeline, one / many, peak, budget, found))
    if faults:
        raise SystemExit("\n".join(faults))


def faults_in(
    pipeline: str, ratio: float, peak: int, budget: int, found: dict[int, list[Measured]]
) -> Iterator[str]:
    """What is not as it is promised."""
    if ratio < LEAST_RATIO:
        yield f"{pipeline}: a ratio of {ratio:.2f} is below {LEAST_RATIO}"
    if peak > budget:
        yield f"{pipeline}: {peak / 2**20:.0f} MiB are above --max-memory"
    if len({each.digest for measured in found.values() for each in measured}) > 1:
        yield f"{pipeline}: the outputs differ"


def measure_in_turns(
    pipeline: str, folder: Path, given: argparse.Namespace
) -> dict[int, list[Measured]]:
    """Every round of both, by the number of jobs."""
    found: dict[int, list[Measured]] = {1: [], given.jobs: []}
    for _ in range(given.rounds):
        for jobs, measured in found.items():
            measured.append(measure(pipeline, folder, jobs, given.max_memory))
    return found


def measure(pipeline: str, folder: Path, jobs: int, memory: str) -> Measured:
    """Run one batch into a new folder. Raises SystemExit where it fails."""
    output = folder / "out"
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "vidstyle", "batch", pipeline, str(folder / "clips")]
    command += ["-o", str(output), "--jobs", str(jobs), "--max-memory", memory, "--device", "cpu"]
    started, peak = time.perf_counter(), 0
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        while child.poll() is None:
            peak = max(peak, memory_of_tree(child.pid))
            time.sleep(_LOOK)
        seconds = time.perf_counter() - started
        assert child.stderr is not None
        errors = child.stderr.read()
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {errors}")
    return Measured(seconds, peak, digest_of(output))


def memory_of_tree(process: int) -> int:
    """Bytes of a process and all that it has started; pages that several have are divided."""
    facts = Path(f"/proc/{process}")
    try:
        text = (facts / "smaps_rollup").read_text()
        children = (facts / "task" / str(process) / "children").read_text().split()
    except OSError:
        # It has just ended.
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    own = int(found[1]) * 1024 if found else 0
    return own + sum(map(memory_of_tree, map(int, children)))


def digest_of(folder: Path) -> str:
    """Hash of the video packets of all outputs."""
    digest = hashlib.sha256()
    outputs = (path for path in folder.iterdir() if path.suffix in (".mp4", ".mkv"))
    for path in sorted(outputs):
        digest.update(path.name.encode())
        with av.open(str(path)) as container:
            for packet in container.demux(video=0):
                digest.update(bytes(packet))
    return digest.hexdigest()


def write_clips(folder: Path, count: int, frames: int) -> None:
    """Clips of textures that move, each its own."""
    folder.mkdir()
    for number in range(count):
        generator = np.random.default_rng(number)
        texture = generator.integers(0, 255, (HEIGHT // 8 + 24, WIDTH // 8 + 24, 3), np.uint8)
        texture = texture.repeat(8, 0).repeat(8, 1)
        with av.open(str(folder / f"{number:02}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=25, width=WIDTH, height=HEIGHT)
            stream.pix_fmt = "yuv420p"
            for index in range(frames):
                x, y = index % 160, (index // 2) % 160
                image = np.ascontiguousarray(texture[y : y + HEIGHT, x : x + WIDTH])
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
