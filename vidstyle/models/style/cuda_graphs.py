"""CUDA graphs: all kernels of a network launched at once.

Where images or networks are small, a GPU computes a layer in less time than the processor takes
to launch it. A graph is captured once for each shape, and replayed on buffers of its own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from typing import TypeAlias

import torch

logger = logging.getLogger(__name__)

Compute: TypeAlias = Callable[[torch.Tensor], torch.Tensor]
"""Without a state and without looking at values: the same kernels for every tensor of a shape."""
Record: TypeAlias = Callable[[Compute, torch.Tensor], Compute]
"""Turns a computation, with a tensor such as it will get, into one that replays it."""

# torch allows for one at a time in a process.
_one_capture = threading.Lock()


class Replays:
    """Runs computations, from the second tensor of a shape on by replaying a graph.

    Args:
        record: Records a computation of one input, or returns None where it cannot be recorded.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._known: dict[tuple[Hashable, torch.Size], Compute | None] = {}

    def run(self, name: Hashable, compute: Compute, given: torch.Tensor) -> torch.Tensor:
        """Compute a result by a recorded graph where there is one.

        The first input of a shape is computed directly, since it may be the only one, such as the
        rest of a chunk that fills no batch. What cannot be recorded is always computed directly.

        Args:
            name: Stands for the computation: equal names, equal kernels.
            compute: The computation.
            given: Its input.

        Returns:
            ``compute(given)``.
        """
        key = name, given.shape
        if key not in self._known:
            self._known[key] = None
            return compute(given)
        replay = self._known[key]
        if replay is None:
            replay = self._known[key] = self._recorded(compute, given)
        return replay(given)

    def _recorded(self, compute: Compute, given: torch.Tensor) -> Compute:
        try:
            return self._record(compute, given)
        except RuntimeError as error:
            # Slower, but as right: a graph is no reason to lose a run.
            logger.warning("no CUDA graph for %s: %s", tuple(given.shape), error)
            return compute


class CudaRecorder:
    """Captures CUDA graphs of one device.

    They share their memory: they are replayed one after the other on one stream, each writes what
    it reads, and what it gives is copied before the next one runs. Weights are read where they
    lie, so that weights changed in place change what a graph computes.

    Args:
        device: As torch names it.
    """

    def __init__(self, device: str) -> None:
        self._side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # as torch has it
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, compute: Compute, given: torch.Tensor) -> Compute:
        """Computes twice: kernels are chosen and loaded at the first time, which no graph bears."""
        read = given.clone()
        current = torch.cuda.current_stream(given.device)
        graph = torch.cuda.CUDAGraph()
        self._side.wait_stream(current)
        with _one_capture, torch.cuda.stream(self._side):
            compute(read)
            # Of this thread alone: others go on allocating and copying meanwhile.
            with torch.cuda.graph(
                graph, pool=self._pool, stream=self._side, capture_error_mode="thread_local"
            ):
                made = compute(read)
        current.wait_stream(self._side)

        def replay(given: torch.Tensor) -> torch.Tensor:
            read.copy_(given)
            graph.replay()
            return made.clone()

        return replay
