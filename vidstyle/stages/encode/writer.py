"""One chunk on its way through its own encoder."""

from __future__ import annotations

from typing import Any, Final

import av
from av import VideoFrame

from vidstyle.core import Clip, Frame, Packet
from vidstyle.media.from_rgb import FromRgb
from vidstyle.media.planes import digest, samples
from vidstyle.stages.encode.encoder import EncoderSettings, new_encoder

# Side data that a file must keep: VP9's opacity.
ALPHA_PLANE: Final = "matroska_block_additional"


def coded_frame(frame: Frame, from_rgb: FromRgb, *, on_black: bool) -> VideoFrame:
    """The layer ``image`` in a pixel format: its planes as they are where they have that format.

    Args:
        frame: As a sink gets it, with ``alpha`` where it is there.
        from_rgb: Of the format.
        on_black: Whether opacity is multiplied in, since the format cannot store it.
    """
    planes = frame.planes("image")
    if planes is not None and not on_black and from_rgb.takes(planes):
        return from_rgb.of_planes(planes)
    image = frame.host("image")
    alpha = frame.host("alpha") if "alpha" in frame.layers else None
    if alpha is not None and on_black:
        image = image * alpha[..., None]
    return from_rgb(image, alpha)


class ChunkWriter:
    """Encodes frames on a clock of frame numbers that starts at 0 in each chunk."""

    def __init__(self, clip: Clip, settings: EncoderSettings) -> None:
        self._settings = settings
        self._on_black = clip.alpha and not settings.alpha
        self._encoder = new_encoder(settings)
        self._from_rgb = FromRgb(
            settings.pixel_format,
            settings.color,
            width=settings.width,
            height=settings.height,
            siting=settings.codec.siting,
        )
        self._frames = self._packets = 0
        self._image: VideoFrame | None = None

    @property
    def header(self) -> bytes:
        """The encoder's extradata; equal for all chunks of a clip."""
        return self._encoder.extradata or b""

    def write(self, frame: Frame) -> tuple[list[Packet], str]:
        """Encode the layer ``image``, with ``alpha`` where it is there and can be stored."""
        return self._encoded(coded_frame(frame, self._from_rgb, on_black=self._on_black))

    def planes(self) -> bytes:
        """The samples of the frame that was written last."""
        if self._image is None:
            raise ValueError("no frame was written yet")
        return samples(self._image)

    def replay(self, planes: bytes) -> list[Packet]:
        """Encode a frame whose samples ``planes`` has returned."""
        return self._encode(self._from_rgb.again(planes))

    def finish(self) -> list[Packet]:
        return self._numbered(self._encoder.encode(None))

    def _encoded(self, image: VideoFrame) -> tuple[list[Packet], str]:
        return self._encode(image), digest(image)

    def _encode(self, image: VideoFrame) -> list[Packet]:
        image.pts = self._frames
        image.time_base = self._encoder.time_base
        self._frames += 1
        self._image = image
        return self._numbered(self._encoder.encode(image))

    def _numbered(self, encoded: list[av.Packet[Any]]) -> list[Packet]:
        """The packets with the count of packets as their decoding time.

        x265 leaves that of a chunk of one frame uninitialized, and joining sets it anyway.
        """
        numbered = []
        for packet in encoded:
            assert packet.pts is not None
            data, keyframe = bytes(packet), packet.is_keyframe
            numbered.append(Packet(data, packet.pts, self._packets, keyframe, _alpha_of(packet)))
            self._packets += 1
        return numbered


def _alpha_of(packet: av.Packet[Any]) -> tuple[tuple[str, bytes], ...]:
    if not packet.has_sidedata(ALPHA_PLANE):
        return ()
    return ((ALPHA_PLANE, bytes(packet.get_sidedata(ALPHA_PLANE))),)
