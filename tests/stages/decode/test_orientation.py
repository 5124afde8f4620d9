"""Turning images as the display matrix says."""

from __future__ import annotations

import av
import numpy as np
import pytest

from vidstyle.stages.decode.orientation import Orientation, orientation_of

CASES = [(angle, mirror) for angle in (0, 90, 180, 270) for mirror in (False, True)]


def by_matrix(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The definition, pixel by pixel: (x, y) is shown at (a x + c y, b x + d y)."""
    (a, b), (c, d) = matrix
    height, width = image.shape[:2]
    places = {}
    for y in range(height):
        for x in range(width):
            places[(a * x + c * y, b * x + d * y)] = image[y, x]
    columns, rows = zip(*places, strict=True)
    shown = np.zeros((max(rows) - min(rows) + 1, max(columns) - min(columns) + 1), image.dtype)
    for (x, y), value in places.items():
        shown[y - min(rows), x - min(columns)] = value
    return shown


def stored_frame(tmp_path, angle: float, mirror: bool) -> tuple[av.VideoFrame, np.ndarray]:
    """A frame of a file with a display matrix, and the matrix."""
    path = tmp_path / "turned.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 64, 48
        stream.set_display_rotation(angle, hflip=mirror)
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    with av.open(path) as container:
        frame = next(container.decode(video=0))
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return frame, np.eye(2, dtype=int)
    values = np.frombuffer(bytes(data)[:36], np.int32).reshape(3, 3) // 65536
    return frame, values[:2, :2]


@pytest.mark.parametrize(("angle", "mirror"), CASES)
def test_all_eight_orientations_follow_the_definition(tmp_path, angle, mirror):
    frame, matrix = stored_frame(tmp_path, angle, mirror)
    image = np.arange(12).reshape(3, 4)
    orientation = orientation_of(frame)
    np.testing.assert_array_equal(orientation.apply(image), by_matrix(image, matrix))
    assert orientation.swaps_sides == (angle % 180 == 90)
    assert orientation.upright == (angle == 0 and not mirror)


def test_the_angle_is_the_one_that_pyav_reads(tmp_path):
    frame, _ = stored_frame(tmp_path, 90, False)
    assert orientation_of(frame).quarter_turns * 90 == frame.rotation % 360


def test_a_slanted_matrix_is_left_alone_and_reported(tmp_path):
    frame, _ = stored_frame(tmp_path, 30, False)
    orientation = orientation_of(frame)
    assert orientation.upright
    assert orientation.slanted == pytest.approx(30, abs=0.1)


def test_a_frame_without_a_matrix_is_upright():
    assert orientation_of(av.VideoFrame(16, 16, "gray")) == Orientation()


def test_turned_layers_are_contiguous_and_own_their_samples():
    image = np.random.default_rng(0).random((3, 4, 3), np.float32)
    turned = Orientation(1).apply(image)
    assert turned.flags.c_contiguous
    assert not np.shares_memory(turned, image)
