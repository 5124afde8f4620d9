"""Other sizes in a whole run: side inputs follow, and ``--size`` is a stage."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import vidstyle
from vidstyle.cli.main import run_command

CROPPED = """\
version: 1
stages:
  - use: decode/pyav
  - use: geometry/crop
    right: 40
  - use: geometry/scale
    size: 50%
"""
LOSSLESS = "  - use: encode/pyav\n    codec: ffv1\n"


def test_a_mask_follows_the_frames(folder: Path, write_clip) -> None:  # type: ignore[no-untyped-def]  # a fixture
    """Its left half is white: there, and only there, frames are stylized at the new size, too."""
    write_clip(folder / "in.mp4", count=2)
    mask = np.zeros((128, 160), np.uint8)
    mask[:, :80] = 255
    cv2.imwrite(str(folder / "mask.png"), mask)
    for name, stylize in (
        ("out", "  - use: stylize/feedforward\n    style: great-wave\n    mask: mask.png\n"),
        ("plain", ""),
    ):
        (folder / f"{name}.yaml").write_text(f"{CROPPED}{stylize}{LOSSLESS}")
        assert run_command(["run", f"{name}.yaml", "in.mp4", "-o", f"{name}.mkv"]) == 0
    ours, plain = (
        [frame.host("image") for frame in vidstyle.frames(folder / name)]
        for name in ("out.mkv", "plain.mkv")
    )
    assert len(ours) == 2
    assert ours[0].shape == (64, 60, 3)
    assert np.abs(ours[0][:, 41:] - plain[0][:, 41:]).max() < 2 / 255
    assert np.abs(ours[0][:, :39] - plain[0][:, :39]).mean() > 10 / 255


def test_short_options_are_stages_and_options(  # type: ignore[no-untyped-def]  # fixtures
    folder: Path, write_clip, capfd
) -> None:
    write_clip(folder / "in.mp4", count=2)
    cv2.imwrite(str(folder / "mask.png"), np.full((128, 160), 255, np.uint8))
    short = ["--size", "50%", "--keep-colors", "--mask", "mask.png", "--invert-mask"]
    command = ["run", "temporal", "in.mp4", "-o", "out.mkv", "--dry-run", "--json"]
    assert run_command([*command, *short]) == 0
    [plan] = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    uses = [stage["use"] for stage in plan["stages"]]
    assert uses[:2] == ["decode/pyav", "geometry/scale"]
    assert uses[-3:] == ["filter/keep-colors", "filter/mask", "encode/pyav"]
    options = {stage["use"]: stage["options"] for stage in plan["stages"]}
    assert options["geometry/scale"]["size"] == "50%"
    assert options["filter/mask"]["invert"] is True
    # Nothing is white in what is left, so everything is the source.
    lossless = ["--set", "encode.codec=ffv1", "--set", "encode.pixel_format=bgr0"]
    lossless += ["--set", "encode.crf=null"]
    assert run_command(["run", "per-frame", "in.mp4", "-o", "a.mkv", *short, *lossless]) == 0
    only = ["--size", "50%"]
    assert run_command(["run", "identity", "in.mp4", "-o", "b.mkv", *only, *lossless]) == 0
    ours, plain = (
        [frame.host("image") for frame in vidstyle.frames(folder / name)]
        for name in ("a.mkv", "b.mkv")
    )
    assert ours[0].shape == (64, 80, 3)
    assert all(np.array_equal(*pair) for pair in zip(ours, plain, strict=True))


def test_a_short_option_changes_the_stage_that_is_there(folder: Path, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "in.mp4", count=2)
    for name in ("old.png", "new.png"):
        cv2.imwrite(str(folder / name), np.full((128, 160), 255, np.uint8))
    filters = "  - use: filter/keep-colors\n    strength: 0.5\n"
    filters += "  - use: filter/mask\n    mask: old.png\n    invert: true\n"
    (folder / "p.yaml").write_text(f"{CROPPED}{filters}{LOSSLESS}")
    short = ["--size", "64x48", "--keep-colors", "--mask", "new.png"]
    command = ["run", "p.yaml", "in.mp4", "-o", "out.mkv", "--dry-run", "--json", *short]
    assert run_command(command) == 0
    [plan] = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    options = {stage["use"]: stage["options"] for stage in plan["stages"]}
    assert len(plan["stages"]) == len(options) == 6
    assert options["geometry/scale"]["size"] == "64x48"
    assert options["filter/keep-colors"]["strength"] == 0.5
    # What was not typed stays.
    assert options["filter/mask"]["invert"] is True
    text = json.dumps(plan)
    assert "new.png" in text
    assert "old.png" not in text


@pytest.mark.parametrize(
    ("pipeline", "change", "message"),
    [
        ("temporal", ["--size", "big"], "--size big: stage scale: option size: must be like"),
        ("temporal", ["--invert-mask"], "--invert-mask: name the mask with --mask FILE"),
        ("twice.yaml", ["--size", "50%"], "--size 50%: the pipeline has several geometry/scale: "),
    ],
)
def test_what_cannot_be_is_one_line_with_what_was_typed(  # type: ignore[no-untyped-def]  # fixtures
    folder: Path, write_clip, capfd, pipeline, change, message
) -> None:
    write_clip(folder / "in.mp4", count=2)
    (folder / "twice.yaml").write_text(f"{CROPPED}  - use: geometry/scale\n{LOSSLESS}")
    assert run_command(["run", pipeline, "in.mp4", "-o", "out.mkv", *change]) == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]


def test_outside_of_the_mask_all_frames_are_the_source(folder: Path, write_clip) -> None:  # type: ignore[no-untyped-def]  # a fixture
    """The blend over time takes no part there, whatever a layer is called."""
    write_clip(folder / "in.mp4", count=6)
    (folder / "image").mkdir()
    mask = np.zeros((128, 160), np.uint8)
    mask[:, 80:] = 255
    for at in range(6):
        cv2.imwrite(str(folder / "image" / f"{at}.png"), mask)
    lossless = ["--codec", "ffv1", "--set", "encode.pixel_format=bgr0"]
    call = ["run", "temporal", "in.mp4", "-o", "a.mkv", "--mask", "image", *lossless]
    assert run_command(call) == 0
    assert run_command(["run", "identity", "in.mp4", "-o", "b.mkv", *lossless]) == 0
    ours, plain = (
        [np.array(frame.host("image")) for frame in vidstyle.frames(folder / name)]
        for name in ("a.mkv", "b.mkv")
    )
    assert len(ours) == 6
    for image, source in zip(ours, plain, strict=True):
        assert np.array_equal(image[:, :80], source[:, :80])
        assert np.abs(image[:, 80:] - source[:, 80:]).mean() > 10 / 255
