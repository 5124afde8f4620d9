"""Clips of one source, frame by frame, each frame with the earlier ones that it is compared to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal, TypeAlias

from vidstyle.core.errors import InputError
from vidstyle.core.layers import HostArray
from vidstyle.evaluation.motion import PairFlow, PairMotion, pair_motion

Distance: TypeAlias = Literal["near", "long", "first"]
"""One frame, ``LONG`` frames, or back to the first frame of the shot."""

NEIGHBORS: tuple[Distance, ...] = ("near",)
EVERY_DISTANCE: tuple[Distance, ...] = ("near", "long", "first")

LONG = 10
"""ClipFrames between those of a ``long`` pair."""
EVERY = 5
"""Long pairs and pairs with the first frame are judged at every fifth frame of a shot."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FramePair:
    """A frame's earlier one."""

    earlier: ClipFrames
    motion: PairMotion
    """Of the source, from the earlier frame to this one."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FrameGroup:
    """One frame of all clips, in the order in which the clips were given."""

    index: int
    offset: int
    """Counted from the first frame of its shot."""
    frames: ClipFrames
    pairs: Mapping[Distance, FramePair]
    """Those that this frame is the later one of."""

    @property
    def after_cut(self) -> bool:
        """Whether it begins a shot other than the first."""
        return not self.offset and bool(self.index)


def group_frames(
    clips: Sequence[NamedClip],
    flow: PairFlow,
    *,
    cuts: Collection[int] = (),
    distances: Collection[Distance] = NEIGHBORS,
) -> Iterator[FrameGroup]:
    """The moments of clips that run together; the first clip is the source, whose motion counts.

    ``cuts`` are the indices of frames that begin a shot; no pair crosses one. Each flow is found
    once for all clips. Five frames of each clip are held at most, however long it is. Raises
    InputError where the clips differ in length or size.
    """
    shot = _Shot(flow, distances)
    offset = 0
    for index, frames in enumerate(zip_clips(clips)):
        if index in cuts:
            shot, offset = _Shot(flow, distances), 0
        yield FrameGroup(index, offset, frames, shot.pairs(offset, frames))
        shot.keep(offset, frames)
        offset += 1


@dataclass(slots=True)
class _Shot:
    flow: PairFlow
    distances: Collection[Distance]
    kept: dict[int, ClipFrames] = field(default_factory=dict)
    """By offset."""

    def pairs(self, offset: int, frames: ClipFrames) -> dict[Distance, FramePair]:
        found: dict[int, PairMotion] = {}
        pairs: dict[Distance, FramePair] = {}
        for distance, start in _starts(offset).items():
            if distance in self.distances:
                earlier = self.kept[start]
                if start not in found:
                    found[start] = pair_motion(earlier[0], frames[0], self.flow)
                pairs[distance] = FramePair(earlier, found[start])
        return pairs

    def keep(self, offset: int, frames: ClipFrames) -> None:
        self.kept[offset] = frames
        for other in [other for other in self.kept if not self._needed(other, offset + 1)]:
            del self.kept[other]

    def _needed(self, offset: int, following: int) -> bool:
        """Whether a frame that is still to come, ``following`` or later, is compared to it."""
        if offset == following - 1:
            return True
        if offset == 0 and "first" in self.distances:
            return True
        return "long" in self.distances and offset % EVERY == 0 and offset >= following - LONG


def _starts(offset: int) -> dict[Distance, int]:
    """Offsets of the earlier frames that the one at ``offset`` is compared to."""
    starts: dict[Distance, int] = {}
    if offset:
        starts["near"] = offset - 1
        if offset % EVERY == 0:
            starts["first"] = 0
            if offset >= LONG:
                starts["long"] = offset - LONG
    return starts


ClipFrames: TypeAlias = tuple[HostArray, ...]
"""One frame of each clip, (H, W, 3) RGB in [0, 1], all of one size."""

NamedClip: TypeAlias = tuple[str, Iterable[HostArray]]
"""A clip and what an error calls it."""


def zip_clips(clips: Sequence[NamedClip]) -> Iterator[ClipFrames]:
    """The frames that belong together, in order; none are kept.

    Raises InputError where the clips differ in length or size, naming the one that does.
    """
    names = [name for name, _ in clips]
    for index, frames in enumerate(zip_longest(*(frames for _, frames in clips))):
        present = tuple(frame for frame in frames if frame is not None)
        if len(present) < len(frames):
            _refuse_length(index, names, frames)
        for name, frame in zip(names, present, strict=True):
            if frame.shape != present[0].shape:
                raise InputError(
                    f"frame {index}: {name} is {_size(frame)}, {names[0]} is {_size(present[0])};"
                    " give clips of one size, or have them scaled (--resize)"
                )
        yield present


def _refuse_length(count: int, names: Sequence[str], frames: Sequence[HostArray | None]) -> None:
    # Two clips may have one name: a styled one may be called "the source".
    ended = names[next(at for at, frame in enumerate(frames) if frame is None)]
    longer = names[next(at for at, frame in enumerate(frames) if frame is not None)]
    raise InputError(
        f"{ended} has {count} frames and {longer} has more; give clips made from one source,"
        " or choose frames that all of them have (--frames A:B)"
    )


def _size(frame: HostArray) -> str:
    return f"{frame.shape[1]}x{frame.shape[0]}"
