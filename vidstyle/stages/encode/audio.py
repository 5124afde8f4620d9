"""Sound that is not copied: players expect another codec in the container, or the cut is exact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final, TypeAlias

import av
import numpy as np
import numpy.typing as npt
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.filter import Graph

from vidstyle.core import Note
from vidstyle.media.sound import SoundLayout, nearest_layout, set_plain_layout, speakers
from vidstyle.stages.encode.routes import AvPacket, Cut
from vidstyle.stages.encode.sound_clock import SoundClock, SoundForm, SoundPiece

Samples: TypeAlias = npt.NDArray[np.float64]
"""(samples, channels) in [-1, 1]."""

_BITS_PER_CHANNEL: Final = 96_000
# What players know of them; FFmpeg's own encoders write more.
_LAYOUTS: Final = {
    "aac": ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"),
    "libopus": ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"),
}
# Rates at which an encoder has its full quality, and what has others is converted.
_RATES: Final = {"libopus": (48_000,)}
# Seconds decoded before a cut, since lossy codecs need what came before.
_PREROLL: Final = Fraction(1)
# Samples of silence that are made at a time.
_BLOCK: Final = 4096
# Samples lie here one moment after the other, as planes of 8 channels and more crash PyAV 18.
# Doubles hold every sample of 32 bits exactly.
_FORMAT: Final = "dbl"
# Codecs that give every sample back, beside PCM.
_LOSSLESS: Final = frozenset({"flac", "alac", "wavpack", "tta"})


def is_lossless(codec: str) -> bool:
    """Whether a codec gives back every sample that it was given."""
    return codec in _LOSSLESS or codec.startswith("pcm_")


class ReencodedAudio:
    """Decodes, cuts to the sample, encodes. Gaps become silence, so that nothing drifts.

    Changes of layout, rate and sample format are followed: the output keeps those of the start.
    """

    def __init__(
        self, source: AudioStream, output: OutputContainer, encoder: str, cut: Cut
    ) -> None:
        """Add a stream to ``output``. Raises av's errors or ValueError where nothing fits."""
        context = source.codec_context
        self._source, self._cut = source, cut
        self._layout = set_plain_layout(context)
        if context.sample_rate < 1:
            raise ValueError("a sound has a rate")
        rate = _encoder_rate(context.sample_rate, encoder)
        layout = self._layout.name
        if encoder in _LAYOUTS:
            layout = nearest_layout(layout, _LAYOUTS[encoder])
        samples = context.format.name if context.format and is_lossless(encoder) else "flt"
        _check_encoder(encoder, rate, layout, samples)
        target = output.add_stream(encoder, rate=rate)
        assert isinstance(target, AudioStream)
        self.target = target
        _configure(target.codec_context, rate, layout, samples)
        target.codec_context.open()
        self._clock = SoundClock(self._layout)
        self._convert: _Converter | None = None
        self._position: int | None = None
        self._drop = 0
        self._undecodable = 0
        self._forms: set[tuple[str, int]] = set()

    @property
    def changes(self) -> str:
        """What the output has other than the original, for a note; empty if nothing."""
        context, source = self.target.codec_context, self._source.codec_context
        parts = []
        if self._layout.described != context.layout.name:
            parts.append(f"{self._layout.described} becomes {context.layout.name}")
        if source.sample_rate != context.sample_rate:
            parts.append(f"{source.sample_rate} Hz becomes {context.sample_rate} Hz")
        return ", ".join(parts)

    @property
    def notes(self) -> Iterator[Note]:
        """What decoding has found out."""
        index, context = self._source.index, self.target.codec_context
        if self._position is None and not self._cut.exact:
            yield Note("damage", f"no sound of audio stream {index} can be decoded")
        elif self._undecodable:
            number = self._undecodable
            yield Note("damage", f"damaged packets of audio stream {index} left out: {number}")
        if len(self._forms) > 1:
            form = f"{context.layout.name} of {context.sample_rate} Hz"
            yield Note("audio-encoded", f"audio stream {index} changes midway: it stays {form}")

    def convert(self, packet: AvPacket) -> Iterator[AvPacket]:
        moment = (packet.pts or packet.dts or 0) * packet.time_base
        if self._cut.keeps(moment, moment + _PREROLL):
            yield from self._decode(packet)

    def finish(self) -> Iterator[AvPacket]:
        yield from self._decode(None)
        for piece in self._clock.finish():
            yield from self._take(piece)
        yield from self._end_span()
        yield from self.target.encode(None)

    def _decode(self, packet: AvPacket | None) -> Iterator[AvPacket]:
        try:
            frames = self._source.codec_context.decode(packet)
        except av.error.FFmpegError:
            self._undecodable += 1
            return
        for frame in frames:
            for piece in self._clock.push(frame):
                yield from self._take(piece)

    def _take(self, piece: SoundPiece) -> Iterator[AvPacket]:
        if piece.begins is not None:
            yield from self._end_span()
            yield from self._begin_span(piece.begins, piece.form)
        assert self._convert is not None
        yield from self._write(self._convert.push(piece.frame))

    def _begin_span(self, seconds: Fraction, form: SoundForm) -> Iterator[AvPacket]:
        self._forms.add((form.layout.name, form.rate))
        context = self.target.codec_context
        at = round((seconds - self._cut.start) * context.sample_rate)
        if self._position is None:
            self._position = max(0, at)
        yield from self._silence(at if self._end is None else min(at, self._end))
        self._drop = max(0, self._position - at)
        self._convert = _Converter(form, context)

    def _silence(self, until: int) -> Iterator[AvPacket]:
        channels = self.target.codec_context.layout.nb_channels
        while self._position is not None and self._position < until:
            count = min(until - self._position, _BLOCK)
            yield from self._encode(np.zeros((count, channels)))

    def _end_span(self) -> Iterator[AvPacket]:
        if self._convert is not None:
            yield from self._write(self._convert.push(None))
            self._convert = None

    def _write(self, samples: Iterable[Samples]) -> Iterator[AvPacket]:
        for some in samples:
            kept = some[self._drop :]
            self._drop -= len(some) - len(kept)
            if self._end is not None:
                kept = kept[: max(0, self._end - (self._position or 0))]
            yield from self._encode(kept)

    @property
    def _end(self) -> int | None:
        """The position at which the output ends, if it is cut."""
        if not self._cut.exact or self._cut.end is None:
            return None
        return round((self._cut.end - self._cut.start) * self.target.codec_context.sample_rate)

    def _encode(self, samples: Samples) -> Iterator[AvPacket]:
        assert self._position is not None
        if len(samples):
            context = self.target.codec_context
            packed = np.ascontiguousarray(samples).reshape(1, -1)
            frame = AudioFrame.from_ndarray(packed, _FORMAT, context.layout.name)
            frame.sample_rate, frame.time_base = context.sample_rate, context.time_base
            frame.pts = self._position
            self._position += len(samples)
            yield from self.target.encode(frame)


