"""How consistent styles are on clips is measured, beside other styles of the same style images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest

from vidstyle.core.errors import UsageError

Load = Callable[[str], ModuleType]
MakeStyle = Callable[..., Path]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Six frames of blurred noise that moves by two pixels a frame."""
    path = tmp_path / "moving.mkv"
    rows = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
    wide = rows.repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=64, height=64)
        stream.pix_fmt = "bgr0"
        for index in range(6):
            frame = np.ascontiguousarray(wide[:, 2 * index : 2 * index + 64])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode(None))
    return path


def rows(text: str, name: str) -> list[list[float]]:
    """The numbers of the lines that begin with a name."""
    lines = [line[30:] for line in text.splitlines() if line[:30].strip() == name]
    return [[float(word) for word in line.split()] for line in lines]


def test_clips_and_a_baseline_are_compared(
    benchmark: Load, style: MakeStyle, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = (style("day"), style("day-without-temporal", seed=1))
    given = (clip, "--styles", files[0], "--baseline", files[1], "--frames", 4)
    benchmark("styles").main([str(argument) for argument in given])
    out = capsys.readouterr().out
    assert "moving: flow Farneback, 3 pairs" in out
    consistent, against = rows(out, "day")
    (other,) = rows(out, "day baseline")
    assert against == pytest.approx([1 - consistent[0] / other[0]] * 2, abs=0.02)


def test_a_style_that_there_is_not_is_an_error(
    benchmark: Load, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        benchmark("styles").main([str(clip), "--styles", "nowhere"])
    assert ended.value.code == 4
    assert "there is no style nowhere" in capsys.readouterr().err


def test_a_file_belongs_to_the_longest_name_in_its_own(benchmark: Load) -> None:
    styles = benchmark("styles")
    names = dict.fromkeys(("wave", "great-wave", "starry-night"), Path())
    assert styles.named(["x/Great_Wave_hokusai.jpg", "starry-night=a.png"], names) == {
        "great-wave": Path("x/Great_Wave_hokusai.jpg"),
        "starry-night": Path("a.png"),
    }
    with pytest.raises(UsageError, match="none of the styles wave, great-wave"):
        styles.named(["heatwave.jpg"], names)
