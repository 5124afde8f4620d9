"""Preview frames are those of the per-frame baseline, found by seeking."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vidstyle.core.errors import UsageError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import Pipeline, load_pipeline
from vidstyle.runner.interval import Interval, TimeInterval
from vidstyle.runner.job import Job, run
from vidstyle.runner.preview import preview_frames

PIPELINE = (
    "version: 1\nstages:\n  - use: decode/pyav\n{stages}  - use: encode/pyav\n    codec: ffv1\n"
)
TEMPORAL = (
    "  - use: shots/histogram\n  - use: flow/dis\n    preset: ultrafast\n"
    "  - use: filter/keep-colors\n  - use: blend/warped\n    strength: 0.9\n"
)


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    path = tmp_path / "p.yaml"
    path.write_text(PIPELINE.format(stages=TEMPORAL))
    return load_pipeline(path, registry=Registry())


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Sixty frames with a keyframe after each ten."""
    path = tmp_path / "in.mp4"
    x, y = np.meshgrid(np.arange(96), np.arange(64))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=96, height=64)
        stream.pix_fmt, stream.options = "yuv420p", {"g": "10", "bf": "2"}
        for number in range(60):
            level = (x * 2 + y + 4 * number) % 256
            image = np.stack([level, 255 - level, (4 * number) + 0 * x], -1).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
    return path


def frames_by_themselves(pipeline: Pipeline, clip: Path, folder: Path) -> list[np.ndarray]:
    """What a run without blending makes of all frames."""
    path = folder / "plain.yaml"
    path.write_text(PIPELINE.format(stages="  - use: filter/keep-colors\n"))
    plain = load_pipeline(path, registry=Registry(), suffix="/")
    run(Job(plain, clip, folder / "frames"))
    return [cv2.imread(str(path))[..., ::-1] for path in sorted((folder / "frames").glob("*.png"))]


@pytest.mark.parametrize(
    ("count", "interval", "wanted"),
    [
        (1, (0, None), [30]),
        (4, (0, None), [7, 22, 37, 52]),
        (2, (20, 40), [25, 35]),
        (2, TimeInterval(Fraction(1), Fraction(2)), [31, 43]),
        (100, (10, 13), [10, 11, 12]),
    ],
)
def test_frames_are_spread_evenly_and_stylized_by_themselves(
    pipeline: Pipeline,
    clip: Path,
    tmp_path: Path,
    count: int,
    interval: Interval,
    wanted: list[int],
) -> None:
    every = frames_by_themselves(pipeline, clip, tmp_path)
    found = list(preview_frames(Job(pipeline, clip, tmp_path / "o.mkv", frames=interval), count))
    assert [int(each.seconds * 25) for each in found] == wanted
    for each, number in zip(found, wanted, strict=True):
        assert np.array_equal(each.image, every[number])
    assert not (tmp_path / "o.mkv").exists()


def test_images_are_found_by_their_number(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "shot").mkdir()
    for number in range(10):
        image = np.full((24, 32, 3), 20 * number, np.uint8)
        cv2.imwrite(str(tmp_path / "shot" / f"{number}.png"), image)
    found = list(preview_frames(Job(pipeline, tmp_path / "shot", tmp_path / "o.mkv"), 5))
    assert [int(each.image[0, 0, 0]) for each in found] == [20, 60, 100, 140, 180]
    [photo] = preview_frames(Job(pipeline, tmp_path / "shot" / "3.png", tmp_path / "o.png"), 5)
    assert int(photo.image[0, 0, 0]) == 60


def test_only_what_is_shown_is_decoded(
    pipeline: Pipeline, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vidstyle.stages.decode.stream_decoder import StreamDecoder

    seen = []
    decode = StreamDecoder.frames

    def counted(self: StreamDecoder):  # type: ignore[no-untyped-def]  # as that of the class
        for frame in decode(self):
            seen.append(frame.pts)
            yield frame

    monkeypatch.setattr(StreamDecoder, "frames", counted)
    list(preview_frames(Job(pipeline, clip, tmp_path / "o.mkv"), 3))
    # From a keyframe to the frame that is shown, and a few to describe the file.
    assert len(seen) <= 3 * 12 + 12


def test_an_interval_behind_the_end_is_refused(pipeline: Pipeline, clip: Path) -> None:
    with pytest.raises(UsageError, match=r"--frames starts at 4s, but the input ends at 2\.4s"):
        list(preview_frames(Job(pipeline, clip, Path("o.mkv"), frames=(100, None)), 2))
