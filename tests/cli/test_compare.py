"""``vidstyle compare``: a video, an image or a page, or one line about why not."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import get_args

import av
import cv2
import numpy as np
import pytest

import vidstyle
from tests.cli.conftest import WriteClip
from vidstyle.cli.comparison_options import LayoutName, LayoutOptions
from vidstyle.cli.main import run_command
from vidstyle.core import HostArray
from vidstyle.imaging.layouts import LAYOUTS

# Columns of two clips of 160, the other way round.
ORDER = np.r_[160:320, 0:160]
LOSSLESS = ["--codec", "ffv1", "--set", "encode.pixel_format=bgr0"]


@pytest.fixture
def clips(folder: Path, write_clip: WriteClip) -> Path:
    write_clip(folder / "a.mp4", count=6)
    write_clip(folder / "b.mp4", count=6)
    return folder


def test_a_page_is_written_and_its_frames_counted(
    clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["compare", "a.mp4", "b.mp4", "-o", "page.html"]) == 0
    assert capsys.readouterr().err == "wrote page.html: 6 frames\n"
    assert (clips / "page.html").read_text().count("<video") == 2
    command = ["compare", "a.mp4", "b.mp4", "-o", "other.html", "--frames", "1:4", "--json"]
    assert run_command(command) == 0
    assert json.loads(capsys.readouterr().out) == {
        "event": "done",
        "output": "other.html",
        "frames": 3,
    }


def test_a_clip_is_never_overwritten(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (clips / "a.mp4").read_bytes()
    assert run_command(["compare", "a.mp4", "b.mp4", "-o", "a.mp4", "--overwrite"]) == 2
    assert "input itself" in capsys.readouterr().err
    assert (clips / "a.mp4").read_bytes() == before


def test_a_missing_clip_is_one_line(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["compare", "a.mp4", "none.mp4", "-o", "page.html"]) == 3
    assert capsys.readouterr().err == "vidstyle: none.mp4: no such file; check the name\n"


def images(path: str) -> HostArray:
    return np.stack([frame.host("image") for frame in vidstyle.frames(path)])


def compared(*arguments: str) -> HostArray:
    """The frames of a video without loss."""
    command = ["compare", *arguments, "-o", "out.mkv", "--no-labels", "--overwrite", *LOSSLESS]
    assert run_command(command) == 0
    return images("out.mkv")


def darker(path: str, source: str, *, rate: int = 25, factor: int = 1, step: int = 1) -> None:
    """Every ``step``-th frame of a clip, half as light and larger, without loss."""
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=rate, width=160 * factor, height=128 * factor)
        stream.pix_fmt = "bgr0"
        for image in images(source)[::step]:
            pixels = (127 * image).round().astype(np.uint8).repeat(factor, 0).repeat(factor, 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))


def test_each_layout_is_exact(clips: Path) -> None:
    """Against numpy's composition of the decoded frames, up to the rounding to 8 bits."""
    darker("b.mkv", "a.mp4")
    a, b = images("a.mp4"), images("b.mkv")
    black = np.zeros_like(a)
    row = np.concatenate([a, b], axis=2)
    wanted = {
        ("a.mp4", "b.mkv"): row,
        ("a.mp4", "b.mkv", "a.mp4"): np.concatenate([row, a], axis=2),
        ("a.mp4", "b.mkv", "--layout", "stacked"): np.concatenate([a, b], axis=1),
        ("a.mp4", "b.mkv", "b.mkv", "a.mp4"): np.concatenate([row, row[:, :, ORDER]], axis=1),
        ("a.mp4", "b.mkv", "b.mkv", "--layout", "grid"): np.concatenate(
            [row, np.concatenate([b, black], axis=2)], axis=1
        ),
        ("a.mp4", "b.mkv", "--layout", "difference", "--gain", "2"): np.minimum(2 * abs(a - b), 1),
        ("a.mp4", "b.mkv", "--layout", "split", "--split", "1"): a,
        ("a.mp4", "b.mkv", "--layout", "split", "--split", "0"): b,
    }
    for arguments, frames in wanted.items():
        found = compared(*arguments)
        assert found.shape == frames.shape, arguments
        assert 255 * np.abs(found - frames).max() <= 0.5 + 1e-3, arguments


def test_a_line_moves(clips: Path) -> None:
    darker("b.mkv", "a.mp4")
    a, b = images("a.mp4"), images("b.mkv")
    found = compared("a.mp4", "b.mkv", "--layout", "split", "--set", "filter.period=0.4")
    # Ten frames there and back: in the middle at first, at the left edge with the third one.
    for at, middle in ((0, 80), (5, 80)):
        assert 255 * np.abs(found[at, :, : middle - 4] - a[at, :, : middle - 4]).max() < 0.6
        assert 255 * np.abs(found[at, :, middle + 4 :] - b[at, :, middle + 4 :]).max() < 0.6
    share = [np.abs(found[at] - a[at]).mean() for at in range(6)]
    assert share[2] > share[0] > 0.01
    assert share[3] > share[5]


