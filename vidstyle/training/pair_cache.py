"""A clip's frames and flow in a folder of arrays, from which any piece can be read at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core import (
    NOW,
    Clip,
    ExecutionContext,
    Frame,
    FrameTime,
    HostArray,
    Needs,
    Note,
    Original,
    Packet,
    Segment,
    StageOptions,
    Writer,
)
from vidstyle.core.errors import InputError, OutputError
from vidstyle.training.pairs import resize_flow, resize_mask

FORMAT = 1
"""Of the folder; part of what its name is made of."""
# Pixels; larger frames are reduced to it. A minute of 1080p would take 25 GB.
_SHORTER_SIDE = 540
_FACTS = "pairs.json"
# Of what half a float holds.
_LARGEST_FLOW = 60000.0

Arrays: TypeAlias = dict[str, "np.memmap[Any, np.dtype[Any]]"]


@dataclass(frozen=True, slots=True, eq=False)
class KeptPairs:
    """What a folder holds, on disk until it is read."""

    frames: npt.NDArray[np.uint8]
    """(T, H, W, 3) RGB."""
    flow: npt.NDArray[np.float16]
    """(T, H, W, 2) pixels, as the layer ``flow``."""
    visible: npt.NDArray[np.uint8]
    """(T, H, W), 255 where a pixel is visible in the previous frame."""
    later: tuple[int, ...]
    """Frames whose previous one is of the same shot."""


def open_pairs(folder: Path) -> KeptPairs:
    """Open what ``PairSink`` wrote.

    Args:
        folder: The cache of one clip.

    Returns:
        The arrays, mapped from disk.

    Raises:
        InputError: The folder is damaged or of another version.
    """
    try:
        facts = json.loads((folder / _FACTS).read_text())
        if facts["format"] != FORMAT:
            raise ValueError("it is of another version")
        arrays = {name: np.load(_file(folder, name), mmap_mode="r") for name in _layout(1, 1)}
        kept = KeptPairs(**arrays, later=tuple(facts["later"]))
        if len({array.shape[:3] for array in arrays.values()}) != 1:
            raise ValueError("its arrays differ in size")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"the kept pairs of {folder} cannot be used ({error}): remove it"
        ) from error
    return kept


class PairSink:
    """Ends a pipeline that finds flow: keeps ``source``, ``flow`` and ``visible``.

    The folder has 8 bits a sample, half floats for the flow and at most 540 lines (columns
    where frames are upright).

    Args:
        options: It has none.
    """

    Options = StageOptions

    def __init__(self, options: StageOptions) -> None:
        self._options = options
        self._height = self._width = 0
        self.shot: int | None = None
        """Of the last frame that was written; chunks end within shots."""

    @property
    def needs(self) -> Needs:
        return Needs(reads={"source": NOW, "flow": NOW, "visible": NOW})

    @property
    def suffix(self) -> str:
        """None: a folder."""
        return ""

    @property
    def notes(self) -> Sequence[Note]:
        return ()

    def check(self, path: Path, clip: Clip) -> None:
        return None

    def resolve(self, clip: Clip, context: ExecutionContext) -> StageOptions:
        return self._options

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        return 0

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        factor = min(1.0, _SHORTER_SIDE / min(clip.width, clip.height))
        self._height, self._width = (round(factor * side) for side in (clip.height, clip.width))

    def segment(self, clip: Clip) -> Writer:
        return _PairWriter(self, self._height, self._width)

    def join(
        self,
        segments: Iterable[Segment],
        times: Sequence[FrameTime],
        original: Original,
        path: Path,
    ) -> None:
        """Write the folder.

        Args:
            segments: Of all chunks, in order.
            times: Of all frames.
            original: The clip that was read; nothing of it is copied.
            path: The folder to create.

        Raises:
            OutputError: The disk does not take it.
        """
        layout = _layout(self._height, self._width)
        packets = chain.from_iterable(segment.packets() for segment in segments)
        try:
            path.mkdir()
            arrays: Arrays = {
                name: np.lib.format.open_memmap(
                    _file(path, name), mode="w+", dtype=dtype, shape=(len(times), *shape)
                )
                for name, (dtype, shape) in layout.items()
            }
            later = [index for index, packet in enumerate(packets) if _keep(packet, arrays, index)]
            for array in arrays.values():
                array.flush()
            (path / _FACTS).write_text(json.dumps({"format": FORMAT, "later": later}))
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error

    def close(self) -> None:
        return None


class _PairWriter:
    """One packet a frame: its layers as bytes; a key frame is the first of its shot."""

    header = b""

    def __init__(self, sink: PairSink, height: int, width: int) -> None:
        self._sink, self._height, self._width = sink, height, width
        self._frames = 0

    def write(self, frame: Frame) -> tuple[list[Packet], str]:
        data = b"".join(layer.tobytes() for layer in self._layers(frame))
        packet = Packet(data, self._frames, self._frames, frame.shot != self._sink.shot)
        self._sink.shot = frame.shot
        self._frames += 1
        return [packet], hashlib.blake2b(data, digest_size=20).hexdigest()

    def finish(self) -> list[Packet]:
        return []

    def _layers(self, frame: Frame) -> tuple[npt.NDArray[Any], ...]:
        """In the order of the layout."""
        source, size = frame.host("source"), (self._width, self._height)
        if source.shape[:2] != size[::-1]:
            source = np.asarray(cv2.resize(source, size, interpolation=cv2.INTER_AREA), np.float32)
        flow = resize_flow(frame.host("flow"), self._height, self._width)
        visible = resize_mask(frame.host("visible"), self._height, self._width)
        flow = np.clip(flow, -_LARGEST_FLOW, _LARGEST_FLOW)
        return _codes(source), flow.astype(np.float16), _codes(visible)


def _layout(height: int, width: int) -> dict[str, tuple[type[Any], tuple[int, ...]]]:
    """Type and shape of a frame's part in each array."""
    size = (height, width)
    return {
        "frames": (np.uint8, (*size, 3)),
        "flow": (np.float16, (*size, 2)),
        "visible": (np.uint8, size),
    }


def _keep(packet: Packet, arrays: Arrays, index: int) -> bool:
    """Put a packet's layers in place; whether there is a frame before it in its shot."""
    offset = 0
    for array in arrays.values():
        context = array[index]
        layer = np.frombuffer(packet.data, array.dtype, context.size, offset)
        context[...] = layer.reshape(context.shape)
        offset += layer.nbytes
    return not packet.keyframe


def _codes(layer: HostArray) -> npt.NDArray[np.uint8]:
    return np.rint(255 * np.clip(layer, 0, 1)).astype(np.uint8)


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.npy"
