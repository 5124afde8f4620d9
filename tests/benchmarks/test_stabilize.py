"""Clips as other tools deliver them, and the benchmark on one small enough."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import pytest

from vidstyle.testing import pan

Load = Callable[[str], ModuleType]
COUNT = 8

pytestmark = pytest.mark.slow


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Eight frames of 96x64 that pan, without loss."""
    path = tmp_path / "pan.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "bgr0"
        for frame in pan(frames=COUNT, width=96, height=64, step=(1, 0)).frames:
            pixels = np.rint(frame.host("source") * 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def original(benchmark: Load, clip: Path, style: Callable[..., Path], tmp_path: Path) -> Any:
    benchmark("stabilize")
    store = benchmark("consistency.store").Store(tmp_path / "work")
    network = benchmark("consistency.footage").style_of(str(style("any")))
    write = benchmark("consistency.delivered").write_original
    return write(clip, network, frames=COUNT, width=96, store=store), store


def test_delivered_clips_have_their_size_rate_and_frames(benchmark: Load, original: Any) -> None:
    delivered = benchmark("consistency.delivered")
    clip, store = original
    wanted = {
        "ffv1": (96, 25, range(COUNT)),
        "h264": (96, 25, range(COUNT)),
        "half rate": (96, Fraction(25, 2), (0, 2, 4, 6)),
        "3/4 size": (72, 25, range(COUNT)),
        "1.5 size": (144, 25, range(COUNT)),
    }
    for name, (width, rate, frames) in wanted.items():
        found = delivered.deliver(clip, delivered.DELIVERIES[name], store)
        assert found.frames == tuple(frames)
        with av.open(str(found.path)) as container:
            stream = container.streams.video[0]
            assert (stream.width, stream.average_rate) == (width, rate)
            assert sum(1 for _ in container.decode(stream)) == len(frames)
    exact = delivered.deliver(clip, delivered.DELIVERIES["ffv1"], store).shown(clip, store)
    for image, frame in zip(exact, delivered.images_of(clip.per_frame), strict=True):
        np.testing.assert_array_equal(image, frame)


def test_a_frame_is_shown_until_the_next_one_comes(benchmark: Load, original: Any) -> None:
    delivered = benchmark("consistency.delivered")
    clip, store = original
    shown = delivered.deliver(clip, delivered.DELIVERIES["half rate"], store).shown(clip, store)
    assert len(shown) == COUNT
    for at in range(0, COUNT, 2):
        np.testing.assert_array_equal(shown[at], shown[at + 1])
    assert not np.array_equal(shown[1], shown[2])


def test_a_run_prints_and_writes_what_it_measures(
    benchmark: Load,
    clip: Path,
    style: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "all.json"
    given = ["--clips", clip, "--styles", style("any"), "--evaluator", "farneback", "-o", output]
    given += ["--only", "ffv1", "half rate", "--sheet", tmp_path / "sheet.png"]
    benchmark("stabilize").main([str(part) for part in given])
    rows = {
        (row["delivery"], row["method"]): row["scores"] for row in json.loads(output.read_text())
    }
    assert len(rows) == 9
    assert {delivery for delivery, _ in rows} == {"ffv1", "half rate", "half rate, own"}
    ours = rows["ffv1", "stabilize"]
    assert ours["difference"] < 0.5 < rows["ffv1", "masked warp"]["difference"]
    assert ours["sharpness"] > 0.8
    assert "| any | half rate | " in capsys.readouterr().out
    assert (tmp_path / "sheet.png").is_file()