def test_clips_of_other_sizes_rates_and_lengths(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    darker("half.mkv", "a.mp4", rate=12, factor=2, step=2)
    half = images("half.mkv")[:, ::2, ::2]
    found = compared("a.mp4", "half.mkv")
    assert found.shape == (6, 128, 320, 3)
    for at in range(6):
        # 12 frames a second for 25: frame 1, of 0.083 s, is that of 0.08 s, half a frame away.
        seen = int((at + 0.5) / 25 * 12)
        assert 255 * np.abs(found[at, :, 160:] - half[seen]).max() < 0.6
    capfd.readouterr()
    darker("short.mkv", "a.mp4", step=2)
    found = compared("a.mp4", "short.mkv")
    assert "note: side input clip2: ends before the clip; its last" in capfd.readouterr().err
    assert 255 * np.abs(found[5, :, 160:] - images("short.mkv")[2]).max() < 0.6
    found = compared("short.mkv", "a.mp4")
    assert len(found) == 3
    assert "note: side input clip2: is longer than the clip; the rest" in capfd.readouterr().err
    compared("short.mkv", "a.mp4", "--frames", "0:2")
    assert "longer" not in capfd.readouterr().err


def test_another_shape_gets_black_edges(clips: Path) -> None:
    pixels = np.full((64, 128, 3), 255, np.uint8)
    cv2.imwrite("wide.png", pixels)
    found = compared("a.mp4", "wide.png")
    wanted = np.zeros((128, 160, 3), np.float32)
    wanted[24:104] = 1
    assert np.abs(found[:, :, 160:] - wanted).max() < 0.01


def test_the_sound_is_that_of_the_first(clips: Path) -> None:
    for name, samples in (("low", 220), ("high", 1760)):
        with av.open("a.mp4") as video, av.open(f"{name}.mkv", "w") as container:
            stream = container.add_stream_from_template(video.streams.video[0])
            sound = container.add_stream("pcm_s16le", rate=44100, layout="mono")
            for packet in video.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    container.mux(packet)
            tone = np.sin(2 * np.pi * samples * np.arange(44100 * 6 // 25) / 44100)
            frame = av.AudioFrame.from_ndarray((20000 * tone).astype(np.int16)[None], "s16", "mono")
            frame.rate, frame.pts = 44100, 0
            container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    compared("low.mkv", "high.mkv")
    with av.open("out.mkv") as container:
        heard = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    peak = np.abs(np.fft.rfft(heard)).argmax() * 44100 / len(heard)
    assert peak == pytest.approx(220, abs=5)


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "out.gif", "out.mov"])
def test_the_suffix_chooses_the_codec(clips: Path, name: str) -> None:
    assert run_command(["compare", "a.mp4", "b.mp4", "-o", name]) == 0
    assert images(name).shape == (6, 128, 320, 3)


def test_labels_are_the_names_or_what_is_given(clips: Path) -> None:
    plain = compared("a.mp4", "b.mp4")

    def labeled(*arguments: str) -> HostArray:
        command = ["compare", *arguments, "-o", "l.mkv", "--overwrite", *LOSSLESS]
        assert run_command(command) == 0
        return images("l.mkv")

    named = labeled("a.mp4", "b.mp4")
    assert (np.abs(named - plain).max(axis=(0, 1, 3)) > 0.2).nonzero()[0].size > 10
    assert np.array_equal(named, labeled("a.mp4", "b.mp4", "--labels", "a, b"))
    assert not np.array_equal(named, labeled("a.mp4", "b.mp4", "--labels", "c,d"))


def test_labels_that_are_given_one_by_one_have_commas() -> None:
    clips = [Path("a.mp4"), Path("b.mp4")]
    assert LayoutOptions(labels=["x, y", "z"]).for_clips(clips).labels == ("x, y", "z")
    assert LayoutOptions(labels=["x, y"]).for_clips(clips).labels == ("x", "y")


def test_a_label_that_has_no_room_is_left_out(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("one.png", "two.png"):
        cv2.imwrite(name, np.zeros((16, 16, 3), np.uint8))
    assert run_command(["compare", "one.png", "two.png", "-o", "out.png"]) == 0
    assert "note: a label is too long for the image and is left out\n" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["x/a.mp4", "b.mov"], ("a", "b")),
        (["x/a.mp4", "x/a.mov"], ("a.mp4", "a.mov")),
        (["x/a.mp4", "y/a.mp4"], ("x/a.mp4", "y/a.mp4")),
        (["x/a.mp4", "y/a.mp4", "c.mp4"], ("x/a.mp4", "y/a.mp4", "c")),
        (["x/a.mp4", "x/a.mp4"], ("a", "a")),
    ],
)
def test_labels_tell_clips_apart(names: list[str], wanted: tuple[str, ...]) -> None:
    assert LayoutOptions().for_clips([Path(name) for name in names]).labels == wanted


def test_the_command_line_knows_every_layout() -> None:
    assert get_args(LayoutName) == LAYOUTS


