"""The output's name chooses sink and codec; options that do not fit are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidstyle.core.errors import PipelineError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.output_format import FOLDER
from vidstyle.runner.config.pipeline import Pipeline, load_pipeline

VIDEO = "  - use: encode/pyav\n    codec: libx264\n    crf: 16\n    alpha: {alpha}\n"
IMAGES = "  - use: encode/images\n    compression: 9\n    alpha: drop\n"


@pytest.fixture
def loaded(tmp_path: Path):  # type: ignore[no-untyped-def]  # a function
    def load(sink: str, suffix: str, *overrides: str) -> Pipeline:
        path = tmp_path / "p.yaml"
        path.write_text(f"version: 1\nstages:\n  - use: decode/pyav\n{sink}")
        return load_pipeline(path, registry=Registry(), overrides=overrides, suffix=suffix)

    return load


@pytest.mark.parametrize("suffix", [".png", ".JPG", ".webp", ".tiff", FOLDER])
def test_images_are_written_by_the_sink_of_images(loaded, suffix) -> None:  # type: ignore[no-untyped-def]  # fixtures
    pipeline = loaded(VIDEO.format(alpha="drop"), suffix)
    entry = pipeline.stages[-1]
    assert (entry.name, entry.use, entry.options.alpha) == ("encode", "encode/images", "drop")
    assert pipeline.notes == ()


def test_an_option_that_means_something_else_is_left_out(loaded) -> None:  # type: ignore[no-untyped-def]  # fixtures
    pipeline = loaded(VIDEO.format(alpha="auto"), ".png")
    assert pipeline.stages[-1].options.alpha == "keep"
    assert pipeline.notes[0].startswith("alpha of the pipeline left out: it has no meaning")


def test_a_video_is_written_by_the_sink_of_videos(loaded) -> None:  # type: ignore[no-untyped-def]  # fixtures
    entry = loaded(IMAGES, ".webm").stages[-1]
    assert (entry.use, entry.options.codec, entry.options.alpha) == (
        "encode/pyav",
        "libvpx-vp9",
        "drop",
    )
    assert loaded(IMAGES, "").stages[-1].use == "encode/images"


def test_what_the_user_sets_is_for_the_new_sink(loaded) -> None:  # type: ignore[no-untyped-def]  # fixtures
    pipeline = loaded(VIDEO.format(alpha="auto"), ".jpg", "encode.quality=80")
    assert pipeline.stages[-1].options.quality == 80
    with pytest.raises(
        PipelineError,
        match=r"--set encode.crf=20: the output is an image, and only videos have crf",
    ):
        loaded(VIDEO.format(alpha="auto"), ".jpg", "encode.crf=20")
