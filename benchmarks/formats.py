"""Files of all kinds through decoding and encoding: what is lost, and whether a note says so.

    python benchmarks/formats.py [--every 1] [--only TEXT] [--keep DIR] [FILE ...]

Each case is made here, so that frames, times, colors and sounds are known: frames are numbered by
a bar, and a flash and a burst of sound come at the same time. It goes through ``identity`` whole
and with ``--frames``; the output is read by PyAV alone. Counted are cases in which something is
lost or wrong without a note: silent losses. Ends with 1 if there are any. FILEs are run as well,
whole, and their notes are printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

import vidstyle
from benchmarks.format_files.cases import (
    BLUE,
    FLASH,
    FRAMES,
    HEIGHT,
    RED,
    WIDTH,
    Case,
    cases,
    write,
)
from vidstyle.core.errors import VidstyleError
from vidstyle.runner.execution.events import NoteEvent

CUT = (10, 40)
# Seconds by which a burst may leave its flash, beside what rounding to 1 ms adds.
SYNC = 0.005
# Of 255: what two lossy codecs change of a flat patch.
COLOR = 12
# By what FFmpeg may call it in the output: QuickTime has numbers for languages.
TITLES = {"A title": ("A title",), "fre": ("fre", "fra")}
CODECS = {".mp4": "libx264", ".mov": "libx264", ".mkv": "libx264", ".webm": "libvpx-vp9"}
PRESETS: dict[str, dict[str, Any]] = {
    "libx264": {"encode.preset": "ultrafast"},
    "libvpx-vp9": {"encode.preset": 8},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--every", type=int, default=1, help="every n-th case alone")
    parser.add_argument("--only", default="", help="cases whose name has this text")
    parser.add_argument("--keep", type=Path, help="a folder for the files")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        for path in given.files:
            notes = run(path, folder / f"{path.stem}.mp4", "libx264")
            print(f"{path.name}: {'; '.join(notes) or 'no note'}")
        chosen = [case for case in cases() if given.only in case.name][:: given.every]
        silent = 0 if given.files else swept(chosen, folder)
    sys.exit(1 if silent else 0)


def swept(chosen: list[Case], folder: Path) -> int:
    """Run the cases, print the table, and return the number of silent losses."""
    started, silent = time.perf_counter(), 0
    rows: Counter[tuple[str, str]] = Counter()
    for number, case in enumerate(chosen):
        source = folder / f"{number}{case.suffix}"
        write(case, source)
        for cut in (None, CUT):
            made = folder / f"{number}-{'cut' if cut else 'all'}{case.output}"
            try:
                notes = run(source, made, CODECS[case.output], cut)
                found = list(losses(case, source, made, cut, "\n".join(notes)))
            except VidstyleError as error:
                notes, found = [], [f"fails: {error}"]
            except av.error.FFmpegError as error:
                notes, found = [], [f"cannot be decoded: {error}"]
            rows[case.suffix, "runs"] += 1
            rows[case.suffix, "with a loss that a note names"] += bool(notes)
            rows[case.suffix, "silent losses"] += bool(found)
            silent += bool(found)
            if found:
                print(
                    f"{number} {'cut ' if cut else ''}{case.name}: {'; '.join(found)}", flush=True
                )
    columns = ("runs", "with a loss that a note names", "silent losses")
    print("| input | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for suffix in dict.fromkeys(suffix for suffix, _ in rows):
        print(f"| {suffix} | " + " | ".join(str(rows[suffix, column]) for column in columns) + " |")
    took = time.perf_counter() - started
    print(f"{len(chosen)} combinations, {2 * len(chosen)} runs in {took:.0f} s; {silent} silent")
    return silent


def run(source: Path, made: Path, codec: str, cut: tuple[int, int] | None = None) -> list[str]:
    """Decode and encode a file; returns the notes."""
    notes = []

    def listen(event: object) -> None:
        if isinstance(event, NoteEvent) and event.note.kind != "color-guessed":
            notes.append(event.note.text)

    options: dict[str, Any] = {"encode.codec": codec, **PRESETS[codec]}
    vidstyle.run(
        "identity", source, made, options=options, frames=cut or (0, None), overwrite=True,
        resume=False, device="cpu", listen=listen,
    )  # fmt: skip
    return notes


def losses(
    case: Case, source: Path, made: Path, cut: tuple[int, int] | None, notes: str
) -> Iterator[str]:
    """What is not as it should be, and that no note names."""
    first, stop = cut or (0, FRAMES)
    with av.open(str(made)) as output:
        stream = output.streams.video[0]
        frames = [
            (float(f.time or 0), np.asarray(f.to_ndarray(format="rgb24"), np.uint8))
            for f in output.decode(stream)
        ]
        aspect = stream.sample_aspect_ratio or Fraction(1)
        kinds = Counter(stream.type for stream in output.streams)
        text = str([output.metadata, *(each.metadata for each in output.streams)])
        chapters = len(output.chapters())
        length = float((output.duration or 0) / av.time_base)
    yield from _frame_losses(case, frames, first, _times(source)[first:stop])
    if case.aspect != aspect and "aspect" not in notes:
        yield f"aspect {aspect}"
    last = case.times[stop] if stop < FRAMES else case.times[-1] + Fraction(1, 25)
    with av.open(str(source)) as original:
        # Sound and lines may end after the video.
        own = float((original.duration or 0) / av.time_base)
    if abs(length - float(last - case.times[first])) > 0.15 and (cut or abs(length - own) > 0.15):
        yield f"lasts {length:.2f} s"
    if case.sound and first <= FLASH < stop:
        yield from _sound_losses(source, made, kinds["audio"])
    if case.subtitles and not kinds["subtitle"] and "subtitle" not in notes:
        yield "no subtitles"
    if case.cover and kinds["video"] < 2 and "video stream" not in notes:
        yield "no cover"
    for title in TITLES if case.titles else ():
        kept = any(name in text for name in TITLES[title])
        if title in _titles(source) and not kept and "titles" not in notes:
            yield f"no title {title}"
    if case.chapters and not chapters and "chapter" not in notes:
        yield "no chapters"


def _titles(path: Path) -> str:
    with av.open(str(path)) as container:
        return str([container.metadata, *(stream.metadata for stream in container.streams)])


def _times(path: Path) -> list[float]:
    """When frames are shown: however they are stored, their times only grow as they are shown."""
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.video[0])
        stored = [(packet.pts, packet.time_base) for packet in packets if packet.size]
    return sorted(float(pts * base) for pts, base in stored if pts is not None and base)


def _frame_losses(
    case: Case,
    frames: list[tuple[float, npt.NDArray[np.uint8]]],
    first: int,
    wanted: list[float],
) -> Iterator[str]:
    if len(frames) != len(wanted):
        yield f"{len(frames)} frames"
        return
    if frames[0][1].shape[:2] != (HEIGHT, WIDTH):
        yield f"frames of {frames[0][1].shape[1]}x{frames[0][1].shape[0]}"
        return
    numbers = [_number(image) for _, image in frames]
    if numbers != list(range(first, first + len(wanted))):
        yield f"frames in the order {numbers}"
    shown = np.array([seconds for seconds, _ in frames]) - frames[0][0]
    away = np.abs(shown - (np.array(wanted) - wanted[0])).max()
    if away > 0.0021:
        yield f"frames up to {away:.3f} s away"
    for name, color, patch in (
        ("red", RED, frames[0][1][4:20, 4:60]),
        ("blue", BLUE, frames[0][1][-20:-4, -60:-4]),
    ):
        if np.abs(patch.mean(axis=(0, 1)) - color).max() > (40 if case.video == "gif" else COLOR):
            yield f"{name} is {patch.mean(axis=(0, 1)).round()}"


def _number(image: npt.NDArray[np.uint8]) -> int:
    """The number of a frame by its bar."""
    row = image[36:44].mean(axis=(0, 2))
    return int(np.argmax(np.convolve(row, np.ones(8), "valid")) + 2) // 4


def _sound_losses(source: Path, made: Path, sounds: int) -> Iterator[str]:
    if not sounds:
        yield "no sound"
        return
    # Lossy codecs and containers shift the sound of the input itself.
    before, after = _burst(source) - _flash(source), _burst(made) - _flash(made)
    if not abs(after - before) <= SYNC + 0.0015:
        yield f"sound {1000 * (after - before):+.0f} ms"


def _flash(path: Path) -> float:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            # Of the whole frame: however it is turned, most of it is its ground.
            if frame.to_ndarray(format="gray").mean() > 125:
                return float(frame.time or 0)
    return float("inf")


def _burst(path: Path) -> float:
    with av.open(str(path)) as container:
        start, resampler = 0.0, av.AudioResampler(format="flt", layout="mono")
        for decoded in container.decode(audio=0):
            if decoded.pts is not None and decoded.time_base is not None:
                start = float(decoded.pts * decoded.time_base)
            for frame in resampler.resample(decoded):
                loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.12)
                if len(loud):
                    return float(start + loud[0] / frame.sample_rate)
            start += decoded.samples / decoded.sample_rate
    return float("inf")


if __name__ == "__main__":
    main()
