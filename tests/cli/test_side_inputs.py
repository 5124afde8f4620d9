"""Masks, strength and mixes from the command line: what a user writes, what the frames show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vidstyle.cli.main import run_command

SHOW = """\
from vidstyle.core import NOW, BaseStage, Needs, StageOptions, layer_or_file
import numpy as np


class Options(StageOptions):
    mask: str | None = layer_or_file(description="What to show.")


class Show(BaseStage[Options]):
    Options = Options

    def __init__(self, options):
        super().__init__(options)
        self.needs = Needs(reads={options.mask: NOW}, writes=("image",))

    def step(self, window, state):
        layer = window.now.host(self.options.mask)
        return {"image": np.repeat(layer[..., None], 3, axis=2)}, None


STAGE = Show
"""
SHOWING = """\
version: 1
chunk: {least: 3, most: 5}
inputs: {region: masks/m.mkv}
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: filter/show
    mask: region
  - use: encode/pyav
    codec: ffv1
"""
STYLE_IMAGE = """\
version: 1
stages:
  - use: decode/pyav
  - use: stylize/feedforward
    style: one
  - use: encode/pyav
    codec: ffv1
"""
TIMES = (0, 90, 120, 300, 310, 420)
# Milliseconds and the level shown from then on.
LEVELS = (10, 50, 90, 130, 170, 210)


@pytest.fixture
def work(folder: Path, write_clip) -> Path:  # type: ignore[no-untyped-def]  # a fixture
    """The current folder with a clip of 12 frames, a mask that varies, and both pipelines."""
    write_clip(folder / "in.mp4", cut=7)
    (folder / "plug" / "filter").mkdir(parents=True)
    (folder / "plug" / "filter" / "show.py").write_text(SHOW)
    (folder / "masks").mkdir()
    write_mask(folder / "masks" / "m.mkv")
    (folder / "show.yaml").write_text(SHOWING)
    (folder / "stylize.yaml").write_text(STYLE_IMAGE)
    return folder


def write_mask(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 80, 64, "gray"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        for time, level in zip(TIMES, LEVELS, strict=True):
            frame = av.VideoFrame.from_ndarray(np.full((64, 80), level, np.uint8), "gray")
            frame.pts, frame.time_base = time, stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_image(path: Path, level: int = 255) -> None:
    image = np.zeros((128, 160), np.uint8)
    image[:, 80:] = level
    assert cv2.imwrite(str(path), image)


def wanted_levels(indices: Sequence[int]) -> list[int]:
    """The last level whose time is not after the frame's, at 25 frames a second."""
    return [LEVELS[sum(time <= 40 * index for time in TIMES) - 1] for index in indices]


