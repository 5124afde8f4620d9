"""What decoding and encoding alone do to an image, against exact arithmetic.

    python benchmarks/identity.py [CLIP ...]

Without clips it makes its own: BT.601 and BT.709, limited and full range, tagged and not.
The oracle turns the file's own samples into RGB by the equations of the standards in float64
(chroma by linear interpolation, sited left); the output is read from the planes of a lossless
RGB file. Differences are out of 255.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float64]

KR_KB = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}
PIPELINE = "pipelines/identity.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clips", nargs="*", type=Path)
    given = parser.parse_args()
    print(f"{'clip':34}{'mean abs':>9}{'shift R':>9}{'G':>8}{'B':>8}")
    with tempfile.TemporaryDirectory() as folder:
        clips = given.clips or list(own_clips(Path(folder)))
        for number, clip in enumerate(clips):
            out = Path(folder) / f"{number}.mkv"
            command = [sys.executable, "-m", "vidstyle", "run", PIPELINE, str(clip), "-o", str(out)]
            subprocess.run([*command, "--frames", "0:10"], check=True, stderr=subprocess.DEVNULL)
            absolute, shift = compare(clip, out)
            print(f"{clip.stem[:33]:34}{absolute:9.3f}" + "".join(f"{s:+8.3f}" for s in shift))


def compare(clip: Path, out: Path) -> tuple[float, list[float]]:
    """Mean absolute difference, and mean difference of R, G and B."""
    differences = [
        written - wanted for wanted, written in zip(exact_rgb(clip), planes(out), strict=False)
    ]
    stacked = np.stack(differences)
    return float(np.abs(stacked).mean()), [float(v) for v in stacked.mean(axis=(0, 1, 2))]


def exact_rgb(clip: Path, count: int = 10) -> Iterator[Image]:
    """The first frames of an 8-bit 4:2:0 file by the standards' equations."""
    with av.open(str(clip)) as container:
        largest = max(container.streams.video, key=lambda stream: stream.width * stream.height)
        for number, frame in enumerate(container.decode(largest)):
            if number == count:
                return
            yield from_samples(frame)


def from_samples(frame: av.VideoFrame) -> Image:
    full = frame.format.name == "yuvj420p" or int(frame.color_range) == 2
    if frame.format.name not in ("yuv420p", "yuvj420p"):
        raise SystemExit(f"{frame.format.name}: only 8-bit 4:2:0 is compared")
    tag = int(frame.colorspace)
    matrix = "bt709" if tag == 1 or (tag == 2 and frame.height >= 720) else "bt601"
    luma, blue, red = (plane.astype(np.float64) for plane in sample_planes(frame))
    blue, red = (upsampled(chroma, *luma.shape) - 128 for chroma in (blue, red))
    if not full:
        luma, blue, red = (luma - 16) * 255 / 219, blue * 255 / 224, red * 255 / 224
    kr, kb = KR_KB[matrix]
    r = luma + 2 * (1 - kr) * red
    b = luma + 2 * (1 - kb) * blue
    g = (luma - kr * r - kb * b) / (1 - kr - kb)
    return np.stack([r, g, b], -1).clip(0, 255)


def sample_planes(frame: av.VideoFrame) -> Iterator[npt.NDArray[np.uint8]]:
    for plane in frame.planes:
        rows = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)
        yield rows[: plane.height, : plane.width]


def upsampled(chroma: Image, height: int, width: int) -> Image:
    """Chroma sits beside every second luma column and between two luma rows (MPEG-2 siting)."""
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    across, down = (columns / 2).astype(np.float32), ((rows - 0.5) / 2).astype(np.float32)
    linear, edge = cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    moved = cv2.remap(chroma.astype(np.float32), across, down, linear, borderMode=edge)
    return moved.astype(np.float64)


def planes(path: Path) -> Iterator[Image]:
    """Frames of a lossless RGB file, without any conversion of color."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24").astype(np.float64)


def own_clips(folder: Path) -> Iterator[Path]:
    """One short clip for each matrix, range and tagging."""
    for matrix, tag in (("bt601", 6), ("bt709", 1)):
        for full in (False, True):
            for tagged in (True, False):
                name = (
                    f"{matrix}-{'full' if full else 'limited'}-{'tagged' if tagged else 'untagged'}"
                )
                height = 720 if matrix == "bt709" and not tagged else 360
                write(folder / f"{name}.mkv", height, tag if tagged else 2, full=full)
                yield folder / f"{name}.mkv"


def write(path: Path, height: int, tag: int, *, full: bool) -> None:
    """Smooth colors over all of the range that is legal, straight into the samples.

    The range is tagged where it is full, since nobody could guess it.
    """
    width = height * 16 // 9
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    low, high = (0, 255) if full else (16, 235)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=width, height=height)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.colorspace = tag
        stream.codec_context.color_range = 2 if full else 0
        for index in range(10):
            wave = 0.5 + 0.5 * np.sin(6 * x + 3 * y + index / 3)
            chroma = 0.35 * np.stack([np.sin(4 * x + index / 5), np.cos(5 * y)])[:, ::2, ::2]
            frame = av.VideoFrame(width, height, "yuv420p")
            samples = [low + (high - low) * (0.3 + 0.4 * wave), *(128 + 110 * chroma)]
            for plane, values in zip(frame.planes, samples, strict=True):
                padded = np.zeros((plane.height, plane.line_size), np.uint8)
                padded[:, : plane.width] = values.round().astype(np.uint8)
                plane.update(padded.tobytes())
            frame.colorspace = tag
            frame.color_range = 2 if full else 0
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
