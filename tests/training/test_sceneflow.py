"""Miniature data sets in each layout, their flow known: found, read, cropped."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidstyle.core import HostArray
from vidstyle.core.errors import InputError
from vidstyle.testing.clips import occluder, pan
from vidstyle.training.sceneflow import SceneFlowPairs, find_pairs, read_pair

STEP = (3.0, -2.0)
SCENES = {
    "flyingthings3d": ("TRAIN/A/0000", 6),
    "driving": ("35mm_focallength/scene_forwards/fast", 1),
    "monkaa": ("treeflight_x2", 0),
}


def write_pfm(path: Path, flow: HostArray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = flow.shape[:2]
    pixels = np.concatenate([flow, np.zeros((height, width, 1), np.float32)], axis=2)
    path.write_bytes(b"PF\n%d %d\n-1.0\n" % (width, height) + pixels[::-1].tobytes())


def write_scene(
    root: Path,
    layout: str,
    *,
    passes: tuple[str, ...] = ("frames_cleanpass",),
    suffix: str = ".png",
    camera: str = "left",
    count: int = 3,
) -> Path:
    """A pan of ``count`` frames as the archives unpack, flow files for every frame."""
    scene, first = SCENES[layout]
    synthetic = pan(frames=count, width=64, height=48, step=STEP)
    past = np.broadcast_to(-np.float32(STEP), (48, 64, 2))
    for number, frame in enumerate(synthetic.frames, first):
        image = np.rint(255 * frame.host("source")[..., ::-1]).astype(np.uint8)
        for name in passes:
            folder = root / name / scene / camera
            folder.mkdir(parents=True, exist_ok=True)
            quality = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
            cv2.imwrite(str(folder / f"{number:04}{suffix}"), image, quality)
        for direction, flow in (("Past", past), ("Future", -past)):
            name = f"OpticalFlowInto{direction}_{number:04}_{camera[0].upper()}.pfm"
            write_pfm(flow_folder(root, layout, f"into_{direction.lower()}", camera) / name, flow)
    return root


def flow_folder(root: Path, layout: str, direction: str, camera: str = "left") -> Path:
    return root / "optical_flow" / SCENES[layout][0] / direction / camera


@pytest.mark.parametrize("layout", SCENES)
def test_pairs_of_each_layout_are_found_and_true(tmp_path: Path, layout: str) -> None:
    pairs = find_pairs(write_scene(tmp_path, layout))
    first = SCENES[layout][1]
    assert [int(pair.current.stem) for pair in pairs] == [first + 1, first + 2]
    assert all(int(pair.previous.stem) == int(pair.current.stem) - 1 for pair in pairs)
    previous, current, flow, visible = read_pair(pairs[0])
    assert (flow == -np.float32(STEP)).all()
    np.testing.assert_array_equal(current[:-2, 3:], previous[2:, :-3])
    # What comes into the frame is 3 pixels wide and 2 high; the mask is softened over 3.
    assert (visible[:-5, 6:] == 1).all()
    assert visible[:, :3].max() < 0.06
    assert visible[-2:].max() < 0.06


@pytest.mark.parametrize("camera", ["left", "right"])
def test_both_cameras_passes_and_formats_are_found(tmp_path: Path, camera: str) -> None:
    passes = ("frames_cleanpass_webp", "frames_finalpass_webp")
    write_scene(tmp_path, "driving", passes=passes, suffix=".webp", camera=camera)
    pairs = find_pairs(tmp_path)
    assert len(pairs) == 4
    assert {pair.current.parts[-6] for pair in pairs} == set(passes)
    assert {pair.current.parent.name for pair in pairs} == {camera}
    previous, current, _, _ = read_pair(pairs[0])
    np.testing.assert_array_equal(current[:-2, 3:], previous[2:, :-3])


def test_all_three_sets_may_lie_in_one_folder(tmp_path: Path) -> None:
    for layout in SCENES:
        write_scene(tmp_path / "sets" / layout, layout)
    assert len(find_pairs(tmp_path)) == 6


def test_what_gets_hidden_is_not_visible(tmp_path: Path) -> None:
    scene = occluder(frames=2, width=96, height=80)
    synthetic = write_scene(tmp_path, "monkaa", count=1)
    folder = synthetic / "frames_cleanpass" / SCENES["monkaa"][0] / "left"
    for number, frame in enumerate(scene.frames):
        image = np.rint(255 * frame.host("source")[..., ::-1]).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number:04}.png"), image)
    # The other direction, by the same video backwards: its steps are the negative ones.
    truth = scene.true_flow[1]
    foreground = np.abs(truth - truth[0, 0]).max(axis=2) > 1
    back = np.where(np.roll(foreground, -3, axis=1)[..., None], (3.0, 0.5), (-0.75, 0.25))
    for direction, number, flow in (("Past", 1, truth), ("Future", 0, back)):
        name = f"OpticalFlowInto{direction}_{number:04}_L.pfm"
        write_pfm(
            flow_folder(synthetic, "monkaa", f"into_{direction.lower()}") / name,
            flow.astype(np.float32),
        )
    (pair,) = find_pairs(synthetic)
    visible = read_pair(pair)[3]
    hidden = (scene.true_visible[1] == 0) & (visible > 0.1)
    inner = (slice(2, -2), slice(2, -2))
    assert hidden[inner].mean() < 0.002
    assert visible[inner].mean() > 0.85


def test_motion_boundaries_are_not_visible(tmp_path: Path) -> None:
    root = write_scene(tmp_path, "flyingthings3d")
    folder = root / "motion_boundaries" / SCENES["flyingthings3d"][0] / "into_past" / "left"
    folder.mkdir(parents=True)
    marked = np.zeros((48, 64), np.uint8)
    marked[20:24, 30:35] = (1, 80, 255, 3, 255)
    cv2.imwrite(str(folder / "0007.pgm"), marked)
    with_boundaries, without = find_pairs(root)
    assert with_boundaries.boundaries == folder / "0007.pgm"
    assert without.boundaries is None
    visible = read_pair(with_boundaries)[3]
    assert (visible[10:40, 10:60] == (marked[10:40, 10:60] == 0)).all()


def test_flow_that_is_not_finite_is_not_visible(tmp_path: Path) -> None:
    root = write_scene(tmp_path, "monkaa")
    flow = np.broadcast_to(-np.float32(STEP), (48, 64, 2)).copy()
    flow[20, 30] = (np.nan, 1)
    write_pfm(flow_folder(root, "monkaa", "into_past") / "OpticalFlowIntoPast_0001_L.pfm", flow)
    back = np.broadcast_to(np.float32(STEP), (48, 64, 2)).copy()
    back[12, 17, 1] = np.inf
    name = "OpticalFlowIntoFuture_0000_L.pfm"
    write_pfm(flow_folder(root, "monkaa", "into_future") / name, back)
    _, _, found, visible = read_pair(find_pairs(root)[0])
    assert np.isfinite(found).all()
    assert visible[20, 30] == 0
    # What the previous frame has at (17, 12) is now 3 to the right and 2 up.
    assert visible[10, 20] < 0.8
    assert visible[30, 40] == 1


def test_frames_without_flow_both_ways_are_left_out(tmp_path: Path) -> None:
    root = write_scene(tmp_path, "monkaa", count=4)
    (flow_folder(root, "monkaa", "into_future") / "OpticalFlowIntoFuture_0001_L.pfm").unlink()
    assert [pair.current.stem for pair in find_pairs(root)] == ["0001", "0003"]


def test_a_folder_without_pairs_says_what_to_unpack(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        find_pairs(tmp_path / "none")
    with pytest.raises(InputError, match=r"has 0 flows into the past .* unpack optical_flow"):
        find_pairs(tmp_path)
    root = write_scene(tmp_path, "monkaa")
    shutil.rmtree(root / "frames_cleanpass")
    with pytest.raises(InputError, match="has 3 flows into the past and no two frames"):
        SceneFlowPairs(root, 32, np.random.default_rng(0))


def test_files_of_other_sizes_and_kinds_are_refused(tmp_path: Path) -> None:
    pair = find_pairs(write_scene(tmp_path, "monkaa"))[0]
    write_pfm(pair.flow_back, np.zeros((40, 64, 2), np.float32))
    with pytest.raises(InputError, match=r"Future_0000_L\.pfm is 64x40, but .*png is 64x48"):
        read_pair(pair)
    pair.flow.write_bytes(b"Pf\n64 48\n-1\n" + bytes(64 * 48 * 4))
    with pytest.raises(InputError, match="is a gray PFM file"):
        read_pair(pair)


def test_draws_follow_from_the_generators_state_alone(tmp_path: Path) -> None:
    root = write_scene(tmp_path, "driving", count=4)
    generator = np.random.default_rng(0)
    source = SceneFlowPairs(root, 32, generator)
    source.draw(5)
    state = generator.bit_generator.state
    ahead = source.draw(4)
    initial_state = np.random.default_rng(7)
    resumed = SceneFlowPairs(root, 32, initial_state)
    initial_state.bit_generator.state = state
    again = resumed.draw(4)
    assert ahead.current.shape == (4, 3, 32, 32)
    for name in ("previous", "current", "flow", "visible"):
        assert torch.equal(getattr(ahead, name), getattr(again, name))


def test_crops_are_mirrored_with_their_flow(tmp_path: Path) -> None:
    pair = SceneFlowPairs(write_scene(tmp_path, "monkaa"), 48, np.random.default_rng(0)).draw(12)
    # The crop is as high as the frame: nothing is scaled.
    for across, down in pair.flow[:, :, 24, 24].tolist():
        assert abs(across) == STEP[0]
        assert down == -STEP[1]
    assert {float(value) for value in pair.flow[:, 0, 24, 24]} == {-STEP[0], STEP[0]}


def test_an_unreadable_pair_is_skipped_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = write_scene(tmp_path, "monkaa", count=4)
    bad = flow_folder(root, "monkaa", "into_past") / "OpticalFlowIntoPast_0002_L.pfm"
    bad.write_bytes(b"PF\n64 48\n-1\n")
    with caplog.at_level(logging.WARNING):
        SceneFlowPairs(root, 32, np.random.default_rng(0)).draw(20)
    assert [record.message.count("Past_0002_L.pfm is damaged") for record in caplog.records] == [1]


def test_a_folder_of_unreadable_pairs_is_refused(tmp_path: Path) -> None:
    root = write_scene(tmp_path, "monkaa")
    for image in root.rglob("*.png"):
        image.write_bytes(b"")
    with pytest.raises(InputError, match="none of the 2 pairs of frames can be read"):
        SceneFlowPairs(root, 32, np.random.default_rng(0)).draw(1)
