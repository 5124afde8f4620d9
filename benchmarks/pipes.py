"""Latency of a run between two pipes: frames go in at a clip's rate, and come out some later.

    python benchmarks/pipes.py [--pipeline temporal] [--rate 25] [--frames 120] [--format y4m]
        [--clip samples/demo.mp4] [--words=--device=cuda]

For each frame that comes out, it counts how many have gone in behind it by then, and the time since
it has gone in itself. A frame counts as gone in when the pipe has taken its last byte, and as come
out when its last byte has been read. Where the run is slower than the rate, the pipe takes no more
than the run has room for. The first frames wait for the networks to be loaded and are left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO

import av

from vidstyle.media.container import open_input
from vidstyle.media.piped_video import PipedVideo

SKIPPED = 10


def read_frames(clip: Path, count: int) -> tuple[bytes, list[bytes]]:
    """A header of y4m, and frames as it has them; a short clip is repeated."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        rate = stream.average_rate or 25
        size = f"W{stream.width} H{stream.height} F{rate.numerator}:{rate.denominator}"
        several = islice(container.decode(stream), count)
        frames = [frame.reformat(format="yuv420p").to_ndarray().tobytes() for frame in several]
    frames = [frames[number % len(frames)] for number in range(count)]
    return f"YUV4MPEG2 {size} Ip A1:1 C420jpeg\n".encode(), [b"FRAME\n" + f for f in frames]


def feed(
    pipe: IO[bytes], header: bytes, frames: list[bytes], rate: float, given: list[float]
) -> None:
    """Write frames at a rate, and note when each is through."""
    pipe.write(header)
    at = time.perf_counter()
    for frame in frames:
        # Where the pipe took none for a while, the next ones do not come faster.
        at = max(at + 1 / rate, time.perf_counter())
        time.sleep(max(0.0, at - time.perf_counter()))
        pipe.write(frame)
        pipe.flush()
        given.append(time.perf_counter())
    pipe.close()


def arrivals(pipe: IO[bytes], form: str, frame: int) -> Iterator[float]:
    """When each frame has come out."""
    if form == "y4m":
        pipe.readline()
        while pipe.read(frame):
            yield time.perf_counter()
        return
    with open_input(PipedVideo(pipe.fileno())) as container:
        for packet in container.demux(video=0):
            if packet.size:
                yield time.perf_counter()


def measure(options: argparse.Namespace) -> dict[str, object]:
    """One run."""
    header, frames = read_frames(options.clip, options.frames)
    call = ["run", options.pipeline, "-", "-o", "-", "--format", options.format, *options.words]
    child = subprocess.Popen(
        [sys.executable, "-m", "vidstyle", *call],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    given: list[float] = []
    feeder = threading.Thread(
        target=feed, args=(child.stdin, header, frames, options.rate, given), daemon=True
    )
    feeder.start()
    behind, waited, times = [], [], []
    for number, now in enumerate(arrivals(child.stdout, options.format, len(frames[0]))):
        times.append(now)
        if number >= SKIPPED:
            behind.append(sum(at <= now for at in given) - number - 1)
            waited.append(1000 * (now - given[number]))
    lines = child.stderr.read().decode().splitlines()
    if child.wait():
        raise SystemExit("\n".join(lines))
    took = times[-1] - times[SKIPPED]
    return {
        "frames": len(times),
        "fps": round((len(times) - SKIPPED - 1) / took, 1),
        "frames behind": {"median": statistics.median(behind), "most": max(behind)},
        "ms": {"median": round(statistics.median(waited)), "most": round(max(waited))},
        "the run says": next((line for line in lines if line.startswith("latency")), ""),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pipeline", default="temporal")
    parser.add_argument("--clip", type=Path, default=Path("samples/demo.mp4"))
    parser.add_argument("--rate", type=float, default=25)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--format", default="y4m", choices=["y4m", "mkv"])
    parser.add_argument("--words", action="append", default=[], help="Further options of the run.")
    print(json.dumps(measure(parser.parse_args()), indent=2))


if __name__ == "__main__":
    main()
