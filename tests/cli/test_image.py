"""``vidstyle image`` stylizes an image, keeps its depth and opacity, and fails in one line."""

from __future__ import annotations

import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.cli.test_terminal import is_quiet
from tests.models.gatys_world import vgg_weights, waves
from vidstyle.cli.main import run_command
from vidstyle.models.weights import safetensors_file

# Each stylizes an image.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With weights, a style image, and photo.png of 130x100 pixels."""
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)
    weights = tmp_path / "vgg19.safetensors"
    safetensors_file.write(weights, vgg_weights(), {"input": "torchvision-rgb"})
    cv2.imwrite(str(tmp_path / "waves.png"), samples(40, 56, 2))
    cv2.imwrite(str(tmp_path / "photo.png"), samples(100, 130, 0))
    return tmp_path


def samples(height: int, width: int, color: int) -> np.ndarray:
    planes = waves(height, width, period=11, color=color)[0].permute(1, 2, 0)
    return np.asarray((255 * planes).byte().numpy())


def command(folder: Path, *more: str, photo: str = "photo.png", out: str = "out.png") -> list[str]:
    names = [str(folder / name) for name in (photo, "waves.png")]
    weights = ["--backbone", "vgg19", "--weights", str(folder / "vgg19.safetensors")]
    layers = ["--style-layers", "relu1_1,relu2_1", "--content-layers", "relu1_1"]
    few = ["--size", "100", "--steps", "3", "--device", "cpu"]
    return ["image", *names, "-o", str(folder / out), *weights, *layers, *few, *more]


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.asarray(image)


def test_a_photo_is_stylized_at_its_own_aspect(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_command(command(folder)) == 0
    stylized = read(folder / "out.png")
    assert (stylized.shape, stylized.dtype) == ((77, 100, 3), np.uint8)
    plain = cv2.resize(read(folder / "photo.png"), (100, 77), interpolation=cv2.INTER_AREA)
    assert np.abs(stylized.astype(int) - plain).mean() > 3
    output = capfd.readouterr()
    assert output.out == ""
    assert "3 steps in" in output.err
    assert output.err.rstrip().endswith(f"wrote {folder / 'out.png'}")


def test_strength_0_is_the_photo(folder: Path) -> None:
    assert run_command(command(folder, "--strength", "0")) == 0
    plain = cv2.resize(read(folder / "photo.png"), (100, 77), interpolation=cv2.INTER_AREA)
    assert np.abs(read(folder / "out.png").astype(int) - plain).max() <= 1


SLY = "sly\x1b]0;pwned\x07\x9b2J\n"
"""Sets the title of a window, clears the screen, and ends the line."""


@pytest.mark.parametrize("as_json", [False, True])
def test_names_that_a_terminal_would_obey_are_shown_escaped(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes], as_json: bool
) -> None:
    (folder / "photo.png").rename(folder / f"{SLY}.png")
    more = ["--preview-every", "1", str(folder / SLY), "--progress", str(folder / f"{SLY}.gif")]
    words = command(folder, *more, *["--json"] * as_json, photo=f"{SLY}.png", out=f"{SLY}o.png")
    assert run_command(words) == 0
    (folder / f"{SLY}file").write_text("in the way of a folder")
    taken = ["--preview-every", "1", str(folder / f"{SLY}file"), "--overwrite"]
    assert run_command([*words, *taken]) == 6
    assert run_command([*words, "--progress", str(folder / f"{SLY}.avi"), "--overwrite"]) == 2
    output = b"".join(capfdbinary.readouterr()).decode()
    assert output.count("pwned") >= 3
    assert is_quiet(output)