def images(path: Path) -> np.ndarray:
    """All frames, (N, H, W, 3)."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def shown_levels(path: Path) -> list[int]:
    """The gray of each frame, which is one all over."""
    frames = images(path).astype(int)
    assert np.ptp(frames.reshape(len(frames), -1), axis=1).max() <= 2
    return [round(frame.mean()) for frame in frames]


def run(*arguments: str) -> int:
    return run_command(["run", *arguments, "--plugins", "plug", "--overwrite"])


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def hashes(text: str) -> list[object]:
    return [line["hash"] for line in lines(text) if line["event"] == "frame"]


def test_a_mask_video_goes_in_step_by_time_in_both_engines(work: Path, capfd) -> None:  # type: ignore[no-untyped-def]  # a fixture
    found = {}
    for engine in ("serial", "threaded"):
        assert run("show.yaml", "in.mp4", "-o", "out.mkv", "--engine", engine, "--json") == 0
        found[engine] = hashes(capfd.readouterr().out)
        np.testing.assert_allclose(shown_levels(work / "out.mkv"), wanted_levels(range(12)), atol=1)
    assert len(found["serial"]) == 12
    assert found["serial"] == found["threaded"]


def test_an_interval_shows_what_the_whole_clip_shows_there(work: Path, capfd) -> None:  # type: ignore[no-untyped-def]  # a fixture
    assert run("show.yaml", "in.mp4", "-o", "out.mkv", "--json") == 0
    whole = hashes(capfd.readouterr().out)
    assert run("show.yaml", "in.mp4", "-o", "part.mkv", "--frames", "5:10", "--json") == 0
    assert hashes(capfd.readouterr().out) == whole[5:10]
    np.testing.assert_allclose(shown_levels(work / "part.mkv"), wanted_levels(range(5, 10)), atol=1)


def test_set_takes_an_image_of_the_current_folder(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / "here").mkdir()
    write_image(work / "here" / "face.png")
    monkeypatch.chdir(work / "here")
    command = ["../show.yaml", "../in.mp4", "-o", "../out.mkv", "--set", "inputs.region=face.png"]
    assert run_command(["run", *command, "--plugins", "../plug"]) == 0
    frames = images(work / "out.mkv")
    assert frames[:, :, :79].max() <= 1
    assert frames[:, :, 81:].min() >= 254
    assert len(frames) == 12


def test_an_option_takes_the_file_itself(work: Path) -> None:
    text = SHOWING.replace("inputs: {region: masks/m.mkv}\n", "")
    (work / "direct.yaml").write_text(text.replace("mask: region", "mask: masks/m.mkv"))
    assert run("direct.yaml", "in.mp4", "-o", "out.mkv") == 0
    np.testing.assert_allclose(shown_levels(work / "out.mkv"), wanted_levels(range(12)), atol=1)


def test_a_mask_that_ends_early_keeps_its_last_image_with_a_note(work: Path, capfd) -> None:  # type: ignore[no-untyped-def]  # a fixture
    with av.open(str(work / "short.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=20, height=16)
        stream.pix_fmt = "gray"
        for level in (40, 200):
            image = np.full((16, 20), level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "gray")))
        container.mux(stream.encode(None))
    command = ["show.yaml", "in.mp4", "-o", "out.mkv", "--set", "inputs.region=short.mkv"]
    assert run(*command) == 0
    assert "note: side input region: ends before the clip" in capfd.readouterr().err
    np.testing.assert_allclose(shown_levels(work / "out.mkv"), [40, *[200] * 11], atol=1)


@pytest.mark.parametrize("command", ["run", "dry", "check", "check-input"])
def test_a_missing_file_ends_every_command_with_one_line(work: Path, capfd, command: str) -> None:  # type: ignore[no-untyped-def]  # a fixture
    arguments = {
        "run": ["run", "show.yaml", "in.mp4", "-o", "out.mkv"],
        "dry": ["run", "show.yaml", "in.mp4", "-o", "out.mkv", "--dry-run"],
        "check": ["check", "show.yaml"],
        "check-input": ["check", "show.yaml", "in.mp4"],
    }[command]
    change = ["--set", "inputs.region=none.png", "--plugins", "plug"]
    assert run_command([*arguments, *change]) == 3
    error = capfd.readouterr().err
    assert error.count("\n") == 1
    assert f"side input region: {work}/none.png: no such file" in error
    assert not (work / "out.mkv").exists()


def test_an_input_that_nobody_reads_is_a_pipeline_error(work: Path, capfd) -> None:  # type: ignore[no-untyped-def]  # a fixture
    command = ["show.yaml", "in.mp4", "-o", "out.mkv", "--set", "inputs.other=masks/m.mkv"]
    assert run(*command) == 2
    assert "no stage reads the side input other" in capfd.readouterr().err


def test_the_output_is_never_a_side_input(work: Path, capfd) -> None:  # type: ignore[no-untyped-def]  # a fixture
    before = (work / "masks" / "m.mkv").read_bytes()
    assert run("show.yaml", "in.mp4", "-o", "masks/m.mkv") == 2
    assert "the output is the input itself" in capfd.readouterr().err
    assert (work / "masks" / "m.mkv").read_bytes() == before


def test_the_plan_names_side_inputs_and_its_digest_knows_their_content(work: Path, capfd) -> None:  # type: ignore[no-untyped-def]  # a fixture
    command = ["show.yaml", "in.mp4", "-o", "out.mkv", "--dry-run"]
    assert run(*command) == 0
    assert f"Side input region: {work}/masks/m.mkv, 80x64" in capfd.readouterr().out
    plans = []
    for level in (255, 255, 254):
        write_image(work / "m.png", level)
        assert run(*command, "--json", "--set", "inputs.region=m.png") == 0
        plans += lines(capfd.readouterr().out)
    digests = [plan["digest"] for plan in plans]
    assert digests[0] == digests[1] != digests[2]
    [side] = plans[0]["inputs"]  # type: ignore[misc]  # a list
    assert (side["name"], side["path"]) == ("region", str(work / "m.png"))


@pytest.fixture
def styles(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Styles by the names one and two, small and not trained, and one of another form."""
    import torch

    from vidstyle.models.style.architectures import empty_network
    from vidstyle.models.style.style_file import Credit, StyleInfo, save_style

    weights = tmp_path_factory.mktemp("weights")
    (weights / "styles").mkdir()
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(weights))
    for seed, (name, width) in enumerate({"one": 4, "two": 4, "wide": 8}.items()):
        network = empty_network("fast", width)
        network.initialize(torch.Generator().manual_seed(seed))
        info = StyleInfo(name, Credit(), "fast", width)
        save_style(weights / "styles" / f"{name}.safetensors", info, network)


