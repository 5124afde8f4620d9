"""Kills runs, at random times and at every transaction, and compares what they go on to.

    python benchmarks/kills.py [--kills 60] [--seed 0] [--pipelines FILE ...] [--frames 120]

Each kill is SIGKILL, as a power cut or an impatient user would have it; the run is then started
again, and killed again in a third of the cases. In the end every frame's hash must be that of the
run that was left alone, the packets as many and at the same times, and at most one chunk made
twice for each kill. Ends with 1 where that does not hold.

Pipelines are the shipped ones, with chunks of 15 to 30 frames, on a clip made here with two cuts,
B-frames and unequal times. RAFT has random weights: whether a run can be resumed does not
depend on them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import torch
from torchvision.models.optical_flow import raft_small  # type: ignore[import-untyped]  # it has no types

from vidstyle.models.weights import safetensors_file
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution import execute as execution
from vidstyle.runner.execution.checkpoints import PauseRule
from vidstyle.runner.execution.computation import compute_in_turn
from vidstyle.runner.execution.events import Event, FrameDone, Listener, Resumed
from vidstyle.runner.execution.execute import execute
from vidstyle.runner.job import Job, prepared
from vidstyle.runner.storage import destination, records, store

ROOT = Path(__file__).parents[1]
PIPELINES = (ROOT / "pipelines" / "temporal.yaml", ROOT / "pipelines" / "temporal-quality.yaml")
CHUNK = (15, 30)
WIDTH, HEIGHT = 96, 64
RULE = PauseRule(every=0.2, slow=0.0)
"""Work inside chunks is kept as for a pipeline that takes minutes for each."""
TRANSACTIONS = (
    (store.Store, "begin"),
    (store.Store, "end"),
    (store.Store, "note"),
    (store.Store, "pause"),
    (destination.Destination, "commit"),
    (records.Records, "write"),
    (execution, "drop_work"),
)
"""Where something becomes lasting: killed right before it, and right after."""


@dataclass(frozen=True, slots=True)
class Life:
    """One process from its start to its end."""

    digests: dict[int, str]
    """Hashes of the frames that it encoded, by index."""
    resumed: int
    """Frames that were there when it began."""
    killed: bool
    failed: str
    """Its error, where something else than the kill stopped it; empty where it finished."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=60, help="for each pipeline, at random times")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pipelines", type=Path, nargs="+", default=PIPELINES)
    parser.add_argument("--frames", type=int, default=120)
    given = parser.parse_args(arguments)
    # One core: images this small lose more to waiting threads than they gain by them.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["VIDSTYLE_WEIGHTS"] = str(random_weights(folder))
        write_clip(folder / "in.mkv", given.frames)
        faults = 0
        for pipeline in given.pipelines:
            faults += count_faults(pipeline, folder, given.kills, random.Random(given.seed))
    sys.exit(1 if faults else 0)


def count_faults(pipeline: Path, folder: Path, kills: int, rng: random.Random) -> int:
    """Kill and go on, print what became of it, and give the number of faults."""
    wanted = job(pipeline, folder, "whole")
    whole = lived(wanted)
    if whole.failed:
        raise SystemExit(f"{pipeline.name}: the run that was left alone failed: {whole.failed}")
    expected = whole.digests, times(wanted.output)
    counts = {"kills": 0, "frames made twice": 0}
    faults: list[str] = []
    killers = chain(every_transaction(), at_random(kills, len(whole.digests), rng))
    for label, killer in killers:
        fault = survived(job(pipeline, folder, "killed"), killer, expected, counts, rng)
        if fault:
            faults.append(f"{label}: {fault}")
    twice = counts["frames made twice"] / max(counts["kills"], 1)
    print(
        f"{pipeline.stem}: {counts['kills']} kills, {twice:.1f} frames made twice a kill"
        f" (a chunk has at most {CHUNK[1]}), {len(faults)} faults"
    )
    for fault in faults:
        print(f"  {fault}")
    return len(faults)


Killer = Callable[["Job"], "Life"]


def survived(
    wanted: Job,
    killer: Killer,
    expected: tuple[dict[int, str], list[tuple[int | None, ...]]],
    counts: dict[str, int],
    rng: random.Random,
) -> str:
    """What is wrong after a kill and what follows it; empty where nothing is."""
    digests, moments = expected
    wanted.output.unlink(missing_ok=True)
    # A kill behind the last rename leaves the store to the next run.
    for work in records.Records(wanted.output.parent).works():
        records.drop_work(work)
    lives = [killer(wanted)]
    while lives[-1].killed and not wanted.output.exists():
        after = rng.randrange(1, len(digests)) if rng.random() < 1 / 3 else None
        lives.append(lived(wanted, after=after))
    counts["kills"] += sum(life.killed for life in lives)
    made: dict[int, str] = {}
    for earlier, life in zip([None, *lives], lives, strict=False):
        if life.failed:
            return life.failed
        if earlier is not None:
            twice = len(made.keys() & life.digests.keys())
            counts["frames made twice"] += len(earlier.digests.keys() & life.digests.keys())
            if twice > CHUNK[1] + 1:
                return f"{twice} frames were made twice"
        made |= life.digests
    if made != digests:
        return "the frames are others"
    if times(wanted.output) != moments:
        return "the times are others"
    left = [path.name for path in wanted.output.parent.glob(".killed*") if "lock" not in path.name]
    return f"{', '.join(left)} stayed behind" if left and not lives[-1].killed else ""


