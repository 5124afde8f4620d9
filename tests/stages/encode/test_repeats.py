"""Same images, same packets: whatever lay in memory before, and however threads ran."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from vidstyle.core import Clip, ExecutionContext, Frame, HostArray, Packet
from vidstyle.stages.encode.pyav import EncodePyAV


def _blocks(count: int, width: int, height: int) -> list[HostArray]:
    """Colored blocks that move on by a few pixels: what encoders search motion in."""
    coarse = np.random.default_rng(1).random((height // 8 + 20, width // 8 + 40, 3), np.float32)
    wide = coarse.repeat(8, 0).repeat(8, 1)
    return [
        np.ascontiguousarray(wide[2 * k : 2 * k + height, 3 * k : 3 * k + width])
        for k in range(count)
    ]


def _used_memory(chance: random.Random) -> list[HostArray]:
    """Arrays of all sizes, filled; what is not returned is memory to be had again, not cleared."""
    made = [
        np.full(chance.randint(10, 400_000), chance.randint(0, 255), np.uint8) for _ in range(60)
    ]
    chance.shuffle(made)
    return made[: chance.randint(0, 30)]


def _packets(images: list[HostArray], options: dict[str, str]) -> tuple[Packet, ...]:
    height, width = images[0].shape[:2]
    clip = Clip(width, height, Fraction(1, 25), Fraction(25))
    sink = EncodePyAV(EncodePyAV.Options.model_validate(options))
    sink.open(clip, ExecutionContext(threads=2))
    writer = sink.segment(clip)
    packets = [
        packet
        for number, image in enumerate(images)
        for packet in writer.write(Frame(number, number, 1, {"image": image}))[0]
    ]
    packets += writer.finish()
    sink.close()
    return tuple(packets)


@pytest.mark.parametrize(
    ("options", "width", "height", "repeats"),
    [
        ({"codec": "libx264"}, 320, 192, 20),
        ({"codec": "libx264", "pixel_format": "yuv444p"}, 320, 192, 20),
        pytest.param(
            {"codec": "libx264", "pixel_format": "yuv420p10le"},
            640,
            360,
            20,
            marks=pytest.mark.slow,
        ),
        ({"codec": "libx265"}, 322, 194, 5),
        ({"codec": "libvpx-vp9"}, 322, 194, 5),
        ({"codec": "libsvtav1"}, 322, 194, 5),
        ({"codec": "prores_ks"}, 322, 194, 5),
        ({"codec": "ffv1"}, 322, 194, 5),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else None,
)
def test_packets_repeat_in_used_memory(options, width, height, repeats):
    images, chance, found = _blocks(10, width, height), random.Random(0), set()
    for _ in range(repeats):
        kept = _used_memory(chance)
        found.add(_packets(images, options))
        del kept
    assert len(found) == 1
