"""A run that was stopped goes on, and its frames are those of a run that was not."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest

from vidstyle.core.errors import OutputError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution.checkpoints import PauseRule
from vidstyle.runner.execution.computation import compute_in_turn
from vidstyle.runner.execution.engines import EngineName as Engine
from vidstyle.runner.execution.events import Event, FrameDone, Kept, NoteEvent, Result, Resumed
from vidstyle.runner.execution.execute import execute
from vidstyle.runner.job import Job, prepared, run
from vidstyle.runner.storage.destination import Destination
from vidstyle.runner.storage.records import Records

COUNT = 24
RECURRENT = """\
version: 1
chunk: {least: 3, most: 5}
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
    preset: ultrafast
    directions: both
  - use: blend/warped
    anchors: [2, 4]
    strength: {at: {0s: 0.2, 1s: 0.9}}
  - use: encode/pyav
    codec: CODEC
"""
SPANS = RECURRENT.replace("blend/warped\n    anchors: [2, 4]", "blend/neighbors\n    span: 4")
SPAN_PLUGINS = Path(__file__).parents[1] / "span_plugins"


class Stopped(BaseException):
    """What a kill is to a run: nothing of it is handled."""


@pytest.fixture(autouse=True)
def clip(tmp_path: Path, source: Path) -> None:
    """in.mkv, of the test's own: tests may change it."""
    shutil.copy(source, tmp_path / "in.mkv")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image that moves, with two cuts, B-frames and unequal times."""
    path = tmp_path_factory.mktemp("source") / "in.mkv"
    rng = np.random.default_rng(0)
    textures = [rng.integers(0, 255, (80, 160, 3), np.uint8) for _ in range(3)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=96, height=64)
        stream.pix_fmt = "yuv420p"
        moment = 0
        for index in range(COUNT):
            texture = textures[(index >= 8) + (index >= 16)]
            image = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(texture[8 : 8 + 64, index : index + 96]), "rgb24"
            )
            image.pts = moment
            moment += 1 if index % 3 else 3
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return path


def job(folder: Path, name: str, text: str, codec: str = "ffv1", *, resume: bool = True) -> Job:
    (folder / "p.yaml").write_text(text.replace("CODEC", codec))
    pipeline = load_pipeline(folder / "p.yaml", registry=Registry([SPAN_PLUGINS]))
    suffix = ".gif" if codec == "gif" else ".mkv"
    return Job(pipeline, folder / "in.mkv", folder / f"{name}{suffix}", resume=resume)


def stopped_after(frames: int) -> Callable[[Event], None]:
    seen = 0

    def listen(event: Event) -> None:
        nonlocal seen
        if isinstance(event, FrameDone):
            seen += 1
            if seen == frames:
                raise Stopped

    return listen


def works(folder: Path) -> list[Path]:
    return Records(folder).works()


def heard(wanted: Job, engine: Engine = "threaded") -> tuple[Result, list[Event]]:
    events: list[Event] = []
    return run(replace(wanted, engine=engine), listen=events.append), events


def packets(path: Path) -> list[tuple[int | None, int | None, int | None, bytes]]:
    with av.open(str(path)) as container:
        return [
            (packet.pts, packet.dts, packet.duration, bytes(packet))
            for packet in container.demux(video=0)
            if packet.size
        ]


@pytest.mark.parametrize("text", [RECURRENT, SPANS], ids=["recurrent", "spans"])
@pytest.mark.parametrize("engine", get_args(Engine))
def test_a_run_stopped_anywhere_goes_on_to_the_same_frames(
    tmp_path: Path, text: str, engine: Engine
) -> None:
    whole, _ = heard(job(tmp_path, "whole", text))
    for stop in (1, 5, 6, 9, 10, 14, 18, 23, 24):
        wanted = job(tmp_path, f"stopped{stop}", text)
        with pytest.raises(Stopped):
            run(replace(wanted, engine=engine), listen=stopped_after(stop))
        again, events = heard(wanted, engine)
        assert (again.frames, again.digest) == (COUNT, whole.digest)
        done = [event.frames for event in events if isinstance(event, Resumed)]
        # At most one chunk is made again.
        assert stop - sum(done) <= 5 + 1
        assert packets(wanted.output) == packets(whole.output)
        assert not works(tmp_path)


@pytest.mark.parametrize("codec", ["libx264", "gif"])
def test_times_and_images_of_lossy_files_are_whole(tmp_path: Path, codec: str) -> None:
    whole, _ = heard(job(tmp_path, "whole", RECURRENT, codec))
    wanted = job(tmp_path, "stopped", RECURRENT, codec)
    for stop in (7, 5, 4):
        with pytest.raises(Stopped):
            run(wanted, listen=stopped_after(stop))
    again, _ = heard(wanted)
    assert again.digest == whole.digest
    assert [row[:3] for row in packets(wanted.output)] == [row[:3] for row in packets(whole.output)]


def test_an_interval_goes_on_with_its_own_clock(tmp_path: Path) -> None:
    whole, wanted = (
        replace(job(tmp_path, name, RECURRENT), frames=(2, 20)) for name in ("whole", "stopped")
    )
    expected, _ = heard(whole)
    with pytest.raises(Stopped):
        run(wanted, listen=stopped_after(12))
    again, events = heard(wanted)
    assert any(isinstance(event, Resumed) for event in events)
    assert (again.frames, again.digest) == (18, expected.digest)
    assert packets(wanted.output) == packets(whole.output)


@pytest.mark.parametrize("stop", [COUNT, COUNT + 1, None])
def test_an_interval_that_ends_behind_the_input_is_noted(tmp_path: Path, stop: int | None) -> None:
    result, events = heard(replace(job(tmp_path, "out", RECURRENT), frames=(20, stop)))
    assert result.frames == COUNT - 20
    texts = [event.note.text for event in events if isinstance(event, NoteEvent)]
    expected = f"--frames ends at {stop}, but the input has {COUNT} frames"
    assert (expected in texts) == (stop == COUNT + 1)


def test_a_damaged_tail_is_made_again(tmp_path: Path) -> None:
    whole, _ = heard(job(tmp_path, "whole", RECURRENT))
    wanted = job(tmp_path, "stopped", RECURRENT)
    with pytest.raises(Stopped):
        run(wanted, listen=stopped_after(18))
    (store,) = works(tmp_path)
    with sqlite3.connect(store) as database:
        (last,) = database.execute("select max(chunk) from segment").fetchone()
        database.execute("update packet set data = x'00' where chunk = ? and number = 0", (last,))
        (kept,) = database.execute("select count(*) from frame where chunk < ?", (last,)).fetchone()
    database.close()
    again, events = heard(wanted)
    assert [event.frames for event in events if isinstance(event, Resumed)] == [kept]
    assert again.digest == whole.digest


@pytest.mark.parametrize("content", [b"", b"no database" * 100])
def test_a_file_that_is_no_store_is_replaced(tmp_path: Path, content: bytes) -> None:
    wanted = job(tmp_path, "out", RECURRENT)
    with pytest.raises(Stopped):
        run(wanted, listen=stopped_after(18))
    (store,) = works(tmp_path)
    store.write_bytes(content)
    result, events = heard(wanted)
    assert result.frames == COUNT
    assert not any(isinstance(event, Resumed) for event in events)


def test_work_with_other_options_is_neither_used_nor_removed(tmp_path: Path) -> None:
    wanted = job(tmp_path, "out", RECURRENT)
    with pytest.raises(Stopped):
        run(wanted, listen=stopped_after(18))
    (kept,) = works(tmp_path)
    changed = job(tmp_path, "out", RECURRENT.replace("ultrafast", "fast"))
    result, events = heard(changed)
    texts = [event.note.text for event in events if isinstance(event, NoteEvent)]
    assert any("a partial result with other options kept" in text for text in texts)
    assert not any(isinstance(event, Resumed) for event in events)
    initial_state, _ = heard(job(tmp_path, "initial_state", RECURRENT.replace("ultrafast", "fast")))
    assert result.digest == initial_state.digest
    assert works(tmp_path) == [kept]
    _, events = heard(replace(wanted, overwrite=True))
    assert any(isinstance(event, Resumed) for event in events)
    assert not works(tmp_path)


def test_another_input_restarts(tmp_path: Path) -> None:
    wanted = job(tmp_path, "out", RECURRENT)
    with pytest.raises(Stopped):
        run(wanted, listen=stopped_after(18))
    source = tmp_path / "in.mkv"
    source.write_bytes(source.read_bytes() + b"\0")
    _, events = heard(wanted)
    assert not any(isinstance(event, Resumed) for event in events)


def test_without_resume_all_is_computed_again(tmp_path: Path) -> None:
    wanted = job(tmp_path, "out", RECURRENT, resume=False)
    with pytest.raises(Stopped):
        run(wanted, listen=stopped_after(18))
    _, events = heard(wanted)
    assert not any(isinstance(event, Resumed) for event in events)


@pytest.mark.parametrize(("stop", "kept"), [(18, True), (2, False)])
def test_what_is_kept_is_reported_and_what_is_not_leaves_nothing(
    tmp_path: Path, stop: int, kept: bool
) -> None:
    events: list[Event] = []
    stopping = stopped_after(stop)

    def listen(event: Event) -> None:
        events.append(event)
        stopping(event)

    wanted = job(tmp_path, "out", RECURRENT)
    with pytest.raises(Stopped):
        run(wanted, listen=listen)
    assert any(isinstance(event, Kept) for event in events) == kept
    assert bool(works(tmp_path)) == kept
    assert (tmp_path / ".vidstyle").exists() == kept


def test_a_join_that_failed_is_all_that_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = job(tmp_path, "out", RECURRENT)
    with monkeypatch.context() as patched:

        def full(*_: object) -> None:
            raise OutputError("no space left")

        patched.setattr("vidstyle.stages.encode.pyav.EncodePyAV.join", full)
        with pytest.raises(OutputError, match="no space"):
            run(wanted)
    events: list[Event] = []
    result = run(wanted, listen=events.append)
    assert result.frames == COUNT
    assert [event.frames for event in events if isinstance(event, Resumed)] == [COUNT]
    assert not [event for event in events if isinstance(event, FrameDone)]


@pytest.mark.parametrize("codec", ["ffv1", "libx264"])
def test_what_is_done_of_a_chunk_is_kept_where_frames_are_slow(tmp_path: Path, codec: str) -> None:
    text = RECURRENT.replace("{least: 3, most: 5}", "{least: 100, most: 100}")
    whole, _ = heard(job(tmp_path, "whole", text, codec))
    always = PauseRule(every=0, slow=0)
    for engine in get_args(Engine):
        for stop in (1, 2, 9, 24):
            wanted = job(tmp_path, f"{engine}{stop}", text, codec)
            kept = []
            for frames in (stop, 3, None):
                events: list[Event] = []
                stopping = None if frames is None else stopped_after(frames)
                result = ended(wanted, engine, always, events, stopping)
                kept += [event.frames for event in events if isinstance(event, Resumed)]
                if result is not None:
                    break
            assert result is not None
            assert (result.frames, result.digest) == (COUNT, whole.digest)
            # All but the frame that the run was stopped in, each time.
            assert kept[0] == (stop - 1 or 2)
            assert kept == sorted(kept)
            rows = [packet[:3] for packet in packets(wanted.output)]
            assert rows == [packet[:3] for packet in packets(whole.output)]


def test_a_damaged_pause_is_not_used(tmp_path: Path) -> None:
    text = RECURRENT.replace("{least: 3, most: 5}", "{least: 8, most: 100}")
    whole, _ = heard(job(tmp_path, "whole", text))
    wanted = job(tmp_path, "stopped", text)
    always = PauseRule(every=0, slow=0)
    assert ended(wanted, "serial", always, [], stopped_after(15)) is None
    (store,) = works(tmp_path)
    with sqlite3.connect(store) as database:
        assert database.execute("select frames from pause").fetchone() > (0,)
        database.execute("update image set data = x'00' where number = 3")
    database.close()
    again, events = heard(wanted)
    assert [event.frames for event in events if isinstance(event, Resumed)] == [8]
    assert again.digest == whole.digest


def ended(
    wanted: Job,
    engine: Engine,
    rule: PauseRule,
    events: list[Event],
    stopping: Callable[[Event], None] | None,
) -> Result | None:
    """The result of a run with that rule; None where it was stopped."""

    def listen(event: Event) -> None:
        events.append(event)
        if stopping is not None:
            stopping(event)

    with prepared(wanted) as (assembly, plan):
        try:
            return execute(
                assembly,
                plan,
                Destination(wanted.output),
                original=wanted.input,
                compute=compute_in_turn(engine),
                listen=listen,
                rule=rule,
            )
        except Stopped:
            return None
