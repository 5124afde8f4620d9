"""The Scene Flow data sets (Mayer et al. 2016): rendered videos with their true flow."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from vidstyle.core.errors import InputError
from vidstyle.core.layers import HostArray
from vidstyle.imaging.visibility import BoolMask, visibility
from vidstyle.training.pairs import Pair, join_pairs, random_crop
from vidstyle.training.photos import Image, read_photo

_FLOW, _BOUNDARIES = "optical_flow", "motion_boundaries"
_INTO_PAST = re.compile(r"OpticalFlowIntoPast_(\d+)_([LR])\.pfm")
_FRAME_SUFFIXES = (".png", ".webp")
# Pixels; stands for a flow back that is not finite, and agrees with no flow.
_NOWHERE = np.float32(1e4)

logger = logging.getLogger(__name__)

Truth: TypeAlias = tuple[Image, Image, HostArray, HostArray]
"""Previous and current frame (H, W, 3), flow (H, W, 2) and visibility (H, W)."""


@dataclass(frozen=True, slots=True)
class ScenePair:
    """The files of two consecutive frames of one camera."""

    previous: Path
    current: Path
    flow: Path
    """Into the past, on the current frame's grid."""
    flow_back: Path
    """Into the future, on the previous frame's grid."""
    boundaries: Path | None = None
    """Motion boundaries of the current frame towards the past, not 0 where there is one."""


class SceneFlowPairs:
    """Random crops of random pairs of FlyingThings3D, Driving or Monkaa, or all of them.

    Args:
        folder: As ``find_pairs`` wants it.
        side: Of the images, in pixels.
        generator: Decides what is drawn.

    Raises:
        InputError: The folder has no pairs.
    """

    def __init__(self, folder: Path, side: int, generator: np.random.Generator) -> None:
        self._pairs = find_pairs(folder)
        self._side = side
        self._generator = generator
        self._unreadable: set[ScenePair] = set()

    def draw(self, count: int) -> Pair:
        """Draw pairs. Unreadable ones are skipped, each with a line in the log.

        Args:
            count: How many, at least 1.

        Returns:
            So many pairs of (side, side) images.

        Raises:
            InputError: None is left.
        """
        return join_pairs([self._pair() for _ in range(count)])

    def _pair(self) -> Pair:
        previous, current, flow, visible = self._truth()
        return random_crop(
            previous, current, flow, visible, side=self._side, generator=self._generator
        )

    def _truth(self) -> Truth:
        while len(self._unreadable) < len(self._pairs):
            pair = self._pairs[self._generator.integers(len(self._pairs))]
            try:
                return read_pair(pair)
            except InputError as error:
                if pair not in self._unreadable:
                    logger.warning("skipped: %s", error)
                self._unreadable.add(pair)
        raise InputError(f"none of the {len(self._pairs)} pairs of frames can be read")


