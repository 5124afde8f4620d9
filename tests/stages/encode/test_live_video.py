"""A file that grows with each frame: no encoder and no muxer keeps one back."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from vidstyle.core import Clip, Frame
from vidstyle.stages.encode.codecs import CODECS, CodecName
from vidstyle.stages.encode.containers import CONTAINERS
from vidstyle.stages.encode.encoder import resolve
from vidstyle.stages.encode.live_video import LiveVideo
from vidstyle.stages.encode.pipe_options import PipeOptions

CLIP = Clip(128, 96, Fraction(1, 25), Fraction(25))


class Bytes:
    """What has been written so far; it cannot be sought in."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> int:
        self.data += bytes(data)
        return len(data)

    def check(self) -> None:
        pass

    def packets(self) -> int:
        with av.open(io.BytesIO(self.data)) as container:
            return sum(packet.size > 0 for packet in container.demux(video=0))


@pytest.mark.parametrize("codec", [name for name in CODECS if name != "gif"])
def test_a_frame_is_written_when_the_next_one_comes(codec: CodecName) -> None:
    options = PipeOptions(codec=codec, form="mkv")
    settings = resolve(options, CLIP, threads=4)
    output = Bytes()
    writer = LiveVideo(
        CLIP, settings.at_once(), options, CONTAINERS[".mkv"], output, None, in_pipe=True
    )
    rng = np.random.default_rng(0)
    for index in range(12):
        image = rng.random((96, 128, 3), np.float32)
        writer.write(Frame(index, index, 1, {"image": image}))
        if index > 1:
            assert output.packets() == index + 1 - writer.delay
    writer.finish()
    assert output.packets() == 12
