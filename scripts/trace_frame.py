"""Counts the functions of vidstyle that one frame passes on its way through a pipeline.

    python scripts/trace_frame.py [PIPELINE] [CLIP] [--frame 20] [--names]
                                  [--set STAGE.OPTION=VALUE]

The pipeline runs by the serial engine. What is counted lies between the moment at which the frame
before was reported as encoded and the moment at which the frame itself is: then that
is the work for one frame, whatever the stages look ahead. Without a clip, one of ``--size`` is
encoded first, in which an ellipse moves over a moving background. The frame should begin neither
a chunk nor a shot.

Two ways of counting stand side by side, for each room (a room is the first folder below the
package). Calls of C are in neither.

- ``calls``, ``functions``, ``files``: all that the profiler of Python reports as a call of code
  in the package. A generator that continues after a yield is a call again, and a comprehension or
  generator expression is a function. Of Python 3.11: later ones inline most comprehensions.
- ``starts``, ``named``: calls by which a function starts, and the functions that they start,
  comprehensions and generator expressions left out. A lambda counts.

The runner functions that a frame crosses at a stage are the ``named`` ones of ``vidstyle/runner``
that start after the stage before has returned, and before this stage has: in between, or called
by it. What follows the last stage until the frame is reported belongs to the last stage.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from opcode import opmap
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import av
import numpy as np

import vidstyle
from vidstyle.runner import job as jobs
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.config.shipped import pipeline_file
from vidstyle.runner.execution.events import Event, FrameDone
from vidstyle.testing import occluder

PACKAGE = Path(vidstyle.__file__).parent
EDGES = ("decode", "encode")
"""Kinds of which a pipeline has one stage, whose work is spread over several files."""
EXPRESSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
DELAY = 16
"""Frames behind the wanted one, so that its decoder has still packets to read."""
CONTINUES = 3
"""Bits of the operand of RESUME: 0 where a function starts, else where a generator continues."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of code in the package."""

    code: CodeType
    starts: bool
    """False where a generator continues, and for expressions that the interpreter calls."""
    stage: str
    """Of the pipeline, such as ``blend/warped``, that it was made for."""

    @property
    def file(self) -> Path:
        """Below the package."""
        return Path(self.code.co_filename).relative_to(PACKAGE)

    @property
    def function(self) -> tuple[Path, str]:
        """Where it is defined, and its name there."""
        return self.file, self.code.co_qualname

    @property
    def room(self) -> str:
        """The first folder below the package."""
        return self.file.parts[0]


class Recorder:
    """Collects calls, of all threads, while it is on."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._on = False
        # What was called since a stage has returned, until it is known which stage comes next.
        self._pending: list[tuple[CodeType, bool]] = []
        # The outermost call into a stage, and that stage.
        self._inside: FrameType | None = None
        self._stage = ""

    @contextmanager
    def installed(self) -> Iterator[None]:
        """In this thread, and in those that are started meanwhile."""
        threading.setprofile(self._profile)
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    def switch(self, *, on: bool) -> None:
        """Begin, or end: what no stage follows belongs to the last one."""
        self._on = on
        if not on:
            self._charge()

    def _profile(self, frame: FrameType, event: str, _: Any) -> None:
        if not self._on or not frame.f_code.co_filename.startswith(f"{PACKAGE}/"):
            return
        if event == "call":
            self._enter(frame)
        elif event == "return" and frame is self._inside:
            self._inside = None

    def _enter(self, frame: FrameType) -> None:
        stage = stage_of(Path(frame.f_code.co_filename))
        if stage and self._inside is None:
            self._inside, self._stage = frame, stage
        self._pending.append((frame.f_code, starts(frame)))
        if self._inside is not None:
            self._charge()

    def _charge(self) -> None:
        self.calls.extend(Call(code, begins, self._stage) for code, begins in self._pending)
        self._pending = []


def starts(frame: FrameType) -> bool:
    """Whether a call is the start of a function that has a name, or of a lambda."""
    code, at = frame.f_code.co_code, frame.f_lasti
    continues = code[at] == opmap["RESUME"] and code[at + 1] & CONTINUES
    return not continues and frame.f_code.co_name not in EXPRESSIONS


def stage_of(file: Path) -> str:
    """``kind/name`` of a file of a stage, ``kind`` at the pipeline's edges; else nothing."""
    parts = file.relative_to(PACKAGE).parts
    if parts[0] != "stages" or len(parts) < 3:
        return ""
    return parts[1] if parts[1] in EDGES else f"{parts[1]}/{file.stem}"


