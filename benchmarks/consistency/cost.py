"""What the blend costs, beside the optical flow that every method needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
import torch

from vidstyle.core import Clip, Frame, HostArray
from vidstyle.imaging.derived import Gray8, gray8
from vidstyle.runner.execution.heap import keep_heap
from vidstyle.runner.execution.serial import run_serial
from vidstyle.stages.flow.dis import search_flow

from .footage import Footage
from .presets import Preset, opened

WIDTH, HEIGHT = 640, 360
# Pushes that do not count: the first frame of a shot is not blended, caches are cold, and the heap
# grows over some frames.
_WARMING = 12


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians in milliseconds of one core for a frame of 640x360."""

    preset: str
    flow: float
    """The flow stage: both ways, with visibility."""
    blend: float
    dis: float
    """OpenCV's preset fast both ways and nothing else, measured in turn with the two above."""

    @property
    def ratio(self) -> float:
        return (self.flow + self.blend) / self.dis

    def __str__(self) -> str:
        return (
            f"{self.preset}: flow and visibility {self.flow:.1f} ms, blend {self.blend:.1f} ms:"
            f" {self.ratio:.2f} times DIS fast both ways ({self.dis:.1f} ms)"
        )


def cost(preset: Preset, footage: Footage, *, repeats: int = 25) -> Cost:
    """The time that the stages of flow and blend take on one thread, on frames of a clip.

    The heap is kept as in a run.
    """
    keep_heap()
    clip = Clip(WIDTH, HEIGHT, Fraction(1, 25), Fraction(25))
    images = [_sized(image) for image in footage.frames[:2]]
    grays = [gray8(image) for image in images]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    frames = (_frame(index, images[index % 2]) for index in range(_WARMING + repeats))
    taken: list[tuple[float, float, float]] = []
    with _one_thread(), opened(preset.pipeline(), clip, {"flow", "blend"}) as (flow, *blends):
        flow_clock = _Clock(flow.run(frames))
        whole_clock = _Clock(run_serial(flow_clock, [node.run for node in blends]))
        for _ in whole_clock:
            flow_time = flow_clock.lap()
            blend_time = whole_clock.lap() - flow_time
            taken.append((flow_time, blend_time, _timed(lambda: _both_ways(search, grays))))
    flow_ms, blend_ms, dis_ms = 1e3 * np.median(taken[_WARMING:], axis=0)
    return Cost(preset.name, float(flow_ms), float(blend_ms), float(dis_ms))


class _Clock:
    """A stream of frames with the processor time that it takes to make them."""

    def __init__(self, stream: Iterator[Frame]) -> None:
        self._stream = stream
        self._spent = 0.0

    def __iter__(self) -> Iterator[Frame]:
        while True:
            started = time.process_time()
            frame = next(self._stream, None)
            self._spent += time.process_time() - started
            if frame is None:
                return
            yield frame

    def lap(self) -> float:
        """Seconds since the last call."""
        spent, self._spent = self._spent, 0.0
        return spent


def _both_ways(search: cv2.DISOpticalFlow, grays: list[Gray8]) -> None:
    for first, second in (grays, grays[::-1]):
        search_flow(search, first, second)


def _timed(action: Callable[[], object]) -> float:
    """Seconds of processor time: others on the machine count less than by the clock."""
    started = time.process_time()
    action()
    return time.process_time() - started


def _frame(index: int, image: HostArray) -> Frame:
    layers = {"source": image, "image": image}
    return Frame(index, index, 1, layers, time=Fraction(index, 25))


def _sized(image: HostArray) -> HostArray:
    return np.asarray(cv2.resize(image, (WIDTH, HEIGHT)), np.float32)


@contextmanager
def _one_thread() -> Generator[None, None, None]:
    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])