def stylized(work: Path, *arguments: str) -> np.ndarray:
    assert run("stylize.yaml", "in.mp4", "-o", "out.mkv", *arguments) == 0
    return images(work / "out.mkv").astype(int)


@pytest.mark.slow
@pytest.mark.usefixtures("styles")
def test_a_mask_file_keeps_the_rest_of_the_image(work: Path) -> None:
    assert run("identity.yaml", "in.mp4", "-o", "same.mkv") == 0
    source = images(work / "same.mkv").astype(int)
    whole = stylized(work)
    write_image(work / "face.png")
    region = stylized(work, "--set", "stylize.mask=face.png")
    # The encoder halves the chroma: a pixel beside the edge sees the other side.
    np.testing.assert_array_equal(region[:, :, :76], source[:, :, :76])
    np.testing.assert_array_equal(region[:, :, 84:], whole[:, :, 84:])
    assert np.abs(whole - source).mean() > 10


@pytest.mark.slow
@pytest.mark.usefixtures("styles")
def test_strength_follows_its_keyframes(work: Path) -> None:
    assert run("identity.yaml", "in.mp4", "-o", "same.mkv") == 0
    source, whole = images(work / "same.mkv").astype(int), stylized(work)
    got = stylized(work, "--set", "stylize.strength={at: {0s: 0, 400ms: 1}}")
    np.testing.assert_array_equal(got[0], source[0])
    np.testing.assert_array_equal(got[10:], whole[10:])
    for index in range(1, 10):
        wanted = source[index] + index / 10 * (whole[index] - source[index])
        assert np.abs(got[index] - wanted).mean() < 1.5


@pytest.mark.slow
@pytest.mark.usefixtures("styles")
def test_a_mix_on_the_command_line_and_over_time(work: Path, capfd) -> None:  # type: ignore[no-untyped-def]  # a fixture
    found = {}
    for name, arguments in {
        "one": [],
        "two": ["--style", "two"],
        "mixed": ["--style", "one:1,two:3"],
        "set": ["--set", "stylize.style={one: 0.25, two: 0.75}"],
        "time": ["--set", "stylize.style={at: {0s: one, 400ms: two}}"],
        "serial": ["--set", "stylize.style={at: {0s: one, 400ms: two}}", "--engine", "serial"],
        "later": ["--set", "stylize.style={at: {300ms: {one: 1, two: 3}}}"],
    }.items():
        assert run("stylize.yaml", "in.mp4", "-o", "out.mkv", "--json", *arguments) == 0
        found[name] = hashes(capfd.readouterr().out)
    assert found["mixed"] == found["set"] == found["later"]
    assert found["time"] == found["serial"]
    assert found["time"][0] == found["one"][0]
    assert found["time"][10:] == found["two"][10:]
    assert not {*found["time"][1:10]} & {*found["one"], *found["two"]}
    assert found["mixed"][0] not in (found["one"][0], found["two"][0])


@pytest.mark.usefixtures("styles")
@pytest.mark.parametrize(
    ("style", "code", "says"),
    [
        ("one:1,wide:1", 4, "one is fast with 4 channels, wide is fast with 8 channels"),
        ("one:1,onne:1", 4, "there is no style onne, did you mean one?"),
        ("one:1,one:2", 2, "a style occurs twice"),
        ("one:0,two:0", 2, "the weights of a mix are at least 0, and one of them is more"),
        ("one:1,two", 4, "there is no style one:1,two"),
        ("one:1,two:x", 2, "x is no weight; write 0.5"),
        ("one:x", 2, "x is no weight; write 0.5"),
        ("{at: {0s: one, 4s: two}}", 2, "is written --set 'stylize.style={at: {0s: one, 4s: two}}"),
        ("in.mp4", 2, "--style in.mp4 is a video; name a style, a style file or an image"),
    ],
)
def test_a_mix_that_cannot_be_is_refused(
    work: Path,
    capfd,  # type: ignore[no-untyped-def]  # a fixture
    style: str,
    code: int,
    says: str,
) -> None:
    assert run_command(["check", "stylize.yaml", "--style", style]) == code
    assert says in " ".join(capfd.readouterr().err.split())


@pytest.mark.usefixtures("styles")
def test_a_style_that_comes_later_is_missed_before_the_start(work: Path, capfd) -> None:  # type: ignore[no-untyped-def]  # a fixture
    change = "stylize.style={at: {0s: one, 4s: three}}"
    assert run_command(["check", "stylize.yaml", "--set", change]) == 4
    assert "there is no style three" in capfd.readouterr().err
