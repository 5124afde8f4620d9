"""Styles are measured as trainings measure, and end with 1 where one is above the limit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest

from vidstyle.core.errors import UsageError
from vidstyle.models.style.style_file import load_style
from vidstyle.training.objective import load_objective, measure_network
from vidstyle.training.photos import list_photos
from vidstyle.training.settings import TrainingSettings

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


def run(module: ModuleType, *arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        module.main([str(argument) for argument in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def rows(text: str, name: str) -> list[list[float]]:
    """The numbers of the lines that begin with a name."""
    lines = [line[30:] for line in text.splitlines() if line[:30].strip() == name]
    return [[float(word) for word in line.split()] for line in lines]


def test_losses_are_the_trainings_and_decide_the_exit_code(
    benchmark: Load,
    style: MakeStyle,
    photos: Path,
    style_images: Path,
    weights: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    night = style("blue-night")
    given = (
        "--styles",
        night,
        "--photos",
        photos,
        "--style-images",
        style_images,
        "--weights",
        weights,
    )
    assert run(benchmark("styles"), *given, "--limit", 1e-6) == 1
    out = capsys.readouterr().out
    assert "above 1e-06: blue-night" in out
    paths = list_photos(photos)
    style_image = style_images / "the_blue_night_someone.png"
    settings = TrainingSettings(crop=32, style_image_side=64)
    own = load_objective(settings, style_image, paths, weights, "cpu")
    wanted = measure_network(load_style(night).module, own, paths)
    (found,) = rows(out, "blue-night")
    assert found[:2] == pytest.approx([wanted["style"], wanted["content"]], abs=1e-3)
    assert run(benchmark("styles"), *given, "--limit", 1e6) == 0


def test_clips_and_a_baseline_are_compared(
    benchmark: Load,
    style: MakeStyle,
    photos: Path,
    style_images: Path,
    weights: Path,
    clip: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = (style("day"), style("day-without-temporal", seed=1))
    given = ("--styles", files[0], "--baseline", files[1], "--clips", clip, "--frames", 4)
    where = ("--photos", photos, "--style-images", style_images, "--weights", weights)
    run(benchmark("styles"), *given, *where, "--limit", 1e6)
    out = capsys.readouterr().out
    assert "moving: flow Farneback, 3 pairs" in out
    losses, stable, against = rows(out, "day")
    other_losses, other_stable = rows(out, "day baseline")
    assert against[0] == pytest.approx(losses[0] / other_losses[0], abs=0.02)
    assert against[1:] == pytest.approx([1 - stable[0] / other_stable[0]] * 2, abs=0.02)


def test_a_style_without_a_style_image_is_an_error(
    benchmark: Load, style: MakeStyle, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(benchmark("styles"), "--styles", style("night"), "--photos", photos) == 2
    assert "no style image for night: give --style-images NAME=FILE" in capsys.readouterr().err


def test_a_file_belongs_to_the_longest_name_in_its_own(benchmark: Load) -> None:
    styles = benchmark("styles")
    names = dict.fromkeys(("wave", "great-wave", "starry-night"), Path())
    assert styles.named(["x/Great_Wave_hokusai.jpg", "starry-night=a.png"], names) == {
        "great-wave": Path("x/Great_Wave_hokusai.jpg"),
        "starry-night": Path("a.png"),
    }
    assert styles.name_in("the_wave", names) == "wave"
    with pytest.raises(UsageError, match="none of the styles wave, great-wave"):
        styles.named(["heatwave.jpg"], names)


def test_our_own_style_images_need_not_be_given(benchmark: Load, tmp_path: Path) -> None:
    styles = benchmark("styles")
    wanted = {"mosaic": Path(), "pen-hatching": Path(), "day": Path()}
    (tmp_path / "other-mosaic.png").touch()
    found = styles.style_image_files(wanted, ["day=d.png", str(tmp_path)])
    own = Path(__file__).parents[2] / "samples" / "style_images"
    assert found == {
        "mosaic": tmp_path / "other-mosaic.png",
        "pen-hatching": own / "pen-hatching.jpg",
        "day": Path("d.png"),
    }
