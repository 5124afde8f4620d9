"""Where the channels of a sound belong, read safely, and the nearest layout of an encoder."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout

# By how many channels there are: what FFmpeg takes where a file has only a count.
_DEFAULTS: Final = ("mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1")
# In the order in which FFmpeg stores them.
_SPEAKERS: Final = (
    *("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR", "TC", "TFL", "TFC"),
    *("TFR", "TBL", "TBC", "TBR"),
)
_LISTED: Final = re.compile(r"[0-9]+ channels(?: \((.*)\))?")


@dataclass(frozen=True, slots=True)
class SoundLayout:
    """Where the channels of a sound belong."""

    name: str
    """Of a layout in FFmpeg's own order."""
    count: int
    """How many channels the sound has."""
    order: tuple[int, ...] | None = None
    """For each channel of ``name`` the sound's channel that it is; None where all are in order."""

    @property
    def described(self) -> str:
        """For a message."""
        return self.name if self.count == len(speakers(self.name)) else f"{self.count} channels"


def read_layout(owner: AudioCodecContext | AudioFrame) -> SoundLayout:
    """The layout of a decoder or a frame; what is unknown is the default of its count.

    Raises ValueError where there are no channels.
    """
    layout = owner.layout
    name = layout.name
    if isinstance(owner, AudioCodecContext) or " channels (" in name:
        # PyAV frees the list of a custom layout with each object that stands for it, and FFmpeg
        # frees it again. An object that is never freed costs a few bytes.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(layout))
    return interpret_layout(name, layout.nb_channels)


def interpret_layout(name: str, count: int) -> SoundLayout:
    """The layout that FFmpeg describes so. Raises ValueError where there are no channels."""
    if count < 1:
        raise ValueError("a sound has at least one channel")
    if name.startswith("ambisonic"):
        # Its first channel is what a single microphone for all directions records.
        return SoundLayout("mono", count, (0,))
    match = _LISTED.fullmatch(name)
    if match is None:
        return SoundLayout(name, count)
    found = (match[1] or "").split("+")
    if len(set(found)) == count and set(found) <= set(_SPEAKERS):
        ordered = sorted(found, key=_SPEAKERS.index)
        order = None if found == ordered else tuple(map(found.index, ordered))
        return SoundLayout(AudioLayout("+".join(ordered)).name, count, order)
    if count <= len(_DEFAULTS):
        return SoundLayout(_DEFAULTS[count - 1], count)
    return SoundLayout(_DEFAULTS[-1], count, tuple(range(len(_DEFAULTS))))


def set_plain_layout(context: AudioCodecContext) -> SoundLayout:
    """Read a decoder's layout and give it one of as many channels that PyAV can pass on.

    Before the decoder is opened. Frames then have their channels in the file's order. Raises
    ValueError where there are no channels.
    """
    layout = read_layout(context)
    if not context.is_open:
        # Decoders of plain samples pass on what they were given.
        count = layout.count
        context.layout = _DEFAULTS[count - 1] if count <= len(_DEFAULTS) else f"{count} channels"
    return layout


def speakers(name: str) -> list[str]:
    """The channels of a layout in FFmpeg's own order."""
    return [channel.name for channel in AudioLayout(name).channels]


def nearest_layout(name: str, offered: Sequence[str]) -> str:
    """The offered layout that loses the fewest channels, and of these has the fewest more.

    Loudspeakers at the sides and behind count as the same where only one pair is there.
    """
    wanted = _positions(name)

    def difference(other: str) -> tuple[int, int]:
        has = _positions(other)
        return len(wanted - has), len(has - wanted)

    return name if name in offered else min(offered, key=difference)


def _positions(name: str) -> set[str]:
    # A mix for two loudspeakers is for these two.
    found = {{"DL": "FL", "DR": "FR"}.get(speaker, speaker) for speaker in speakers(name)}
    if not found & {"BL", "BR"}:
        return {{"SL": "BL", "SR": "BR"}.get(speaker, speaker) for speaker in found}
    return found
