"""From interlaced frames to whole ones, one for one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Final, Literal

from av import VideoFrame
from av.error import BlockingIOError as NeedsMore
from av.error import EOFError as Drained
from av.filter import Graph

from vidstyle.stages.decode.timestamps import Decoded

Mode = Literal["auto", "off", "on"]

_WHICH: Final[dict[Mode, str]] = {"auto": "interlaced", "on": "all"}
# The graph needs a time base; times are kept beside it, so that missing ones stay missing.
_TICK: Final = Fraction(1, 1000)


def deinterlace(decoded: Iterable[Decoded], mode: Mode) -> Iterator[Decoded]:
    """Rebuild interlaced frames by FFmpeg's bwdif; as many come out as go in, times kept.

    ``auto`` leaves frames that are not flagged as interlaced as they are, ``on`` takes all.
    """
    bwdif: _Bwdif | None = None
    for item in decoded:
        wanted = mode == "on" or (mode == "auto" and item.image.interlaced_frame)
        if bwdif is not None and not bwdif.fits(item.image):
            yield from bwdif.finish()
            bwdif = None
        if bwdif is None and not wanted:
            yield item
            continue
        bwdif = bwdif or _Bwdif(item.image, mode)
        yield from bwdif.push(item)
    if bwdif is not None:
        yield from bwdif.finish()


class _Bwdif:
    """One filter graph. It looks a frame ahead, so frames come out one push later."""

    def __init__(self, like: VideoFrame, mode: Mode) -> None:
        self._shape = _shape(like)
        self._waiting: deque[Decoded] = deque()
        self._graph = Graph()
        self._graph.threads = 1
        source = self._graph.add_buffer(
            width=like.width, height=like.height, format=like.format, time_base=_TICK
        )
        bwdif = self._graph.add("bwdif", mode="send_frame", parity="auto", deint=_WHICH[mode])
        self._graph.link_nodes(source, bwdif, self._graph.add("buffersink")).configure()

    def fits(self, frame: VideoFrame) -> bool:
        return _shape(frame) == self._shape

    def push(self, item: Decoded) -> Iterator[Decoded]:
        self._waiting.append(item)
        self._graph.vpush(item.image)
        yield from self._ready()

    def finish(self) -> Iterator[Decoded]:
        self._graph.vpush(None)
        yield from self._ready()

    def _ready(self) -> Iterator[Decoded]:
        while True:
            try:
                image = self._graph.vpull()
            except (NeedsMore, Drained):
                return
            yield replace(self._waiting.popleft(), image=image)


def _shape(frame: VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name
