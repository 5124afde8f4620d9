"""Clips in files, and evaluations of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.evaluation.scores import Evaluation, Series

WriteClip = Callable[..., Path]
NewEvaluation = Callable[..., Evaluation]


def write_images(
    path: Path,
    images: Sequence[HostArray],
    *,
    ticks: Sequence[int] | None = None,
    aspect: Fraction = Fraction(1),
) -> Path:
    """Write images without loss, a twenty-fifth of a second each unless ``ticks`` say more."""
    height, width = images[0].shape[:2]
    with av.open(f"file:{path}", "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=25, width=width, height=height)
        stream.pix_fmt = "bgr0"
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.sample_aspect_ratio = aspect
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(
                np.rint(image * 255).astype(np.uint8), "rgb24"
            ).reformat(format="bgr0")
            frame.pts = 40 * index if ticks is None else ticks[index]
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def write_clip(tmp_path: Path) -> WriteClip:
    """``write_images`` into a folder of the test."""
    return lambda name, images, **options: write_images(tmp_path / name, images, **options)


def build_evaluation(
    series: Series, *, cuts: tuple[int, ...] = (), notes: tuple[str, ...] = ()
) -> Evaluation:
    """An evaluation of ``len(series)`` frames, with e_warp over time."""
    known = [value for value in series if value is not None]
    floor = tuple(None if value is None else value / 4 for value in series)
    return Evaluation(
        evaluator="a test's flow",
        frames=len(series),
        cuts=cuts,
        coverage=0.75,
        scores={"e_warp": sum(known) / len(known), "sharpness": 0.9},
        series={"e_warp": series, "source_e_warp": floor},
        notes=notes,
    )


@pytest.fixture
def new_evaluation() -> NewEvaluation:
    return build_evaluation
