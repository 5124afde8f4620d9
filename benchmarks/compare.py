"""How fast `vidstyle compare` is beside decoding both clips, and how its memory grows.

    python benchmarks/compare.py [A B] [--frames 600] [--layout side-by-side] [--runs 3]

Without clips the sample is repeated to so many frames. Decoding both, one after the other, and the
whole command take turns, and the fastest of each counts. Decoding is that of vidstyle, to RGB; what
FFmpeg's decoder takes alone is printed, too. Processor time says what other programs on the machine
hide: on two cores the command takes half of it at least.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import av

from vidstyle.cli.main import run_command
from vidstyle.core import ExecutionContext
from vidstyle.runner.plan.device import available_cores
from vidstyle.stages.decode.policies import DecodeOptions
from vidstyle.stages.decode.pyav import DecodePyAV

SAMPLE = Path(__file__).parents[1] / "samples" / "demo.mp4"
DECODING, COMPARE = "decoding both", "compare"
_SHORT, _LONG = 100, 1000
# The peak that `wait4` gives a parent is at least the parent's own.
_PEAK = """
import re, sys
from pathlib import Path
from vidstyle.cli.main import run_command
assert run_command(sys.argv[1:]) == 0
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="*", type=Path, metavar="A B")
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--layout", default="side-by-side")
    parser.add_argument("--preset", default="ultrafast")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-memory", action="store_true")
    given = parser.parse_args()
    if len(given.clips) not in (0, 2):
        parser.error("name two clips, or none")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        clips = given.clips or [repeat_sample(work / f"{n}.mp4", given.frames) for n in "ab"]
        more = ["--layout", given.layout, "--preset", given.preset]
        _print_speed(measure_speed(clips, work, more, given.runs), decode(clips[0]))
        if not given.no_memory:
            _print_memory(work, more)


def _print_speed(best: dict[str, list[float]], count: int) -> None:
    for name, (wall, processor) in best.items():
        print(
            f"{name:24} {count / wall:8.1f} frames a second,"
            f" {1000 * processor / count:6.2f} ms of processor time a frame"
        )
    (decode_wall, decode_time), (wall, processor) = best[DECODING], best[COMPARE]
    print(f"speed of compare / speed of decoding both: {decode_wall / wall:.2f}")
    print(f"processor time of decoding both / of compare: {decode_time / processor:.2f}")


def measure_speed(
    clips: Sequence[Path], work: Path, more: Sequence[str], runs: int
) -> dict[str, list[float]]:
    """Seconds on the clock and of the processor, by what is measured; the least of the runs."""

    def decode_both() -> None:
        for clip in clips:
            decode(clip)

    def decode_raw() -> None:
        for clip in clips:
            with av.open(str(clip)) as container:
                container.streams.video[0].thread_type = "AUTO"
                for _ in container.decode(video=0):
                    pass

    def compare() -> None:
        command = ["compare", *map(str, clips), "-o", str(work / "out.mp4"), *more]
        with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
            assert run_command(command) == 0
        # Else it is done already the next time.
        remove(work)

    parts: dict[str, Callable[[], None]] = {
        DECODING: decode_both,
        "FFmpeg's decoder alone": decode_raw,
        COMPARE: compare,
    }
    best: dict[str, list[float]] = {name: [float("inf")] * 2 for name in parts}
    for _ in range(runs):
        for name, part in parts.items():
            best[name] = [min(pair) for pair in zip(best[name], _measure(part), strict=True)]
    return best


def _print_memory(work: Path, more: Sequence[str]) -> None:
    peaks = []
    for length in (_SHORT, _LONG):
        clip = repeat_sample(work / f"{length}.mp4", length)
        peaks.append(peak_memory(clip, work / f"{length}-out.mp4", more))
        print(f"{length:6} frames {peaks[-1] / 2**20:8.1f} MiB")
    print(f"ratio {peaks[1] / peaks[0]:.3f}")


def _measure(part: Callable[[], None]) -> tuple[float, float]:
    """Seconds on the clock and of the processor."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    part()
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - started
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def decode(path: Path) -> int:
    """Decode a clip to RGB; how many frames it has."""
    source = DecodePyAV(DecodeOptions())
    source.open(path, ExecutionContext(threads=available_cores()))
    count = 0
    for frame in source.frames():
        # It becomes RGB when it is read.
        frame.host("source")
        count += 1
    source.close()
    return count


def repeat_sample(path: Path, count: int) -> Path:
    """The sample clip, again and again, cut to so many frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=640, height=360)
        stream.pix_fmt = "yuv420p"
        written = 0
        while written < count:
            with av.open(str(SAMPLE)) as sample:
                for frame in sample.decode(video=0):
                    if written < count:
                        # Without the times and kinds of the sample's own frames.
                        planes = frame.to_ndarray(format="yuv420p")
                        again = av.VideoFrame.from_ndarray(planes, "yuv420p")
                        container.mux(stream.encode(again))
                        written += 1
        container.mux(stream.encode(None))
    return path


def peak_memory(clip: Path, out: Path, more: Sequence[str]) -> int:
    """Bytes of a process that compares a clip with itself."""
    command = ["compare", str(clip), str(clip), "-o", str(out), *more]
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *command], capture_output=True, text=True, check=True
    )
    return int(done.stdout) * 1024


def remove(folder: Path) -> None:
    """The output and what was noted of it."""
    (folder / "out.mp4").unlink()
    for path in (folder / ".vidstyle").iterdir():
        path.unlink()


if __name__ == "__main__":
    main()
