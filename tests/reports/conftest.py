"""Files that people have: the real one where it lies beside the repository, and one of its kind.

Each file goes through decoding and encoding alone. What came out is read by PyAV, not by us.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

import vidstyle
from vidstyle.runner.execution.events import NoteEvent

CODECS = {".webm": "libvpx-vp9", ".gif": "gif"}
"""By suffix, where it is not H.264."""


@dataclass
class Made:
    """An output and the notes of its making."""

    path: Path
    frames: int
    notes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All notes."""
        return "\n".join(self.notes)


@pytest.fixture
def through(tmp_path: Path) -> Callable[..., Made]:
    """Decode and encode a file; ``options`` have ``__`` for the dot."""

    def run(source: Path, name: str, *, cut: tuple[int, int] | None = None, **options: Any) -> Made:
        notes: list[str] = []

        def listen(event: object) -> None:
            if isinstance(event, NoteEvent) and event.note.kind != "color-guessed":
                notes.append(event.note.text)

        path = tmp_path / name
        given = {"encode.codec": CODECS.get(path.suffix, "libx264")}
        given |= {name.replace("__", "."): value for name, value in options.items()}
        result = vidstyle.run(
            "identity", source, path, options=given, frames=cut or (0, None), device="cpu",
            overwrite=True, resume=False, listen=listen,
        )  # fmt: skip
        return Made(path, result.frames, notes)

    return run


@pytest.fixture(params=["made", "real"])
def report(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[str, Callable[[Path], Path]], Path]:
    """A real file by its name, or one of its kind that the test makes."""

    def find(name: str, make: Callable[[Path], Path]) -> Path:
        if request.param == "made":
            return make(tmp_path / name)
        folder: Path = request.getfixturevalue("shared_data")
        path = folder / "reports" / name
        if not path.is_file():
            pytest.skip(f"no {name} beside the repository")
        return path

    return find


def frame_times(path: Path) -> list[float]:
    """When each frame is shown, in the order in which a decoder gives them."""
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def gray_frames(path: Path) -> npt.NDArray[np.float64]:
    """(N, H, W): frames in the order in which a decoder gives them, which is that of a player."""
    with av.open(str(path)) as container:
        return np.stack(
            [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(video=0)]
        )


def rgb_frames(path: Path) -> list[npt.NDArray[np.uint8]]:
    """(H, W, 3) each, in the order of a player."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def nearest(frames: npt.NDArray[np.float64], among: npt.NDArray[np.float64]) -> list[int]:
    """For each frame the number of the one that it is most like."""
    return [int(np.argmin(np.abs(among - frame).mean(axis=(1, 2)))) for frame in frames]


def edges(path: Path) -> tuple[float, float]:
    """When the first sound begins and ceases to be loud, in seconds."""
    times, levels = [], []
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono")
        start = 0.0
        for decoded in container.decode(audio=0):
            start = float(decoded.time) if decoded.time is not None else start
            for frame in resampler.resample(decoded):
                samples = np.abs(frame.to_ndarray()[0])
                levels.append(samples)
                times.append(start + np.arange(len(samples)) / frame.sample_rate)
            start += decoded.samples / decoded.sample_rate
    level, time = np.concatenate(levels), np.concatenate(times)
    # Lossy codecs and resampling ring before a sound and behind it.
    loud = np.flatnonzero(level > 0.3 * np.median(np.sort(level)[-len(level) // 100 :]))
    return float(time[loud[0]]), float(time[loud[-1]])


def loudness(path: Path, begin: float, end: float) -> float:
    """Root mean square of the first sound between two times of its own clock."""
    squares, count, start = 0.0, 0, 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            start = float(frame.time) if frame.time is not None else start
            if begin <= start < end:
                # A new resampler each time: the form may change.
                for one in av.AudioResampler(format="flt", layout="mono").resample(frame):
                    samples = one.to_ndarray().astype(float)
                    squares += float((samples**2).sum())
                    count += samples.size
    return float(np.sqrt(squares / max(1, count)))
