"""A unit of work gives the same in every process, and units join to the whole."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.core.plan import Plan
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution.chunks import EncodedChunk
from vidstyle.runner.execution.encoder import EncodedFrame
from vidstyle.runner.execution.engines import ENGINES
from vidstyle.runner.execution.threaded import drive_threaded
from vidstyle.runner.execution.work import Work, WorkSegment, run_work
from vidstyle.runner.job import Job, prepared

CUT, COUNT = 13, 24
PIPELINE = """\
version: 1
chunk: {least: 5, most: 7}
inputs: {mask: mask.png}
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
    preset: ultrafast
  - use: filter/masked
    mask: mask
  - use: blend/warped
    strength: {at: {0s: 0.2, 500ms: 0.9}}
  - use: encode/pyav
    codec: ffv1
"""
PLUGIN = """
from vidstyle.core import NOW, BaseStage, Needs, StageOptions, layer_or_file

class Masked(BaseStage):
    # Darkens what the mask names.

    class Options(StageOptions):
        mask: str | None = layer_or_file()

    @property
    def needs(self):
        return Needs(reads={"image": NOW, self.options.mask: NOW}, writes=("image",))

    def step(self, window, state):
        mask = window.now.host(self.options.mask)
        return {"image": window.now.host("image") * (1 - mask[..., None] / 2)}, None

STAGE = Masked
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Of a clip with a cut, a plugin, a side input and keyframes."""
    (tmp_path / "plugins" / "filter").mkdir(parents=True)
    (tmp_path / "plugins" / "filter" / "masked.py").write_text(PLUGIN)
    (tmp_path / "p.yaml").write_text(PIPELINE)
    rng = np.random.default_rng(0)
    with av.open(str(tmp_path / "mask.png"), "w", format="image2") as container:
        stream = container.add_stream("png", width=64, height=48)
        stream.pix_fmt = "gray"
        mask = rng.integers(0, 255, (48, 64), np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(mask, "gray")))
        container.mux(stream.encode(None))
    textures = [rng.integers(0, 255, (60, 120, 3), np.uint8) for _ in range(2)]
    with av.open(str(tmp_path / "in.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=64, height=48)
        stream.pix_fmt = "yuv420p"
        for index in range(COUNT):
            image = np.ascontiguousarray(textures[index >= CUT][6:54, index : index + 64])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
    pipeline = load_pipeline(tmp_path / "p.yaml", registry=Registry([tmp_path / "plugins"]))
    with prepared(Job(pipeline, tmp_path / "in.mkv", tmp_path / "out.mkv")) as (_, plan):
        return plan


def chunks_of(*segments: WorkSegment) -> list[EncodedChunk]:
    """All that the file is made of: packets, headers, times and hashes."""
    return [chunk for segment in segments for chunk in segment.chunks]


def run_elsewhere(plan: Plan, work: Work) -> WorkSegment:
    """In a process that shares nothing with this one."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(run_work, plan, work).result()


def test_works_that_split_a_clip_at_a_cut_join_to_the_whole_in_any_process(
    plan: Plan, tmp_path: Path
) -> None:
    whole = run_work(plan, Work(tmp_path / "in.mkv"))
    assert [chunk.frames for chunk in whole.chunks] == [7, 6, 7, 4]
    assert whole.next is None
    for run in (run_work, run_elsewhere):
        first = run(plan, Work(tmp_path / "in.mkv", stop=CUT))
        assert first.next is not None
        assert first.next.mark.index == CUT - 1
        second = run(plan, Work(tmp_path / "in.mkv", start=first.next, chunk=2))
        assert chunks_of(first, second) == chunks_of(whole)
        assert second.start == first.start == whole.start


def test_state_of_a_shot_is_not_needed_at_a_cut(plan: Plan, tmp_path: Path) -> None:
    whole = run_work(plan, Work(tmp_path / "in.mkv"))
    first = run_work(plan, Work(tmp_path / "in.mkv", stop=CUT))
    assert first.next is not None
    bare = replace(first.next, states={"shots": first.next.states["shots"]})
    second = run_work(plan, Work(tmp_path / "in.mkv", start=bare, chunk=2))
    assert chunks_of(first, second) == chunks_of(whole)


def test_every_engine_gives_the_same(plan: Plan, tmp_path: Path) -> None:
    work = Work(tmp_path / "in.mkv")
    whole = run_work(plan, work)
    assert run_work(plan, work, drive_threaded).chunks == whole.chunks
    wanted = [record.digest for chunk in whole.chunks for record in chunk.records]
    for engine in ENGINES.values():
        with engine(plan, work, ()) as running:
            found = [item.frame.digest for item in running if isinstance(item, EncodedFrame)]
        assert found == wanted


def test_plan_work_and_segment_can_be_pickled(plan: Plan, tmp_path: Path) -> None:
    work = Work(tmp_path / "in.mkv", stop=CUT)
    segment = run_work(plan, work)
    for value in (plan, work, segment):
        assert pickle.loads(pickle.dumps(value)) == value
    assert pickle.loads(pickle.dumps(plan)).digest() == plan.digest()
