"""Clips are read as they are, cut to an interval, and scaled."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.core.errors import InputError
from vidstyle.evaluation.clip_frames import clip_frames, clip_size, find_cuts
from vidstyle.testing import hard_cut, pan

COUNT, WIDTH, HEIGHT = 6, 48, 32


def bytes_of() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return list(random.integers(0, 256, (COUNT, HEIGHT, WIDTH, 3), dtype=np.uint8))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=WIDTH, height=HEIGHT)
        stream.pix_fmt = "bgr0"
        for image in bytes_of():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
    return path


def assert_frames(found: list[HostArray], wanted: list[np.ndarray]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(np.rint(one * 255), other)


def test_frames_of_a_file_are_its_bytes(clip: Path) -> None:
    assert_frames(list(clip_frames(clip)), bytes_of())
    assert clip_size(clip) == (WIDTH, HEIGHT)


def test_a_folder_of_images_is_a_clip(tmp_path: Path) -> None:
    for index, image in enumerate(bytes_of()):
        cv2.imwrite(str(tmp_path / f"{index}.png"), image[..., ::-1])
    assert_frames(list(clip_frames(tmp_path)), bytes_of())
    assert clip_size(tmp_path) == (WIDTH, HEIGHT)


def test_an_interval_is_half_open(clip: Path) -> None:
    assert_frames(list(clip_frames(clip, (2, 4))), bytes_of()[2:4])
    assert_frames(list(clip_frames(clip, (4, None))), bytes_of()[4:])
    with pytest.raises(InputError, match=r"clip\.mkv has 6 frames: there is none from 6 on"):
        list(clip_frames(clip, (6, 9)))


def test_smaller_frames_are_means_of_areas(clip: Path) -> None:
    (frame,) = clip_frames(clip, (0, 1), size=(WIDTH // 2, HEIGHT // 2))
    blocks = bytes_of()[0].reshape(HEIGHT // 2, 2, WIDTH // 2, 2, 3)
    np.testing.assert_allclose(255 * frame, blocks.mean(axis=(1, 3)), atol=0.01)


def test_larger_frames_stay_in_range(clip: Path) -> None:
    (frame,) = clip_frames(clip, (0, 1), size=(2 * WIDTH, 2 * HEIGHT))
    assert frame.shape == (2 * HEIGHT, 2 * WIDTH, 3)
    assert (frame.min(), frame.max()) == (0, 1)


def test_cuts_are_where_another_image_begins() -> None:
    assert find_cuts(frame.host("source") for frame in hard_cut(frames=8, at=5).frames) == (5,)
    assert find_cuts(frame.host("source") for frame in pan(frames=5).frames) == ()