def trace(pipeline: Path, clip: Path, number: int, changes: Sequence[str]) -> list[Call]:
    """The calls that one frame takes. Raises ValueError where the clip has no such frame."""
    recorder, reported = Recorder(), set[int]()

    def listen(event: Event) -> None:
        if isinstance(event, FrameDone):
            reported.add(event.index)
            recorder.switch(on=event.index + 1 == number)

    loaded = load_pipeline(pipeline, registry=Registry(()), overrides=changes)
    with tempfile.TemporaryDirectory() as folder, recorder.installed():
        output = Path(folder) / f"out{jobs.output_suffix(loaded)}"
        job = jobs.Job(loaded, clip, output, frames=(0, number + 2), engine="serial")
        jobs.run(job, listen=listen)
    if number not in reported:
        raise ValueError(f"{clip} has no frame {number}")
    return recorder.calls


def room_table(calls: Sequence[Call]) -> Iterator[str]:
    """Counts by room and in all."""
    yield f"{'room':16}{'calls':>8}{'functions':>12}{'files':>8}{'starts':>12}{'named':>8}"
    rooms: Mapping[str, set[str]] = {
        **{room: {room} for room in sorted({call.room for call in calls})},
        "runner + core": {"runner", "core"},
        "all": {call.room for call in calls},
    }
    for name, members in rooms.items():
        mine = [call for call in calls if call.room in members]
        begun = [call for call in mine if call.starts]
        yield (
            f"{name:16}{len(mine):8,}{functions(mine):12,}{len({call.file for call in mine}):8,}"
            f"{len(begun):12,}{functions(begun):8,}"
        )


def stage_table(calls: Sequence[Call]) -> Iterator[str]:
    """Runner functions that a frame crosses at each stage."""
    yield f"{'stage':24}{'runner functions':>18}{'their starts':>16}{'starts in all':>16}"
    for stage in dict.fromkeys(call.stage for call in calls):
        begun = [call for call in calls if call.stage == stage and call.starts]
        crossed = [call for call in begun if call.room == "runner"]
        yield f"{stage:24}{functions(crossed):18}{len(crossed):16}{len(begun):16}"


def functions(calls: Iterable[Call]) -> int:
    """How many different ones are called."""
    return len({call.function for call in calls})


def name_list(calls: Sequence[Call]) -> Iterator[str]:
    """Each function that starts, with how often, by stage, in the order of the first start."""
    for stage in dict.fromkeys(call.stage for call in calls):
        yield f"\n{stage}"
        begun = [call.function for call in calls if call.stage == stage and call.starts]
        for file, name in dict.fromkeys(begun):
            yield f"  {begun.count((file, name)):4}  {file}: {name}"


def write_clip(path: Path, frames: int, width: int, height: int) -> None:
    """An ellipse that moves over a moving background."""
    synthetic = occluder(frames=frames, width=width, height=height)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=width, height=height)
        stream.pix_fmt = "yuv420p"
        for frame in synthetic.frames:
            values = np.rint(frame.host("source") * 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(values, "rgb24")))
        container.mux(stream.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pipeline", nargs="?", type=Path, default=Path("temporal"))
    parser.add_argument("clip", nargs="?", type=Path, help="otherwise one is encoded")
    parser.add_argument("--frame", type=int, default=20, help="counted from 0; 1 or more")
    parser.add_argument("--size", default="640x360", help="of that clip: width x height")
    parser.add_argument("--set", action="append", default=[], metavar="STAGE.OPTION=VALUE")
    parser.add_argument("--names", action="store_true", help="list the functions, too")
    given = parser.parse_args()
    if given.frame < 1:
        parser.error("--frame: wanted 1 or more; the first frame takes more than others")
    with tempfile.TemporaryDirectory() as folder:
        clip = given.clip
        if clip is None:
            clip = Path(folder) / "occluder.mp4"
            write_clip(clip, given.frame + DELAY, *map(int, given.size.split("x")))
        try:
            calls = trace(pipeline_file(given.pipeline), clip, given.frame, given.set)
        except ValueError as error:
            parser.error(str(error))
    lines = [*room_table(calls), "", *stage_table(calls)]
    print("\n".join([*lines, *(name_list(calls) if given.names else ())]))


if __name__ == "__main__":
    main()
