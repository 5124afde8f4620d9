"""Peak memory of a run on a clip and on one ten times longer, as a ratio.

    python benchmarks/memory.py [PIPELINE] [--frames 300] [--size 640x360] [--stylized]

A run has filled what every run fills once it has saved a checkpoint and opened a second encoder:
behind 125 to 250 frames. Of a shorter clip the ratio says what those take, not how memory grows.

With ``--stylized`` the clip itself stands in for the stylized one, as `stabilize` needs it.

Each run is a process of its own; its peak is what the system says of it at its end.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pipeline", nargs="?", default="pipelines/temporal.yaml")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--stylized", action="store_true")
    given = parser.parse_args()
    width, height = map(int, given.size.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        peaks = []
        for count in (given.frames, 10 * given.frames):
            clip = Path(folder) / f"{count}.mp4"
            write_clip(clip, count, width, height)
            options = ["--set", f"inputs.image={clip}"] if given.stylized else []
            output = Path(folder) / f"{count}-out.mkv"
            peaks.append(peak_memory(given.pipeline, clip, output, options))
            print(f"{count:6} frames {peaks[-1] / 2**20:8.1f} MiB", flush=True)
    print(f"ratio {peaks[1] / peaks[0]:.3f}")


def write_clip(path: Path, count: int, width: int, height: int) -> None:
    """A texture that moves, so that packets are as large as those of a real clip."""
    generator = np.random.default_rng(0)
    texture = generator.integers(0, 255, (height // 8 + 40, width // 8 + 40, 3), np.uint8)
    texture = texture.repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=width, height=height)
        stream.pix_fmt = "yuv420p"
        for index in range(count):
            x, y = index % 160, (index // 2) % 160
            image = np.ascontiguousarray(texture[y : y + height, x : x + width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))


def peak_memory(pipeline: str, clip: Path, out: Path, options: Sequence[str]) -> int:
    """Bytes."""
    command = [sys.executable, "-m", "vidstyle", "run", pipeline, str(clip), "-o", str(out)]
    command += options
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"the run failed: {' '.join(command)}")
    return usage.ru_maxrss * 1024


if __name__ == "__main__":
    main()
