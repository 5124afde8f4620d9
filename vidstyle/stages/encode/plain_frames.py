"""Frames without compression: y4m, and bare samples without any header."""

from __future__ import annotations

from fractions import Fraction

from vidstyle.core import Clip, Frame, Note
from vidstyle.core.frame import HOST
from vidstyle.media.from_rgb import LAYOUTS, FromRgb
from vidstyle.media.planes import digest, samples
from vidstyle.stages.encode.encoder import coded_color
from vidstyle.stages.encode.live_video import OpenOutput
from vidstyle.stages.encode.pipe_options import Y4M_CHROMA, PipeOptions
from vidstyle.stages.encode.writer import coded_frame


class PlainFrames:
    """Writes each frame's samples, and before the first one the header of y4m."""

    delay = 0
    """Frames that are given before the bytes of one are written."""

    def __init__(self, clip: Clip, options: PipeOptions, output: OpenOutput) -> None:
        """Write nothing yet."""
        self._clip, self._options, self._output = clip, options, output
        self._format = options.plain_format(clip)
        layout = LAYOUTS[self._format]
        self._on_black = clip.alpha and not layout.alpha
        self._color = coded_color(clip, rgb=layout.rgb)
        self._from_rgb = FromRgb(
            self._format,
            self._color,
            width=clip.width,
            height=clip.height,
            siting=options.siting,
        )
        self._y4m = options.form == "y4m"
        self._rate = options.frame_rate(clip)
        self._first: int | None = None
        self._frames = 0
        self._uneven = False

    @property
    def notes(self) -> list[Note]:
        """What could not be kept, as far as it is known."""
        if not self._uneven:
            return []
        name = "y4m" if self._y4m else "raw video"
        text = f"the frames come at an uneven rate, and {name} has one: {float(self._rate):.6g} fps"
        return [Note("rate", text)]

    def write(self, frame: Frame) -> str:
        """Write a frame; returns the hash of its samples."""
        image = frame.restrict(("image", "alpha"), HOST)
        coded = coded_frame(image, self._from_rgb, on_black=self._on_black)
        self._watch(frame)
        if self._y4m:
            start = b"FRAME\n" if self._frames else self._header() + b"FRAME\n"
            self._output.write(start)
        self._output.write(samples(coded))
        self._output.check()
        self._frames += 1
        return digest(coded)

    def finish(self) -> None:
        """Nothing is left."""

    def close(self) -> None:
        """Nothing is open."""

    def _watch(self, frame: Frame) -> None:
        """Find frames that are not where the rate has them, give or take half a frame."""
        self._first = frame.pts if self._first is None else self._first
        at = (frame.pts - self._first) * self._clip.time_base
        self._uneven = self._uneven or abs(at * self._rate - self._frames) > Fraction(1, 2)

    def _header(self) -> bytes:
        clip, rate = self._clip, self._rate
        aspect = clip.sample_aspect
        chroma = Y4M_CHROMA[self._format]
        if self._options.siting == "left" and chroma == "420jpeg":
            chroma = "420mpeg2 XYSCSS=420MPEG2"
        words = [
            f"YUV4MPEG2 W{clip.width} H{clip.height}",
            f"F{rate.numerator}:{rate.denominator} Ip",
            f"A{aspect.numerator}:{aspect.denominator}",
            f"C{chroma} XCOLORRANGE={self._color.range.upper()}",
        ]
        return (" ".join(words) + "\n").encode()
