"""Broken pipelines and inputs: the documented exit code, one line, nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vidstyle.cli.main import run_command

IDENTITY = """\
version: 1
stages:
  - use: decode/pyav
  - use: encode/pyav
    codec: libx264
"""

BLENDED = """\
version: 1
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
    preset: fast
  - use: blend/warped
    strength: 0.5
  - use: encode/pyav
"""


@dataclass(frozen=True)
class Case:
    """One way to go wrong."""

    code: int
    says: str
    pipeline: str | bytes | None = IDENTITY
    arguments: list[str] = field(default_factory=lambda: ["in.mp4", "-o", "out.mp4"])
    prepare: Callable[[Path], object] = lambda folder: None


def empty_file(folder: Path) -> None:
    (folder / "in.mp4").write_bytes(b"")


def text_file(folder: Path) -> None:
    (folder / "in.mp4").write_text("This is no video.\n" * 50)


def playlist(folder: Path) -> None:
    (folder / "other.mp4").write_bytes((folder / "in.mp4").read_bytes())
    (folder / "in.mp4").write_text("#EXTM3U\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n")


def concat_list(folder: Path) -> None:
    (folder / "other.mp4").write_bytes((folder / "in.mp4").read_bytes())
    (folder / "in.mp4").write_text("ffconcat version 1.0\nfile other.mp4\n")


def truncated_header(folder: Path) -> None:
    (folder / "in.mp4").write_bytes((folder / "in.mp4").read_bytes()[:40])


def existing_output(folder: Path) -> None:
    (folder / "out.mp4").write_text("precious")


def fifo(folder: Path) -> None:
    os.mkfifo(folder / "pipe.mp4")


def sound_only(folder: Path) -> None:
    with av.open(folder / "in.mp4", "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


def broken_plugin(folder: Path) -> None:
    (folder / "plug" / "filter").mkdir(parents=True)
    (folder / "plug" / "filter" / "odd.py").write_text("import nothing_of_this_name\n")


def raising_plugin(folder: Path) -> None:
    (folder / "plug" / "filter").mkdir(parents=True)
    (folder / "plug" / "filter" / "odd.py").write_text(
        "from vidstyle.core import HostArray, image_filter\n\n\n"
        "@image_filter\n"
        "def STAGE(image: HostArray) -> HostArray:\n"
        "    raise RuntimeError('planted')\n"
    )


def nan_plugin(folder: Path) -> None:
    raising_plugin(folder)
    file = folder / "plug" / "filter" / "odd.py"
    file.write_text(file.read_text().replace("raise RuntimeError('planted')", "return image / 0"))


def with_stage(text: str, line: str) -> str:
    return text.replace("  - use: encode", f"  - use: {line}\n  - use: encode")


RUN = ["in.mp4", "-o", "out.mp4"]
PLUGGED = [*RUN, "--plugins", "plug"]

CASES = {
    "typo in a stage": Case(2, "encode/pyav", IDENTITY.replace("encode/pyav", "encode/pyva")),
    "typo in a kind": Case(2, "decode/pyav", IDENTITY.replace("decode/", "decod/")),
    "typo in an option": Case(2, "preset", BLENDED.replace("preset", "preste")),
    "wrong type": Case(2, "strength", BLENDED.replace("0.5", "strong")),
    "out of bounds": Case(2, "strength", BLENDED.replace("0.5", "1.5")),
    "value not allowed": Case(2, "medium", BLENDED.replace("preset: fast", "preset: fasst")),
    "missing layer": Case(2, "flow", BLENDED.replace("  - use: flow/dis\n    preset: fast\n", "")),
    "state before shots": Case(
        2,
        "move it behind",
        BLENDED.replace("  - use: shots/histogram\n", "").replace(
            "  - use: encode", "  - use: shots/histogram\n  - use: encode"
        ),
    ),
    "duplicate key": Case(2, "codec", IDENTITY + "    codec: libx265\n"),
    "unknown key at the top": Case(2, "stagse", IDENTITY + "stagse: []\n"),
    "no stages": Case(2, "stages", "version: 1\n"),
    "wrong version": Case(2, "version", IDENTITY.replace("version: 1", "version: 7")),
    "no source": Case(2, "decode", IDENTITY.replace("  - use: decode/pyav\n", "")),
    "no sink": Case(2, "encode", "version: 1\nstages:\n  - use: decode/pyav\n"),
    "YAML syntax": Case(2, "p.yaml:", "version: 1\nstages: [\n"),
    "YAML that builds objects": Case(
        2, "p.yaml:", "version: !!python/object/apply:os.system ['touch pwned']\nstages: []\n"
    ),
    "YAML bomb": Case(
        2,
        "p.yaml",
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n"
            for i in range(9)
        ),
    ),
    "YAML too deep": Case(2, "p.yaml", "[" * 5000),
    "not text": Case(2, "p.yaml", b"\xff\xfe\x00\x01version"),
    "empty pipeline": Case(2, "p.yaml", ""),
    "missing pipeline": Case(2, "p.yaml", None),
    "unknown --set stage": Case(2, "blend", BLENDED, [*RUN, "--set", "blnd.strength=0.1"]),
    "unknown --set option": Case(2, "strength", BLENDED, [*RUN, "--set", "blend.strenght=0.1"]),
    "--set without a value": Case(2, "blend.strength", BLENDED, [*RUN, "--set", "blend.strength"]),
    "unknown flag": Case(2, "--frobnicate", IDENTITY, [*RUN, "--frobnicate"]),
    "frames backwards": Case(2, "--frames", IDENTITY, [*RUN, "--frames", "9:3"]),
    "frames beyond the end": Case(3, "--frames", IDENTITY, [*RUN, "--frames", "900:910"]),
    "unknown device": Case(2, "--device", IDENTITY, [*RUN, "--device", "toaster"]),
    "container for another codec": Case(
        2, "webm", IDENTITY, ["in.mp4", "-o", "out.webm", "--set", "encode.codec=libx264"]
    ),
    "unknown container": Case(2, "out.xyz", IDENTITY, ["in.mp4", "-o", "out.xyz"]),
    "missing input": Case(3, "gone.mp4", IDENTITY, ["gone.mp4", "-o", "out.mp4"]),
    "folder as input": Case(
        3, "in", IDENTITY, ["plain", "-o", "out.mp4"], lambda folder: (folder / "plain").mkdir()
    ),
    "empty input": Case(3, "in.mp4", prepare=empty_file),
    "text as input": Case(3, "in.mp4", prepare=text_file),
    "playlist as input": Case(3, "in.mp4", prepare=playlist),
    "concat list as input": Case(3, "in.mp4", prepare=concat_list),
    "header cut off": Case(3, "in.mp4", prepare=truncated_header),
    "sound only": Case(3, "no video", prepare=sound_only),
    "FIFO as input": Case(3, "pipe.mp4", IDENTITY, ["pipe.mp4", "-o", "out.mp4"], fifo),
    "device as input": Case(3, "/dev/zero", IDENTITY, ["/dev/zero", "-o", "out.mp4"]),
    "output equals input": Case(
        2, "the input itself", IDENTITY, ["in.mp4", "-o", "in.mp4", "--overwrite"]
    ),
    "output exists": Case(6, "--overwrite", prepare=existing_output),
    "output folder missing": Case(6, "does not exist", IDENTITY, ["in.mp4", "-o", "gone/out.mp4"]),
    # Not even root makes files there.
    "unwritable folder": Case(6, "cannot", IDENTITY, ["in.mp4", "-o", "/proc/out.mp4"]),
    "several inputs, one file": Case(6, "folder", IDENTITY, ["in.mp4", "in.mp4", "-o", "out.mp4"]),
    "broken plugin": Case(
        5, "nothing_of_this_name", with_stage(IDENTITY, "filter/odd"), PLUGGED, broken_plugin
    ),
    "plugin that raises": Case(
        10,
        "stage filter, frame 0: RuntimeError: planted",
        with_stage(IDENTITY, "filter/odd"),
        PLUGGED,
        raising_plugin,
    ),
    "plugin that makes NaN": Case(
        10, "NaN", with_stage(IDENTITY, "filter/odd"), PLUGGED, nan_plugin
    ),
    "unknown style": Case(
        4, "great-wave", with_stage(IDENTITY, "stylize/feedforward\n    style: great-wvae")
    ),
    "style that is no style": Case(
        4, "in.mp4", with_stage(IDENTITY, "stylize/feedforward\n    style: ./in.mp4")
    ),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VIDSTYLE_PLUGINS", raising=False)
    with av.open("in.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=25, width=64, height=48, pix_fmt="yuv420p")
        # Tagged, so that nothing has to be guessed and noted.
        stream.codec_context.colorspace, stream.codec_context.color_range = 6, 1
        for index in range(6):
            image = np.full((48, 64, 3), 40 * index, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in {".pyc"}
    }


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # one plugin divides by zero
def test_it_ends_as_documented_and_leaves_nothing_behind(
    name: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    if isinstance(case.pipeline, str):
        (folder / "p.yaml").write_text(case.pipeline)
    elif case.pipeline is not None:
        (folder / "p.yaml").write_bytes(case.pipeline)
    case.prepare(folder)
    before = contents(folder)
    code = run_command(["run", "p.yaml", *case.arguments])
    captured = capfd.readouterr()
    assert code == case.code, captured.err
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("vidstyle: ")
    assert case.says in lines[0]
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert contents(folder) == before


@pytest.mark.slow
def test_opencv_adds_no_lines_of_its_own_about_a_damaged_image(folder: Path) -> None:
    (folder / "p.yaml").write_text(IDENTITY.replace("decode/pyav", "decode/images"))
    _, image = cv2.imencode(".bmp", np.zeros((64, 64, 3), np.uint8))
    (folder / "in").mkdir()
    (folder / "in" / "0.bmp").write_bytes(image.tobytes()[: image.size // 2])
    command = [sys.executable, "-m", "vidstyle", "run", "p.yaml", "in", "-o", "out.mkv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert "not an image that can be read" in line
