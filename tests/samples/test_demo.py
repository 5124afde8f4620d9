"""The demo clip is what its script makes, and the script knows its motion."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from samples.make_demo import HEIGHT, MOST_BYTES, RATE, SHOT, WIDTH, demo_scenes, make_demo
from vidstyle.testing import Scene, SyntheticClip, render_scenes

DEMO = Path(__file__).parents[2] / "samples" / "demo.mp4"


@pytest.fixture(scope="module")
def decoded() -> list[npt.NDArray[np.uint8]]:
    """The luma planes of the committed clip."""
    with av.open(str(DEMO)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (WIDTH, HEIGHT)
        assert stream.average_rate == RATE
        return [frame.to_ndarray()[:HEIGHT] for frame in container.decode(stream)]


@pytest.fixture(scope="module")
def small() -> SyntheticClip:
    """Both shots at a quarter of the size, some frames from the middle of each."""
    cat, astronaut = demo_scenes(width=160, height=90)
    return render_scenes([_part(cat, slice(28, 34)), _part(astronaut, slice(20, 24))])


def _part(scene: Scene, times: slice) -> Scene:
    surfaces = tuple(type(s)(s.stylize, s.poses[times]) for s in scene.surfaces)
    return Scene(surfaces, scene.width, scene.height)


def test_the_clip_is_small_and_lasts_almost_five_seconds(
    decoded: list[npt.NDArray[np.uint8]],
) -> None:
    assert DEMO.stat().st_size <= MOST_BYTES
    assert len(decoded) == 2 * SHOT


def test_the_clip_is_the_one_that_the_script_makes(decoded: list[npt.NDArray[np.uint8]]) -> None:
    cat, astronaut = demo_scenes()
    for scene, time, index in ((cat, 0, 0), (cat, 40, 40), (astronaut, 30, 90)):
        luma = scene.image(time) @ np.array([0.2126, 0.7152, 0.0722])
        limited = 16 + 219 * luma
        assert np.abs(decoded[index] - limited).mean() < 2.5


def test_the_clip_has_one_cut_and_it_is_the_largest_change(
    decoded: list[npt.NDArray[np.uint8]],
) -> None:
    changes = [np.abs(b.astype(int) - a).mean() for a, b in pairwise(decoded)]
    assert int(np.argmax(changes)) + 1 == SHOT
    assert sorted(changes)[-1] > 3 * sorted(changes)[-2]


def test_its_flow_leads_to_what_the_frame_before_showed(small: SyntheticClip) -> None:
    grid = np.stack(np.meshgrid(np.arange(160), np.arange(90)), axis=-1).astype(np.float32)
    for index in (1, 2, 3, 4, 5, 7, 8, 9):
        before, now = (small.frames[k].host("source") for k in (index - 1, index))
        target = grid + small.true_flow[index]
        warped = cv2.remap(before, target[..., 0], target[..., 1], cv2.INTER_CUBIC)
        seen = small.true_visible[index] > 0
        still = np.abs(before - now)[seen].mean()
        error = np.abs(warped - now)[seen].mean()
        assert error < 0.006
        assert error < 0.5 * still
        assert seen.mean() > 0.9


def test_the_cup_covers_and_uncovers_the_cat(small: SyntheticClip) -> None:
    hidden = small.true_visible[3] == 0
    grid = np.stack(np.meshgrid(np.arange(160), np.arange(90)), axis=-1)
    target = grid + small.true_flow[3]
    within = (target >= 0).all(axis=-1) & (target <= (159, 89)).all(axis=-1)
    assert 50 < (hidden & within).sum() < 1500


def test_the_script_makes_the_same_file_again(tmp_path: Path) -> None:
    cat, astronaut = demo_scenes(width=160, height=90)
    scenes = [_part(cat, slice(28, 32)), _part(astronaut, slice(20, 24))]
    files = tmp_path / "first.mp4", tmp_path / "again.mp4"
    for file in files:
        make_demo(file, scenes)
    assert files[0].read_bytes() == files[1].read_bytes()
    with av.open(str(files[0])) as container:
        assert len(list(container.decode(video=0))) == 8


def test_the_camera_never_looks_beyond_a_photo() -> None:
    corners = np.array([[0, 0, 1], [WIDTH - 1, 0, 1], [0, HEIGHT - 1, 1], [639, 359, 1]]).T
    for scene in demo_scenes():
        background = scene.surfaces[0]
        height, width = background.stylize.opacity.shape  # type: ignore[attr-defined]
        points = np.stack([pose @ corners for pose in background.poses])
        assert points[:, :2].min() >= 0
        assert points[:, 0].max() <= width - 1
        assert points[:, 1].max() <= height - 1


def test_its_photos_are_named_with_their_licenses() -> None:
    readme = DEMO.with_name("README.md").read_text()
    script = DEMO.with_name("make_demo.py").read_text()
    for name in ("chelsea.png", "coffee.png", "astronaut.png"):
        assert name in script
        assert f"`{name}`" in readme
