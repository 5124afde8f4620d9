"""Clips of one source, frame by frame, each frame with the earlier ones that it is compared to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal, TypeAlias

from vidstyle.core.errors import InputError
from vidstyle.core.layers import HostArray
from vidstyle.evaluation.motion import PairFlow, PairMotion, pair_motion

ClipFrames: TypeAlias = tuple[HostArray, ...]
"""One frame of each clip, (H, W, 3) RGB in [0, 1], all of one size."""

NamedClip: TypeAlias = tuple[str, Iterable[HostArray]]
"""A clip and its name in errors."""

Distance: TypeAlias = Literal["near", "long", "first"]
"""One frame, ``LONG`` frames, or back to the first frame of the shot."""

NEIGHBORS: tuple[Distance, ...] = ("near",)
EVERY_DISTANCE: tuple[Distance, ...] = ("near", "long", "first")

LONG = 10
"""Frames from the earlier to the later one of a ``long`` pair."""
EVERY = 5
"""Only every fifth frame of a shot ends a long pair and a pair with the first frame."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FramePair:
    """An earlier frame of all clips, and how the source moved since."""

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
    """The pairs that this frame is the later one of."""

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
    """Read clips together, and give each frame with its pairs.

    Each flow is computed once for all clips. At most five frames of each clip are in memory,
    whatever its length.

    Args:
        clips: The source first: its motion counts.
        flow: The optical flow that evaluates.
        cuts: Indices of frames that begin a shot; no pair crosses one.
        distances: The pairs that are wanted.

    Returns:
        One group for each index, in order.

    Raises:
        InputError: The clips differ in length or size.
    """
    shot = _EarlierFrames(flow, distances)
    offset = 0
    for index, frames in enumerate(zip_clips(clips)):
        if index in cuts:
            shot, offset = _EarlierFrames(flow, distances), 0
        yield FrameGroup(index, offset, frames, shot.pairs(offset, frames))
        shot.keep(offset, frames)
        offset += 1


@dataclass(slots=True)
class _EarlierFrames:
    """The frames of a shot that later ones are compared to."""

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
        """Whether the frame ``following`` or a later one is compared to it."""
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


def zip_clips(clips: Sequence[NamedClip]) -> Iterator[ClipFrames]:
    """Give the frames of equal index, in order, and keep none.

    Args:
        clips: By name, at least one.

    Yields:
        The frames of equal index, in the clips' order.

    Raises:
        InputError: The clips differ in length or size; the message names the one that does.
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
    # Two clips may have one name: a stylized one may be called "the source".
    ended = names[next(at for at, frame in enumerate(frames) if frame is None)]
    longer = names[next(at for at, frame in enumerate(frames) if frame is not None)]
    raise InputError(
        f"{ended} has {count} frames and {longer} has more; give clips made from one source,"
        " or choose frames that all of them have (--frames A:B)"
    )


def _size(frame: HostArray) -> str:
    return f"{frame.shape[1]}x{frame.shape[0]}"
