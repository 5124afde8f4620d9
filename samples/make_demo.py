"""Makes samples/demo.mp4 from photos that scikit-image ships, all public domain or CC0.

The camera moves smoothly, a cup flies through the image, and there is one hard cut. All
motion is geometry, so flow and occlusion of every frame are known: ``demo_scenes``.

    python samples/make_demo.py [FILE]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from vidstyle.testing.scene import Doubles, Scene, Surface, similarity

WIDTH, HEIGHT, RATE = 640, 360, 25
SHOT = 60
"""Frames in each of the two shots; the cut is at frame 60."""
MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as a surface; beyond its edge the edge is repeated."""

    image: Doubles
    opacity: Doubles

    def __call__(self, x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
        columns, rows = x.astype(np.float32), y.astype(np.float32)
        color = cv2.remap(
            self.image, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        opacity = cv2.remap(
            self.opacity, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return color.astype(np.float64), opacity.astype(np.float64)


def demo_scenes(width: int = WIDTH, height: int = HEIGHT) -> tuple[Scene, Scene]:
    """The two shots; ``vidstyle.testing.render_scenes`` makes frames with exact flow of them.

    Smaller sizes give the same clip scaled down, for quick tests.
    """
    shrink = width / WIDTH
    cat = Surface(photo("chelsea.png", _least(CAT) * shrink), _ride(CAT, shrink))
    cup = Surface(cut_out("coffee.png", CUP, _least(FLIGHT) * shrink), _ride(FLIGHT, shrink))
    astronaut = Surface(photo("astronaut.png", _least(RISE) * shrink), _ride(RISE, shrink))
    return Scene((cat, cup), width, height), Scene((astronaut,), width, height)


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera or a thing is: the photo's point ``anchor`` appears at ``center``."""

    scale: float
    turn: float
    """Clockwise, in degrees."""
    center: tuple[float, float]
    anchor: tuple[float, float]


MIDDLE = (WIDTH / 2, HEIGHT / 2)
CAT = (View(1.62, -2.0, MIDDLE, (238, 150)), View(1.86, 1.5, MIDDLE, (218, 138)))
FLIGHT = (View(0.34, -28, (-20, 250), (281, 184)), View(0.46, 24, (480, 262), (281, 184)))
RISE = (View(1.75, 1.5, MIDDLE, (236, 250)), View(1.42, -1.0, MIDDLE, (256, 150)))
CUP = (((281, 220), (197, 165), 0), ((298, 118), (116, 100), 0))
"""Ellipses (center, half axes, degrees) that hold the saucer and the cup."""


def photo(name: str, scale: float = 1.0) -> Photo:
    """A photo out of scikit-image's own files, to be shown at ``scale`` times its size or more."""
    import skimage

    path = Path(skimage.__file__).parent / "data" / name
    stored = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if stored is None:
        raise SystemExit(f"{path} is not an image; install scikit-image 0.26 again")
    image = cv2.cvtColor(stored, cv2.COLOR_BGR2RGB).astype(np.float64) / 255
    return Photo(_softened(image, scale), np.ones(image.shape[:2]))


def cut_out(
    name: str, ellipses: Sequence[tuple[tuple[int, int], tuple[int, int], float]], scale: float
) -> Photo:
    """The part of a photo that lies in any of the ellipses, with a soft edge."""
    whole = photo(name, scale)
    mask = np.zeros(whole.opacity.shape, np.uint8)
    for center, axes, degrees in ellipses:
        cv2.ellipse(mask, center, axes, degrees, 0, 360, 255, cv2.FILLED)
    soft = cv2.GaussianBlur(mask.astype(np.float64) / 255, (0, 0), max(1.0, 0.5 / scale))
    return Photo(whole.image, soft.astype(np.float64))


def _softened(image: Doubles, scale: float) -> Doubles:
    """Without the detail that would shimmer when it is shown smaller than it is."""
    if scale >= 1:
        return image
    deviation = 0.6 * (scale**-2 - 1) ** 0.5
    return cv2.GaussianBlur(image, (0, 0), deviation).astype(np.float64)


def _least(ends: tuple[View, View]) -> float:
    """The smallest scale on the way."""
    return min(view.scale for view in ends)


def _ride(ends: tuple[View, View], shrink: float) -> tuple[Doubles, ...]:
    """From the first view to the second, gently at both ends."""
    shares = np.linspace(0, 1, SHOT)
    return tuple(_pose(ends, share * share * (3 - 2 * share), shrink) for share in shares)


def _pose(ends: tuple[View, View], share: float, shrink: float) -> Doubles:
    first, last = ends

    def between(start: float, end: float) -> float:
        return start + share * (end - start)

    def point(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
        return between(start[0], end[0]), between(start[1], end[1])

    pose = similarity(
        between(first.scale, last.scale),
        np.radians(between(first.turn, last.turn)),
        point(first.center, last.center),
        point(first.anchor, last.anchor),
    )
    return pose @ np.diag([1 / shrink, 1 / shrink, 1])


def make_demo(path: Path, scenes: Sequence[Scene] | None = None) -> None:
    """Encode the scenes: x264, one thread so that it comes out the same, tagged BT.709."""
    scenes = demo_scenes() if scenes is None else scenes
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = scenes[0].width, scenes[0].height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, RATE)
        stream.options = {"preset": "slow", "crf": "16", "threads": "1"}
        context = stream.codec_context
        context.colorspace, context.color_range = 1, 1
        context.color_primaries, context.color_trc = 1, 1
        index = 0
        for scene in scenes:
            for time in range(scene.frames):
                frame = _encodable(scene, time)
                frame.pts, index = index, index + 1
                container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _encodable(scene: Scene, time: int) -> av.VideoFrame:
    pixels = np.rint(scene.image(time) * 255).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    return frame.reformat(
        format="yuv420p", dst_colorspace="ITU709", src_color_range="JPEG", dst_color_range="MPEG"
    )


def main(arguments: Sequence[str]) -> None:
    path = Path(arguments[0]) if arguments else Path(__file__).with_name("demo.mp4")
    make_demo(path)
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise SystemExit(f"{path} has {size} bytes, more than {MOST_BYTES}; raise the crf")
    print(f"{path}: {size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