def at_random(kills: int, frames: int, rng: random.Random) -> Iterator[tuple[str, Killer]]:
    for number in range(kills):
        after, delay = rng.randrange(1, frames + 1), rng.random() * 0.05
        label = f"kill {number}, {1000 * delay:.0f} ms after frame {after}"
        yield label, partial(lived, after=after, delay=delay)


def every_transaction() -> Iterator[tuple[str, Killer]]:
    """Before and after calls of each of them, until a run survives: the first five, then fewer."""
    for owner, name in TRANSACTIONS:
        for when in ("before", "after"):
            for number in chain(range(1, 6), (5 * 2**power for power in count(1))):
                trapped = Trapped(partial(set_trap, owner, name, when, number))
                yield f"{when} call {number} of {name}", trapped
                if not trapped.sprung:
                    break


@dataclass(slots=True)
class Trapped:
    """Runs a job into a trap, and remembers whether it got there."""

    trap: Callable[[], None]
    sprung: bool = False

    def __call__(self, wanted: Job) -> Life:
        life = lived(wanted, trap=self.trap)
        self.sprung = life.killed
        return life


def set_trap(owner: type | ModuleType, name: str, when: str, number: int) -> None:
    """In a child: die before or after the call of that number."""
    original = getattr(owner, name)
    calls = 0

    def trapped(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **named)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, trapped)


def lived(
    wanted: Job,
    *,
    after: int | None = None,
    delay: float = 0.0,
    trap: Callable[[], None] | None = None,
) -> Life:
    """Run the job in a child, which is killed ``delay`` seconds after so many frames."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _live(wanted, writing, trap)
    os.close(writing)
    text, seen = b"", 0
    while True:
        if after is not None and seen >= after:
            time.sleep(delay)
            os.kill(child, signal.SIGKILL)
            after = None
        if select.select([reading], [], [], 60)[0]:
            block = os.read(reading, 1 << 16)
            if not block:
                break
            text += block
            seen = text.count(b'"frame"')
        else:
            os.kill(child, signal.SIGKILL)
            text += b'{"failed": "it hung for a minute"}\n'
    os.close(reading)
    _, status = os.waitpid(child, 0)
    lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith(b"\n")]
    return Life(
        {line["frame"]: line["hash"] for line in lines if "frame" in line},
        sum(line["resumed"] for line in lines if "resumed" in line),
        os.WIFSIGNALED(status),
        " ".join(line["failed"] for line in lines if "failed" in line),
    )


def _live(wanted: Job, writing: int, trap: Callable[[], None] | None) -> None:
    """The child: reports what it does, and never returns."""

    def report(**facts: object) -> None:
        os.write(writing, json.dumps(facts).encode() + b"\n")

    def listen(event: Event) -> None:
        if isinstance(event, FrameDone):
            report(frame=event.index, hash=event.digest)
        if isinstance(event, Resumed):
            report(resumed=event.frames)

    try:
        if trap is not None:
            trap()
        _run(replace(wanted, overwrite=True), listen)
    except BaseException as error:  # whatever it is, the parent is to know
        report(failed=f"{type(error).__name__}: {error}")
    os._exit(0)


def _run(wanted: Job, listen: Listener) -> None:
    with prepared(wanted) as (assembly, plan):
        to = destination.Destination(wanted.output, wanted.overwrite)
        execute(
            assembly,
            plan,
            to,
            original=wanted.input,
            compute=compute_in_turn("threaded"),
            listen=listen,
            rule=RULE,
        )


def job(pipeline: Path, folder: Path, name: str) -> Job:
    loaded = replace(load_pipeline(pipeline, registry=Registry([])), chunk=CHUNK)
    return Job(loaded, folder / "in.mkv", folder / f"{name}.mkv", device="cpu")


def times(path: Path) -> list[tuple[int | None, ...]]:
    """Of all packets of the video."""
    with av.open(str(path)) as container:
        return [
            (packet.pts, packet.dts, packet.duration)
            for packet in container.demux(video=0)
            if packet.size
        ]


def random_weights(folder: Path) -> Path:
    """A folder with RAFT's."""
    weights = folder / "weights"
    weights.mkdir()
    torch.manual_seed(0)
    network = raft_small(weights=None, progress=False)
    safetensors_file.write(weights / "raft_small_torchvision.safetensors", network.state_dict(), {})
    return weights


def write_clip(path: Path, frames: int) -> None:
    """Three textures that move, one after the other, at unequal times."""
    rng = np.random.default_rng(0)
    textures = [rng.integers(0, 255, (HEIGHT, WIDTH + frames, 3), np.uint8) for _ in range(3)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=WIDTH, height=HEIGHT)
        stream.pix_fmt = "yuv420p"
        moment = 0
        for index in range(frames):
            texture = textures[index * len(textures) // frames]
            window = np.ascontiguousarray(texture[:, index : index + WIDTH])
            image = av.VideoFrame.from_ndarray(window, "rgb24")
            image.pts = moment
            moment += 1 if index % 3 else 4
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
