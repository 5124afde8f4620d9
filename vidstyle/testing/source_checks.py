"""What every source has to keep to. Each check raises AssertionError where one does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, TypeAlias

from vidstyle.core import Clip, ExecutionContext, Frame, Mark, Source
from vidstyle.core.layers import host_shape
from vidstyle.testing.expect import expect
from vidstyle.testing.subject import hash_layer

_LAYERS = {"source", "alpha"}
_MARKS = 5
"""Places in the clip at which reading is resumed."""

Seen: TypeAlias = tuple[int, int, int, tuple[tuple[str, str], ...]]
"""Index, pts, duration and the hash of each layer of a frame."""


@dataclass(frozen=True, slots=True)
class SourceSubject:
    """A source class and what it is to read."""

    source_class: type[Any]
    path: Path
    options: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def opened(self) -> Iterator[tuple[Source, Clip]]:
        """A new source, opened on the file, and closed in the end."""
        options = self.source_class.Options.model_validate(dict(self.options))
        source: Source = self.source_class(options)
        try:
            yield source, source.open(self.path, ExecutionContext())
        finally:
            source.close()


def frames_are_numbered_in_order_of_time(subject: SourceSubject) -> None:
    """Indices count from 0 without a gap; pts grow; durations are positive."""
    seen = _seen(subject)
    expect(seen, "no frame was read")
    indices = [index for index, *_ in seen]
    expect(indices == list(range(len(seen))), f"frames are numbered {indices}")
    for (_, before, *_), (index, after, *_) in pairwise(seen):
        expect(after > before, f"frame {index} is shown at {after}, the one before at {before}")
    for index, _, duration, _ in seen:
        expect(duration > 0, f"frame {index} lasts {duration} ticks")


def frames_have_the_described_size(subject: SourceSubject) -> None:
    """``source``, and ``alpha`` where the clip has it: float32, in [0, 1], of the clip's size."""
    with subject.opened() as (source, clip):
        for frame in source.frames():
            wanted = _LAYERS if clip.alpha else {"source"}
            expect(set(frame.layers) == wanted, f"{frame} should have {sorted(wanted)}")
            for name in wanted:
                _check_layer(frame, name, clip)


def same_file_gives_same_frames(subject: SourceSubject) -> None:
    """Read twice by one source and once by another, each frame is the same, bit for bit."""
    with subject.opened() as (source, _):
        first = _all(source)
        again = _all(source)
    _expect_equal(again, first, "read again")
    _expect_equal(_seen(subject), first, "read by another source")


def marks_lead_back_to_their_place(subject: SourceSubject) -> None:
    """From the mark after a frame, another source gives exactly the frames that follow."""
    whole = _seen(subject)
    last = len(whole) - 1
    for index in sorted({last * number // _MARKS for number in range(_MARKS + 1)}):
        mark = _mark(subject, index)
        expect(mark.index == index, f"the mark after frame {index} says {mark.index}")
        expect(mark.pts == whole[index][1], f"the mark after frame {index} has another pts")
        with subject.opened() as (source, _):
            _expect_equal(_all(source, mark), whole[index + 1 :], f"read on after frame {index}")


def reading_may_stop_early(subject: SourceSubject) -> None:
    """A source that is closed in the middle of the clip lets go of the file."""
    with subject.opened() as (source, _):
        frames = source.frames()
        next(frames)
        close = getattr(frames, "close", None)
        if close:
            close()
    expect(_seen(subject), "no frame was read afterwards")


def _mark(subject: SourceSubject, index: int) -> Mark:
    """The place after that frame."""
    with subject.opened() as (source, _):
        for _ in islice(source.frames(), index + 1):
            mark = source.mark()()
        return mark


def _seen(subject: SourceSubject) -> list[Seen]:
    with subject.opened() as (source, _):
        return _all(source)


def _all(source: Source, after: Mark | None = None) -> list[Seen]:
    return [_frame(frame) for frame in source.frames(after)]


def _frame(frame: Frame) -> Seen:
    layers = tuple((name, hash_layer(frame.layers[name])) for name in sorted(frame.layers))
    return frame.index, frame.pts, frame.duration, layers


def _check_layer(frame: Frame, name: str, clip: Clip) -> None:
    layer, where = frame.host(name), f"layer {name} of frame {frame.index}"
    wanted = host_shape(name, clip.height, clip.width)
    expect(layer.shape == wanted, f"{where}: {layer.shape}, wanted {wanted}")
    expect(layer.dtype == "float32", f"{where} is {layer.dtype}, not float32")
    low, high = float(layer.min()), float(layer.max())
    expect(0 <= low <= high <= 1, f"{where} leaves [0, 1]: {low:.4g} to {high:.4g}")


def _expect_equal(got: Sequence[Seen], wanted: Sequence[Seen], what: str) -> None:
    expect(len(got) == len(wanted), f"{what}: {len(got)} frames, not {len(wanted)}")
    for one, other in zip(got, wanted, strict=True):
        expect(one == other, f"{what}: frame {other[0]} is another")
