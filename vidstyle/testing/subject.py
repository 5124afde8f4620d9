"""A stage under test, and how the checks run it: through the runner's own node."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from vidstyle.core import (
    AnyStage,
    Clip,
    ExecutionContext,
    Frame,
    HostArray,
    Layer,
    PlannedStage,
    State,
    load_state,
    save_state,
)
from vidstyle.core.layers import Home
from vidstyle.runner.config.keyframes import TimedOptions
from vidstyle.runner.execution.nodes import AnyNode, make_node
from vidstyle.runner.plan.assembly import check_form
from vidstyle.runner.plan.device import available_cores
from vidstyle.runner.storage.checkpoint import StageState
from vidstyle.testing.watched import Watched, as_array

SIZES = ((97, 65), (64, 98), (16, 16), (17, 40), (24, 1), (1, 24))
"""Widths and heights that a stage has to cope with; it may refuse those below 16."""

Digests = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Subject:
    """A stage class with its options."""

    stage_class: type[Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    """As the keys of a YAML file."""
    layers: Mapping[str, Callable[[Frame], HostArray]] = field(default_factory=dict)
    """Makers of layers that are not the standard ones: (H, W) or (H, W, C) float32 each."""
    sizes: Sequence[tuple[int, int]] = SIZES
    """Widths and heights to try."""

    def make(self) -> AnyStage:
        """A new stage, not opened."""
        stage: AnyStage = self.stage_class(self._options())
        return stage

    @contextmanager
    def opened(self, clip: Clip, *, device: str = "cpu") -> Iterator[Running]:
        """Open a new stage on a clip, its options resolved, and close it in the end.

        Args:
            clip: As it arrives at the stage.
            device: As torch names it.

        Yields:
            The open stage.
        """
        context = ExecutionContext(device=device, threads=available_cores())
        options = self.make().resolve(clip, context)
        stage: AnyStage = self.stage_class(options)
        check_form(self.stage_class.__name__, stage)
        try:
            planned = PlannedStage(
                name=self.stage_class.__name__,
                use="check/stage",
                options=dict(self.options),
                needs=stage.needs,
                context=context,
                clip=stage.describe(clip),
                keeps=(),
                memory=0,
            )
            stage.open(clip, context)
            yield Running(stage, planned, options)
        finally:
            stage.close()

    def _options(self) -> Any:
        return self.stage_class.Options.model_validate(dict(self.options))


@dataclass(frozen=True, slots=True)
class Running:
    """An opened stage."""

    stage: AnyStage
    planned: PlannedStage
    options: Any

    def run(self, frames: Sequence[Frame], *, span: int | None = None) -> list[Frame]:
        """Send all frames through a new node.

        Args:
            frames: In order.
            span: As in ``node``.

        Returns:
            What comes out.
        """
        return [out for out, _ in self.steps(self.node(frames, span=span), frames)]

    def watched(self, frames: Sequence[Frame]) -> tuple[list[Frame], Watched]:
        """Send all frames through a new node, and record what every step was given and gave.

        Args:
            frames: In order.

        Returns:
            What comes out, and the record.
        """
        watched = Watched(self.stage)
        node = self.node(frames, watched)
        return [out for out, _ in self.steps(node, frames)], watched

    def node(
        self,
        frames: Sequence[Frame],
        stage: AnyStage | None = None,
        *,
        span: int | None = None,
        budget: int | None = None,
    ) -> AnyNode:
        """Make a node that keeps all layers of its frames and those that the stage writes.

        Args:
            frames: Of which the first shows the layers.
            stage: Runs in place of the stage itself.
            span: Frames that a span stage gets at once at most, where that is less than it asks
                for.
            budget: Bytes of memory for a span.

        Returns:
            The node.
        """
        keeps = tuple(sorted({*frames[0].layers, *self.planned.needs.writes}))
        needs = self.planned.needs
        if span is not None and needs.span is not None:
            needs = replace(needs, span=min(span, needs.span))
        planned = replace(self.planned, keeps=keeps, needs=needs)
        entry = TimedOptions(self.options)
        return make_node(planned, stage or self.stage, entry, budget=budget)

    def steps(
        self, node: AnyNode, frames: Sequence[Frame]
    ) -> Iterator[tuple[Frame, StageState | None]]:
        """Send frames through a node, one after the other.

        Args:
            node: From ``node``.
            frames: In order.

        Yields:
            What comes out, and the node's state right after it: None within a span.
        """
        for out in node.run(frames):
            yield out, node.state()

    def stored(self, state: StageState) -> StageState:
        """Write a node's state to bytes and read it back.

        Args:
            state: Of the node.

        Returns:
            An equal one.
        """
        home, device = self.planned.needs.home, self.planned.context.device
        return replace(state, state=state_at(load_state(saved(state.state)), home, device))


def saved(state: State) -> bytes:
    """Write a state to bytes, wherever its arrays lie.

    Args:
        state: Of a stage.

    Returns:
        As ``save_state`` writes it.
    """
    if state is None:
        return save_state(None)
    on_host = {name: as_array(v) if hasattr(v, "shape") else v for name, v in state.items()}
    return save_state(on_host)


def state_at(state: State, home: Home, device: str) -> State:
    """Move a state's arrays to where a stage keeps them.

    Args:
        state: With its arrays on the host.
        home: Of the stage.
        device: As torch names it.

    Returns:
        The state.
    """
    if state is None or home == "host":
        return state
    import torch

    move = partial(torch.as_tensor, device=device)
    return {
        name: move(v.copy()) if isinstance(v, np.ndarray) else v  # safetensors' own are read-only
        for name, v in state.items()
    }


def hash_layers(frames: Sequence[Frame], names: Sequence[str] | None = None) -> Digests:
    """Hash the layers of frames.

    Args:
        frames: In order.
        names: Layers to hash; None for all.

    Returns:
        Hashes by the layers' names, frame for frame.
    """
    return [
        {
            name: hash_layer(frame.host(name))
            for name in frame.layers
            if names is None or name in names
        }
        for frame in frames
    ]


def hash_layer(layer: Layer) -> str:
    """Hash the values, the shape and the type of a layer.

    Args:
        layer: On the host or a device.

    Returns:
        Hexadecimal digits.
    """
    array = np.ascontiguousarray(as_array(layer))
    label = f"{array.shape}{array.dtype}".encode()
    return hashlib.sha256(label + array.tobytes()).hexdigest()
