"""The cost of resumable work: chunks and checkpoints against one chunk for the whole clip.

    python benchmarks/chunking.py CLIP [CLIP ...] [--pipeline pipelines/temporal.yaml] [--repeats 3]

Runs take turns, and the ratio is of the fastest: time with the default chunks over time with one
chunk, and the same of the sizes of the files. Ends with 1 where one is above --limit.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import Pipeline, load_pipeline
from vidstyle.runner.job import Job, output_suffix, run

ROOT = Path(__file__).parents[1]
_ONE = (1 << 40, 1 << 40)


@dataclass(frozen=True, slots=True)
class Made:
    """What a run took."""

    frames: int
    seconds: float
    size: int


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--pipeline", type=Path, default=ROOT / "pipelines" / "temporal.yaml")
    parser.add_argument("--frames", type=int, default=None, help="of each clip, from its start")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.03)
    given = parser.parse_args(arguments)
    chunked = load_pipeline(given.pipeline, registry=Registry([]))
    whole = replace(chunked, chunk=_ONE)
    held = True
    for clip in given.clips:
        made: dict[str, list[Made]] = {"chunks": [], "one": []}
        for _ in range(given.repeats):
            made["one"].append(measured(whole, clip, given.frames))
            made["chunks"].append(measured(chunked, clip, given.frames))
        fastest = {name: min(runs, key=lambda run: run.seconds) for name, runs in made.items()}
        time = fastest["chunks"].seconds / fastest["one"].seconds
        size = fastest["chunks"].size / fastest["one"].size
        held = held and max(time, size) <= given.limit
        print(f"{clip.stem}: {fastest['one'].frames} frames, time {time:.3f}, size {size:.3f}")
    sys.exit(0 if held else 1)


def measured(pipeline: Pipeline, clip: Path, frames: int | None) -> Made:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / f"out{output_suffix(pipeline)}"
        result = run(Job(pipeline, clip, output, frames=(0, frames)))
        return Made(result.frames, result.seconds, output.stat().st_size)


if __name__ == "__main__":
    main()
