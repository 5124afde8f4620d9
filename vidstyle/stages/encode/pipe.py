"""Writes each frame as soon as it is there: into a pipe, or a file that cannot be made twice."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

from vidstyle.core import Clip, ExecutionContext, Note, StageOptions
from vidstyle.media.from_rgb import LAYOUTS
from vidstyle.media.piped_video import PacketQueue
from vidstyle.stages.encode.containers import CONTAINERS, Container, container_for
from vidstyle.stages.encode.encoder import resolve
from vidstyle.stages.encode.live_video import LiveVideo, OpenOutput
from vidstyle.stages.encode.pipe_options import PipeOptions, bytes_per_pixel
from vidstyle.stages.encode.plain_frames import PlainFrames
from vidstyle.stages.encode.pyav import EncodePyAV

# Of streams that y4m and raw video leave out, those that somebody may miss.
_MISSED: Final = ("audio", "subtitle")


class EncodePipe(EncodePyAV):
    """Writes y4m, Matroska, bare frames or a file, frame by frame.

    It is no stage of a pipeline file: a run with a pipe puts it in the place of ``encode/pyav``.
    """

    Options = PipeOptions

    def __init__(self, options: PipeOptions) -> None:
        super().__init__(options)
        self._pipe = options

    @property
    def _is_plain(self) -> bool:
        return self._pipe.form in ("y4m", "raw")

    def check(self, path: Path, clip: Clip) -> None:
        """Raise PipelineError where codec, container and clip do not go together."""
        if self._is_plain:
            self._pipe.plain_format(clip)
        else:
            super().check(self._named(path), clip)

    def resolve(self, clip: Clip, context: ExecutionContext) -> StageOptions:
        """The pixel format of y4m and raw video; of others all that ``encode/pyav`` resolves."""
        if not self._is_plain:
            return super().resolve(clip, context)
        return self._pipe.model_copy(update={"pixel_format": self._pipe.plain_format(clip)})

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        if not self._is_plain:
            return super().memory(clip, context)
        # The frame, and the bytes that are written of it.
        size = bytes_per_pixel(self._pipe.plain_format(clip)) * clip.width * clip.height
        return 2 * int(size)

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        if not self._is_plain:
            super().open(clip, context)
            return
        self._opened = (clip, context.threads)
        self._notes = list(self._plain_notes(clip))

    def stream(
        self,
        output: OpenOutput,
        path: Path,
        original: Path | PacketQueue | None,
        *,
        cut: bool,
    ) -> LiveVideo | PlainFrames:
        """A writer of frames.

        Args:
            output: Takes the bytes.
            path: What the output is called; the suffix of a file chooses its container.
            original: Where sound and subtitles come from; None for nowhere.
            cut: Whether it is a part of the clip that is wanted: its sound is then left out.

        Returns:
            The writer.
        """
        clip, threads = self._clip_and_threads
        if self._is_plain:
            return PlainFrames(clip, self._pipe, output)
        container = container_for(self._named(path), self._pipe.codec)
        settings = resolve(self._pipe, clip, threads).at_once()
        missed = [stream for stream in clip.streams if stream.kind in _MISSED]
        if cut and missed:
            text = "--frames with a pipe leaves out sound and subtitles"
            self._notes.append(Note("dropped", text))
            original = None
        return LiveVideo(
            clip,
            settings,
            self._pipe,
            container,
            output,
            original,
            in_pipe=self._pipe.form == "mkv",
            tag=settings.codec.tag.get(path.suffix.lower()),
        )

    @property
    def notes(self) -> Sequence[Note]:
        """What was padded, converted or left out."""
        return tuple(self._notes)

    def _named(self, path: Path) -> Path:
        return path if self._pipe.form == "file" else Path("output.mkv")

    def _plain_notes(self, clip: Clip) -> list[Note]:
        name = "y4m" if self._pipe.form == "y4m" else "raw video"
        chosen = self._pipe.plain_format(clip)
        layout, notes = LAYOUTS[chosen], []
        kinds = sorted({s.kind for s in clip.streams if s.kind in _MISSED})
        if kinds:
            text = f"{name} does not support {' and '.join(kinds)}: left out"
            notes.append(Note("dropped", text))
        if clip.alpha and not layout.alpha:
            notes.append(Note("alpha", f"{chosen} has no alpha: shown on black"))
        if layout.bits < clip.bit_depth:
            text = f"{name} stores {layout.bits} of the clip's {clip.bit_depth} bits"
            notes.append(Note("bits", text))
        if self._pipe.like and chosen != self._pipe.like.replace("yuvj", "yuv"):
            text = f"{name} is written as {chosen}, the input is {self._pipe.like}"
            notes.append(Note("pixel-format", text))
        if clip.color.tagged and clip.color.matrix != "rgb" and not layout.rgb:
            text = f"{name} does not say that colors are coded by {clip.color.matrix}"
            notes.append(Note("color", text))
        if self._pipe.form == "raw":
            rate = f" at {float(clip.frame_rate):.6g} fps" if clip.frame_rate else ""
            text = f"the output is {clip.width}x{clip.height} {chosen}{rate}"
            notes.append(Note("raw", text))
        if self._pipe.form == "raw" and clip.sample_aspect != Fraction(1):
            text = f"{name} does not store the sample aspect {clip.sample_aspect}"
            notes.append(Note("aspect", text))
        return notes


def live_container(suffix: str) -> Container | None:
    """The container of a file that is written frame by frame; None where there is none."""
    container = CONTAINERS.get(suffix.lower())
    return None if container is None or container.format == "gif" else container
