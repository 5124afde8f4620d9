"""What runs out of memory is tried with less, and ends with its code where nothing helps."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.core.errors import DeviceError, NoMemoryError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution.events import Event, NoteEvent
from vidstyle.runner.job import Job, run

COUNT = 6
PIPELINE = """\
version: 1
stages:
  - use: decode/pyav
  - use: filter/hungry
    failures: FAILURES
    error: ERROR
  - use: encode/pyav
    codec: ffv1
"""
FILTER = '''
from typing import Literal
from pathlib import Path
from vidstyle.core import NOW, BaseStage, Needs, StageOptions

OPENED = Path(__file__).with_name("opened")

class AcceleratorError(RuntimeError):
    """As torch's."""

class Hungry(BaseStage):
    """Inverts images; from frame 3 on it gets no memory but from the last plans that are tried."""

    class Options(StageOptions):
        failures: int
        error: Literal["memory", "lost"] = "memory"

    needs = Needs(reads={"image": NOW}, writes=("image",))

    def memory(self, clip, place):
        return 1 << 20

    def open(self, clip, place):
        # In a file, since a plugin may be loaded again for each attempt.
        with OPENED.open("a") as file:
            file.write("x")

    def step(self, window, state):
        if window.now.index >= 3 and OPENED.stat().st_size <= self.options.failures:
            if self.options.error == "lost":
                raise AcceleratorError("CUDA error: unspecified launch failure")
            raise MemoryError("no more")
        return {"image": 1 - window.now.host("image")}, state

STAGE = Hungry
'''


def job(folder: Path, failures: int, error: str = "memory") -> Job:
    stages = folder / "plugins" / "filter"
    stages.mkdir(parents=True)
    (stages / "hungry.py").write_text(FILTER)
    (folder / "p.yaml").write_text(
        PIPELINE.replace("FAILURES", str(failures)).replace("ERROR", error)
    )
    with av.open(str(folder / "in.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=32, height=24)
        stream.pix_fmt = "bgr0"
        for index in range(COUNT):
            image = np.full((24, 32, 3), 20 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
    pipeline = load_pipeline(folder / "p.yaml", registry=Registry([folder / "plugins"]))
    return Job(pipeline, folder / "in.mkv", folder / "out.mkv")


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_shorter_queues_are_tried_until_one_fits(tmp_path: Path, failures: int) -> None:
    events: list[Event] = []
    result = run(job(tmp_path, failures), listen=events.append)
    assert result.frames == COUNT
    with av.open(str(tmp_path / "out.mkv")) as container:
        found = [int(f.to_ndarray(format="rgb24").mean()) for f in container.decode(video=0)]
    assert found == [255 - 20 * index for index in range(COUNT)]
    texts = [e.note.text for e in events if isinstance(e, NoteEvent) and e.note.kind == "memory"]
    # A shorter queue, then none.
    assert texts == ["stage filter, frame 3: out of memory: tried with less"] * failures


def test_where_nothing_helps_the_run_ends_untouched(tmp_path: Path) -> None:
    with pytest.raises(NoMemoryError, match="stage filter, frame 3: out of memory; use a smaller"):
        run(job(tmp_path, 100))
    assert not (tmp_path / "out.mkv").exists()


def test_a_device_that_is_lost_is_reported_and_not_tried_again(tmp_path: Path) -> None:
    events: list[Event] = []
    with pytest.raises(DeviceError, match=r"frame 3: the device is lost \(CUDA error") as caught:
        run(job(tmp_path, 100, "lost"), listen=events.append)
    assert caught.value.exit_code == 8
    assert not [e for e in events if isinstance(e, NoteEvent) and e.note.kind == "memory"]
