"""Pipelines as they ship, run on frames that are stylized already, at one strength and another."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

import vidstyle
from vidstyle.core import AnyStage, Clip, Frame, HostArray, PlannedStage
from vidstyle.core.errors import UsageError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.keyframes import options_at
from vidstyle.runner.config.pipeline import Pipeline, StageEntry, load_pipeline
from vidstyle.runner.execution.nodes import AnyNode, make_node
from vidstyle.runner.execution.parcel import Cell, Parcel
from vidstyle.runner.execution.serial import run_serial, through
from vidstyle.runner.execution.stamp import Stamp
from vidstyle.runner.plan.assembly import assemble, made
from vidstyle.runner.plan.resolve import make_plan

from .footage import Footage
from .store import Arrays, Kept, Store, digest_of_files

_MOTION = ("shots", "flow")
# Stored beside the layers of flow, as one number a frame each.
_SHOT, _CHUNK = "shot", "chunk"
_CODE = ("imaging", "stages/flow", "stages/shots", "models")


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
        code = Path(vidstyle.__file__).parent
        files = sorted(path for part in _CODE for path in (code / part).rglob("*.py"))
        facts = {
            "footage": footage.key,
            "stages": [[entry.use, entry.options.model_dump(mode="json")] for entry in entries],
            "code": digest_of_files(files),
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
            flows = [through(node) for node in nodes]
            for parcel in run_serial(_parcels(footage, motion, stylized), flows):
                yield np.asarray(parcel.cells["image"].at("host", "cpu"))

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
    for parcel in _parcels(footage, motion, stylized):
        yield parcel.show(names, "host", "cpu")


@contextmanager
def opened(pipeline: Pipeline, clip: Clip, kinds: set[str]) -> Generator[list[AnyNode], None, None]:
    """Nodes of the stages of these kinds, planned within the whole pipeline as a run does it.

    They keep every layer, where those of a run drop what no later stage reads. Nothing of the
    pipeline may change the image's size.
    """
    assembly = assemble(pipeline, made(pipeline.stages[0]), clip, device="cpu")
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
    options = partial(options_at, entry.options, entry.keyframes)
    return make_node(replace(planned, keeps=tuple(keeps)), stage, options)


def _moving(pipeline: Pipeline, footage: Footage) -> Iterator[Arrays]:
    """The layers of motion, frame by frame, with the number of the shot."""
    written: set[str] = set()
    with opened(pipeline, footage.clip, set(_MOTION)) as nodes:
        stamp = Stamp(*pipeline.chunk)
        shots = [node for node in nodes if node.planned.use.startswith("shots/")]
        flows = [node for node in nodes if node not in shots]
        cut = run_serial(_sources(footage), [through(node) for node in shots])
        written = {name for node in flows for name in node.planned.needs.writes}
        for parcel in run_serial(map(stamp, cut), [through(node) for node in flows]):
            layers = {name: np.asarray(parcel.cells[name].at("host", "cpu")) for name in written}
            yield {**layers, _SHOT: np.array(parcel.shot), _CHUNK: np.array(parcel.chunk)}


def _sources(footage: Footage) -> Iterator[Parcel]:
    step = footage.clip.time_base
    for index, image in enumerate(footage.frames):
        cell = Cell(image)
        yield Parcel(index, index, 1, index * step, {"source": cell, "image": cell})


def _parcels(footage: Footage, motion: ClipMotion, stylized: Kept) -> Iterator[Parcel]:
    """What arrives at the stages behind the stylizer."""
    for parcel in _sources(footage):
        index = parcel.index
        layers = {"image": stylized[index]}
        layers |= {name: kept[index] for name, kept in motion.layers.items()}
        cells = {**parcel.cells, **{name: Cell(layer) for name, layer in layers.items()}}
        shot, chunk = motion.shots[index], motion.chunks[index]
        yield replace(parcel, cells=cells, shot=shot, chunk=chunk)
