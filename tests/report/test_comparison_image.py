"""Photos and frames of clips in one image, pixel for pixel."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from vidstyle.core.errors import InputError, OutputError, PipelineError, UsageError
from vidstyle.report.comparison import write_comparison
from vidstyle.report.comparison_image import ComparisonImage, write_comparison_image
from vidstyle.runner.storage.destination import Destination
from vidstyle.stages.filter.compare import CompareOptions

Pixels = npt.NDArray[np.uint8]
RANDOM = np.random.default_rng(0)
A, B = RANDOM.integers(0, 256, (2, 40, 60, 3), np.uint8)


def write_photo(path: Path, image: Pixels) -> Path:
    assert cv2.imwrite(str(path), image[..., ::-1] if image.shape[2] == 3 else image)
    return path


def write_clip(
    path: Path, images: Sequence[Pixels], *, aspect: Fraction = Fraction(1), rate: int = 10
) -> Path:
    with av.open(str(path), "w") as container:
        height, width = images[0].shape[:2]
        codec = "ffv1" if aspect == 1 else "libx264"
        stream = container.add_stream(codec, rate=rate, width=width, height=height)
        stream.pix_fmt = "bgr0" if aspect == 1 else "yuv420p"
        stream.sample_aspect_ratio = aspect
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
    return path


def levels(count: int) -> list[Pixels]:
    return [np.full((40, 60, 3), 10 * at, np.uint8) for at in range(count)]


def write(output: Path, *clips: Path, layout: str = "side-by-side", **more: Any) -> ComparisonImage:
    labels = more.pop("labels", ())
    options = CompareOptions(layout=layout, labels=labels)  # type: ignore[arg-type]  # a layout
    return write_comparison_image(Destination(output, overwrite=True), clips, options, **more)


def read(path: Path) -> Pixels:
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(image[..., ::-1], np.uint8)


def test_photos_stand_beside_one_another(tmp_path: Path) -> None:
    a, b = write_photo(tmp_path / "a.png", A), write_photo(tmp_path / "b.png", B)
    out = tmp_path / "out.png"
    assert write(out, a, b).frames == 1
    np.testing.assert_array_equal(read(out), np.hstack([A, B]))
    write(out, a, b, layout="stacked")
    np.testing.assert_array_equal(read(out), np.vstack([A, B]))
    write(out, a, b, layout="split")
    np.testing.assert_array_equal(read(out)[:, :25], A[:, :25])
    np.testing.assert_array_equal(read(out)[:, 35:], B[:, 35:])
    write(out, a, b, labels=("one", "two"))
    assert (read(out) != np.hstack([A, B])).any()


def test_a_photo_of_another_shape_gets_black_edges(tmp_path: Path) -> None:
    a = write_photo(tmp_path / "a.png", A)
    b = write_photo(tmp_path / "b.png", np.full((60, 60, 3), 255, np.uint8))
    write(tmp_path / "out.png", a, b)
    right = read(tmp_path / "out.png")[:, 60:]
    assert (right[:, 10:50] == 255).all()
    assert (right[:, :10] == 0).all()
    assert (right[:, 50:] == 0).all()


def test_transparency_is_shown_on_black(tmp_path: Path) -> None:
    clear = np.dstack([np.full((40, 60, 3), 200, np.uint8), np.full((40, 60), 51, np.uint8)])
    a = write_photo(tmp_path / "a.png", clear)
    write(tmp_path / "out.png", a, a)
    assert (read(tmp_path / "out.png") == 40).all()
    write(tmp_path / "out.png", a, a, size="50%")
    assert read(tmp_path / "out.png").shape == (20, 60, 3)


@pytest.mark.parametrize(
    ("count", "rows", "frames", "wanted"),
    [
        (10, 4, (0, None), [1, 3, 6, 8]),
        (10, 1, (0, None), [5]),
        (3, 4, (0, None), [0, 1, 2]),
        (10, 2, (4, 8), [5, 7]),
        (10, 4, (9, None), [9]),
        (10, 4, (7, 8), [7]),
        (10, 1, (4, 400), [7]),
    ],
)
def test_frames_are_spread_evenly(
    tmp_path: Path, count: int, rows: int, frames: tuple[int, int | None], wanted: list[int]
) -> None:
    a = write_clip(tmp_path / "a.mkv", levels(count))
    written = write(tmp_path / "out.png", a, a, rows=rows, frames=frames)
    assert written.frames == len(wanted)
    image = read(tmp_path / "out.png")
    assert image.shape == (40 * len(wanted), 120, 3)
    assert [int(row[5, 5, 0]) // 10 for row in np.split(image, len(wanted))] == wanted
    write(tmp_path / "out.png", a, a, rows=rows, frames=frames, layout="stacked")
    assert read(tmp_path / "out.png").shape == (80, 60 * len(wanted), 3)


def test_clips_are_matched_by_time(tmp_path: Path) -> None:
    a = write_clip(tmp_path / "a.mkv", levels(8))
    b = write_clip(tmp_path / "b.mkv", levels(4))
    written = write(tmp_path / "out.png", a, b, rows=8)
    image = read(tmp_path / "out.png")
    assert [int(row[5, 65, 0]) // 10 for row in np.split(image, 8)] == [0, 1, 2, 3, 3, 3, 3, 3]
    assert [note.kind for note in written.notes] == ["side-input-ended"]


def test_pixels_are_square(tmp_path: Path) -> None:
    a = write_clip(tmp_path / "a.mp4", levels(2), aspect=Fraction(1, 2))
    write(tmp_path / "out.png", a, a, rows=1)
    assert read(tmp_path / "out.png").shape == (40, 60, 3)


def test_a_folder_and_a_photo_stand_beside_a_clip(tmp_path: Path) -> None:
    # The rate at which folders are read.
    a = write_clip(tmp_path / "a.mkv", levels(4), rate=25)
    (tmp_path / "f").mkdir()
    for at, image in enumerate(levels(4)):
        write_photo(tmp_path / "f" / f"{at}.png", image)
    photo = write_photo(tmp_path / "p.png", B)
    write(tmp_path / "out.png", tmp_path / "f", a, photo, rows=2)
    wanted = [np.hstack([levels(4)[at], levels(4)[at], B]) for at in (1, 3)]
    np.testing.assert_array_equal(read(tmp_path / "out.png"), np.vstack(wanted))


def test_other_formats(tmp_path: Path) -> None:
    smooth = np.full((40, 60, 3), (200, 100, 50), np.uint8)
    a = write_photo(tmp_path / "a.png", smooth)
    for name in ("out.jpg", "out.webp"):
        write(tmp_path / name, a, a)
        assert np.abs(read(tmp_path / name).astype(int) - np.hstack([smooth, smooth])).max() < 6


def test_hdr_is_to_be_converted(tmp_path: Path) -> None:
    """There is no option of decode to set."""
    with av.open(str(tmp_path / "hdr.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=32, height=16)
        stream.pix_fmt = "yuv420p10le"
        stream.codec_context.color_trc = 16
        image = av.VideoFrame(32, 16, "yuv420p10le")
        container.mux([*stream.encode(image), *stream.encode(None)])
    out, hdr = tmp_path / "out.png", tmp_path / "hdr.mkv"
    with pytest.raises(InputError, match=r"HDR video \(PQ\); convert the file to SDR$"):
        write(out, hdr, hdr)
    page = Destination(tmp_path / "out.html", overwrite=False)
    with pytest.raises(InputError, match=r"HDR video \(PQ\); convert the file to SDR$"):
        write_comparison(page, hdr, hdr)


def test_what_cannot_be(tmp_path: Path) -> None:
    a, clip = write_photo(tmp_path / "a.png", A), write_clip(tmp_path / "c.mkv", levels(2))
    out = tmp_path / "out.webp"
    with pytest.raises(UsageError, match="name the clip first, or photos only"):
        write(out, a, clip)
    with pytest.raises(InputError, match="it has no frame 5"):
        write(out, clip, clip, frames=(5, None))
    with pytest.raises(PipelineError, match="takes 2 clips, got 3"):
        write(out, a, a, a, layout="split")
    long = write_photo(tmp_path / "long.png", np.zeros((2, 9000, 3), np.uint8))
    with pytest.raises(PipelineError, match="more than 16384 pixels"):
        write(out, long, long)
    edge = write_photo(tmp_path / "edge.png", np.zeros((2, 8192, 3), np.uint8))
    with pytest.raises(OutputError, match=r"\.webp takes no image of 16384x2"):
        write(out, edge, edge)
    assert not out.exists()
