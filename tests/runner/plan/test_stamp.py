"""Stamps name what an output is made of, and the pixels of a version are those of its numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.job import Job, prepared, run
from vidstyle.runner.plan.stamp import (
    PIXEL_VERSION,
    Stamp,
    brief,
    differences,
    make_stamp,
    stamp_from_json,
)

STAMP = Stamp(
    source="0" * 64,
    frames={"blend": "blend/warped", "blend.strength": "0.9", "stylize files": "1"},
    file={"container": ".mp4"},
    names={},
)

TEMPORAL = """\
version: 1
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
  - use: stylize/feedforward
    style: great-wave
    precision: float32
  - use: blend/warped
  - use: encode/pyav
    codec: ffv1
"""
# Means of the last frame's quarters, R, G and B in turn, by pixel version.
QUARTERS = {
    1: (
        *(145.10, 158.44, 147.18, 150.01, 161.75, 148.66),
        *(166.29, 173.40, 154.79, 165.39, 171.77, 153.52),
    ),
    2: (
        *(147.79, 160.24, 149.05, 152.28, 162.04, 149.48),
        *(160.93, 168.32, 153.70, 158.42, 165.77, 150.41),
    ),
    3: (
        *(134.62, 147.01, 139.40, 141.63, 152.33, 142.08),
        *(161.14, 166.49, 149.93, 154.69, 161.84, 147.10),
    ),
    # HDR10 metadata within the coded video; times where frames are not coded; styles.
    4: (
        *(134.01, 147.97, 142.63, 135.11, 147.51, 141.75),
        *(150.68, 159.48, 148.34, 149.33, 160.71, 148.59),
    ),
    # Side inputs of colors: the nearest in time, and sharper when enlarged.
    5: (
        *(134.01, 147.97, 142.63, 135.11, 147.51, 141.75),
        *(150.68, 159.48, 148.34, 149.33, 160.71, 148.59),
    ),
    # Frames that no stage changes are encoded as they were decoded.
    6: (
        *(134.01, 147.97, 142.63, 135.11, 147.51, 141.75),
        *(150.68, 159.48, 148.34, 149.33, 160.71, 148.59),
    ),
    # Flow at a quarter, visibility and decisions at half of the size.
    7: (
        *(133.84, 147.90, 142.54, 135.35, 147.74, 141.90),
        *(150.64, 159.32, 148.19, 149.32, 160.65, 148.48),
    ),
    # Compiled kernels.
    8: (
        *(133.84, 147.90, 142.54, 135.35, 147.74, 141.90),
        *(150.64, 159.32, 148.19, 149.32, 160.65, 148.48),
    ),
}


def test_a_stamp_survives_json() -> None:
    assert stamp_from_json(STAMP.to_json()) == STAMP
    with pytest.raises(KeyError):
        stamp_from_json({"source": ""})


def test_the_file_has_a_key_and_its_frames_have_one() -> None:
    other = replace(STAMP, file={"container": ".mkv"})
    assert other.frames_key == STAMP.frames_key
    assert other.file_key != STAMP.file_key
    assert replace(STAMP, source="1" * 64).frames_key != STAMP.frames_key
    named = replace(STAMP, names={"blend.strength": "strong"})
    assert (named.frames_key, named.file_key) == (STAMP.frames_key, STAMP.file_key)


def test_each_difference_is_named_once() -> None:
    def changed(**frames: str) -> list[str]:
        return differences(STAMP, replace(STAMP, frames={**STAMP.frames, **frames}))

    assert differences(STAMP, STAMP) == []
    assert changed(**{"blend.strength": "0.5"}) == ["blend.strength was 0.9, is 0.5"]
    assert changed(**{"stylize files": "2"}) == ["a file of stylize was changed"]
    # A stage that is another one says enough, and so does the option that names the file.
    assert changed(blend="blend/own", **{"blend.strength": "1"}) == [
        "blend was blend/warped, is blend/own"
    ]
    assert changed(**{"stylize.style": "udnie", "stylize files": "2"}) == [
        "stylize.style was none, is udnie"
    ]
    assert changed(**{"pixel version": "2"})[0].startswith("vidstyle computes other pixels")
    assert differences(STAMP, replace(STAMP, source="")) == ["the source was changed"]
    assert brief(list("abcde")) == "a, b, c, and 2 more"


def test_the_pixels_of_this_version_are_its_own(tmp_path: Path) -> None:
    """Where this fails, outputs of before are not what the code makes now.

    Raise ``PIXEL_VERSION``, and note the new numbers beside it. Do the same for a change that this
    small clip does not show, such as in RAFT, in optimization or in reading HDR: then the numbers
    stay as they are. A change that leaves each pixel as it is raises nothing.
    """
    write_clip(tmp_path / "in.mkv")
    (tmp_path / "p.yaml").write_text(TEMPORAL)
    pipeline = load_pipeline(tmp_path / "p.yaml", registry=Registry([]))
    run(Job(pipeline, tmp_path / "in.mkv", tmp_path / "out.mkv", device="cpu"))
    with av.open(str(tmp_path / "out.mkv")) as container:
        last = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][-1]
    quarters = cv2.resize(last.astype(np.float32), (2, 2), interpolation=cv2.INTER_AREA)
    # Processors round differently; a quarter of a code value is none that an eye finds.
    np.testing.assert_allclose(quarters.ravel(), QUARTERS[PIXEL_VERSION], atol=0.25)


def write_clip(path: Path) -> None:
    """Six frames of a texture that moves by two pixels."""
    rows, columns = np.mgrid[0:96, 0:160]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=128, height=96)
        stream.pix_fmt = "bgr0"
        for index in range(6):
            waves = [
                np.sin((columns + 2 * index) / period) * np.cos(rows / (period + 2))
                for period in (5, 9, 14)
            ]
            image = (127.5 + 127.5 * np.stack(waves, -1))[:, :128].astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
            container.mux(stream.encode(frame.reformat(format="bgr0")))
        container.mux(stream.encode(None))


def test_what_changes_no_pixel_is_no_part_of_a_stamp(tmp_path: Path) -> None:
    write_clip(tmp_path / "in.mkv")
    (tmp_path / "p.yaml").write_text(TEMPORAL)
    pipeline = load_pipeline(tmp_path / "p.yaml", registry=Registry([]))
    job = Job(pipeline, tmp_path / "in.mkv", tmp_path / "out.mkv")
    stamps = []
    for each in (
        job,
        replace(job, output=tmp_path / "other.mkv"),
        replace(job, pipeline=replace(pipeline, queue=1)),
        replace(job, budget=10 * job.budget, timeout=1.0, cache=tmp_path),
    ):
        with prepared(each) as (assembly, plan):
            contexts = [replace(s, context=replace(s.context, threads=7)) for s in plan.stages]
            for made in (plan, replace(plan, stages=tuple(contexts))):
                stamps.append(make_stamp(assembly, made, "0" * 64, ".mkv"))
    assert {stamp.file_key for stamp in stamps} == {stamps[0].file_key}
    assert stamps[0].frames["stylize.precision"] == "float32"