def test_depth_and_opacity_are_kept(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    deep = samples(100, 130, 0).astype(np.uint16) * 257
    opacity = np.zeros((100, 130, 1), np.uint16)
    opacity[20:] = 65535
    cv2.imwrite(str(folder / "deep.png"), np.concatenate([deep, opacity], axis=2))
    assert run_command(command(folder, photo="deep.png")) == 0
    stylized = read(folder / "out.png")
    assert (stylized.shape, stylized.dtype) == ((77, 100, 4), np.uint16)
    assert (stylized[:12, :, 3] == 0).all()
    assert (stylized[20:, :, 3] == 65535).all()
    assert run_command(command(folder, photo="deep.png", out="flat.jpg")) == 0
    assert read(folder / "flat.jpg").shape == (77, 100, 3)
    assert "JPEG holds no opacity" in capfd.readouterr().err


def test_a_turned_photo_is_stylized_upright(folder: Path) -> None:
    made, data = cv2.imencode(".jpg", samples(100, 130, 0))
    assert made
    # An APP1 segment with one EXIF tag: orientation 6, turned right by 90 degrees.
    entry = bytes.fromhex("0112 0003 00000001 0006 0000".replace(" ", ""))
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry + b"\0\0\0\0"
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    jpeg = data.tobytes()
    (folder / "turned.jpg").write_bytes(jpeg[:2] + segment + jpeg[2:])
    assert run_command(command(folder, photo="turned.jpg")) == 0
    assert read(folder / "out.png").shape == (100, 77, 3)


def test_only_the_mask_is_stylized(folder: Path) -> None:
    mask = np.zeros((50, 65), np.uint8)
    mask[:, :30] = 255
    cv2.imwrite(str(folder / "mask.png"), mask)
    assert run_command(command(folder, "--mask", str(folder / "mask.png"))) == 0
    plain = cv2.resize(read(folder / "photo.png"), (100, 77), interpolation=cv2.INTER_AREA)
    change = np.abs(read(folder / "out.png").astype(int) - plain)
    assert change[:, 50:].max() <= 1
    assert change[:, :40].mean() > 3


def test_several_style_images_and_options_in_json(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(folder / "other.png"), samples(60, 50, 4))
    words = command(
        folder, "--style-weights", "0.25,0.75", "--colors", "content-luminance", "--json"
    )
    words[3:3] = [str(folder / "other.png")]
    more = ["--optimizer", "adam", "--start", "noise", "--seed", "3", "--pooling", "average"]
    more += ["--colors", "content-luminance"]
    assert run_command([*words, *more, "--variation", "absolute"]) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["step"] * 3 + ["done"]
    assert lines[-1]["output"] == str(folder / "out.png")
    assert lines[-1]["loss"] == lines[-2]["loss"] < lines[0]["loss"]


def test_previews_and_a_video_show_the_way(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    more = ["--preview-every", "2", str(folder / "way"), "--progress", str(folder / "way.mp4")]
    assert run_command(command(folder, "--steps", "5", *more)) == 0
    assert f"wrote {folder}/out.png, {folder}/way.mp4, previews to {folder}/way\n" in (
        capfd.readouterr().err
    )
    names = sorted(path.name for path in (folder / "way").iterdir())
    assert names == ["step-000002.png", "step-000004.png"]
    with av.open(str(folder / "way.mp4")) as preview_video:
        images = [frame.to_ndarray(format="rgb24") for frame in preview_video.decode(video=0)]
    assert len(images) == 5 + 18
    # 77 lines are odd: H.264 has them padded.
    assert images[0].shape == (78, 100, 3)
    assert run_command(command(folder, "--progress", str(folder / "a.gif"), "--overwrite")) == 0
    assert (folder / "a.gif").stat().st_size > 1000


@pytest.mark.parametrize("strength", ["0.5", "1"])
def test_the_last_preview_is_the_result_at_any_strength(folder: Path, strength: str) -> None:
    more = ["--strength", strength, "--preview-every", "3", str(folder / "way")]
    assert run_command(command(folder, *more)) == 0
    np.testing.assert_array_equal(
        read(folder / "way" / "step-000003.png"), read(folder / "out.png")
    )


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--size", "99"], 2, "--size 99: must be at least 100"),
        (["--steps", "10001"], 2, "--steps 10001: must be at most 10000"),
        (["--backbone", "vgg18"], 2, "'vgg18' is not one of"),
        (["--style-scale", "9"], 2, "--style-scale 9: must be at most 4"),
        (
            ["--style-weights", "1,2"],
            2,
            "wanted one number for each style image, 1 in all",
        ),
        (["--style-weights", "0"], 2, "--style-weights 0: wanted numbers from 0 on, and one of"),
        (["--style-weights", "nan"], 2, "--style-weights nan: wanted numbers from 0 on"),
        (
            ["--style-layers", "relu1_1=0"],
            2,
            "relu1_1=0: all weights are 0; give a layer more",
        ),
        (["--learning-rate", "0.1"], 2, "--learning-rate is of adam alone: add --optimizer adam"),
        (["--preview-every", "0", "."], 2, "--preview-every 0: wanted 1 or more"),
        (["--style-layers", "relu9_1"], 2, "vgg19 has no layer relu9_1; there are relu1_1"),
        (["--style-layers", "relu1_1=x"], 2, "'x' is no number"),
        (["--weights", "none.pth"], 4, "none.pth is not there: name the weights of vgg19"),
        (["--mask", "none.png"], 3, "none.png: cannot be read"),
        (["--progress", "way.avi"], 2, "a preview video ends in .gif or .mp4"),
        (["-o", "out.txt"], 2, "an image ends in .png"),
        (["-o", "none/out.png"], 6, "the folder none does not exist"),
        (["--device", "cuda:77"], 8, "usable GPUs"),
    ],
)
def test_bad_input_is_one_line_and_the_documented_code(
    folder: Path, capfd: pytest.CaptureFixture[str], more: list[str], code: int, words: str
) -> None:
    assert run_command(command(folder, *more)) == code
    *before, error = capfd.readouterr().err.splitlines()
    assert words in error
    # What is wrong with layers is known once the network is there.
    assert [line for line in before if not line.startswith("vgg19 (")] == []
    assert not list(folder.glob("*out*"))


