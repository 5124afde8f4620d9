"""The shape of samples in a Matroska or WebM file, which PyAV cannot hand to the muxer.

The muxer leaves a gap (a Void element) between its index and the description of the tracks.
The description grows by two elements into that gap, so that nothing behind it moves.
Element numbers and layout: RFC 8794 (EBML) and RFC 9559 (Matroska).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

_SEGMENT: Final = 0x18538067
_SEEK_HEAD: Final = 0x114D9B74
_SEEK: Final = 0x4DBB
_SEEK_ID: Final = 0x53AB
_SEEK_POSITION: Final = 0x53AC
_VOID: Final = 0xEC
_INFO: Final = 0x1549A966
_TRACKS: Final = 0x1654AE6B
_TRACK_ENTRY: Final = 0xAE
_VIDEO: Final = 0xE0
_CRC: Final = 0xBF
_DISPLAY_WIDTH: Final = 0x54B0
_DISPLAY_HEIGHT: Final = 0x54BA
_DISPLAY_UNIT: Final = 0x54B2
_SHAPE: Final = frozenset({_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT})
# Without a unit it is pixels; the muxer writes "unknown".

_HEAD: Final = 1 << 20
# Far more than comes before the first image, unless fonts are attached: those come after.
_LARGEST_FACTOR: Final = 32


def write_sample_aspect(path: Path, size: tuple[int, int], aspect: Fraction) -> bool:
    """Write the display size of the first video track; False where the file has no room for it.

    ``aspect`` is the width of a sample divided by its height.
    """
    with path.open("r+b") as file:
        head = file.read(_HEAD)
        try:
            changed = _with_display_size(head, display_size(size, aspect))
        except (ValueError, IndexError, StopIteration):
            return False
        file.seek(changed.start)
        file.write(changed.data)
    return True


def display_size(size: tuple[int, int], aspect: Fraction) -> tuple[int, int]:
    """Width and height in square pixels, exact wherever a small multiple of the size is."""
    width, height = size[0] * aspect, size[1]
    factor = width.denominator if width.denominator <= _LARGEST_FACTOR else 1
    return max(1, round(width * factor)), height * factor


@dataclass(frozen=True, slots=True)
class _Patch:
    start: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Element:
    id: int
    start: int
    """Where the element begins, header included."""
    content: int
    """Where its content begins."""
    end: int


def _with_display_size(head: bytes, size: tuple[int, int]) -> _Patch:
    segment = next(part for part in _parts(head, 0, len(head)) if part.id == _SEGMENT)
    index, gap, info, tracks = _layout(head, segment)
    described = _tracks_with(head, tracks, size)
    grown = len(described) - (tracks.end - tracks.start)
    moved_index = _index_moved(head, index, {_INFO, _TRACKS}, grown)
    room = gap.end - gap.start - grown
    data = moved_index + _void(room) + head[info.start : info.end] + described
    if len(data) != tracks.end - index.start:
        raise ValueError("the description does not fit where it was")
    return _Patch(index.start, data)


def _layout(head: bytes, segment: _Element) -> tuple[_Element, _Element, _Element, _Element]:
    """The four first parts, which lie side by side in what FFmpeg writes."""
    parts = _parts(head, segment.content, len(head))
    index, gap, info, tracks = (next(parts) for _ in range(4))
    if (index.id, gap.id, info.id, tracks.id) != (_SEEK_HEAD, _VOID, _INFO, _TRACKS):
        raise ValueError("an unknown order of parts")
    return index, gap, info, tracks


def _tracks_with(head: bytes, tracks: _Element, size: tuple[int, int]) -> bytes:
    """The description of all tracks with a display size for the first that has images."""
    display = _element(_DISPLAY_WIDTH, _number(size[0])) + _element(
        _DISPLAY_HEIGHT, _number(size[1])
    )
    entries, waiting = [], True
    for entry in _parts(head, tracks.content, tracks.end):
        video = None
        if entry.id == _TRACK_ENTRY and waiting:
            parts = _parts(head, entry.content, entry.end)
            video = next((part for part in parts if part.id == _VIDEO), None)
        if video is None:
            entries.append(b"" if entry.id == _CRC else head[entry.start : entry.end])
            continue
        waiting = False
        kept = [
            head[part.start : part.end]
            for part in _parts(head, video.content, video.end)
            if part.id not in _SHAPE
        ]
        described = _element(_VIDEO, b"".join(kept) + display)
        around = head[entry.content : video.start] + described + head[video.end : entry.end]
        entries.append(_element(_TRACK_ENTRY, around))
    if waiting:
        raise ValueError("no track has images")
    return _element(_TRACKS, _with_checksum(b"".join(entries)))


def _index_moved(head: bytes, index: _Element, moved: set[int], by: int) -> bytes:
    """The index with the places of some parts earlier, of the same length as before."""
    content, checked = bytearray(), False
    for part in _parts(head, index.content, index.end):
        if part.id == _CRC:
            checked = True
            continue
        whole = bytearray(head[part.start : part.end])
        fields = {field.id: field for field in _parts(head, part.content, part.end)}
        if part.id == _SEEK and _value(head, fields[_SEEK_ID]) in moved:
            position = fields[_SEEK_POSITION]
            value = _value(head, position) - by
            length = position.end - position.content
            whole[position.content - part.start : position.end - part.start] = value.to_bytes(
                length
            )
        content += whole
    body = _with_checksum(bytes(content)) if checked else bytes(content)
    return head[index.start : index.content] + body


def _parts(data: bytes, start: int, end: int) -> Iterator[_Element]:
    while start < end:
        id_length = _length_of(data[start])
        number = int.from_bytes(data[start : start + id_length])
        at = start + id_length
        size_length = _length_of(data[at])
        size = int.from_bytes(data[at : at + size_length]) - (1 << 7 * size_length)
        content = at + size_length
        yield _Element(number, start, content, content + size)
        start = content + size


def _length_of(first: int) -> int:
    """Bytes of a variable-length number, from its first one."""
    if first == 0:
        raise ValueError("not an element")
    return 9 - first.bit_length()


def _value(data: bytes, element: _Element) -> int:
    return int.from_bytes(data[element.content : element.end])


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8 or 1)


def _element(number: int, content: bytes) -> bytes:
    length = len(content).bit_length() // 7 + 1
    return _number(number) + _size(len(content), length) + content


def _size(value: int, length: int) -> bytes:
    """A size in so many bytes; all ones would mean unknown, which ``_element`` steers clear of."""
    return ((1 << 7 * length) | value).to_bytes(length)


def _void(length: int) -> bytes:
    """A gap of exactly that many bytes."""
    size = 1 if length < 128 else 8
    if length < 1 + size:
        raise ValueError("no room is left")
    content = length - 1 - size
    return _number(_VOID) + _size(content, size) + bytes(content)


def _with_checksum(content: bytes) -> bytes:
    return bytes([_CRC, 0x84]) + zlib.crc32(content).to_bytes(4, "little") + content
