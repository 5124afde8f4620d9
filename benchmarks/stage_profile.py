"""Where the processor time of a frame goes: stage by stage, and operation by operation.

    python benchmarks/stage_profile.py [CLIP] [--pipeline temporal] [--sizes 640x360 1920x1080]
                                       [--frames 30] [--rows 12] [--set STAGE.OPTION=VALUE]
                                       [--stages NAME ...]

The frames go through the pipeline on one thread, one after the other, as the serial engine leads
them. The first table is the processor time of each stage, with the arrays of 64 KiB or more that
numpy and OpenCV allocate and the calls that only copy; the second, of another pass, the operations
that take most: a function's own line is what numpy's operators in it take. Profiling adds to small
calls; compare with the stage's time in the first table. Without a clip a moving scene is made.
"""

from __future__ import annotations

import argparse
import cProfile
import inspect
import pstats
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import cv2
from costs.arrays import Arrays, counting  # type: ignore[import-not-found]  # beside this file
from memory import write_clip  # type: ignore[import-not-found]
from speed import sized as resize_clip  # type: ignore[import-not-found]

from vidstyle.core import ExecutionContext, Frame, Source
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import Pipeline, load_pipeline
from vidstyle.runner.config.shipped import pipeline_file
from vidstyle.runner.execution.checkpoints import ChunkNumbering
from vidstyle.runner.execution.heap import keep_heap
from vidstyle.runner.execution.nodes import AnyNode, open_node
from vidstyle.runner.execution.serial import run_serial
from vidstyle.runner.execution.work import chain_flows
from vidstyle.runner.plan.assembly import assemble, make_stage
from vidstyle.runner.plan.device import limit_threads
from vidstyle.runner.plan.guard import Guard
from vidstyle.runner.plan.parts import make_parts
from vidstyle.runner.plan.resolve import make_plan

T = TypeVar("T")
# Frames that do not count: compilers, caches and the heap warm up.
WARMING = 6
# Counting is no part of the stages.
_COUNTER = inspect.getfile(Arrays)
COPIES = ("ascontiguousarray", "'copy'", "'astype'", "merge", "split", "copyMakeBorder")


@dataclass(slots=True)
class Costs:
    """Of one stage over the frames that count."""

    seconds: float = 0.0
    arrays: Arrays = field(default_factory=Arrays)
    profile: cProfile.Profile = field(default_factory=lambda: cProfile.Profile(time.thread_time))


class CountingGuard(Guard):
    """Calls a stage, and adds up what that costs."""

    def __init__(self, stage: str, *, deep: bool) -> None:
        super().__init__(stage)
        self.costs = Costs()
        self.counts = False
        self._deep = deep

    def __call__(self, frame: int | None, function: Callable[..., T], *arguments: object) -> T:
        if not self.counts:
            return super().__call__(frame, function, *arguments)
        costs = self.costs
        if self._deep:
            with counting(costs.arrays):
                return costs.profile.runcall(super().__call__, frame, function, *arguments)
        started = time.process_time()
        try:
            return super().__call__(frame, function, *arguments)
        finally:
            costs.seconds += time.process_time() - started


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clip", nargs="?", type=Path)
    parser.add_argument("--pipeline", type=Path, default=Path("temporal"))
    parser.add_argument("--sizes", nargs="+", default=["640x360", "1920x1080"])
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--rows", type=int, default=12, help="operations of each stage")
    parser.add_argument("--set", nargs="*", default=[], metavar="STAGE.OPTION=VALUE")
    parser.add_argument("--stages", nargs="*", help="whose operations are listed; all without it")
    given = parser.parse_args(arguments)
    keep_heap()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        for size in given.sizes:
            width, height = map(int, size.split("x"))
            clip = sized(given.clip, Path(folder), (width, height), WARMING + given.frames + 1)
            pipeline = load_pipeline(
                pipeline_file(given.pipeline), registry=Registry(), overrides=given.set
            )
            plain, whole = measure(pipeline, clip, given.frames, deep=False)
            deep, _ = measure(pipeline, clip, given.frames, deep=True)
            report(size, plain, deep, whole, given.frames)
            for name, costs in deep.items():
                if not given.stages or name in given.stages:
                    report_operations(name, costs, given.frames, given.rows)