def test_images_that_are_none_are_refused(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "text.png").write_text("no image")
    assert run_command(command(folder, photo="text.png")) == 3
    assert "text.png: not an image that can be read" in capfd.readouterr().err
    (folder / "waves.png").write_bytes(b"")
    assert run_command(command(folder)) == 3
    assert "waves.png is not an image that can be read" in capfd.readouterr().err
    assert run_command(command(folder, photo="none.png")) == 3
    header = bytearray((folder / "photo.png").read_bytes())
    header[16:24] = struct.pack(">II", 30_000, 30_000)
    (folder / "huge.png").write_bytes(header)
    assert run_command(command(folder, photo="huge.png")) == 3
    error = capfd.readouterr().err
    assert "huge.png: the image is 30000x30000, more than 67108864 pixels; make it small" in error
    (folder / "huge.png").rename(folder / "waves.png")
    assert run_command(command(folder)) == 3
    assert "waves.png is 30000x30000, more than 67108864 pixels" in capfd.readouterr().err
    (folder / "out.png").write_bytes(b"mine")
    assert run_command(command(folder)) == 6
    assert "pass --overwrite" in capfd.readouterr().err
    assert (folder / "out.png").read_bytes() == b"mine"


def test_a_size_that_does_not_fit_is_refused_with_one_that_does(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_command(command(folder, "--size", "1000", "--max-memory", "1600M")) == 8
    error = capfd.readouterr().err.strip()
    assert re.match(r"vidstyle: 1000x769 takes about \d\.\d GiB, and --max-memory is 1\.6", error)
    size = int(re.findall(r"--size (\d+) would fit, or raise it$", error)[0])
    assert not (folder / "out.png").exists()
    for more, code in ((0, 0), (1, 8)):
        fits = ["--size", str(size + more), "--max-memory", "1600M"]
        assert run_command(command(folder, "--overwrite", *fits)) == code
    assert run_command(command(folder, "--max-memory", "1G", "--overwrite")) == 8
    assert "no --size would fit" in capfd.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_keeps_the_image_so_far_and_a_kill_nothing(
    folder: Path, number: signal.Signals, code: int
) -> None:
    never = ["--preview-every", "10000", str(folder / "way")]
    words = command(folder, "--steps", "10000", "--json", *never)
    with subprocess.Popen(
        [sys.executable, "-m", "vidstyle", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        # Who starts the tests in the background may have made them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        time.sleep(0.2)
        running.send_signal(number)
        _, error = running.communicate(timeout=60)
    assert running.returncode == code
    if number is signal.SIGINT:
        assert "out.png holds the image so far" in error
        assert read(folder / "out.png").shape == (77, 100, 3)
    else:
        assert "terminated; no output was changed" in error
        assert not (folder / "out.png").exists()
    left = {path.name for path in folder.iterdir() if path.name.startswith(".")}
    assert left == set()
    assert not (folder / "way").exists()


def test_bad_input_is_refused_before_torch_is_imported(folder: Path) -> None:
    wrong = [
        command(folder, photo="none.png"),
        command(folder, "--mask", "none.png"),
        command(folder, "--device", "gpu"),
        command(folder, "--weights", "none.pth"),
        command(folder, "--progress", "way.avi"),
        [*command(folder)[:2], "none.png", *command(folder)[2:]],
    ]
    code = (
        "import json, sys; from vidstyle.cli.main import run_command;"
        "print([run_command(words) for words in json.loads(sys.argv[1])], 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(wrong)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[3, 3, 2, 4, 2, 3] False\n"
    assert len(done.stderr.splitlines()) == len(wrong)


def test_more_levels_than_fit_are_noted(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command(command(folder, "--levels", "3")) == 0
    note = "note: 100x77 pixels are too few for --levels 3: --levels 1 is used\n"
    assert note in capfd.readouterr().err


def test_without_weights_the_address_and_the_size_are_one_line(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = [str(folder / "photo.png"), str(folder / "waves.png"), "-o", str(folder / "out.png")]
    assert run_command(["image", *files, "--offline", "--device", "cpu"]) == 4
    [line] = capfd.readouterr().err.splitlines()
    assert "fetch https://download.pytorch.org/models/vgg16-397923af.pth (528 MiB)" in line
    assert not (folder / "out.png").exists()


def test_the_plan_of_a_clip_names_the_network_that_is_there(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    demo = Path(__file__).parents[2] / "samples" / "demo.mp4"
    weights = f"stylize.weights={folder / 'vgg19.safetensors'}"
    style = ["--style", str(folder / "waves.png"), "--set", weights, "--device", "cpu"]
    words = ["run", "gatys", str(demo), "-o", str(folder / "out.mp4"), "--dry-run"]
    # Two blocks of VGG16 and of VGG19 are alike: the first is taken.
    assert run_command([*words, *style, "--set", "stylize.precision=float32"]) == 0
    assert "stylize/gatys: loss network vgg16, float32" in capfd.readouterr().out