def find_pairs(folder: Path) -> tuple[ScenePair, ...]:
    """Find all consecutive frames in a folder that have flow into the past and back.

    Flow is found wherever ``optical_flow`` lies beside folders of frames, such as
    ``frames_cleanpass`` or ``frames_finalpass_webp``, as the archives unpack; frames of both passes
    count. ``motion_boundaries`` beside them is used where it is there. Scenes may lie any number of
    folders deep (``TRAIN/A/0000``, ``35mm_focallength/scene_forwards/fast``, ``treeflight_x2``).

    Args:
        folder: An unpacked data set, or a part of one.

    Returns:
        The pairs, in order of their files.

    Raises:
        InputError: There is no pair.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of the Scene Flow data sets")
    flows = sorted(folder.rglob("OpticalFlowIntoPast_*.pfm"))
    pairs = tuple(pair for flow in flows for pair in _pairs_of(flow))
    if not pairs:
        raise InputError(
            f"{folder} has {len(flows)} flows into the past and no two frames with flow between"
            f" them both ways: unpack {_FLOW} and frames_cleanpass or frames_finalpass into it"
        )
    return pairs


def read_pair(pair: ScenePair) -> Truth:
    """Read the frames, the true flow, and where it leads to what the current frame shows.

    Visibility is ``visibility`` of the true flows, a pixel smaller so that its soft edge lies
    within, and without the data set's motion boundaries and pixels whose flow is not finite.

    Args:
        pair: Files of two consecutive frames.

    Returns:
        Frames, flow and visibility, on one grid.

    Raises:
        InputError: A file cannot be read, or the sizes differ.
    """
    previous, current = read_photo(pair.previous), read_photo(pair.current)
    flow, flow_back = _read_flow(pair.flow), _read_flow(pair.flow_back)
    for path, layer in ((pair.current, current), (pair.flow, flow), (pair.flow_back, flow_back)):
        _check_size(path, layer, pair.previous, previous)
    known, known_back = (_known(layer) for layer in (flow, flow_back))
    flow = np.where(known, flow, np.float32(0))
    flow_back = np.where(known_back, flow_back, _NOWHERE)
    visible = visibility(flow, flow_back, shrink=1) * known[..., 0]
    if pair.boundaries:
        boundaries = read_photo(pair.boundaries)
        _check_size(pair.boundaries, boundaries, pair.previous, previous)
        visible = visible * (boundaries[..., 0] == 0)
    return previous, current, flow, np.asarray(visible, np.float32)


def _pairs_of(flow: Path) -> Iterator[ScenePair]:
    """The pairs, one for each pass, whose flow into the past is in that file."""
    match = _INTO_PAST.fullmatch(flow.name)
    root = next((parent for parent in flow.parents if parent.name == _FLOW), None)
    camera, direction = flow.parent.name, flow.parent.parent
    if not match or not root or direction.name != "into_past" or not int(match[1]):
        return
    scene, now = direction.parent.relative_to(root), match[1]
    before = f"{int(now) - 1:0{len(now)}}"
    name = f"OpticalFlowIntoFuture_{before}_{match[2]}.pfm"
    flow_back = direction.with_name("into_future") / camera / name
    if not flow_back.is_file():
        return
    marked = root.with_name(_BOUNDARIES) / scene / direction.name / camera / f"{now}.pgm"
    boundaries = marked if marked.is_file() else None
    for frames in sorted(root.parent.glob("frames_*")):
        for suffix in _FRAME_SUFFIXES:
            previous, current = (frames / scene / camera / (n + suffix) for n in (before, now))
            if previous.is_file() and current.is_file():
                yield ScenePair(previous, current, flow, flow_back, boundaries)


def _read_flow(path: Path) -> HostArray:
    pixels = read_pfm(path)
    if pixels.ndim != 3:
        raise InputError(f"{path} is a gray PFM file: a flow is a color one")
    return np.ascontiguousarray(pixels[..., :2])


def _known(flow: HostArray) -> BoolMask:
    """Where a flow is finite, (H, W, 1)."""
    known: BoolMask = np.isfinite(flow[..., :1]) & np.isfinite(flow[..., 1:])
    return known


def _check_size(path: Path, layer: HostArray | Image, other: Path, image: Image) -> None:
    if layer.shape[:2] != image.shape[:2]:
        sizes = [f"{shape[1]}x{shape[0]}" for shape in (layer.shape, image.shape)]
        raise InputError(f"{path} is {sizes[0]}, but {other} is {sizes[1]} pixels")


_HEADER = re.compile(rb"(P[Ff])\s+(\d{1,9})\s+(\d{1,9})\s+([-+.\deE]{1,32})[ \t]*\r?\n")


def read_pfm(path: Path) -> HostArray:
    """Read a float map.

    The first row is the top one, although files begin with the bottom one. The sign of the header's
    scale gives the byte order, negative for little endian; its size changes nothing.

    Args:
        path: A ``.pfm`` file.

    Returns:
        (H, W, 3) for a color map, (H, W) for a gray one; float32.

    Raises:
        InputError: The file cannot be read, is of another kind, or is not as long as its header
            says.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    header = _HEADER.match(content)
    if header is None:
        raise InputError(f"{path} is not a PFM file: its header is of another form")
    width, height = int(header[2]), int(header[3])
    shape = (height, width, 3) if header[1] == b"PF" else (height, width)
    order = _byte_order(path, header[4])
    found, wanted = len(content) - header.end(), 4 * math.prod(shape)
    if found != wanted or not wanted:
        form = f"{width}x{height} pixels take {wanted} bytes, and {found} follow its header"
        raise InputError(f"{path} is damaged: {form}; fetch it again")
    rows = np.frombuffer(content, f"{order}f4", offset=header.end()).reshape(shape)
    return np.ascontiguousarray(rows[::-1], np.float32)


def _byte_order(path: Path, scale: bytes) -> str:
    try:
        number = float(scale)
    except ValueError:
        number = 0.0
    if not number or not math.isfinite(number):
        raise InputError(f"{path} is damaged: its scale is {scale.decode()}; fetch it again")
    return "<" if number < 0 else ">"
