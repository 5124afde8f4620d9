"""Pipelines as they ship, run on frames that are stylized already, at one strength and another."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidstyle.core import AnyStage, Clip, Frame, HostArray, PlannedStage
from vidstyle.core.errors import UsageError
from vidstyle.kernels.library import has_kernels
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import Pipeline, StageEntry, load_pipeline
from vidstyle.runner.execution.checkpoints import ChunkNumbering
from vidstyle.runner.execution.nodes import AnyNode, make_node
from vidstyle.runner.execution.serial import run_serial
from vidstyle.runner.plan.assembly import assemble, make_stage
from vidstyle.runner.plan.resolve import make_plan

from .footage import Footage
from .store import Arrays, Kept, Store, digest_of_code

_MOTION = ("shots", "flow")
# Stored beside the layers of flow, as one number a frame each.
_SHOT, _CHUNK = "shot", "chunk"
_CODE = ("imaging", "kernels", "stages/flow", "stages/shots", "models")


@dataclass(frozen=True, slots=True)
class ClipMotion:
    """What the stages before the stylizer found about a clip."""

    layers: Mapping[str, Kept]
    """``flow``, ``visible`` and what else the flow stage writes."""
    shots: tuple[int, ...]
    """Of each frame."""
    chunks: tuple[int, ...]
    """Of each frame: the runner's units of work."""

    @property
    def cuts(self) -> tuple[int, ...]:
        """Indices of frames that begin a shot, the first left out."""
        return tuple(i for i in range(1, len(self.shots)) if self.shots[i] != self.shots[i - 1])


@dataclass(frozen=True, slots=True)
class Preset:
    """A pipeline file and what of it is changed."""

    path: Path
    overrides: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def strength(self) -> float:
        """What the file says, at the clip's beginning."""
        value: float = self._stage("blend").options.strength  # type: ignore[attr-defined]  # of blends
        return value

    @property
    def flow(self) -> str:
        """The stage that finds motion, such as ``flow/dis``."""
        return self._stage("flow").use

    def motion(self, footage: Footage, store: Store) -> ClipMotion:
        """Find shots, flow and visibility, once for all styles and strengths."""
        entries = [entry for entry in self.pipeline().stages if entry.kind in _MOTION]
        facts = {
            "footage": footage.key,
            "stages": [[entry.use, entry.options.model_dump(mode="json")] for entry in entries],
            "code": digest_of_code(*_CODE),
            "kernels": str(has_kernels()),
        }
        layers = store.frames("motion", facts, lambda: _moving(self.pipeline(), footage))
        shots, chunks = (tuple(map(int, layers.pop(name))) for name in (_SHOT, _CHUNK))
        return ClipMotion(layers, shots, chunks)

    def blend(
        self,
        footage: Footage,
        motion: ClipMotion,
        stylized: Kept,
        point: tuple[float, float] | None = None,
    ) -> Iterator[HostArray]:
        """Give the pipeline's images, (H, W, 3) in [0, 1], at a strength and a smoothing.

        None keeps those of the file.
        """
        pipeline = self.pipeline(point)
        rest = [entry.kind for entry in pipeline.stages[1:-1]]
        kinds = {kind for kind in rest if kind not in (*_MOTION, "stylize")}
        with opened(pipeline, footage.clip, kinds) as nodes:
            arriving = _arriving(footage, motion, stylized)
            for frame in run_serial(arriving, [node.run for node in nodes]):
                yield frame.host("image")

    def pipeline(self, point: tuple[float, float] | None = None) -> Pipeline:
        """Load the file; ``point`` is the strength and the smoothing of its blend."""
        names = ("strength", "smoothing")
        own = [f"blend.{name}={value}" for name, value in zip(names, point or (), strict=False)]
        return load_pipeline(self.path, registry=Registry(), overrides=(*self.overrides, *own))

    def _stage(self, kind: str) -> StageEntry:
        found = [entry for entry in self.pipeline().stages if entry.kind == kind]
        if len(found) != 1:
            raise UsageError(f"{self.path}: wanted one stage of kind {kind}, found {len(found)}")
        return found[0]


def frames_of(footage: Footage, motion: ClipMotion, stylized: Kept) -> Iterator[Frame]:
    """The frames as baselines read them."""
    names = ["source", "image", *motion.layers]
    for frame in _arriving(footage, motion, stylized):
        yield frame.restrict(names, "host")


@contextmanager
def opened(pipeline: Pipeline, clip: Clip, kinds: set[str]) -> Generator[list[AnyNode], None, None]:
    """Nodes of the stages of these kinds, planned within the whole pipeline as a run does it.

    They keep every layer, where those of a run drop what no later stage reads. Nothing of the
    pipeline may change the image's size.
    """
    assembly = assemble(pipeline, make_stage(pipeline.stages[0]), clip, device="cpu")
    plan, stages = make_plan(assembly), assembly.stages
    written = {"source", "image"}.union(*(stage.needs.writes for stage in stages))
    with ExitStack() as stack:
        nodes: list[AnyNode] = []
        for entry, planned, stage in zip(assembly.entries, plan.stages, stages, strict=True):
            if entry.kind in kinds:
                stack.callback(stage.close)
                nodes.append(_node(entry, planned, stage, clip, tuple(sorted(written))))
                stack.callback(nodes[-1].close)
        yield nodes


def _node(
    entry: StageEntry, planned: PlannedStage, stage: AnyStage, clip: Clip, keeps: Sequence[str]
) -> AnyNode:
    stage.open(clip, planned.context)
    return make_node(replace(planned, keeps=tuple(keeps)), stage, entry)


def _moving(pipeline: Pipeline, footage: Footage) -> Iterator[Arrays]:
    """The layers of motion, frame by frame, with the number of the shot."""
    written: set[str] = set()
    with opened(pipeline, footage.clip, set(_MOTION)) as nodes:
        numbering = ChunkNumbering(pipeline.chunk)
        shots = [node for node in nodes if node.planned.use.startswith("shots/")]
        flows = [node for node in nodes if node not in shots]
        cut = run_serial(_sources(footage), [node.run for node in shots])
        written = {name for node in flows for name in node.planned.needs.writes}
        for frame in run_serial(numbering.run(cut), [node.run for node in flows]):
            layers = {name: frame.host(name) for name in written}
            yield {**layers, _SHOT: np.array(frame.shot), _CHUNK: np.array(frame.chunk)}


def _sources(footage: Footage) -> Iterator[Frame]:
    step = footage.clip.time_base
    for index, image in enumerate(footage.frames):
        layers = {"source": image, "image": image}
        yield Frame(index, index, 1, layers, time=index * step)


def _arriving(footage: Footage, motion: ClipMotion, stylized: Kept) -> Iterator[Frame]:
    """The frames that arrive at the stages behind the stylizer."""
    for frame in _sources(footage):
        index = frame.index
        layers = {**frame.layers, "image": stylized[index]}
        layers |= {name: kept[index] for name, kept in motion.layers.items()}
        shot, chunk = motion.shots[index], motion.chunks[index]
        yield replace(frame, layers=layers, shot=shot, chunk=chunk)
