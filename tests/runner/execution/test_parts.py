"""Long shots in parts: here in turn, apart in any order, and resumed, with the same frames."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.core import Needs
from vidstyle.core.errors import Terminated, UsageError
from vidstyle.core.plan import Plan, PlannedStage, Split
from vidstyle.core.stop import StopRequest
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution.chunks import EncodedChunk
from vidstyle.runner.execution.events import Event, FrameDone, NoteEvent, Resumed
from vidstyle.runner.execution.units import AllUnits, at_unit, find_units, unit_works
from vidstyle.runner.execution.work import Work, run_work
from vidstyle.runner.job import Job, prepared, run
from vidstyle.runner.plan.split import OVERLAP, resolve_split
from vidstyle.runner.storage.made import look_up
from vidstyle.runner.storage.stored import UnitStart

# Parts of 33 frames begin at 0, 33, and after the cut at 46 and 79.
COUNT, CUT, PART = 85, 46, 2 * OVERLAP + 1
STARTS = (33, 79)
CUT_BEFORE = ["long shots were cut before frames 33, 79"]
PIPELINE = """\
version: 1
chunk: {least: 5, most: 8}
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
    preset: ultrafast
    directions: both
  - use: blend/warped
    anchors: [2]
    look_ahead: 0.4
    strength: 0.9
  - use: encode/pyav
    codec: libx264
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two long shots of images that move, with B-frames and unequal times."""
    path = tmp_path_factory.mktemp("parts") / "in.mkv"
    rng = np.random.default_rng(0)
    textures = [rng.integers(0, 255, (60, 160, 3), np.uint8) for _ in range(2)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=64, height=48)
        stream.pix_fmt = "yuv420p"
        moment = 0
        for index in range(COUNT):
            texture = textures[index >= CUT]
            shown = texture[6:54, index : index + 64]
            image = av.VideoFrame.from_ndarray(np.ascontiguousarray(shown), "rgb24")
            image.pts = moment
            moment += 1 if index % 3 else 2
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return path


def job(clip: Path, folder: Path, name: str, part: int | None = PART) -> Job:
    (folder / "p.yaml").write_text(PIPELINE)
    pipeline = load_pipeline(folder / "p.yaml", registry=Registry())
    return Job(pipeline, clip, folder / f"{name}.mkv", split_shots=part)


def plan_of(wanted: Job) -> Plan:
    with prepared(wanted) as (_, plan):
        return plan


def digests(wanted: Job) -> dict[int, str]:
    """The hash of each frame of a run, by index."""
    events: list[Event] = []
    run(wanted, listen=events.append)
    return {event.index: event.digest for event in events if isinstance(event, FrameDone)}


def notes(events: list[Event]) -> list[str]:
    found = [event.note for event in events if isinstance(event, NoteEvent)]
    return [note.text for note in found if note.kind == "split-shots"]


@pytest.fixture(scope="module")
def whole(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """The frames of an undisturbed serial run in parts."""
    wanted = job(clip, tmp_path_factory.mktemp("whole"), "whole")
    return digests(replace(wanted, engine="serial"))


def found_units(plan: Plan, work: Work) -> list[UnitStart]:
    *starts, last = find_units(plan, work)
    assert isinstance(last, AllUnits)
    return [start for start in starts if isinstance(start, UnitStart)]


def test_a_part_equals_a_run_of_its_frames_that_starts_with_the_overlap(
    clip: Path, tmp_path: Path, whole: dict[int, str]
) -> None:
    plain = digests(job(clip, tmp_path, "plain", None))
    assert set(whole) == set(range(COUNT))
    for first, end in zip(STARTS, (CUT, COUNT), strict=True):
        wanted = job(clip, tmp_path, f"from{first}", None)
        apart = digests(replace(wanted, frames=(first - OVERLAP, end)))
        assert [whole[i] for i in range(first, end)] == [apart[i] for i in range(first, end)]
        assert whole[first] != plain[first]
    # To the last: the blend looks ahead of it, into the part that follows.
    for index in (*range(STARTS[0]), *range(CUT, STARTS[1])):
        assert whole[index] == plain[index]


def test_units_in_any_order_are_the_run_in_turn(
    clip: Path, tmp_path: Path, whole: dict[int, str]
) -> None:
    plan, work = plan_of(job(clip, tmp_path, "out")), Work(clip)
    units = found_units(plan, work)
    assert [(unit.first, unit.overlap) for unit in units] == [
        (33, OVERLAP),
        (CUT, 0),
        (79, OVERLAP),
    ]
    chunks: dict[int, EncodedChunk] = {}
    for each in reversed(list(unit_works([work], units))):
        segment = run_work(plan, each)
        assert segment.next is None
        chunks |= {chunk.number: chunk for chunk in segment.chunks}
    records = [record for number in sorted(chunks) for record in chunks[number].records]
    assert {record.index: record.digest for record in records} == whole
    # From any of them on, the others are found again.
    for number, unit in enumerate(units):
        assert found_units(plan, at_unit(work, unit)) == units[number + 1 :]


def test_threads_and_a_known_list_of_units_change_nothing(
    clip: Path, tmp_path: Path, whole: dict[int, str]
) -> None:
    assert digests(job(clip, tmp_path, "out")) == whole


class StoppedError(Exception):
    """What a kill is to a run."""


def stop_at(count: int) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if isinstance(event, FrameDone) and event.done == count:
            raise StoppedError

    return listen


@pytest.mark.parametrize(
    "stops",
    [
        (33, 34),
        (20, 50, 79),
        *(pytest.param(stops, marks=pytest.mark.slow) for stops in [(1,), (47, 78), (84,)]),
    ],
)
def test_a_resumed_run_equals_the_whole_one(
    clip: Path, tmp_path: Path, whole: dict[int, str], stops: tuple[int, ...]
) -> None:
    wanted = job(clip, tmp_path, "out")
    for count in stops:
        with pytest.raises(StoppedError):
            run(wanted, listen=stop_at(count))
    events: list[Event] = []
    result = run(wanted, listen=events.append)
    direct = run(job(clip, tmp_path, "direct"))
    assert (result.frames, result.digest) == (direct.frames, direct.digest)
    new = {event.index: event.digest for event in events if isinstance(event, FrameDone)}
    assert new.items() <= whole.items()
    kept = sum(event.frames for event in events if isinstance(event, Resumed))
    assert kept + len(new) == COUNT
    # No more than the chunk that was under way is computed again.
    assert kept > stops[-1] - 9
    assert notes(events) == CUT_BEFORE


def test_where_a_shot_is_cut_is_not_read_from_a_damaged_store(
    clip: Path, tmp_path: Path, whole: dict[int, str]
) -> None:
    wanted = job(clip, tmp_path, "out")
    with pytest.raises(StoppedError):
        run(wanted, listen=stop_at(60))
    (store,) = (tmp_path / ".vidstyle").glob("*.work")
    with closing(sqlite3.connect(store)) as database, database:
        assert database.execute("update unit set first = 34 where first = 33").rowcount == 1
    events: list[Event] = []
    run(wanted, listen=events.append)
    new = {event.index: event.digest for event in events if isinstance(event, FrameDone)}
    assert new == whole


def test_a_run_that_stops_when_asked_keeps_each_frame(
    clip: Path, tmp_path: Path, whole: dict[int, str]
) -> None:
    stop, wanted = StopRequest(), job(clip, tmp_path, "out")

    def ask(event: Event) -> None:
        if isinstance(event, FrameDone) and event.done == 36:
            stop.reason = Terminated()

    with pytest.raises(Terminated):
        run(wanted, listen=ask, stop=stop)
    events: list[Event] = []
    run(wanted, listen=events.append)
    new = {event.index: event.digest for event in events if isinstance(event, FrameDone)}
    # Inside of a part, and of a chunk.
    assert STARTS[0] < min(new) < CUT - 1
    assert set(new) == set(range(min(new), COUNT))
    assert new.items() <= whole.items()


def test_shots_that_are_short_are_left_whole(clip: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    result = run(job(clip, tmp_path, "out", CUT), listen=events.append)
    assert result.digest == run(job(clip, tmp_path, "plain", None)).digest
    assert notes(events) == []


def test_the_length_of_parts_belongs_to_the_stamp(clip: Path, tmp_path: Path) -> None:
    run(job(clip, tmp_path, "out"))
    for part, words in ((PART + 1, "33, is 34"), (None, "33, is none")):
        wanted = job(clip, tmp_path, "out", part)
        with prepared(wanted) as (assembly, plan):
            standing = look_up(wanted.output, clip, assembly, plan)
        assert standing.state == "other"
        assert f"--split-shots was {words}" in standing.sentence
    with prepared(job(clip, tmp_path, "out")) as (assembly, plan):
        assert look_up(tmp_path / "out.mkv", clip, assembly, plan).state == "done"


def test_frames_that_are_computed_apart_need_no_parts(clip: Path, tmp_path: Path) -> None:
    wanted = job(clip, tmp_path, "out")
    text = PIPELINE.partition("  - use: flow")[0] + "  - use: encode/pyav\n"
    (tmp_path / "p.yaml").write_text(text)
    pipeline = load_pipeline(tmp_path / "p.yaml", registry=Registry())
    events: list[Event] = []
    split = run(replace(wanted, pipeline=pipeline), listen=events.append)
    assert notes(events) == ["no effect: each frame is computed by itself"]
    with prepared(replace(wanted, pipeline=pipeline, split_shots=None)) as (assembly, plan):
        assert look_up(split.output, clip, assembly, plan).state == "done"


def test_what_cannot_be_split_is_refused(clip: Path, tmp_path: Path) -> None:
    stages = plan_of(job(clip, tmp_path, "out")).stages
    shots, flow, blend = stages

    def needing(stage: PlannedStage, needs: Needs) -> PlannedStage:
        return replace(stage, needs=needs)

    assert resolve_split(stages, None) is None
    assert resolve_split(stages, PART) == Split(PART, OVERLAP)
    far = needing(flow, Needs(reads={"source": replace(flow.needs.reads["source"], behind=30)}))
    assert resolve_split((shots, far, blend), 90) == Split(90, 32)
    for wrong in (
        (shots, flow, needing(blend, Needs(writes=("image",), scope="clip"))),
        (needing(shots, Needs(writes=("cut",), scope="clip")), flow, blend),
        (needing(shots, Needs(writes=("cut",), span=4)), flow, blend),
    ):
        with pytest.raises(UsageError, match="remembers more than a shot"):
            resolve_split(wrong, PART)
    with pytest.raises(UsageError, match=f"--split-shots {PART - 1}: wanted at least {PART}"):
        resolve_split(stages, PART - 1)


def test_a_clip_without_a_stage_of_cuts_is_one_shot_in_parts(clip: Path, tmp_path: Path) -> None:
    text = PIPELINE.replace("  - use: shots/histogram\n", "")
    wanted = job(clip, tmp_path, "out")
    (tmp_path / "p.yaml").write_text(text)
    pipeline = load_pipeline(tmp_path / "p.yaml", registry=Registry())
    events: list[Event] = []
    run(replace(wanted, pipeline=pipeline), listen=events.append)
    assert notes(events) == ["long shots were cut before frames 33, 66"]


@pytest.mark.slow
@pytest.mark.parametrize("source", ["video", "images"])
def test_an_interval_with_keyframes_and_a_side_input_is_cut_alike(
    clip: Path, tmp_path: Path, source: str
) -> None:
    text = PIPELINE.replace("strength: 0.9", "strength: {at: {0s: 0.2, 2s: 0.9}}")
    masked = f"  - use: stylize/feedforward\n    style: great-wave\n    mask: '{clip}'\n"
    text = text.replace("  - use: blend", f"{masked}  - use: blend")
    wanted = replace(job(clip, tmp_path, "out"), frames=(5, 83))
    if source == "images":
        (tmp_path / "images").mkdir()
        with av.open(str(clip)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                frame.to_image().save(tmp_path / "images" / f"{number:03}.png")
        text = text.replace("decode/pyav", "decode/images")
        wanted = replace(wanted, input=tmp_path / "images")
    (tmp_path / "p.yaml").write_text(text)
    wanted = replace(wanted, pipeline=load_pipeline(tmp_path / "p.yaml", registry=Registry()))
    in_turn = digests(wanted)
    plan, work = plan_of(wanted), Work(wanted.input)
    units = found_units(plan, work)
    # Parts count from the first frame that is wanted.
    assert [unit.first for unit in units if unit.overlap] == [38, 79]
    found: dict[int, str] = {}
    for each in reversed(list(unit_works([work], units))):
        for chunk in run_work(plan, each).chunks:
            found |= {record.index: record.digest for record in chunk.records}
    assert found == in_turn
    assert set(found) == set(range(5, 83))
