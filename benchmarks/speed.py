"""How fast the pipelines are: each against the usual loop, warm caches, start-up and memory.

    python benchmarks/speed.py CLIP [CLIP ...] [--weights FILE] [--frames 120] [--rounds 3]
                               [-o FILE.json] [--compare FILE.json]

Clips are brought to 640x360, and the first also to 854x480 and 1920x1080. `vidstyle bench` times
`temporal.yaml` in its own style and with a published network of 32 channels, whose weights are
drawn at random, which costs the same. Then everything is stylized with a cache and again with
another blend. ``--weights`` is RAFT-small's, for `temporal-quality.yaml`. Ten minutes on
two cores.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import torch

from vidstyle.evaluation.speed import time_command
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.style_file import Credit, StyleInfo, save_style

PIPELINES = Path(__file__).parents[1] / "pipelines"
FAST, QUALITY = PIPELINES / "temporal.yaml", PIPELINES / "temporal-quality.yaml"
WIDTH = 32
SMALL, MIDDLE, LARGE = (640, 360), (854, 480), (1920, 1080)
VIDSTYLE = (sys.executable, "-m", "vidstyle")
Rates = dict[str, Any]
"""Rows of rates by their names, as they stand in the file."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One call of ``vidstyle bench``."""

    name: str
    clip: Path
    style: Path | None


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--weights", type=Path, help="RAFT-small's")
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.json", help="all rates")
    parser.add_argument("--compare", type=Path, metavar="FILE.json", help="of an earlier -o")
    given = parser.parse_args(arguments)
    before = json.loads(given.compare.read_text()) if given.compare else {}
    with tempfile.TemporaryDirectory() as folder:
        rates = dict(measure_all(given, Path(folder), before))
    if given.output:
        given.output.write_text(json.dumps(rates, indent=1) + "\n")


def measure_all(
    given: argparse.Namespace, folder: Path, before: Rates
) -> Iterator[tuple[str, Any]]:
    """Every row by its name; each is printed when it is known."""
    network = drawn_network(folder)
    print("| | fps | loop, fps | times the loop | time / stylizer alone | first frame | peak |")
    print("|---|---|---|---|---|---|---|")
    for bench in benches(given.clips, network, folder):
        found = benched(bench, given.frames, given.rounds)
        print(row(bench.name, found, before.get(bench.name)), flush=True)
        yield bench.name, found
    first = sized(given.clips[0], folder, SMALL)
    caches = {"32 channels": (FAST, ["--style", str(network)], given.frames)}
    if given.weights:
        options = ["--set", f"flow.weights={given.weights}"]
        caches["temporal-quality"] = (QUALITY, options, min(48, given.frames))
    for name, (pipeline, options, frames) in caches.items():
        cold, warm = with_cache(pipeline, first, options, frames, folder / name)
        print(f"another blend, warm cache, {name}: {cold / warm:.1f} times as fast", flush=True)
        yield f"cache, {name}", {"cold_seconds": cold, "warm_seconds": warm}
    large, few = sized(given.clips[0], folder, LARGE), min(30, given.frames)
    peak = time_command(run_command(FAST, large, folder, few)).peak
    print(f"1920x1080, {few} frames: peak {peak / 2**20:.0f} MiB", flush=True)
    yield "1920x1080 peak_mib", peak / 2**20
    help_seconds = min(seconds([*VIDSTYLE, "--help"]) for _ in range(5))
    print(f"vidstyle --help: {help_seconds:.2f} s")
    yield "help_seconds", help_seconds


def benches(clips: Sequence[Path], network: Path, folder: Path) -> Iterator[Bench]:
    for clip in clips:
        small = sized(clip, folder, SMALL)
        yield Bench(f"{clip.stem} 640x360", small, None)
        yield Bench(f"{clip.stem} 640x360, {WIDTH} channels", small, network)
    yield Bench(f"{clips[0].stem} 854x480", sized(clips[0], folder, MIDDLE), None)


def drawn_network(folder: Path) -> Path:
    """A style file of a published network whose weights are drawn."""
    network = empty_network("johnson", WIDTH)
    network.initialize(torch.Generator().manual_seed(0))
    path = folder / f"johnson-{WIDTH}.safetensors"
    save_style(path, StyleInfo("drawn", Credit(), "johnson", WIDTH, {}), network)
    return path


def sized(clip: Path, folder: Path, size: tuple[int, int]) -> Path:
    """The clip in that size, made where it is not there yet."""
    width, height = size
    path = folder / f"{clip.stem}-{height}.mp4"
    if path.exists():
        return path
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        video = source.streams.video[0]
        rate = video.average_rate or Fraction(25)
        stream = target.add_stream("libx264", rate=rate, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index, frame in enumerate(source.decode(video)):
            smaller = frame.reformat(width, height, "yuv420p")
            smaller.pts, smaller.time_base = index, 1 / rate
            target.mux(stream.encode(smaller))
        target.mux(stream.encode(None))
    return path


def benched(bench: Bench, frames: int, rounds: int) -> Rates:
    style = () if bench.style is None else ("--style", str(bench.style))
    counts = ("--frames", str(frames), "--rounds", str(rounds))
    command = [*VIDSTYLE, "bench", str(FAST), str(bench.clip), *style, *counts, "--json"]
    rates: Rates = json.loads(subprocess.run(command, check=True, stdout=-1).stdout)
    return rates


def row(name: str, found: Rates, before: Rates | None) -> str:
    run, loop = found["each"]["vidstyle run"], found["each"]["frame loop"]
    times, over_stylizer = found["ratios"].values()
    was = f" (was {next(iter(before['ratios'].values())):.2f})" if before else ""
    return (
        f"| {name} | {run['frames_per_second']:.1f} | {loop['frames_per_second']:.1f}"
        f" | {times:.2f}{was} | {over_stylizer:.2f} | {run['first_frame_seconds']:.2f} s"
        f" | {run['peak_mib']} MiB |"
    )


def with_cache(
    pipeline: Path, clip: Path, options: Sequence[str], frames: int, cache: Path
) -> tuple[float, float]:
    """Seconds of a run from nothing and of one with another blend, commands and all."""
    command = [*run_command(pipeline, clip, cache.parent, frames), *options, "--cache", str(cache)]
    return seconds(command), seconds([*command, "--set", "blend.strength=0.6"])


def run_command(pipeline: Path, clip: Path, folder: Path, frames: int) -> list[str]:
    out = str(folder / "out.mp4")
    command = [*VIDSTYLE, "run", str(pipeline), str(clip), "-o", out, "--overwrite", "--json"]
    return [*command, "--frames", f"0:{frames}"]


def seconds(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