def test_the_plan_can_be_printed(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["compare", "a.mp4", "b.mp4", "-o", "out.mp4", "--layout", "split", "--dry-run"]
    assert run_command([*command, "--split", "0.25"]) == 0
    printed = capsys.readouterr().out.splitlines()
    for line in ("Layout (--layout): split", "Labels (--labels): a, b"):
        assert line in printed
    assert "Place of the line (--split): 0.25" in printed
    assert any(line.startswith("filter/compare") for line in printed)
    assert not Path("out.mp4").exists()


def test_the_same_command_again_does_nothing(
    clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", "a.mp4", "b.mp4", "-o", "out.mp4"]
    assert run_command(command) == 0
    assert run_command(command) == 0
    assert "is done already" in capfd.readouterr().err
    assert run_command([*command, "--layout", "split"]) == 6
    assert run_command([*command, "--layout", "split", "--redo"]) == 0


def test_an_image_of_clips(clips: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = ["compare", "a.mp4", "b.mp4", "-o", "out.png", "--no-labels", "--rows", "3"]
    assert run_command(command) == 0
    assert capfd.readouterr().err.endswith("\nwrote out.png: 3 frames\n")
    a, b = images("a.mp4"), images("b.mp4")
    wanted = np.concatenate([np.concatenate([a[n], b[n]], axis=1) for n in (1, 3, 5)])
    found = np.asarray(cv2.imread("out.png"), np.float32)[..., ::-1]
    assert np.abs(found - 255 * wanted).max() <= 0.5 + 1e-3
    assert run_command([*command, "--json", "--overwrite"]) == 0
    *notes, done = map(json.loads, capfd.readouterr().out.splitlines())
    assert {note["kind"] for note in notes} == {"color-guessed"}
    assert done == {"event": "done", "output": "out.png", "frames": 3}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["a.mp4", "-o", "z.mp4"], 2, "takes two clips or more, got one: a.mp4"),
        (["a.mp4", "gone.mp4", "-o", "z.mp4"], 3, "gone.mp4: no such file"),
        (["a.mp4", "sound.wav", "-o", "z.mp4"], 3, "no video stream"),
        (["sound.wav", "a.mp4", "-o", "z.mp4"], 3, "no video stream"),
        (["sound.wav", "a.mp4", "-o", "z.png"], 3, "no video stream"),
        (["a.mp4", "empty.mp4", "-o", "z.mp4"], 3, "empty.mp4: the file is empty"),
        (["empty.mp4", "a.mp4", "-o", "z.png"], 3, "empty.mp4: the file is empty"),
        (["a.mp4", "b.mp4", "a.mp4", "-o", "z.mp4", "--layout", "split"], 2, "two clips, got 3"),
        (["a.mp4", "b.mp4", "a.mp4", "-o", "z.html"], 2, "a page shows two clips, got 3"),
        (["photo.png", "a.mp4", "-o", "z.mp4"], 2, "photo.png is a photo"),
        (["photo.png", "a.mp4", "-o", "z.png"], 2, "name the clip first, or photos only"),
        (["a.mp4", "b.mp4", "-o", "z.txt"], 2, "z.txt has the suffix .txt"),
        (["a.mp4", "b.mp4", "-o", "b.mp4", "--overwrite"], 2, "the output is the input itself"),
        (["a.mp4", "b.mp4", "-o", "none/z.png"], 6, "the folder none does not exist"),
        (["a.mp4", "b.mp4", "-o", "photo.png"], 6, "photo.png exists"),
        (["a.mp4", "b.mp4", "-o", "z.mp4", "--labels", "a"], 2, "a: 1 label for 2 clips"),
        (["-", "b.mp4", "-o", "z.mp4"], 2, "- is standard input, which only `vidstyle run`"),
        (["a.mp4", "-", "-o", "z.html"], 2, "- is standard input, which only `vidstyle run`"),
        (["a.mp4", "b.mp4", "-o", "z.mp4", "--labels", "a,b", "--no-labels"], 2, "give one of"),
        (["a.mp4", "b.mp4", "-o", "z.mp4", "--gain", "2"], 2, "--gain needs --layout difference"),
        (["a.mp4", "b.mp4", "-o", "z.mp4", "--split", "0"], 2, "--split needs --layout split"),
        (["a.mp4", "b.mp4", "-o", "z.mp4", "--rows", "2"], 2, "--rows has no effect on a video"),
        (["a.mp4", "b.mp4", "-o", "z.png", "--crf", "0"], 2, "--crf has no effect on an image"),
        (["a.mp4", "b.mp4", "-o", "z.html", "--split", "0"], 2, "--split has no effect on a page"),
        (["a.mp4", "b.mp4", "-o", "z.png", "--size", "12"], 2, "--size 12: must be like"),
        (["a.mp4", "b.mp4", "-o", "z.png", "--frames", "50:"], 3, "it has no frame 50"),
    ],
)
def test_what_cannot_be_is_one_line(
    clips: Path,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    Path("empty.mp4").touch()
    cv2.imwrite("photo.png", np.zeros((32, 32, 3), np.uint8))
    with wave.open("sound.wav", "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(8000))
    assert run_command(["compare", *arguments]) == code
    [line] = capfd.readouterr().err.splitlines()
    assert message in line
    assert not list(Path().glob("z.*"))
