"""The public functions do what their documentation promises, and cost nothing to import."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import vidstyle
from vidstyle.cli.main import run_command
from vidstyle.core import NOW, Window
from vidstyle.core.errors import InputError, OutputError, PipelineError, PluginError

SAMPLE = Path(__file__).parent.parent / "samples" / "demo.mp4"
GLOW = '''
from vidstyle.core import HostArray, image_filter


@image_filter
def glow(image: HostArray, *, amount: float = 0.5) -> HostArray:
    """Make the image brighter."""
    return (image + amount).clip(0, 1)


STAGE = glow
'''
PIPELINE = """
version: 1
stages:
  - use: decode/pyav
  - use: filter/glow
  - use: encode/pyav
    codec: ffv1
"""


@pytest.fixture
def glow(tmp_path: Path) -> Path:
    """A folder with a pipeline and, under ``plug``, its stage."""
    (tmp_path / "plug" / "filter").mkdir(parents=True)
    (tmp_path / "plug" / "filter" / "glow.py").write_text(GLOW)
    (tmp_path / "glow.yaml").write_text(PIPELINE)
    return tmp_path


def images(path: Path) -> np.ndarray:
    return np.stack([frame.host("image") for frame in vidstyle.frames(path)])


def test_importing_the_package_imports_no_library() -> None:
    code = (
        "import sys, vidstyle\n"
        "heavy = {'torch', 'av', 'cv2', 'numpy', 'pydantic', 'openvino'} & set(sys.modules)\n"
        "print(sorted(heavy), callable(vidstyle.run), sorted(vidstyle.__all__))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] True ['__version__', 'frames', 'run', 'stage']\n"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        vidstyle.walk  # noqa: B018  # that is the test


def test_run_gives_the_frames_of_the_command(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    events: list[str] = []
    result = vidstyle.run(
        "temporal",
        SAMPLE,
        tmp_path / "a.mkv",
        style={"great-wave": 0.75, "starry-night": 0.25},
        strength=0.5,
        consistency=0.25,
        stroke_size=2,
        options={"encode.crf": 30, "stylize.precision": "float32"},
        frames=(2, 6),
        listen=lambda event: events.append(type(event).__name__),
    )
    command = ["run", "temporal", str(SAMPLE), "-o", str(tmp_path / "b.mkv"), "--json"]
    changes = [
        "--strength",
        "0.5",
        "--consistency",
        "0.25",
        "--stroke-size",
        "2",
        "--frames",
        "2:6",
    ]
    sets = ["--set", "encode.crf=30", "--set", "stylize.precision=float32"]
    style = ["--style", "great-wave:0.75,starry-night:0.25"]
    assert run_command([*command, *changes, *sets, *style]) == 0
    done = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (result.output, result.frames) == (tmp_path / "a.mkv", 4)
    assert result.digest == done["hash"]
    assert events.count("FrameDone") == 4


def test_run_takes_plugins_and_keyframes(glow: Path) -> None:
    vidstyle.run(
        glow / "glow.yaml",
        SAMPLE,
        glow / "out.mkv",
        options={"filter.amount": 1},
        frames=(0, 2),
        plugins=[glow / "plug"],
    )
    assert (images(glow / "out.mkv") == 1).all()
    result = vidstyle.run(
        "temporal",
        SAMPLE,
        glow / "faded.mkv",
        options={"stylize.strength": {"at": {"0s": 0, "1s": 1}}},
        frames=(0, 2),
    )
    assert result.frames == 2


def test_run_replaces_only_where_it_is_asked_to(glow: Path) -> None:
    def run(**more: bool) -> None:
        vidstyle.run("identity", SAMPLE, glow / "out.mkv", frames=(0, 2), **more)  # type: ignore[arg-type]  # a flag

    (glow / "out.mkv").write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        run()
    assert (glow / "out.mkv").read_text() == "mine"
    run(overwrite=True)
    made = (glow / "out.mkv").stat().st_mtime_ns
    # What the call would make is there.
    run()
    assert (glow / "out.mkv").stat().st_mtime_ns == made


def test_wrong_options_of_a_run_are_refused_with_their_name(glow: Path) -> None:
    with pytest.raises(PipelineError, match=r"^--set blend\.strenth=1: .*Did you mean strength"):
        vidstyle.run("temporal", SAMPLE, glow / "x.mp4", options={"blend.strenth": 1})
    with pytest.raises(PipelineError, match="no stage blend"):
        vidstyle.run("per-frame", SAMPLE, glow / "x.mp4", consistency=0.5)
    assert not (glow / "x.mp4").exists()


def test_frames_are_those_of_the_file_with_exact_times() -> None:
    found = list(vidstyle.frames(SAMPLE))
    with av.open(str(SAMPLE)) as container:
        stream = container.streams.video[0]
        wanted = [frame.pts for frame in container.decode(stream)]
        assert Fraction(stream.time_base).numerator == 1
    assert [frame.index for frame in found] == list(range(len(wanted)))
    assert [frame.pts for frame in found] == wanted
    image = found[0].host("image")
    assert (image.dtype, image.shape[2], image.flags.writeable) == (np.float32, 3, False)
    assert 0 <= image.min() < image.max() <= 1


def test_frames_that_are_not_read_to_the_end_close_the_file() -> None:
    reading = vidstyle.frames(SAMPLE)
    next(reading)
    reading.close()  # type: ignore[attr-defined]  # a generator
    assert list(reading) == []


def test_a_missing_clip_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.mp4"):
        list(vidstyle.frames(tmp_path / "none.mp4"))
    with pytest.raises(PipelineError, match=r"^decode/pyav: .*no option alhpa"):
        list(vidstyle.frames(SAMPLE, alhpa="drop"))


def test_a_stage_can_be_called_directly(glow: Path) -> None:
    stage = vidstyle.stage("filter/glow", plugins=[glow / "plug"], amount=0.25)
    frame = next(iter(vidstyle.frames(SAMPLE)))
    layers, state = stage.step(Window(frame, stage.options), None)
    assert state is None
    np.testing.assert_array_equal(layers["image"], (frame.host("image") + 0.25).clip(0, 1))
    assert stage.needs.reads == {"image": NOW}


def test_a_wrong_stage_is_refused_with_what_is_available(glow: Path) -> None:
    with pytest.raises(PipelineError, match=r"Did you mean flow/dis\?"):
        vidstyle.stage("flow/dsi")
    with pytest.raises(PipelineError, match="option preset must be 'ultrafast', 'fast' or"):
        vidstyle.stage("flow/dis", preset="slow")
    (glow / "plug" / "filter" / "odd.py").write_text("raise RuntimeError('odd')")
    with pytest.raises(PluginError, match="odd"):
        vidstyle.stage("filter/odd", plugins=[glow / "plug"])


def test_a_photo_is_a_clip_of_one_frame(glow: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 100, (24, 32, 3), np.uint8)
    assert cv2.imwrite(str(glow / "a.png"), photo)
    result = vidstyle.run(
        glow / "glow.yaml",
        glow / "a.png",
        glow / "out.png",
        options={"filter.amount": 0.2},
        plugins=[glow / "plug"],
    )
    assert result.frames == 1
    [before], [after] = images(glow / "a.png"), images(glow / "out.png")
    assert np.abs(after - before - 0.2).max() <= 0.51 / 255


def test_frames_may_be_named_by_time(tmp_path: Path) -> None:
    by_time = vidstyle.run("identity", SAMPLE, tmp_path / "a.mkv", frames="0.2s:0.4s")
    by_number = vidstyle.run("identity", SAMPLE, tmp_path / "b.mkv", frames=(5, 10))
    assert by_time.digest == by_number.digest
