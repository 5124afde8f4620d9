"""Clips of one source, frame by frame, each frame with the earlier ones that it is compared to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from vidstyle.evaluation.motion import JudgingFlow, Motion, judged_motion
from vidstyle.evaluation.together import Frames, Named, together

Distance: TypeAlias = Literal["near", "long", "first"]
"""One frame, ``LONG`` frames, or back to the first frame of the shot."""

NEIGHBORS: tuple[Distance, ...] = ("near",)
EVERY_DISTANCE: tuple[Distance, ...] = ("near", "long", "first")

LONG = 10
"""Frames between those of a ``long`` pair."""
EVERY = 5
"""Long pairs and pairs with the first frame are judged at every fifth frame of a shot."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pair:
    """A frame's earlier one."""

    earlier: Frames
    motion: Motion
    """Of the source, from the earlier frame to this one."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Moment:
    """One frame of all clips, in the order in which the clips were given."""

    index: int
    offset: int
    """Counted from the first frame of its shot."""
    frames: Frames
    pairs: Mapping[Distance, Pair]
    """Those that this frame is the later one of."""

    @property
    def after_cut(self) -> bool:
        """Whether it begins a shot other than the first."""
        return not self.offset and bool(self.index)


def moments(
    clips: Sequence[Named],
    flow: JudgingFlow,
    *,
    cuts: Collection[int] = (),
    distances: Collection[Distance] = NEIGHBORS,
) -> Iterator[Moment]:
    """The moments of clips that run together; the first clip is the source, whose motion counts.

    ``cuts`` are the indices of frames that begin a shot; no pair crosses one. Each flow is found
    once for all clips. Five frames of each clip are held at most, however long it is. Raises
    InputError where the clips differ in length or size.
    """
    shot = _Shot(flow, distances)
    offset = 0
    for index, frames in enumerate(together(clips)):
        if index in cuts:
            shot, offset = _Shot(flow, distances), 0
        yield Moment(index, offset, frames, shot.pairs(offset, frames))
        shot.keep(offset, frames)
        offset += 1


@dataclass(slots=True)
class _Shot:
    flow: JudgingFlow
    distances: Collection[Distance]
    kept: dict[int, Frames] = field(default_factory=dict)
    """By offset."""

    def pairs(self, offset: int, frames: Frames) -> dict[Distance, Pair]:
        found: dict[int, Motion] = {}
        pairs: dict[Distance, Pair] = {}
        for distance, start in _starts(offset).items():
            if distance in self.distances:
                earlier = self.kept[start]
                if start not in found:
                    found[start] = judged_motion(earlier[0], frames[0], self.flow)
                pairs[distance] = Pair(earlier, found[start])
        return pairs

    def keep(self, offset: int, frames: Frames) -> None:
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