def sized(clip: Path | None, folder: Path, size: tuple[int, int], frames: int) -> Path:
    """The clip in that size, or one that is made."""
    if clip is not None:
        return Path(resize_clip(clip, folder, size))
    path = folder / f"{size[0]}.mp4"
    write_clip(path, frames, *size)
    return path


def measure(
    pipeline: Pipeline, path: Path, frames: int, *, deep: bool
) -> tuple[dict[str, Costs], float]:
    """Costs of the stages by name, and the seconds of processor time of all in all."""
    with ExitStack() as stack:
        source = make_stage(pipeline.stages[0])
        stack.callback(source.close)
        clip = source.open(path, ExecutionContext())
        plan = make_plan(assemble(pipeline, source, clip, device="cpu", cores=1))
        parts = make_parts(plan)
        nodes: list[AnyNode] = []
        guards = [CountingGuard(plan.source.name, deep=deep)]
        for planned, stage, options in zip(plan.stages, parts.stages, parts.options, strict=True):
            nodes.append(open_node(stack, planned, stage, options, clip))
            guards.append(CountingGuard(planned.name, deep=deep))
            nodes[-1].guard = guards[-1]
            clip = planned.clip
        stack.callback(parts.sink.close)
        parts.sink.open(clip, plan.sink.context)
        limit_threads(1)
        guards.append(writing := CountingGuard(plan.sink.name, deep=deep))
        flows = chain_flows(nodes, ChunkNumbering(plan.chunk))
        writer = parts.sink.segment(clip)
        started = 0.0
        stream = run_serial(_frames(source, guards[0], plan.source.keeps), flows)
        for index, frame in enumerate(islice(stream, WARMING + frames)):
            writing(frame.index, writer.write, frame)
            if index == WARMING - 1:
                started = time.process_time()
                for guard in guards:
                    guard.counts = True
        whole = time.process_time() - started
    return {guard.stage: guard.costs for guard in guards}, whole


def _frames(source: Source, guard: CountingGuard, keeps: Sequence[str]) -> Iterator[Frame]:
    """What a run reads: the image starts as the source."""
    frames = iter(source.frames(None))
    while (frame := guard(None, next, frames, None)) is not None:
        yield frame.write({"image": frame.lazy_layer("source")}, keeps)


def report(
    size: str, plain: Mapping[str, Costs], deep: Mapping[str, Costs], whole: float, frames: int
) -> None:
    print(f"\n{size}, a frame on one thread")
    print(f"{'stage':14}{'ms':>8}{'arrays':>10}{'MiB':>8}{'copies':>9}")
    for name, costs in plain.items():
        arrays = deep[name].arrays
        copies = sum(calls for calls, *_, what in operations(deep[name]) if is_copy(what))
        print(
            f"{name:14}{costs.seconds / frames * 1e3:8.2f}{arrays.number / frames:10.1f}"
            f"{arrays.size / frames / 2**20:8.1f}{copies / frames:9.1f}"
        )
    rest = whole - sum(costs.seconds for costs in plain.values())
    print(f"{'runner':14}{rest / frames * 1e3:8.2f}")
    print(f"{'all':14}{whole / frames * 1e3:8.2f}", flush=True)


def report_operations(name: str, costs: Costs, frames: int, rows: int) -> None:
    print(f"\n{name}: operations{'calls':>48}{'ms':>8}")
    found = sorted(operations(costs), key=lambda one: one[1], reverse=True)
    for calls, seconds, where, what in found[:rows]:
        line = f"{where}: {what}"
        print(f"  {line:64}{calls / frames:6.1f}{seconds / frames * 1e3:8.2f}", flush=True)


def operations(costs: Costs) -> Iterator[tuple[int, float, str, str]]:
    """Calls, seconds, the function they are called in, and what is called.

    A function's own time is that of numpy's operators, which no profiler sees as calls.
    """
    stats: Any = pstats.Stats(costs.profile)
    for (file, _, function), (_, calls, own, _, callers) in stats.stats.items():
        if file == _COUNTER:
            continue
        if file != "~":
            yield calls, own, f"{Path(file).stem}.{function}", "itself"
            continue
        for (caller, _, within), (_, times, spent, _) in callers.items():
            yield times, spent, f"{Path(caller).stem}.{within}", function.strip("<>")


def is_copy(operation: str) -> bool:
    """Whether an operation does nothing but copy."""
    return any(name in operation for name in COPIES)


if __name__ == "__main__":
    main()