class _Converter:
    """Samples of one form in the rate and layout of an encoder."""

    def __init__(self, form: SoundForm, context: AudioCodecContext) -> None:
        self._channels = context.layout.nb_channels
        self._graph = graph = Graph()
        nodes = [
            graph.add(
                "abuffer",
                f"time_base=1/{form.rate}:sample_rate={form.rate}:sample_fmt={form.format}"
                f":channel_layout={form.stored}",
            ),
            *([] if form.plain else [graph.add("pan", _pan(form.layout))]),
            graph.add("aresample", str(context.sample_rate)),
            graph.add(
                "aformat",
                f"sample_fmts={_FORMAT}:sample_rates={context.sample_rate}"
                f":channel_layouts={context.layout.name}",
            ),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(*nodes).configure()
        self._samples = 0

    def push(self, frame: AudioFrame | None) -> Iterator[Samples]:
        """Take a frame, or the end; returns what is ready."""
        if frame is not None:
            frame.pts, frame.time_base = self._samples, Fraction(1, frame.sample_rate)
            self._samples += frame.samples
        self._graph.push(frame)
        while True:
            try:
                ready = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(ready, AudioFrame)
            yield ready.to_ndarray().astype(np.float64, copy=False).reshape(-1, self._channels)


def _pan(layout: SoundLayout) -> str:
    """The filter's words for which channel of the input becomes which."""
    names = speakers(layout.name)
    order = range(len(names)) if layout.order is None else layout.order
    return "|".join([layout.name, *(f"{n}=c{i}" for n, i in zip(names, order, strict=True))])


def _encoder_rate(rate: int, encoder: str) -> int:
    """The sound's own rate or the next higher one that the encoder has, else its highest."""
    offered = _RATES.get(encoder) or av.Codec(encoder, "w").audio_rates
    return min((r for r in offered if r >= rate), default=max(offered)) if offered else rate


def _check_encoder(encoder: str, rate: int, layout: str, samples: str) -> None:
    """Open the encoder aside: a stream that was added to a container cannot be taken back."""
    context = av.CodecContext.create(encoder, "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate = rate
    _configure(context, rate, layout, samples)
    context.open()


def _configure(context: AudioCodecContext, rate: int, layout: str, samples: str) -> None:
    """Describe the sound; ``samples`` is the format of samples that is preferred."""
    formats = [known.name for known in context.codec.audio_formats or ()]
    kind = samples.removesuffix("p")
    fitting = (name for name in formats if name.removesuffix("p") == kind)
    context.format = next(fitting, formats[0])
    context.layout = layout
    context.bit_rate = _BITS_PER_CHANNEL * len(speakers(layout))
    context.time_base = Fraction(1, rate)
