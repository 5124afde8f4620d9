"""Images among a pipeline's styles become style files, in whatever form they are written."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.training.learning_world import make_world
from vidstyle.core.errors import InputError, UsageError, WeightsError
from vidstyle.models.style.styles import base_network
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import Pipeline, load_pipeline
from vidstyle.training.image_styles import ImageStyles, find_image_styles
from vidstyle.training.style_cache import find_image_style

Read = Callable[[str], Pipeline]
BASE = str(base_network("fast", 16))


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Reads a pipeline with a style as YAML; the images lie in the current folder."""
    make_world(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)

    def read_pipeline(style: str) -> Pipeline:
        stages = ("decode/pyav", f"stylize/feedforward\n    style: {style}", "encode/pyav")
        path = tmp_path / "p.yaml"
        lines = "".join(f"  - use: {stage}\n" for stage in stages)
        path.write_text(f"version: 1\nstages:\n{lines}")
        return load_pipeline(path, registry=Registry())

    return read_pipeline


def found(pipeline: Pipeline) -> ImageStyles:
    styles = find_image_styles(pipeline)
    assert styles is not None
    return styles


def style_of(pipeline: Pipeline) -> Any:
    return pipeline.stages[1].options.model_dump()["style"]


def file_of(*images: str) -> str:
    return str(find_image_style([Path(image) for image in images]).path)


@pytest.mark.parametrize("style", ["great-wave", "mine.safetensors", "{great-wave: 1, mosaic: 2}"])
def test_without_images_there_is_nothing_to_do(read: Read, style: str) -> None:
    Path("mine.safetensors").touch()
    assert find_image_styles(read(style)) is None


def test_an_image_becomes_its_file_and_the_base_network_stands_in(read: Read) -> None:
    styles = found(read("stripes.png"))
    assert style_of(styles.pipeline) == file_of("stripes.png")
    assert style_of(styles.stand_in) == BASE
    assert [style.named for style in styles.missing] == [str(Path("stripes.png").absolute())]
    assert styles.backbone == "vgg19"


def test_a_list_is_one_style(read: Read) -> None:
    styles = found(read("[stripes.png, bands.png]"))
    assert style_of(styles.pipeline) == file_of("stripes.png", "bands.png")
    assert len(styles.missing) == 1


def test_a_mix_keeps_its_weights_and_its_other_styles(read: Read) -> None:
    styles = found(read("{great-wave: 0.25, stripes.png: 0.5, bands.png: 0.25}"))
    expected = {"great-wave": 0.25, file_of("stripes.png"): 0.5, file_of("bands.png"): 0.25}
    assert style_of(styles.pipeline) == expected
    assert style_of(styles.stand_in) == {"great-wave": 0.25, BASE: 0.75}
    assert len(styles.missing) == 2


def test_two_names_of_one_image_are_one_style(read: Read, tmp_path: Path) -> None:
    (tmp_path / "copy.png").write_bytes((tmp_path / "stripes.png").read_bytes())
    styles = found(read("{stripes.png: 0.75, copy.png: 0.25}"))
    assert style_of(styles.pipeline) == {file_of("stripes.png"): 1.0}
    assert len(styles.missing) == 1


def test_keyframes_have_files_at_each_time(read: Read) -> None:
    styles = found(read("{at: {0s: stripes.png, 2s: {stripes.png: 1, mosaic: 1}}}"))
    keys = styles.pipeline.stages[1].keyframes["style"]
    assert keys.value_at(Fraction(0)) == {file_of("stripes.png"): 1.0, "mosaic": 0.0}
    assert keys.value_at(Fraction(1)) == {file_of("stripes.png"): 0.75, "mosaic": 0.25}
    assert set(style_of(styles.pipeline)) == {file_of("stripes.png"), "mosaic"}


@pytest.mark.parametrize("style", ["[stripes.png, mosaic]", "[mosaic]"])
def test_a_list_of_other_styles_is_refused(read: Read, style: str) -> None:
    with pytest.raises(UsageError, match=r"mosaic is not one: mix styles by weights"):
        find_image_styles(read(style))


def test_without_weights_the_address_is_named(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = read("stripes.png")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(tmp_path / "empty"))
    wanted = r"pull vgg19` fetches https://\S+/vgg19-\w+\.pth \(548 MiB\)"
    with pytest.raises(WeightsError, match=wanted):
        find_image_styles(pipeline)


def test_what_is_learned_needs_no_weights(
    read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidstyle.training.style_cache.ImageStyle.is_learned", lambda _: True)
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(tmp_path / "empty"))
    styles = found(read("stripes.png"))
    assert styles.missing == ()
    assert style_of(styles.stand_in) == file_of("stripes.png")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"colors", "is not an image"), (None, "is not there"), ("bomb", "make it smaller")],
)
def test_a_bad_image_is_named(
    read: Read, tmp_path: Path, content: bytes | str | None, reason: str
) -> None:
    if content is not None:
        header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00\x01\x00\x00" * 2
        (tmp_path / "bad.png").write_bytes(content if isinstance(content, bytes) else header)
    with pytest.raises(InputError, match=rf"bad\.png.*{reason}"):
        find_image_styles(read("bad.png"))
